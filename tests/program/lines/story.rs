//! The lines of a run, read without any of the program's own types for them.

use std::collections::BTreeMap;

use coinop::core::{
    Bytes,
    obyte::{address::Address, unit::Unit},
};
use serde::Deserialize;
use serde_json::Value;

/// One run: its lines in order, and its last one.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    /// What happened.
    pub(crate) lines: Vec<Line>,
    /// What the program says it came to.
    pub(crate) summary: Summary,
}

/// One line.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Line {
    /// The version of the format.
    pub(crate) v: u64,
    /// When, in milliseconds.
    pub(crate) at: u64,
    /// Who.
    pub(crate) who: String,
    /// What.
    #[serde(flatten)]
    pub(crate) fact: Fact,
}

/// What the tests read of a line.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Fact {
    Party {
        address: Address,
    },
    Thing {
        thing: String,
        service: String,
        lines: Vec<Wire>,
    },
    Unit {
        joint: Value,
    },
    Session {
        id: String,
        thing: String,
        channel: Address,
        step: Bytes,
    },
    Package(Package),
    Paid {
        session: String,
        value: Bytes,
    },
    Delivered {
        session: String,
        value: Bytes,
        units: u64,
    },
    Exposure {
        session: String,
        buyer: Bytes,
        seller: Bytes,
    },
    Lease {
        line: String,
        until: u64,
    },
    Line {
        line: String,
        level: Level,
    },
    World {
        line: String,
        level: Option<Level>,
    },
    Alarm {
        line: String,
        state: String,
        units: u64,
        value: Bytes,
    },
    Receipt {
        session: String,
        value: Bytes,
    },
    Balance {
        stable: Bytes,
        pending: Bytes,
    },
    #[serde(other)]
    Other,
}

/// A line of a thing.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Wire {
    pub(crate) name: String,
    pub(crate) direction: String,
}

/// What a line can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Low,
    High,
}

/// A payment on its way.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Package {
    pub(crate) channel: Address,
    pub(crate) period: u64,
    pub(crate) session: String,
    pub(crate) amount_spent: Bytes,
    pub(crate) payment_amount: Bytes,
    /// The package as it was signed.
    #[serde(rename = "signed_package")]
    pub(crate) sent: Value,
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Summary {
    pub(crate) scenario: String,
    pub(crate) seed: u64,
    pub(crate) things: usize,
    pub(crate) channels_opened: usize,
    pub(crate) channels_closed: usize,
    pub(crate) payments: usize,
    pub(crate) paid: Bytes,
    pub(crate) delivered_value: Bytes,
    pub(crate) sessions: Vec<Risk>,
    pub(crate) money_conserved: bool,
    pub(crate) unleased_on_ms: u64,
    pub(crate) fraud_proofs: usize,
    pub(crate) alarms: usize,
    pub(crate) leaked_value: Bytes,
    pub(crate) expectations: Vec<Value>,
}

/// What was at risk in a session.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Risk {
    pub(crate) id: String,
    pub(crate) step: Bytes,
    pub(crate) max_buyer_exposure: Bytes,
    pub(crate) max_seller_exposure: Bytes,
}

impl Story {
    /// Reads what the program printed.
    pub(crate) fn read(text: &str) -> Self {
        let mut rows: Vec<&str> = text.lines().collect();
        let last: Value = serde_json::from_str(rows.pop().expect("a last line")).expect("JSON");
        let summary = serde_json::from_value(last["summary"].clone()).expect("a summary");
        let read = |row: &&str| {
            serde_json::from_str(row).unwrap_or_else(|error| panic!("{error} in the line {row}"))
        };
        Self { lines: rows.iter().map(read).collect(), summary }
    }

    /// What happened, in order.
    pub(crate) fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.lines.iter().map(|line| &line.fact)
    }

    /// The units, in order, each as it was sent and as it is understood.
    pub(crate) fn units(&self) -> impl Iterator<Item = (&Value, Unit)> {
        self.facts().filter_map(|fact| match fact {
            Fact::Unit { joint } => {
                let unit = &joint["unit"];
                let typed = serde_json::from_value(unit.clone())
                    .unwrap_or_else(|error| panic!("{error} in the unit {unit}"));
                Some((unit, typed))
            }
            _ => None,
        })
    }

    /// The payments on their way, in order.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.facts().filter_map(|fact| match fact {
            Fact::Package(package) => Some(package),
            _ => None,
        })
    }

    /// Every party's address.
    pub(crate) fn parties(&self) -> BTreeMap<&str, Address> {
        let parties = self.lines.iter().filter_map(|line| match line.fact {
            Fact::Party { address } => Some((line.who.as_str(), address)),
            _ => None,
        });
        parties.collect()
    }

    /// When the last line was told.
    pub(crate) fn end(&self) -> u64 {
        self.lines.last().map_or(0, |line| line.at)
    }
}
