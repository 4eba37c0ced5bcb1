use alloc::{borrow::ToOwned, string::String};

use serde_json::{Map, Value, json};

use super::{Era, UnitError};
use crate::obyte::{
    canonical,
    hash::{self, Hash},
    json::truthy,
    order::Trim,
    source::{self, SourceError},
};

macro_rules! never_hashed {
    ($($more:literal),*) => {
        &[
            "unit",
            "headers_commission",
            "payload_commission",
            "oversize_fee",
            "actual_tps_fee",
            "main_chain_index",
            $($more),*
        ]
    };
}

const MESSAGES: (&str, Trim) = ("messages", Trim { drop: &["payload", "payload_uri"], below: &[] });
const AUTHORS: (&str, Trim) = ("authors", Trim { drop: &["authentifiers"], below: &[] });

/// What is hashed, with the signatures; the first version knows no timestamp.
static NAKED: Trim = Trim { drop: never_hashed!(), below: &[MESSAGES] };
static NAKED_FIRST: Trim = Trim { drop: never_hashed!("timestamp"), below: &[MESSAGES] };
/// What is signed.
static UNSIGNED: Trim = Trim { drop: never_hashed!(), below: &[MESSAGES, AUTHORS] };
static UNSIGNED_FIRST: Trim = Trim { drop: never_hashed!("timestamp"), below: &[MESSAGES, AUTHORS] };

/// The hash that names a unit.
///
/// # Errors
///
/// [`UnitError`] when a field that goes into the hash is missing or cannot be hashed.
pub fn unit_hash(unit: &Value) -> Result<Hash, UnitError> {
    let era = Era::of(unit);
    if truthy(unit.get("content_hash")) {
        return Ok(base_hash(unit, naked(era), era)?);
    }
    Ok(base_hash(&remains(unit, era)?, Trim::NOTHING, era)?)
}

/// A unit without what makes it more than a name: no messages, signatures or fees. Its hash is the same.
///
/// # Errors
///
/// [`UnitError`] when the unit has no hash.
pub fn stripped(unit: &Value) -> Result<Value, UnitError> {
    if truthy(unit.get("content_hash")) {
        return Ok(unit.clone());
    }
    let era = Era::of(unit);
    let mut remains = remains(unit, era)?;
    remains["unit"] = json!(base_hash(&remains, Trim::NOTHING, era)?);
    Ok(remains)
}

/// The hash of everything in a unit but its payloads, signatures included.
///
/// # Errors
///
/// [`UnitError`] when the unit cannot be hashed.
pub fn content_hash(unit: &Value) -> Result<Hash, UnitError> {
    check_messages(unit)?;
    let era = Era::of(unit);
    Ok(base_hash(unit, naked(era), era)?)
}

/// The hash that a unit's authors sign.
///
/// # Errors
///
/// [`UnitError`] when the unit cannot be hashed.
pub fn hash_to_sign(unit: &Value) -> Result<[u8; 32], UnitError> {
    Ok(hash::sha256(text_to_sign(unit)?.as_bytes()))
}

/// The text whose hash a unit's authors sign.
///
/// # Errors
///
/// [`UnitError`] when the unit cannot be hashed.
pub fn text_to_sign(unit: &Value) -> Result<String, UnitError> {
    check_messages(unit)?;
    authors(unit)?;
    let (era, trim) = match (unit.get("version"), Era::of(unit)) {
        (None, _) => (Era::First, &UNSIGNED),
        (Some(_), Era::First) => (Era::First, &UNSIGNED_FIRST),
        (Some(_), era @ (Era::Second | Era::Later)) => (era, &UNSIGNED),
    };
    Ok(text(unit, trim, era)?)
}

/// The hash of a payload, in a unit of some version.
///
/// # Errors
///
/// [`UnitError`] when the payload cannot be hashed.
pub fn payload_hash(payload: &Value, version: &str) -> Result<Hash, UnitError> {
    Ok(base_hash(payload, Trim::NOTHING, Era::of_version(version))?)
}

/// The hash of a message's payload; of temporary data the data themselves stay out.
///
/// # Errors
///
/// [`UnitError`] when there is no payload or it cannot be hashed.
pub fn message_payload_hash(message: &Value, version: &str) -> Result<Hash, UnitError> {
    static TEMPORARY: Trim = Trim { drop: &["data"], below: &[] };
    let payload = message.get("payload").ok_or(UnitError::Field("payload"))?;
    let is_temporary = message.get("app").and_then(Value::as_str) == Some("temp_data");
    let trim = if is_temporary { &TEMPORARY } else { Trim::NOTHING };
    Ok(base_hash(payload, trim, Era::of_version(version))?)
}

fn naked(era: Era) -> &'static Trim {
    match era {
        Era::First => &NAKED_FIRST,
        Era::Second | Era::Later => &NAKED,
    }
}

fn text(value: &Value, trim: &Trim, era: Era) -> Result<String, SourceError> {
    match era {
        Era::First => source::trimmed(value, trim),
        Era::Second | Era::Later => canonical::trimmed(value, trim),
    }
}

fn base_hash(value: &Value, trim: &Trim, era: Era) -> Result<Hash, SourceError> {
    Ok(Hash::of(text(value, trim, era)?.as_bytes()))
}

/// What is hashed of a unit: what remains when its payloads are forgotten.
fn remains(unit: &Value, era: Era) -> Result<Value, UnitError> {
    let addresses = authors(unit)?.iter().map(|author| {
        let address = author.get("address").ok_or(UnitError::Field("authors"))?;
        Ok(json!({ "address": address }))
    });
    let mut stripped = Map::new();
    stripped.insert("content_hash".to_owned(), json!(content_hash(unit)?));
    stripped.insert("authors".to_owned(), addresses.collect::<Result<_, UnitError>>()?);
    let always: &[&'static str] = match era {
        Era::First => &["version", "alt"],
        Era::Second | Era::Later => &["version", "alt", "timestamp"],
    };
    let with_parents: &[&'static str] =
        if truthy(unit.get("parent_units")) { &["parent_units", "last_ball", "last_ball_unit"] } else { &[] };
    for field in always.iter().chain(with_parents) {
        let value = unit.get(*field).ok_or(UnitError::Field(field))?;
        stripped.insert((*field).to_owned(), value.clone());
    }
    let witnesses = ["witness_list_unit", "witnesses"].into_iter().find(|field| truthy(unit.get(*field)));
    if let Some(field) = witnesses {
        stripped.insert(field.to_owned(), unit[field].clone());
    }
    Ok(Value::Object(stripped))
}

fn authors(unit: &Value) -> Result<&[Value], UnitError> {
    let authors = unit.get("authors").and_then(Value::as_array).ok_or(UnitError::Field("authors"))?;
    if authors.iter().all(Value::is_object) { Ok(authors) } else { Err(UnitError::Field("authors")) }
}

/// Absent messages are well (of a stripped unit); others must be objects.
fn check_messages(unit: &Value) -> Result<(), UnitError> {
    let Some(messages) = unit.get("messages") else { return Ok(()) };
    let well = messages.as_array().is_some_and(|messages| messages.iter().all(Value::is_object));
    if well { Ok(()) } else { Err(UnitError::Field("messages")) }
}
