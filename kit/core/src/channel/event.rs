use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::{Outcome, Package, Role, SessionId, SignedPackage};
use crate::{Bytes, Timestamp, obyte::hash::Hash};

/// What happened to a channel; amounts are the resulting totals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A trigger is to be posted.
    Requested {
        /// Names the posting.
        reference: String,
        /// How many triggers this channel has asked for so far.
        number: u64,
        /// What it is to do.
        trigger: Trigger,
    },
    /// The trigger is with the ledger.
    Posted {
        /// Names the posting.
        reference: String,
        /// The unit that carries it.
        unit: Hash,
    },
    /// The trigger was not posted and is to be tried again.
    Postponed {
        /// Names the posting.
        reference: String,
        /// Why.
        error: String,
        /// When to try again.
        until: Timestamp,
    },
    /// A postponed trigger is asked for once more.
    Retried {
        /// Names the posting.
        reference: String,
    },
    /// A trigger came to nothing: refused by the ledger or bounced by the agent.
    Failed {
        /// Names the posting.
        reference: String,
        /// Why.
        error: String,
        /// When another may be asked for in its place.
        until: Timestamp,
    },
    /// A trigger has done its work.
    Done {
        /// Names the posting.
        reference: String,
    },
    /// The agent bounced a unit of ours that no posting is known for yet.
    Unclaimed {
        /// The unit.
        unit: Hash,
        /// Why.
        error: String,
    },
    /// This party paid: the package is to be signed and sent. All it has spent stands in there.
    Paid {
        /// Who was paid for.
        session: SessionId,
        /// The session's total.
        total: Bytes,
        /// The payment.
        package: Package,
    },
    /// The peer paid; the package is the evidence from now on.
    Received {
        /// What it paid for.
        session: Option<SessionId>,
        /// That session's total.
        total: Bytes,
        /// What the peer has spent beyond its payments.
        overpayment: Bytes,
        /// The payment.
        package: SignedPackage,
    },
    /// This party owes back an unused rest.
    Owed {
        /// Whose rest.
        session: SessionId,
        /// The session's total.
        total: Bytes,
        /// Over all sessions of the period.
        owed: Bytes,
    },
    /// The peer triggers the agent; not yet stable.
    TriggerSeen {
        /// Its unit.
        unit: Hash,
        /// What it does.
        trigger: PeerTrigger,
    },
    /// A trigger of the peer will not count: answered, bounced or double spent.
    TriggerGone {
        /// Its unit.
        unit: Hash,
    },
    /// The agent took a deposit.
    Opened {
        /// The period.
        period: u64,
        /// The agent's running number.
        event_id: u64,
        /// What this party has deposited in the period.
        mine: Bytes,
        /// What the peer has deposited in the period.
        peer: Bytes,
        /// The trigger answered.
        trigger: Hash,
    },
    /// The agent sent a deposit back, less its fee.
    Refused {
        /// The agent's running number.
        event_id: u64,
        /// The trigger answered.
        trigger: Hash,
    },
    /// The agent began to close the period.
    ClosingBegan {
        /// The period.
        period: u64,
        /// The agent's running number.
        event_id: u64,
        /// Who began it.
        by: Role,
        /// What this party has spent, as declared.
        spent_mine: Bytes,
        /// What the peer has spent, as declared.
        spent_peer: Bytes,
        /// When this party acts next, unless the peer does.
        act_at: Timestamp,
        /// The trigger answered.
        trigger: Hash,
    },
    /// The agent settled the period.
    Closed {
        /// The period.
        period: u64,
        /// The agent's running number.
        event_id: u64,
        /// How.
        outcome: Outcome,
        /// The trigger answered.
        trigger: Hash,
    },
}

/// What a trigger of this party does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// Adds to this party's balance.
    Deposit {
        /// The period it is for.
        period: u64,
        /// How much.
        amount: Bytes,
        /// Whether the agent's definition goes with it.
        define: bool,
    },
    /// Begins to close.
    Close {
        /// The period.
        period: u64,
        /// All this party has spent or owes.
        transferred: Bytes,
    },
    /// Agrees to a close.
    Confirm {
        /// The period.
        period: u64,
        /// What this party owes beyond what was declared.
        additional: Bytes,
    },
    /// Proves that the peer declared less than it had signed.
    FraudProof {
        /// The period.
        period: u64,
    },
}

/// What a trigger of the peer will do once it is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerTrigger {
    /// What.
    pub kind: PeerTriggerKind,
    /// When it was seen.
    pub seen: Timestamp,
}

/// The kinds of triggers a peer can post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerTriggerKind {
    /// Adds to the peer's balance.
    Deposit(Bytes),
    /// Begins to close.
    Close,
    /// Agrees to a close, adding what it owes.
    Confirm(Bytes),
}
