//! One connection: what it watches, and what is left of its patience and of ours.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use coinop_core::{Timestamp, obyte::address::Address};
use serde_json::{Value, json};

use super::{answer::system_vars, chat::Guest, justsaying};
use crate::ledger::Ledger;

/// The most addresses and agents one client watches.
const MAX_WATCHED: usize = 2_000;
/// After so much silence a sign of life is asked for.
const SILENCE: Duration = Duration::from_secs(30);
/// After so much silence the client is gone.
const GONE: Duration = Duration::from_secs(90);
/// The frames a client may send in a second, on average, and how many at once.
const FRAMES: u64 = 400;
/// The bytes a client may send in a second, on average, and how many at once.
const BYTES: u64 = 12_000_000;

#[derive(Clone, Debug)]
pub(super) struct Session {
    heard: Timestamp,
    asked: Option<String>,
    beats: u64,
    addresses: BTreeSet<Address>,
    /// Agents, and whose triggers matter; none for all.
    agents: BTreeMap<Address, Option<Address>>,
    frames: u64,
    bytes: u64,
    pub(super) guest: Guest,
}

impl Session {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            heard: now,
            asked: None,
            beats: 0,
            addresses: BTreeSet::new(),
            agents: BTreeMap::new(),
            frames: FRAMES,
            bytes: BYTES,
            guest: Guest::default(),
        }
    }

    /// Counts a frame; refuses one too many.
    pub(super) fn heard(&mut self, now: Timestamp, bytes: usize) -> Result<(), &'static str> {
        let passed = u64::try_from(now.since(self.heard).as_millis()).unwrap_or(u64::MAX);
        let more = |left: u64, rate: u64| left.saturating_add(rate.saturating_mul(passed) / 1_000).min(rate);
        (self.frames, self.bytes) = (more(self.frames, FRAMES), more(self.bytes, BYTES));
        (self.heard, self.asked) = (now, None);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        match (self.frames.checked_sub(1), self.bytes.checked_sub(bytes)) {
            (Some(frames), Some(bytes)) => {
                (self.frames, self.bytes) = (frames, bytes);
                Ok(())
            }
            (None, _) => Err("too many frames"),
            (_, None) => Err("too many bytes"),
        }
    }

    /// A response came.
    pub(super) fn lives(&mut self, tag: &str) {
        self.asked = self.asked.take().filter(|asked| asked != tag);
    }

    pub(super) fn tick(&mut self, now: Timestamp) -> Option<Result<String, &'static str>> {
        let silent = now.since(self.heard);
        if silent > GONE {
            return Some(Err("it says nothing any more"));
        }
        if silent <= SILENCE || self.asked.is_some() {
            return None;
        }
        self.beats += 1;
        let tag = format!("b{}", self.beats);
        let frame = json!(["request", { "command": "heartbeat", "tag": tag }]).to_string();
        self.asked = Some(tag);
        Some(Ok(frame))
    }

    pub(super) fn watches(&self, address: &Address) -> bool {
        self.addresses.contains(address)
    }

    /// Whether an agent is watched for what one of `about` does with it.
    pub(super) fn watches_agent(&self, agent: &Address, about: &BTreeSet<Address>) -> bool {
        self.agents.get(agent).is_some_and(|only| only.is_none_or(|only| about.contains(&only)))
    }

    /// Whose history is asked for is watched from now on.
    pub(super) fn watch_all(&mut self, request: &Value) {
        let addresses = request["addresses"].as_array().into_iter().flatten();
        for address in addresses.filter_map(|address| address.as_str()?.parse().ok()) {
            if self.addresses.len() < MAX_WATCHED {
                self.addresses.insert(address);
            }
        }
    }

    /// Takes what wants no answer, and gives what is said to it all the same.
    pub(super) fn said(&mut self, ledger: &Ledger, subject: &str, body: &Value) -> Vec<String> {
        let said = match subject {
            "light/new_address_to_watch" => self.watch(body),
            "light/new_aa_to_watch" => self.watch_agent(ledger, body),
            "watch_system_vars" => return vec![justsaying("system_vars", &system_vars(ledger))],
            _ => return Vec::new(),
        };
        let (subject, text) = match said {
            Ok(text) => ("info", text),
            Err(text) => ("error", text),
        };
        vec![justsaying(subject, &json!(text))]
    }

    fn watch(&mut self, body: &Value) -> Result<String, String> {
        let address = address(body).ok_or("address not valid")?;
        self.has_room()?;
        self.addresses.insert(address);
        Ok(format!("now watching {address}"))
    }

    fn watch_agent(&mut self, ledger: &Ledger, body: &Value) -> Result<String, String> {
        let agent = address(&body["aa"]).ok_or("invalid AA")?;
        let only = match &body["address"] {
            Value::Null => None,
            only => Some(address(only).ok_or("invalid address")?),
        };
        self.has_room()?;
        if !ledger.is_agent(&agent) {
            return Err(format!("not an AA: {agent}"));
        }
        self.agents.insert(agent, only);
        Ok(format!(
            "now watching AA {agent} address {}",
            only.map_or_else(|| "all".to_owned(), |only| only.to_string())
        ))
    }

    fn has_room(&self) -> Result<(), String> {
        let watched = self.addresses.len() + self.agents.len();
        if watched < MAX_WATCHED {
            Ok(())
        } else {
            Err(format!("more than {MAX_WATCHED} addresses are too many"))
        }
    }
}

fn address(value: &Value) -> Option<Address> {
    value.as_str()?.parse().ok()
}
