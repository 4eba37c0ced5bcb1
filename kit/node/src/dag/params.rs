use coinop_core::obyte::{address::Address, hash::Hash};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What distinguishes one network from another, and one node's policy from another's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Params {
    /// The version new units carry, such as `4.0dev`.
    pub version: String,
    /// Every version that is read.
    pub supported_versions: Vec<String>,
    /// The network's number.
    pub alt: String,
    /// The unit everything descends from.
    pub genesis: Hash,
    /// All bytes that exist.
    pub total_bytes: u64,
    /// How many order providers there are.
    pub order_providers: usize,
    /// How many of them are a majority.
    pub majority: usize,
    /// How many main chain indexes an order provider has to follow up to be paid.
    pub paid_witnessing_span: u64,
    /// How far ahead of the clock a unit may be, in seconds.
    pub max_seconds_ahead: u64,
    /// How many times the current tps fee a unit has to carry to be taken from its author.
    pub min_tps_fee_multiplier: f64,
    /// Seconds that count as elapsed when none did.
    pub elapsed_when_zero: u64,
}

/// The values that order providers are voted on, with the index since which each holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SystemVars {
    /// Every vote, in any order.
    pub rows: Vec<SystemVar>,
}

/// One result of a vote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SystemVar {
    /// What was voted on.
    pub subject: String,
    /// The outcome.
    pub value: Value,
    /// It holds above this main chain index; -1 for the values a network starts with.
    pub vote_count_mci: i64,
}

impl SystemVars {
    /// The value that holds at `mci`.
    pub fn at(&self, subject: &str, mci: u64) -> Option<&Value> {
        let mci = i64::try_from(mci).ok()?;
        self.rows
            .iter()
            .filter(|row| row.subject == subject && row.vote_count_mci < mci)
            .max_by_key(|row| row.vote_count_mci)
            .map(|row| &row.value)
    }

    /// The number that holds at `mci`; zero when there is none.
    pub fn number(&self, subject: &str, mci: u64) -> f64 {
        self.at(subject, mci).and_then(Value::as_f64).unwrap_or_default()
    }

    /// The order providers at `mci`.
    pub fn order_providers(&self, mci: u64) -> Vec<Address> {
        let list = self.at("op_list", mci).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(|name| name.as_str()?.parse().ok()).collect()
    }
}
