//! What an audit tells.

use coinop_core::{Bytes, Timestamp, channel::Phase, obyte::address::Address};
use coinop_node::ledger::Audit;
use serde::Serialize;

/// What a journal says about everybody's money.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// When the last entry was made.
    pub at: Timestamp,
    /// Where all money of the ledger is; nothing when it does not add up.
    pub ledger: Option<Audit>,
    /// What each party has.
    pub parties: Vec<PartyAccount>,
    /// Each channel as its two ends have it.
    pub channels: Vec<ChannelAccount>,
    /// Each session as its two ends have it.
    pub sessions: Vec<SessionAccount>,
    /// What does not add up, in words; empty when all is well.
    pub wrong: Vec<String>,
}

/// What one party has, in bytes.
#[derive(Clone, Debug, Serialize)]
pub struct PartyAccount {
    /// Its name.
    pub name: String,
    /// Its address.
    pub address: Address,
    /// In its wallet for good.
    pub stable: Bytes,
    /// In its wallet, not yet final.
    pub pending: Bytes,
    /// Its share of the channels that are open, by the packages it holds and has signed.
    pub in_channels: Bytes,
    /// Its sellers owe it this much, unused rests.
    pub owed: Bytes,
}

/// One channel as its two ends have it.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelAccount {
    /// The agent.
    pub agent: Address,
    /// What the agent holds on the ledger.
    pub held: Bytes,
    /// The views of those who take part in it.
    pub ends: Vec<ChannelEnd>,
}

/// One party's view of a channel.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelEnd {
    /// Whose.
    pub party: String,
    /// The period it is in.
    pub period: u64,
    /// Where the agent is.
    pub phase: Phase,
    /// What it has deposited.
    pub deposited: Bytes,
    /// What it has signed away.
    pub signed: Bytes,
    /// What it can prove that the other has signed away.
    pub proven: Bytes,
}

/// One session as its two ends have it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SessionAccount {
    /// Which.
    pub id: String,
    /// The buyer, and what it has agreed to pay.
    pub buyer: Option<(String, Bytes)>,
    /// The seller, and what it has credited.
    pub seller: Option<(String, Bytes)>,
}

/// A journal that cannot be made into machines again.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no ledger in it.
    #[error("the journal holds no ledger: the run was stopped before it had begun")]
    NoLedger,
    /// A stream is not what it should be.
    #[error("a state in the journal cannot be read")]
    State(#[from] serde_json::Error),
}

impl ChannelAccount {
    /// Whether nothing of it is open, as all who take part see it.
    pub fn is_settled(&self) -> bool {
        self.ends.iter().all(|end| end.phase == Phase::Closed)
    }
}
