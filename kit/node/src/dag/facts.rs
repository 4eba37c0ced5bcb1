use std::{collections::BTreeMap, str::FromStr};

use coinop_core::obyte::address::Address;
use serde_json::{Map, Value};

use super::Facts;

/// Why a value cannot be a unit of the DAG.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InsertError {
    /// A field that every unit has is missing or of the wrong kind.
    #[error("the unit's field {0} is missing or malformed")]
    Field(&'static str),
}

impl Facts {
    /// Reads the facts of a unit.
    ///
    /// # Errors
    ///
    /// The first field that is missing or malformed.
    pub fn read(unit: &Value) -> Result<Self, InsertError> {
        Ok(Self {
            hash: required(unit, "unit")?,
            parents: list(unit, "parent_units")?,
            authors: authors(unit)?,
            last_ball_unit: optional(unit, "last_ball_unit")?,
            timestamp: number(unit, "timestamp"),
            headers_commission: number(unit, "headers_commission"),
            payload_commission: number(unit, "payload_commission"),
            tps_fee: number(unit, "tps_fee"),
            max_aa_responses: unit.get("max_aa_responses").and_then(Value::as_u64),
            recipients: recipients(unit.get("earned_headers_commission_recipients"))?,
        })
    }
}

/// Reads an index of messages, outputs and the like, whichever way its number is written.
pub(crate) fn index(value: Option<&Value>) -> Option<u32> {
    whole(value?).and_then(|number| u32::try_from(number).ok())
}

/// Reads a whole number that is not negative, whichever way it is written: `777`, `777.0`, `7.77e2`.
///
/// Numbers are doubles to all nodes, so one beyond 2⁵³ is rounded first.
pub(crate) fn whole(value: &Value) -> Option<u64> {
    let number = value.as_f64()?;
    if number.fract() != 0.0 || number < 0.0 {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole; what is too large stays so"
    )]
    Some(number as u64)
}

impl Facts {
    /// Who earns the headers commission by a unit's own words; nobody it knows when it says nothing.
    pub(crate) fn recipients_of(unit: &Map<String, Value>) -> BTreeMap<Address, u64> {
        recipients(unit.get("earned_headers_commission_recipients")).unwrap_or_default()
    }
}

fn required<T: FromStr>(object: &Value, field: &'static str) -> Result<T, InsertError> {
    optional(object, field)?.ok_or(InsertError::Field(field))
}

fn optional<T: FromStr>(object: &Value, field: &'static str) -> Result<Option<T>, InsertError> {
    object.get(field).map(|value| parse(value).ok_or(InsertError::Field(field))).transpose()
}

fn list<T: FromStr>(object: &Value, field: &'static str) -> Result<Vec<T>, InsertError> {
    let items = object.get(field).and_then(Value::as_array);
    items.into_iter().flatten().map(|value| parse(value).ok_or(InsertError::Field(field))).collect()
}

fn parse<T: FromStr>(value: &Value) -> Option<T> {
    value.as_str()?.parse().ok()
}

fn number(unit: &Value, field: &str) -> u64 {
    unit.get(field).and_then(whole).unwrap_or_default()
}

fn authors<T: FromStr>(unit: &Value) -> Result<Vec<T>, InsertError> {
    let authors = unit.get("authors").and_then(Value::as_array).ok_or(InsertError::Field("authors"))?;
    authors.iter().map(|author| required(author, "address")).collect()
}

fn recipients(list: Option<&Value>) -> Result<BTreeMap<Address, u64>, InsertError> {
    let list = list.and_then(Value::as_array).into_iter().flatten();
    list.map(|recipient| {
        let address = required(recipient, "address")?;
        Ok((address, number(recipient, "earned_headers_commission_share")))
    })
    .collect()
}
