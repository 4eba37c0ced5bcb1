//! Hashes, and why some things have none.

use coinop_core::obyte::unit;
use serde_json::{Map, Value};

use super::posted::Posted;
use crate::{
    js,
    verdict::{Check, Verdict, ensure_joint},
};

/// The fields of a unit that its hash does not cover.
const NOT_HASHED: [&str; 6] = [
    "unit",
    "headers_commission",
    "payload_commission",
    "oversize_fee",
    "actual_tps_fee",
    "main_chain_index",
];

/// The hash a unit goes by has to be its own.
pub(super) fn check_unit_hash(posted: &Posted<'_>) -> Check {
    let failed = |why: String| Verdict::joint(format!("failed to calc unit hash: {why}"));
    if let Some(why) = unit_fault(posted.unit) {
        return Err(failed(why));
    }
    let value = Value::Object(posted.unit.clone());
    let hash = unit::unit_hash(&value).map_err(|error| failed(error.to_string()))?.to_string();
    ensure_joint(hash == posted.name, format!("wrong unit hash: {hash} != {}", posted.name))
}

/// A payload has to be the one that was signed.
pub(super) fn check_payload_hash(message: &Value, payload: &Value, version: &str) -> Check {
    let failed = |why: String| Verdict::joint(format!("failed to calc payload hash: {why}"));
    let fault = if message.get("app").and_then(Value::as_str) == Some("temp_data") {
        fault_in(&without(payload, &["data"]))
    } else {
        fault_in(payload)
    };
    if let Some(why) = fault {
        return Err(failed(why));
    }
    let hash = unit::message_payload_hash(message, version).map_err(|error| failed(error.to_string()))?;
    let sent = message.get("payload_hash").and_then(Value::as_str).unwrap_or_default();
    ensure_joint(hash.to_string() == sent, format!("wrong payload hash: expected {hash}, got {sent}"))
}

/// Why a value has no canonical JSON, as an exception reads; nothing when it has.
pub(super) fn fault_in(value: &Value) -> Option<String> {
    first_fault(value).map(|fault| match fault {
        Fault::Infinite => "Error: invalid number: Infinity".to_owned(),
        Fault::Null => format!("Error: null value in {}", js::stringify(value)),
        Fault::EmptyArray => format!("Error: empty array in {}", js::stringify(value)),
        Fault::EmptyObject => format!("Error: empty object in {}", js::stringify(value)),
    })
}

enum Fault {
    Infinite,
    Null,
    EmptyArray,
    EmptyObject,
}

fn first_fault(value: &Value) -> Option<Fault> {
    match value {
        Value::Null => Some(Fault::Null),
        Value::String(text) if text == js::INFINITY => Some(Fault::Infinite),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        Value::Array(items) if items.is_empty() => Some(Fault::EmptyArray),
        Value::Array(items) => items.iter().find_map(first_fault),
        Value::Object(map) if map.is_empty() => Some(Fault::EmptyObject),
        Value::Object(map) => {
            let mut fields: Vec<(&String, &Value)> = map.iter().collect();
            fields.sort_by_cached_key(|(key, _)| js::utf16(key));
            fields.into_iter().find_map(|(_, value)| first_fault(value))
        }
    }
}

fn unit_fault(unit: &Map<String, Value>) -> Option<String> {
    fault_in(&naked(unit)).or_else(|| {
        if js::truthy(unit.get("content_hash")) {
            return None;
        }
        match unit.get("authors") {
            None => Some("TypeError: Cannot read properties of undefined (reading 'map')".to_owned()),
            Some(Value::Array(authors)) => absent_field(unit, authors),
            Some(_) => Some("TypeError: objUnit.authors.map is not a function".to_owned()),
        }
    })
}

/// What content hashes are taken of: the unit without what they do not cover.
fn naked(unit: &Map<String, Value>) -> Value {
    let mut naked = unit.clone();
    naked.retain(|field, _| !NOT_HASHED.contains(&field.as_str()));
    if let Some(messages) = naked.get_mut("messages").and_then(Value::as_array_mut) {
        for message in messages {
            *message = without(message, &["payload", "payload_uri"]);
        }
    }
    Value::Object(naked)
}

fn without(value: &Value, fields: &[&str]) -> Value {
    let mut value = value.clone();
    if let Some(map) = value.as_object_mut() {
        map.retain(|field, _| !fields.contains(&field.as_str()));
    }
    value
}

/// The short form of a unit is hashed too, and all its fields have to be there.
fn absent_field(unit: &Map<String, Value>, authors: &[Value]) -> Option<String> {
    let mut fields = vec!["version", "alt"];
    if js::truthy(unit.get("parent_units")) {
        fields.extend(["parent_units", "last_ball", "last_ball_unit"]);
    }
    fields.push("timestamp");
    let is_complete = fields.iter().all(|field| unit.contains_key(*field))
        && authors.iter().all(|author| author.get("address").is_some());
    if is_complete {
        return None;
    }
    Some(format!(
        "Error: getJsonSourceString: unknown type=undefined of undefined, object: {}",
        short_form(unit, authors)
    ))
}

/// The short form in the order its fields are written down.
fn short_form(unit: &Map<String, Value>, authors: &[Value]) -> String {
    let content_hash = unit::content_hash(&Value::Object(unit.clone()));
    let content_hash = content_hash.map(|hash| Value::from(hash.to_string())).ok();
    let authors: Value = authors
        .iter()
        .map(|author| {
            let address = author.get("address").map(|address| ("address".to_owned(), address.clone()));
            Value::Object(address.into_iter().collect())
        })
        .collect();
    let witnesses = ["witness_list_unit", "witnesses"].into_iter().find(|field| js::truthy(unit.get(*field)));
    let has_parents = js::truthy(unit.get("parent_units"));
    let parents = if has_parents { &["parent_units", "last_ball", "last_ball_unit"][..] } else { &[] };
    let own = |field: &'static str| (field, unit.get(field));
    let fields =
        [("content_hash", content_hash.as_ref()), own("version"), own("alt"), ("authors", Some(&authors))]
            .into_iter()
            .chain(witnesses.into_iter().map(own))
            .chain(parents.iter().map(|field| (*field, unit.get(*field))))
            .chain([own("timestamp")]);
    let texts: Vec<String> =
        fields.filter_map(|(field, value)| Some(format!("\"{field}\":{}", js::stringify(value?)))).collect();
    format!("{{{}}}", texts.join(","))
}
