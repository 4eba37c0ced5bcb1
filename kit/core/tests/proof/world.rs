//! A small graph with several order providers, and an honest hub's history of it.

use std::collections::{BTreeMap, BTreeSet};

use coinop_core::obyte::{
    Address, Hash, SecretKey, ball, definition,
    proof::{self, Final, ProofError},
    unit,
};
use serde_json::{Value, json};

/// The last main chain index with a ball.
pub(crate) const STABLE: usize = 25;
const TOP: usize = 36;
/// Where beside the main chain a unit lies that lost.
pub(crate) const LOST: usize = 13;
/// How far below a unit its last ball lies.
const BEHIND: usize = 8;

fn key(number: u8) -> SecretKey {
    SecretKey::from_bytes(&[number + 1; 32]).unwrap()
}

pub(crate) fn address(number: u8) -> Address {
    Address::of_key(&key(number).public())
}

/// What one key alone signs for.
pub(crate) fn definition_of(number: u8) -> Value {
    definition::sig(&key(number).public())
}

/// A unit by somebody, hashed and signed.
pub(crate) fn unit_by(author: &Value, signer: u8, mut messages: Value, below: &Value) -> Value {
    for message in messages.as_array_mut().unwrap() {
        message["payload_location"] = json!("inline");
        message["payload_hash"] = json!(unit::payload_hash(&message["payload"], "4.0dev").unwrap());
    }
    let mut made = json!({
        "version": "4.0dev", "alt": "3", "timestamp": 1_800_000_000, "tps_fee": 0,
        "messages": messages, "authors": [author],
        "headers_commission": 408, "payload_commission": 100,
    });
    for (field, value) in below.as_object().unwrap() {
        made[field] = value.clone();
    }
    sign(&mut made, signer);
    made
}

/// Signs anew what was changed.
pub(crate) fn sign(unit: &mut Value, signer: u8) {
    let signature = key(signer).sign(&unit::hash_to_sign(unit).unwrap());
    unit["authors"][0]["authentifiers"] = json!({ "r": signature });
    unit["unit"] = json!(unit::unit_hash(unit).unwrap());
}

pub(crate) fn data(number: usize) -> Value {
    json!([{ "app": "data", "payload": { "number": number } }])
}

/// A main chain on which the order providers take turns.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) providers: BTreeSet<Address>,
    pub(crate) units: Vec<Value>,
    pub(crate) lost: Value,
    balls: BTreeMap<Hash, Value>,
}

impl World {
    pub(crate) fn new(providers: u8) -> Self {
        let addresses = (0..providers).map(address).collect();
        let mut world =
            Self { providers: addresses, units: Vec::new(), lost: json!({}), balls: BTreeMap::new() };
        for number in 0..=TOP {
            let turn = u8::try_from(number).unwrap() % providers;
            let mut author = json!({ "address": address(turn) });
            if number < usize::from(providers) {
                author["definition"] = definition_of(turn);
            }
            let below = world.below(number);
            if number == LOST {
                world.lost = unit_by(&json!({ "address": address(90) }), 90, data(90), &below);
                world.give_ball(&world.lost.clone(), None);
            }
            world.units.push(unit_by(&author, turn, data(number), &below));
            if number <= STABLE {
                world.give_ball(&world.units[number].clone(), Some(number));
            }
        }
        world
    }

    /// What a unit at a main chain index builds on.
    fn below(&self, number: usize) -> Value {
        let Some(parent) = number.checked_sub(1) else { return json!({}) };
        let mut parents = vec![hash(&self.units[parent]["unit"])];
        if number == LOST + 1 {
            parents.push(hash(&self.lost["unit"]));
            parents.sort_unstable();
        }
        let last = &self.units[number.saturating_sub(BEHIND).min(STABLE)];
        json!({ "parent_units": parents, "last_ball": self.ball(last)["ball"], "last_ball_unit": last["unit"] })
    }

    /// `number` is the main chain index, and none for the unit that lost.
    fn give_ball(&mut self, unit: &Value, number: Option<usize>) {
        let parents = unit["parent_units"].as_array().into_iter().flatten();
        let mut parents: Vec<Hash> = parents.map(|it| hash(&self.balls[&hash(it)]["ball"])).collect();
        parents.sort_unstable();
        let leaps = number.filter(|number| *number > 0 && number.is_multiple_of(10));
        let leaps = leaps.iter().map(|number| hash(&self.ball(&self.units[number - 10])["ball"]));
        let leaps: Vec<Hash> = leaps.collect();
        let unit = hash(&unit["unit"]);
        let name = ball::ball_hash(&unit, &parents, &leaps, number.is_none());
        let mut made = json!({ "unit": unit, "ball": name });
        for (field, list) in [("parent_balls", parents), ("skiplist_balls", leaps)] {
            if !list.is_empty() {
                made[field] = json!(list);
            }
        }
        if number.is_none() {
            made["is_nonserial"] = json!(true);
        }
        self.balls.insert(unit, made);
    }

    pub(crate) fn ball(&self, unit: &Value) -> Value {
        self.balls[&hash(&unit["unit"])].clone()
    }

    /// What an honest hub says of the unit at a main chain index, and of the one that lost below it.
    pub(crate) fn history(&self, number: usize) -> Value {
        let unstable: Vec<Value> =
            self.units[STABLE + 1..].iter().rev().map(|unit| json!({ "unit": unit })).collect();
        let majority = self.providers.len() / 2 + 1;
        let mut balls = Vec::new();
        let mut at = (TOP + 1 - majority - BEHIND).min(STABLE);
        while at > number {
            balls.push(self.ball(&self.units[at]));
            at -= if at.is_multiple_of(10) && at >= number + 10 { 10 } else { 1 };
        }
        balls.push(self.ball(&self.units[number]));
        let mut joints = vec![self.joint(&self.units[number])];
        if number == LOST + 1 {
            balls.push(self.ball(&self.lost));
            joints.push(
                json!({ "unit": unit::stripped(&self.lost).unwrap(), "ball": self.ball(&self.lost)["ball"] }),
            );
        }
        let definitions = self.units.iter().take(self.providers.len());
        json!({
            "unstable_mc_joints": unstable,
            "witness_change_and_definition_joints": definitions.map(|unit| self.joint(unit)).collect::<Vec<_>>(),
            "joints": joints,
            "proofchain_balls": balls,
        })
    }

    pub(crate) fn joint(&self, unit: &Value) -> Value {
        json!({ "unit": unit, "ball": self.ball(unit)["ball"] })
    }

    pub(crate) fn proven(&self, history: &Value) -> Result<BTreeMap<Hash, Final>, ProofError> {
        let providers: Vec<Address> = self.providers.iter().copied().collect();
        Ok(proof::proven(&providers, history)?.finals().clone())
    }
}

pub(crate) fn hash(value: &Value) -> Hash {
    value.as_str().unwrap().parse().unwrap()
}
