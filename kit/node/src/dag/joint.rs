use std::collections::BTreeMap;

use coinop_core::obyte::{address::Address, hash::Hash};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A unit in the DAG: its text, what the text says in typed form, and what the node derived.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    /// The unit as it was posted, without the fields the node adds for its readers.
    pub unit: Value,
    /// What the unit says, read once.
    pub facts: Facts,
    /// What the node derived about its place.
    pub properties: Properties,
}

/// The parts of a unit that the rules ask for again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The unit's hash.
    pub hash: Hash,
    /// Its parents, sorted; none for genesis.
    pub parents: Vec<Hash>,
    /// The addresses that authored it, sorted.
    pub authors: Vec<Address>,
    /// The unit whose stability it relies on; none for genesis.
    pub last_ball_unit: Option<Hash>,
    /// When it says it was made, in seconds.
    pub timestamp: u64,
    /// The headers commission in bytes.
    pub headers_commission: u64,
    /// The payload commission in bytes.
    pub payload_commission: u64,
    /// The tps fee paid, in bytes.
    pub tps_fee: u64,
    /// How many responses its triggers may cause, when it says so.
    pub max_aa_responses: Option<u64>,
    /// Who earns the headers commission, in percent; empty when it says nothing.
    pub recipients: BTreeMap<Address, u64>,
}

/// What the node derived about a unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "nodes keep these four apart, under these names")]
pub struct Properties {
    /// Main chain index, once it has one.
    pub mci: Option<u64>,
    /// Whether its place is final.
    pub is_stable: bool,
    /// Whether the main chain runs through it.
    pub is_on_main_chain: bool,
    /// The longest way to genesis.
    pub level: u64,
    /// The level at which a majority of order providers was met on the way down.
    pub witnessed_level: u64,
    /// The highest main chain index among its ancestors; none for genesis.
    pub latest_included_mc_index: Option<u64>,
    /// The parent the main chain would take; none for genesis.
    pub best_parent_unit: Option<Hash>,
    /// Whether it competes with another unit.
    pub sequence: Sequence,
    /// Whether nothing builds on it yet.
    pub is_free: bool,
    /// Its ball, once stable.
    pub ball: Option<Hash>,
    /// Whether an agent made it.
    pub is_aa_response: bool,
    /// How many agents it triggers, by the state at its last ball.
    pub count_primary_aa_triggers: u64,
    /// How many responses it caused, once stable.
    pub count_aa_responses: Option<u64>,
    /// The tps fee it was charged, once stable.
    pub actual_tps_fee: Option<u64>,
}

/// Whether a unit stands alone among the units of its authors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sequence {
    /// Nothing competes with it.
    #[default]
    Good,
    /// Something competes with it, and it is not yet decided.
    TempBad,
    /// It lost.
    FinalBad,
}

/// Where a coin lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CoinId {
    /// The unit that made it.
    pub unit: Hash,
    /// The message within the unit.
    pub message_index: u32,
    /// The output within the message.
    pub output_index: u32,
}

/// An output of a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coin {
    /// Who may spend it.
    pub address: Address,
    /// How much it holds: bytes, when `asset` is none.
    pub amount: u64,
    /// The asset's unit; none for bytes.
    pub asset: Option<String>,
}

/// A range of commissions that a unit collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Collected {
    /// The unit that collected.
    pub unit: Hash,
    /// The first main chain index of the range.
    pub from: u64,
    /// The last main chain index of the range.
    pub to: u64,
}

/// The two kinds of commission that are collected by ranges of main chain indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commission {
    /// For building on a unit first.
    HeadersCommission,
    /// For ordering.
    Witnessing,
}

impl Commission {
    /// The word in inputs and in verdicts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::HeadersCommission => "headers_commission",
            Self::Witnessing => "witnessing",
        }
    }
}
