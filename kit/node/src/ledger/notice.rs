use std::collections::BTreeSet;

use coinop_core::obyte::{address::Address, hash::Hash};
use serde_json::Value;

use super::live::paid;

/// News for those who watch an address.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// The addresses it is about.
    pub to: BTreeSet<Address>,
    /// What happened.
    pub what: Notice,
}

/// What happened, as light clients hear of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A unit is on the ledger, not yet stable.
    Joint(Value),
    /// A unit is final.
    Stable(Hash),
    /// The body of `light/aa_response`: an agent answered.
    Response(Value),
}

/// Every address that a unit is about: its authors, and those it pays.
pub(crate) fn touched(unit: &Value) -> BTreeSet<Address> {
    let authors = unit["authors"].as_array().into_iter().flatten();
    let authors = authors.filter_map(|author| author["address"].as_str()?.parse().ok());
    authors.chain(paid(unit)).collect()
}
