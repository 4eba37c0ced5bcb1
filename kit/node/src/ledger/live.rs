use coinop_core::obyte::{address::Address, hash::Hash};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::agent::{Record, Vars, channel::Channel};

/// A channel agent with what it remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Live {
    pub(super) channel: Channel,
    pub(super) vars: Vars,
    /// Every answer it gave, oldest first.
    pub(super) records: Vec<Record>,
}

impl Live {
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, vars: Vars::default(), records: Vec::new() }
    }

    pub(super) fn answered(&mut self, record: &Record) {
        self.vars.apply(&record.changes);
        self.records.push(record.clone());
    }
}

/// A stable trigger that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The trigger.
    pub unit: Hash,
    /// The agent.
    pub agent: Address,
    /// The main chain index at which it became stable.
    pub mci: u64,
}

/// The agents a unit defines.
pub(super) fn definitions(unit: &Value) -> impl Iterator<Item = (Address, &Value)> {
    let messages = unit["messages"].as_array().into_iter().flatten();
    messages.filter(|message| message["app"] == "definition").filter_map(|message| {
        let payload = &message["payload"];
        Some((payload["address"].as_str()?.parse().ok()?, &payload["definition"]))
    })
}

/// Whether a unit has to do with anything but bytes.
pub(super) fn has_assets(unit: &Value) -> bool {
    let mut messages = unit["messages"].as_array().into_iter().flatten();
    messages.any(|message| message["app"] == "asset" || !message["payload"]["asset"].is_null())
}

/// The addresses a unit pays, in the order of its outputs.
pub(super) fn paid(unit: &Value) -> impl Iterator<Item = Address> {
    let messages = unit["messages"].as_array().into_iter().flatten();
    let payments = messages.filter(|message| message["app"] == "payment");
    let outputs = payments.flat_map(|message| message["payload"]["outputs"].as_array().into_iter().flatten());
    outputs.filter_map(|output| output["address"].as_str()?.parse().ok())
}
