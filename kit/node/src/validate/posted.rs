//! The unit under validation, and what is asked of it before it is looked at.

use std::collections::BTreeSet;

use coinop_core::{
    Timestamp,
    obyte::{address::Address, hash::Hash},
};
use serde_json::{Map, Value};

use crate::{
    dag::{Dag, Sequence},
    js,
    verdict::{Check, Verdict},
};

const MAX_DEPTH: usize = 100;
const MAX_NODES: usize = 10_000;

/// A posted unit on its way through the checks.
pub(super) struct Posted<'a> {
    pub(super) dag: &'a Dag,
    pub(super) now: Timestamp,
    pub(super) joint: &'a Map<String, Value>,
    pub(super) unit: &'a Map<String, Value>,
    /// The hash it goes by, as it was sent.
    pub(super) name: &'a str,
}

/// How a unit stands among the other units of its authors, as the checks find out.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    pub(super) value: Sequence,
    /// Units the authors made aside of this one.
    pub(super) competitors: BTreeSet<Hash>,
    /// The authors who made them.
    pub(super) forked: BTreeSet<Address>,
}

impl<'a> Posted<'a> {
    pub(super) fn of(dag: &'a Dag, now: Timestamp, joint: &'a Map<String, Value>) -> Check<Self> {
        let unit = joint.get("unit").and_then(Value::as_object).ok_or_else(no_unit)?;
        let name = js::text_of(unit.get("unit"), Hash::TEXT_LENGTH);
        let name = name.ok_or_else(|| Verdict::joint("wrong unit length"))?;
        Ok(Self { dag, now, joint, unit, name })
    }

    pub(super) fn get(&self, field: &str) -> Option<&'a Value> {
        self.unit.get(field)
    }

    pub(super) fn items(&self, field: &str) -> &'a [Value] {
        self.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A whole number; zero when absent.
    pub(super) fn number(&self, field: &str) -> u64 {
        js::nonnegative(self.get(field)).unwrap_or_default()
    }

    pub(super) fn text(&self, field: &str) -> &'a str {
        self.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// The parents' hashes; one that is no hash cannot be known.
    pub(super) fn parents(&self) -> Vec<Hash> {
        self.items("parent_units").iter().filter_map(hash).collect()
    }

    /// The authors' addresses; they were checked early.
    pub(super) fn authors(&self) -> Vec<Address> {
        let names = self.items("authors").iter().filter_map(|author| author.get("address")?.as_str());
        names.filter_map(|name| name.parse().ok()).collect()
    }
}

/// Reads a hash.
pub(super) fn hash(value: &Value) -> Option<Hash> {
    value.as_str()?.parse().ok()
}

/// What a hub asks of a request before it looks at the unit; gives the joint in its tidy form.
pub(super) fn at_the_door(joint: &Value) -> Check<Map<String, Value>> {
    let unit = joint.get("unit").ok_or_else(no_unit)?;
    let name = unit.get("unit").filter(|name| js::truthy(Some(name))).ok_or_else(no_unit)?;
    if js::truthy(joint.get("ball")) {
        return Err(Verdict::door("no ball via post_joint"));
    }
    if is_too_large(joint) {
        return Err(Verdict::door("joint is too deeply nested or has too many nodes"));
    }
    if !name.is_string() {
        return Err(no_unit());
    }
    if joint.get("unsigned").is_some() {
        return Err(Verdict::door("unsigned unit"));
    }
    if joint.get("aa").is_some() {
        return Err(Verdict::door("AA unit cannot be broadcast"));
    }
    let version = unit.get("version").and_then(Value::as_str);
    let version = version.ok_or_else(|| Verdict::door("invalid version"))?;
    if !leading_number(version).is_some_and(|number| number >= 4.0) {
        return Err(Verdict::door("version is too old"));
    }
    match tidy(joint) {
        Value::Object(tidy) => Ok(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(no_unit())
        }
    }
}

/// A unit whose authors made another one aside of it is not taken from them.
pub(super) fn refuse_competitors(standing: &Standing) -> Check {
    match standing.value {
        Sequence::Good => Ok(()),
        Sequence::TempBad | Sequence::FinalBad => {
            Err(Verdict::door("The transaction would be non-serial (a double spend)"))
        }
    }
}

/// The joint as hubs keep it: without what nodes add for their readers, and without a negative zero.
pub(crate) fn tidy(joint: &Value) -> Value {
    let mut joint = without_negative_zero(joint);
    if let Some(unit) = joint.get_mut("unit").and_then(Value::as_object_mut) {
        unit.remove("main_chain_index");
        unit.remove("actual_tps_fee");
    }
    joint
}

fn without_negative_zero(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.as_f64() == Some(0.0) => Value::from(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        Value::Array(items) => items.iter().map(without_negative_zero).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), without_negative_zero(value))).collect()
        }
    }
}

/// The number a text begins with, as `parseFloat` finds it in a version.
fn leading_number(text: &str) -> Option<f64> {
    let end = text.find(|character: char| !character.is_ascii_digit() && character != '.');
    let digits = &text[..end.unwrap_or(text.len())];
    let mut parts = digits.splitn(3, '.');
    let whole = parts.next()?;
    match parts.next() {
        Some(fraction) => format!("{whole}.{fraction}").parse().ok(),
        None => whole.parse().ok(),
    }
}

/// Whether a value is nested too deep or holds too much, itself counted as the first level.
pub(super) fn is_too_large(value: &Value) -> bool {
    fn exceeds(value: &Value, depth: usize, nodes: &mut usize) -> bool {
        if depth > MAX_DEPTH || *nodes > MAX_NODES {
            return true;
        }
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
            Value::Array(items) => {
                *nodes += items.len();
                items.iter().any(|item| exceeds(item, depth + 1, nodes))
            }
            Value::Object(map) => {
                *nodes += map.len();
                map.values().any(|value| exceeds(value, depth + 1, nodes))
            }
        }
    }
    exceeds(value, 1, &mut 0)
}

fn no_unit() -> Verdict {
    Verdict::door("no unit")
}
