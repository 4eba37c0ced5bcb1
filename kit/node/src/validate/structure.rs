//! What a unit has to look like before anything else is known.

use serde_json::{Map, Value};

use super::posted::Posted;
use super::{hashes, posted};
use crate::{
    js,
    verdict::{Check, Verdict, ensure, ensure_joint},
};

const HASH_LENGTH: usize = 44;
const MAX_MESSAGES: usize = 128;
const MAX_RESPONSES: u64 = 10;
const MAX_UNIT_LENGTH: u64 = 5_000_000;

const UNIT_FIELDS: [&str; 18] = [
    "unit",
    "version",
    "alt",
    "timestamp",
    "authors",
    "messages",
    "witness_list_unit",
    "witnesses",
    "earned_headers_commission_recipients",
    "last_ball",
    "last_ball_unit",
    "parent_units",
    "headers_commission",
    "payload_commission",
    "oversize_fee",
    "tps_fee",
    "burn_fee",
    "max_aa_responses",
];

const STRIPPED_FIELDS: [&str; 11] = [
    "unit",
    "version",
    "alt",
    "timestamp",
    "authors",
    "witness_list_unit",
    "witnesses",
    "content_hash",
    "parent_units",
    "last_ball",
    "last_ball_unit",
];

/// Agents sign nothing, and only nodes write for them.
pub(super) fn check_not_an_agents(posted: &Posted<'_>) -> Check {
    let author = js::array_of(posted.get("authors"), 1).and_then(<[Value]>::first);
    let is_unsigned = author.is_some_and(|it| js::nonempty_object(it.get("authentifiers")).is_none());
    if is_unsigned && !js::truthy(posted.get("content_hash")) {
        return Err(Verdict::transient("possible AA"));
    }
    Ok(())
}

/// Nesting, size, and texts without NUL. (Text with half a surrogate pair does not get this far.)
pub(super) fn check_text(posted: &Posted<'_>) -> Check {
    let unit = posted.joint.get("unit").unwrap_or(&Value::Null);
    ensure_joint(!posted::is_too_large(unit), "unit is too deeply nested")?;
    let is_well_formed = posted.joint.iter().all(|(key, value)| !key.contains('\0') && is_without_nul(value));
    ensure_joint(is_well_formed, "unit contains invalid string (lone surrogate or null byte)")
}

/// The fields of the joint and of the unit, and the fees' kinds.
pub(super) fn check_fields(posted: &Posted<'_>) -> Check {
    check_joint_fields(posted.joint)?;
    if let Some(content_hash) = posted.get("content_hash") {
        return Err(stripped(posted.unit, content_hash));
    }
    ensure(!js::has_other_fields(posted.unit, &UNIT_FIELDS), "unknown fields in unit")?;
    let is_number = |field: &str| posted.get(field).is_some_and(Value::is_number);
    ensure_joint(is_number("headers_commission"), "no headers_commission")?;
    ensure_joint(is_number("payload_commission"), "no payload_commission")?;
    let absent_or = |field: &str, good: fn(Option<&Value>) -> Option<u64>| {
        let value = posted.get(field);
        value.is_none() || good(value).is_some()
    };
    ensure_joint(absent_or("oversize_fee", js::positive), "bad oversize_fee")?;
    ensure(absent_or("tps_fee", js::nonnegative), "bad tps_fee")?;
    ensure(absent_or("burn_fee", js::positive), "bad burn_fee")?;
    ensure(absent_or("max_aa_responses", js::nonnegative), "bad max_aa_responses")?;
    match js::nonnegative(posted.get("max_aa_responses")) {
        Some(0) => Err(Verdict::transient("max_aa_responses=0 not allowed in new units")),
        Some(count) if count > MAX_RESPONSES => Err(Verdict::transient("max_aa_responses too large")),
        Some(_) | None => Ok(()),
    }
}

/// The messages' outsides, their payloads' hashes, and the rough shape of payments.
pub(super) fn check_messages(posted: &Posted<'_>) -> Check {
    let messages = js::nonempty_array(posted.get("messages"));
    let messages = messages.ok_or_else(|| Verdict::unit("missing or empty messages array"))?;
    ensure(messages.len() <= MAX_MESSAGES, "too many messages")?;
    let all_objects = messages.iter().all(|message| js::nonempty_object(Some(message)).is_some());
    ensure(all_objects, "all messages must be non-empty objects")?;
    for message in messages {
        check_message(message, posted.text("version"))?;
    }
    ensure(messages.iter().all(is_payment_shaped), "invalid payment message")
}

/// The commissions are the unit's size, no more and no less.
pub(super) fn check_sizes(posted: &Posted<'_>) -> Check {
    use coinop_core::obyte::unit;
    let value = Value::Object(posted.unit.clone());
    let wrong = |size: &dyn std::fmt::Display| format!("wrong headers commission, expected {size}");
    let headers = unit::headers_size(&value).map_err(|error| Verdict::joint(wrong(&error)))?;
    ensure_joint(js::nonnegative(posted.get("headers_commission")) == Some(headers), wrong(&headers))?;
    let payload = unit::payload_size(&value)
        .map_err(|error| Verdict::joint(format!("failed to calculate payload commission: {error}")))?;
    ensure_joint(
        js::nonnegative(posted.get("payload_commission")) == Some(payload),
        format!("wrong payload commission, unit {}, expected {payload}", posted.name),
    )?;
    ensure(headers + payload <= MAX_UNIT_LENGTH, "unit too large")
}

fn check_joint_fields(joint: &Map<String, Value>) -> Check {
    if let Some(ball) = joint.get("ball") {
        ensure_joint(js::text_of(Some(ball), HASH_LENGTH).is_some(), "wrong ball length")?;
    }
    ensure_joint(!js::has_other_fields(joint, &["unit"]), "unknown fields in unit-joint")
}

/// Only what other nodes already agreed on comes without its messages.
fn stripped(unit: &Map<String, Value>, content_hash: &Value) -> Verdict {
    if js::text_of(Some(content_hash), HASH_LENGTH).is_none() {
        Verdict::unit("wrong content_hash length")
    } else if js::has_other_fields(unit, &STRIPPED_FIELDS) {
        Verdict::joint("unknown fields in nonserial unit")
    } else {
        Verdict::joint("content_hash allowed only in finished ball")
    }
}

fn check_message(message: &Value, version: &str) -> Check {
    let location = message.get("payload_location").and_then(Value::as_str);
    let location = location.ok_or_else(|| Verdict::unit("bad payload_location"))?;
    let is_known = ["inline", "none", "uri"].contains(&location);
    ensure(is_known, format!("invalid payload_location: {location}"))?;
    ensure(js::text_of(message.get("payload_hash"), HASH_LENGTH).is_some(), "wrong payload hash size")?;
    let payload = message.get("payload");
    if location != "inline" {
        return ensure_joint(payload.is_none(), "payload must be absent when payload_location is not inline");
    }
    let payload = payload.filter(|payload| !payload.is_null());
    let payload = payload.ok_or_else(|| Verdict::joint("missing payload"))?;
    hashes::check_payload_hash(message, payload, version)
}

fn is_payment_shaped(message: &Value) -> bool {
    let payload = message.get("payload");
    if message.get("app").and_then(Value::as_str) != Some("payment") || !js::truthy(payload) {
        return true;
    }
    let Some(payload) = payload else { return true };
    let asset = payload.get("asset");
    let outputs = js::nonempty_array(payload.get("outputs")).unwrap_or_default();
    let inputs = js::nonempty_array(payload.get("inputs")).unwrap_or_default();
    !outputs.is_empty()
        && (asset.is_none() || js::text_of(asset, HASH_LENGTH).is_some())
        && outputs.iter().all(is_output_shaped)
        && !inputs.is_empty()
        && inputs.iter().all(is_input_shaped)
}

fn is_output_shaped(output: &Value) -> bool {
    let address = output.get("address").and_then(Value::as_str);
    address.is_some_and(coinop_core::obyte::chash::is_valid160)
        && js::positive(output.get("amount")).is_some()
}

fn is_input_shaped(input: &Value) -> bool {
    let kind = input.get("type");
    let kinds = ["issue", "headers_commission", "witnessing"];
    js::nonempty_object(Some(input)).is_some()
        && kind.is_none_or(|kind| kind.as_str().is_some_and(|kind| kinds.contains(&kind)))
}

fn is_without_nul(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text == js::INFINITY || !text.contains('\0'),
        Value::Array(items) => items.iter().all(is_without_nul),
        Value::Object(map) => map.iter().all(|(key, value)| !key.contains('\0') && is_without_nul(value)),
    }
}
