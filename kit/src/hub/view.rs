//! What a light client believes of a ledger: the units of its addresses, as far as they can be checked.
//!
//! A hub cannot make up a unit (its hash names its content) nor say that one is final that is not (the
//! proof says so); it can hide units. Answers of agents are not proven by anything: they are believed
//! because the units that carry them are.

use std::collections::{BTreeMap, BTreeSet};

use coinop_core::{
    obyte::{
        address::Address,
        hash::Hash,
        proof::{ProofError, Proven, proven},
        unit::{Input, Payment},
    },
    wallet::{Coin, CoinId},
};
use serde_json::{Value, json};

use crate::ledger::{News, news};

/// The most units that are kept.
pub const MAX_UNITS: usize = 20_000;
/// The most units that are named to a hub as known.
const MAX_KNOWN: usize = 2_000;

/// The units of some addresses and the answers of some agents.
#[derive(Clone, Debug, Default)]
pub struct View {
    joints: BTreeMap<Hash, Seen>,
    /// In the order in which they were given.
    answers: Vec<Answered>,
}

#[derive(Clone, Debug)]
struct Seen {
    unit: Value,
    is_stable: bool,
}

#[derive(Clone, Debug)]
struct Answered {
    trigger: Hash,
    agent: Address,
    row: Value,
}

/// What one unit moved to an address and from it, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The unit.
    pub unit: Hash,
    /// When it says it was made, in seconds.
    pub timestamp: u64,
    /// What came, change included.
    pub received: u64,
    /// What went, fees included.
    pub spent: u64,
    /// Whether it is final.
    pub is_stable: bool,
}

/// What a hub said is not so, or makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lie {
    /// A field is missing or is not of the kind it must be.
    #[error("the history's {0} is missing or malformed")]
    Field(&'static str),
    /// A unit is not what its hash says, or what is said of it is not proven.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Too much for this client.
    #[error("a history of more than {MAX_UNITS} units")]
    TooMuch,
}

impl View {
    /// Takes what a hub says the history is since the units it was told are known.
    ///
    /// # Errors
    ///
    /// [`Lie`]: nothing was taken.
    pub fn learn(&mut self, providers: &[Address], history: &Value) -> Result<(), Lie> {
        let list = |name: &'static str| match history.get(name) {
            None => Ok(&[][..]),
            Some(Value::Array(list)) => Ok(list.as_slice()),
            Some(_) => Err(Lie::Field(name)),
        };
        let joints = list("joints")?;
        let proven = if joints.is_empty() { Proven::default() } else { proven(providers, history)? };
        let mut units = BTreeMap::new();
        for joint in joints {
            let unit = joint.get("unit").ok_or(Lie::Field("joints"))?;
            // That it is the unit's own hash was checked with the proof.
            let hash =
                unit["unit"].as_str().and_then(|text| text.parse().ok()).ok_or(Lie::Field("joints"))?;
            let mut unit = unit.clone();
            if proven.is_void(&hash)
                && let Some(fields) = unit.as_object_mut()
            {
                // It lost against another unit: it moves nothing.
                fields.remove("messages");
            }
            units.insert(hash, Seen { unit, is_stable: proven.is_final(&hash) });
        }
        let answers: Vec<_> = list("aa_responses")?.iter().map(answered).collect::<Result<_, _>>()?;
        if self.joints.len() + units.len() > MAX_UNITS {
            return Err(Lie::TooMuch);
        }
        // What is not final and is not there any more has turned out to be void.
        self.joints.retain(|_, seen| seen.is_stable);
        self.joints.extend(units);
        for answer in answers {
            if !self.is_answered(answer.trigger, answer.agent) {
                self.answers.push(answer);
            }
        }
        Ok(())
    }

    /// The units that a hub needs not send again: final ones, whose answers by these agents are known.
    pub fn known(&self, watched: &BTreeSet<Address>) -> Vec<Hash> {
        let is_settled = |hash: &Hash, unit: &Value| {
            outputs(unit).all(|(_, _, output)| {
                let to = output["address"].as_str().and_then(|text| text.parse::<Address>().ok());
                to.is_none_or(|to| {
                    !self.is_agent(&to) || !watched.contains(&to) || self.is_answered(*hash, to)
                })
            })
        };
        let known = self.joints.iter().filter(|(hash, seen)| seen.is_stable && is_settled(hash, &seen.unit));
        known.map(|(hash, _)| *hash).take(MAX_KNOWN).collect()
    }

    /// The coins of an address.
    pub fn coins(&self, address: Address) -> Vec<Coin> {
        let payments = self.joints.values().flat_map(|seen| messages(&seen.unit)).filter_map(payment);
        let inputs = payments.flat_map(|payment| payment.inputs);
        let spent: BTreeSet<CoinId> = inputs
            .filter_map(|input| match input {
                Input::Transfer { unit, message_index, output_index } => {
                    Some(CoinId { unit, message_index, output_index })
                }
                Input::Issue { .. } | Input::HeadersCommission(_) | Input::Witnessing(_) => None,
            })
            .collect();
        let mut coins = Vec::new();
        for (hash, seen) in &self.joints {
            for (message_index, payment) in (0..).zip(messages(&seen.unit).map(payment)) {
                let outputs =
                    payment.filter(|payment| payment.asset.is_none()).map(|payment| payment.outputs);
                for (output_index, output) in (0..).zip(outputs.unwrap_or_default()) {
                    let id = CoinId { unit: *hash, message_index, output_index };
                    if output.address == address && !spent.contains(&id) {
                        coins.push(Coin { id, amount: output.amount, stable: seen.is_stable });
                    }
                }
            }
        }
        coins
    }

    /// What happened to an address: answers if it is an agent, and units that pay it and have none.
    pub fn news(&self, address: Address) -> Vec<News> {
        let answers = self.answers.iter().filter(|answer| answer.agent == address);
        let answered = answers.filter_map(|answer| news::response(&self.event(answer)));
        let waiting = self.joints.iter().filter(|(hash, _)| !self.is_answered(**hash, address));
        answered.chain(waiting.filter_map(|(_, seen)| news::trigger(address, &seen.unit))).collect()
    }

    /// Whether a unit is final.
    pub fn is_stable(&self, unit: &Hash) -> bool {
        self.joints.get(unit).is_some_and(|seen| seen.is_stable)
    }

    /// Whether an address is an author of a unit.
    pub fn is_by(&self, unit: &Hash, author: &Address) -> bool {
        let authors = self.joints.get(unit).and_then(|seen| seen.unit["authors"].as_array());
        authors.into_iter().flatten().any(|by| by["address"] == author.as_str())
    }

    /// What came to an address and went from it, oldest first.
    pub fn movements(&self, address: Address) -> Vec<Movement> {
        let mut movements: Vec<Movement> = self
            .joints
            .iter()
            .map(|(hash, seen)| {
                let payments = || messages(&seen.unit).filter_map(payment);
                let received = payments().filter(|payment| payment.asset.is_none()).flat_map(|it| it.outputs);
                let received =
                    received.filter(|output| output.address == address).map(|it| it.amount.get()).sum();
                let spent = payments()
                    .flat_map(|payment| payment.inputs)
                    .filter_map(|input| self.worth(input, address));
                Movement {
                    unit: *hash,
                    timestamp: seen.unit["timestamp"].as_u64().unwrap_or_default(),
                    received,
                    spent: spent.sum(),
                    is_stable: seen.is_stable,
                }
            })
            .filter(|movement| movement.received > 0 || movement.spent > 0)
            .collect();
        movements.sort_by_key(|movement| (movement.timestamp, movement.unit));
        movements
    }

    /// What an input takes from an address.
    fn worth(&self, input: Input, address: Address) -> Option<u64> {
        let Input::Transfer { unit, message_index, output_index } = input else { return None };
        let message = messages(&self.joints.get(&unit)?.unit).nth(usize::try_from(message_index).ok()?)?;
        let payment = payment(message).filter(|payment| payment.asset.is_none())?;
        let output = payment.outputs.into_iter().nth(usize::try_from(output_index).ok()?)?;
        (output.address == address).then(|| output.amount.get())
    }

    fn is_answered(&self, trigger: Hash, agent: Address) -> bool {
        self.answers.iter().any(|answer| answer.trigger == trigger && answer.agent == agent)
    }

    fn is_agent(&self, address: &Address) -> bool {
        self.answers.iter().any(|answer| answer.agent == *address)
            || self.joints.values().any(|seen| defines(&seen.unit, address))
    }

    /// An answer as hubs push it: with its unit.
    fn event(&self, answer: &Answered) -> Value {
        let mut event = answer.row.clone();
        event["bounced"] = json!(event["bounced"] == true || event["bounced"] == 1);
        if let Some(text) = event["response"].as_str() {
            event["response"] = serde_json::from_str(text).unwrap_or_default();
        }
        let unit = event["response_unit"].as_str().and_then(|text| text.parse::<Hash>().ok());
        if let Some(seen) = unit.and_then(|unit| self.joints.get(&unit)) {
            event["objResponseUnit"] = seen.unit.clone();
        }
        event
    }
}

fn answered(row: &Value) -> Result<Answered, Lie> {
    let text = |name: &str| row[name].as_str();
    let wrong = || Lie::Field("aa_responses");
    Ok(Answered {
        trigger: text("trigger_unit").and_then(|text| text.parse().ok()).ok_or_else(wrong)?,
        agent: text("aa_address").and_then(|text| text.parse().ok()).ok_or_else(wrong)?,
        row: row.clone(),
    })
}

fn messages(unit: &Value) -> impl Iterator<Item = &Value> {
    unit["messages"].as_array().into_iter().flatten()
}

fn payment(message: &Value) -> Option<Payment> {
    (message["app"] == "payment").then(|| serde_json::from_value(message["payload"].clone()).ok())?
}

fn outputs(unit: &Value) -> impl Iterator<Item = (usize, usize, &Value)> {
    let payments = messages(unit).enumerate().filter(|(_, message)| message["app"] == "payment");
    payments.flat_map(|(index, message)| {
        let outputs = message["payload"]["outputs"].as_array().into_iter().flatten();
        outputs.enumerate().map(move |(output, value)| (index, output, value))
    })
}

fn defines(unit: &Value, address: &Address) -> bool {
    messages(unit)
        .any(|message| message["app"] == "definition" && message["payload"]["address"] == address.as_str())
}
