//! Machines with their journals.

use std::{string::String, vec::Vec};

use serde::{Serialize, de::DeserializeOwned};

use crate::{Context, Machine, Timestamp};

/// Decides, writes the journal and applies; a refusal must leave everything as it was.
pub(super) fn step<M>(
    machine: &mut M,
    journal: &mut Vec<String>,
    now: u64,
    command: M::Command,
) -> Vec<M::Effect>
where
    M: Machine + Clone + PartialEq + Serialize + DeserializeOwned + std::fmt::Debug,
{
    let context = Context { now: Timestamp::from_millis(now), random: [7; 32] };
    let before = machine.clone();
    let Ok(decision) = machine.decide(&context, command) else {
        assert_eq!(*machine, before);
        return Vec::new();
    };
    for event in &decision.events {
        machine.apply(event);
        journal.push(serde_json::to_string(event).unwrap());
    }
    decision.effects
}

pub(super) fn replayed<M: Machine>(mut machine: M, journal: &[String]) -> M {
    for event in journal {
        machine.apply(&serde_json::from_str(event).unwrap());
    }
    machine
}

pub(super) fn snapshot<M: Serialize + DeserializeOwned>(machine: &M) -> M {
    serde_json::from_str(&serde_json::to_string(machine).unwrap()).unwrap()
}
