use std::collections::{BTreeMap, VecDeque};

use coinop_core::obyte::hash::Hash;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Dag;
use crate::{
    js,
    verdict::{Check, Class, Verdict},
};

/// How many bad units, and how many bad texts of units, a node remembers.
const REMEMBERED: usize = 10_000;

/// What was posted and found bad; the oldest is forgotten first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Bad {
    units: Memory,
    joints: Memory,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Memory {
    verdicts: BTreeMap<String, String>,
    order: VecDeque<String>,
}

impl Memory {
    fn add(&mut self, name: String, text: String) {
        if self.verdicts.insert(name.clone(), text).is_none() {
            self.order.push_back(name);
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.verdicts.remove(&oldest);
        }
    }
}

impl Dag {
    /// Remembers what was turned down, as far as the verdict condemns it.
    pub fn remember(&mut self, joint: &Value, verdict: &Verdict) {
        let joint = crate::validate::tidy(joint);
        let Some(unit) = joint["unit"]["unit"].as_str() else { return };
        match verdict.class {
            Class::Unit => self.bad.units.add(unit.to_owned(), verdict.text.clone()),
            Class::Joint => self.bad.joints.add(joint_name(&joint), verdict.text.clone()),
            Class::Transient | Class::Door => {}
        }
    }

    /// Why a unit is known to be bad, if it is.
    pub fn bad_unit(&self, unit: &str) -> Option<&str> {
        self.bad.units.verdicts.get(unit).map(String::as_str)
    }

    /// Why this very text of a unit is known to be bad, if it is.
    pub fn bad_joint(&self, joint: &Value) -> Option<&str> {
        let name = joint_name(&crate::validate::tidy(joint));
        self.bad.joints.verdicts.get(&name).map(String::as_str)
    }

    /// What is there already, or was found bad before, is not looked at again.
    pub(crate) fn turn_away_known(&self, joint: &Map<String, Value>) -> Check {
        let unit = joint.get("unit").and_then(|unit| unit.get("unit")?.as_str()).unwrap_or_default();
        if unit.parse::<Hash>().is_ok_and(|unit| self.joint(&unit).is_some()) {
            return Err(Verdict::door("known"));
        }
        let is_bad = self.bad_unit(unit).is_some()
            || self.bad.joints.verdicts.contains_key(&joint_name(&Value::Object(joint.clone())));
        if is_bad { Err(Verdict::door("known bad")) } else { Ok(()) }
    }
}

fn joint_name(joint: &Value) -> String {
    Hash::of(js::stringify(joint).as_bytes()).to_string()
}
