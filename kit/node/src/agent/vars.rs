//! The state an agent keeps between triggers.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap};
use serde_json::{Value, json};

use super::{Datum, Number};

/// One of the two parties of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// The contacted peer, the seller.
    A,
    /// The creator of the channel, the buyer.
    B,
}

impl Party {
    /// How the agent writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
        }
    }

    /// The one across.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// The name of a state variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Var {
    /// What a party has put in during this period.
    Balance(Party),
    /// Who asked to close.
    CloseInitiatedBy,
    /// When closing began, in seconds.
    CloseStartTs,
    /// The number of the next event.
    EventId,
    /// The number of the period.
    Period,
    /// What a party is said to have spent, once closing.
    Spent(Party),
}

impl Var {
    /// Every variable, in the order of their names.
    pub const ALL: [Self; 8] = [
        Self::Balance(Party::A),
        Self::Balance(Party::B),
        Self::CloseInitiatedBy,
        Self::CloseStartTs,
        Self::EventId,
        Self::Period,
        Self::Spent(Party::A),
        Self::Spent(Party::B),
    ];

    /// How the agent calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Balance(Party::A) => "balanceA",
            Self::Balance(Party::B) => "balanceB",
            Self::CloseInitiatedBy => "close_initiated_by",
            Self::CloseStartTs => "close_start_ts",
            Self::EventId => "event_id",
            Self::Period => "period",
            Self::Spent(Party::A) => "spentByA",
            Self::Spent(Party::B) => "spentByB",
        }
    }
}

/// The value of a state variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A number.
    Number(Number),
    /// A party.
    Party(Party),
}

impl Scalar {
    fn of_json(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Number::of_json(number).map(Self::Number),
            Value::String(text) if text == Party::A.name() => Some(Self::Party(Party::A)),
            Value::String(text) if text == Party::B.name() => Some(Self::Party(Party::B)),
            _ => None,
        }
    }

    fn to_json(self) -> Value {
        match self {
            Self::Number(number) => number.to_json(),
            Self::Party(party) => Value::from(party.name()),
        }
    }

    fn size(self) -> usize {
        match self {
            Self::Number(number) => number.to_string().len(),
            Self::Party(party) => party.name().len(),
        }
    }
}

/// The state variables of one channel agent; what is absent is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vars(BTreeMap<Var, Scalar>);

impl Vars {
    /// The variable as the agent reads it.
    pub fn datum(&self, var: Var) -> Datum<'static> {
        match self.0.get(&var) {
            Some(Scalar::Number(number)) => Datum::Number(*number),
            Some(Scalar::Party(party)) => Datum::Text(party.name()),
            None => Datum::MISSING,
        }
    }

    /// The variable as a number, zero when it is absent.
    pub fn number(&self, var: Var) -> Number {
        match self.0.get(&var) {
            Some(Scalar::Number(number)) => *number,
            Some(Scalar::Party(_)) | None => Number::ZERO,
        }
    }

    /// Who asked to close, while the channel is closing.
    pub fn closing(&self) -> Option<Party> {
        match self.0.get(&Var::CloseInitiatedBy) {
            Some(Scalar::Party(party)) => Some(*party),
            Some(Scalar::Number(_)) | None => None,
        }
    }

    /// How many bytes the state is charged for.
    pub fn storage_size(&self) -> u64 {
        let size: usize = self.0.iter().map(|(var, value)| var.name().len() + value.size()).sum();
        size as u64
    }

    /// Makes the changes.
    pub fn apply(&mut self, changes: &[Change]) {
        for change in changes {
            match change.value {
                Some(value) => self.0.insert(change.var, value),
                None => self.0.remove(&change.var),
            };
        }
    }
}

impl Serialize for Vars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(var, value)| (var.name(), value.to_json())))
    }
}

impl<'de> Deserialize<'de> for Vars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = BTreeMap::<String, Value>::deserialize(deserializer)?;
        let read = |(name, value): (String, Value)| {
            let var = read_var::<D::Error>(&name)?;
            let value = Scalar::of_json(&value).ok_or_else(|| D::Error::custom("no value of a channel"))?;
            Ok((var, value))
        };
        fields.into_iter().map(read).collect::<Result<_, _>>().map(Self)
    }
}

fn read_var<E: serde::de::Error>(name: &str) -> Result<Var, E> {
    let var = Var::ALL.into_iter().find(|var| var.name() == name);
    var.ok_or_else(|| E::custom(format_args!("{name} is no variable of a channel")))
}

/// What a trigger made of one variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub var: Var,
    /// What it is now; `None` when it is gone.
    pub value: Option<Scalar>,
    /// What it was, as the agent's own report puts it.
    pub old: Option<Scalar>,
}

impl Change {
    fn to_json(self) -> Value {
        let mut report = json!({"value": self.value.map_or(Value::Bool(false), Scalar::to_json)});
        if let Some(old) = self.old {
            report["old_value"] = old.to_json();
        }
        if let (Some(Scalar::Number(new)), Some(Scalar::Number(old))) = (self.value, self.old)
            && let Some(delta) = new.minus(old)
        {
            report["delta"] = delta.to_json();
        }
        report
    }
}

/// The changes as `updatedStateVars` reports them.
pub fn report(changes: &[Change]) -> Value {
    changes.iter().map(|change| (change.var.name().to_owned(), change.to_json())).collect()
}

impl Serialize for Change {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("var", self.var.name())?;
        map.serialize_entry("value", &self.value.map(Scalar::to_json))?;
        map.serialize_entry("old", &self.old.map(Scalar::to_json))?;
        map.end()
    }
}

impl<'de> Deserialize<'de> for Change {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Plain {
            var: String,
            value: Option<Value>,
            old: Option<Value>,
        }
        let plain = Plain::deserialize(deserializer)?;
        let scalar = |value: Option<Value>| match value {
            Some(value) => match Scalar::of_json(&value) {
                Some(scalar) => Ok(Some(scalar)),
                None => Err(D::Error::custom("no value of a channel")),
            },
            None => Ok(None),
        };
        Ok(Self { var: read_var(&plain.var)?, value: scalar(plain.value)?, old: scalar(plain.old)? })
    }
}

/// Collects changes against a state that stays as it is.
pub(crate) struct Draft<'a> {
    vars: &'a Vars,
    changes: Vec<Change>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(vars: &'a Vars) -> Self {
        Self { vars, changes: Vec::new() }
    }

    pub(crate) fn set(&mut self, var: Var, value: Scalar) -> &mut Self {
        self.changes.push(Change { var, value: Some(value), old: self.vars.0.get(&var).copied() });
        self
    }

    /// Sets a sum; what was absent counts, and is reported, as zero.
    pub(crate) fn raise(&mut self, var: Var, sum: Number) -> &mut Self {
        let old = Some(Scalar::Number(self.vars.number(var)));
        self.changes.push(Change { var, value: Some(Scalar::Number(sum)), old });
        self
    }

    pub(crate) fn clear(&mut self, var: Var) -> &mut Self {
        self.changes.push(Change { var, value: None, old: self.vars.0.get(&var).copied() });
        self
    }

    pub(crate) fn done(self) -> Vec<Change> {
        self.changes
    }
}
