//! The payloads of all apps but the large ones.

use coinop_core::obyte::{chash, length};
use serde_json::{Map, Value};

use super::{
    agent, asset, hashes,
    messages::{Message, Used},
    payment, polls,
    posted::Standing,
    system,
};
use crate::{
    js,
    verdict::{Check, Verdict, ensure, ensure_joint},
};

const MAX_FEEDS: usize = 1024;
const MAX_FEED_NAME: usize = 64;
const MAX_FEED_VALUE: usize = 64;

/// A payload that is shown.
pub(super) fn check<'a>(
    message: &Message<'a>,
    payload: &'a Value,
    used: &mut Used<'a>,
    standing: &mut Standing,
) -> Check {
    match message.app {
        "text" => ensure(payload.is_string(), "payload must be string"),
        "address_definition_change" => check_definition_change(message, payload, used),
        "definition" => agent::check(message, payload),
        "poll" => {
            once(used, "poll", "poll")?;
            polls::check_poll(payload)
        }
        "vote" => {
            once(used, "vote", "vote")?;
            polls::check_vote(message, payload)
        }
        "system_vote" => {
            once(used, "system_vote", "system vote")?;
            system::check_vote(message, payload)
        }
        "system_vote_count" => {
            once(used, "system_vote_count", "system vote count")?;
            system::check_count(payload)
        }
        "data_feed" => {
            once(used, "data_feed", "data feed")?;
            check_data_feed(payload, message.authors().len())
        }
        "profile" => {
            ensure(message.authors().len() == 1, "profile must be single-authored")?;
            once(used, "profile", "profile")?;
            ensure(is_object(payload), "profile payload must be object")
        }
        "data" => ensure(is_object(payload), "data payload must be object"),
        "temp_data" => check_temp_data(message, payload),
        "definition_template" => {
            once(used, "definition_template", "definition template")?;
            let is_pair = js::array_of(Some(payload), 2).is_some();
            ensure(is_pair, "definition_template payload must be array of two elements")
        }
        "attestation" => check_attestation(message, payload),
        "asset" => {
            once(used, "asset", "asset definition")?;
            asset::check_definition(message, payload)
        }
        "asset_attestors" => asset::check_attestors(message, payload, used),
        "payment" => payment::check(message, payload, used, standing),
        unknown => Err(Verdict::unit(format!("unknown app: {unknown}"))),
    }
}

/// Some apps may come once a unit.
fn once<'a>(used: &mut Used<'a>, app: &'a str, words: &str) -> Check {
    ensure(used.apps.insert(app), format!("can be only one {words}"))
}

/// The fields of a payload that has to be an object with something in it.
pub(super) fn fields<'a>(payload: &'a Value, otherwise: &str) -> Check<&'a Map<String, Value>> {
    js::nonempty_object(Some(payload)).ok_or_else(|| Verdict::unit(otherwise))
}

fn is_object(payload: &Value) -> bool {
    payload.is_object() || payload.is_array()
}

fn is_address(value: Option<&Value>) -> bool {
    value.and_then(Value::as_str).is_some_and(chash::is_valid160)
}

fn check_definition_change(message: &Message<'_>, payload: &Value, used: &mut Used<'_>) -> Check {
    let fields = fields(payload, "payload must be a non empty object")?;
    let has_others = js::has_other_fields(fields, &["definition_chash", "address"]);
    ensure(!has_others, "unknown fields in address_definition_change")?;
    let authors = message.authors();
    let named = fields.get("address");
    let address = match authors.as_slice() {
        [author] => {
            ensure(named.is_none(), "when single-authored, must not indicate address")?;
            *author
        }
        several => {
            ensure(is_address(named), "when multi-authored, must indicate address")?;
            let author = several.iter().find(|author| named.and_then(Value::as_str) == Some(author.as_str()));
            *author.ok_or_else(|| Verdict::unit("foreign address"))?
        }
    };
    ensure(used.changed.insert(address), "can be only one definition change per address")?;
    ensure(is_address(fields.get("definition_chash")), "bad new definition_chash")
}

fn check_data_feed(payload: &Value, authors: usize) -> Check {
    let feeds = fields(payload, "data feed payload must be non-empty object")?;
    ensure(feeds.len() * authors <= MAX_FEEDS, "too many data feeds in message")?;
    for (name, value) in js::fields(feeds) {
        ensure(js::utf16_length(name) <= MAX_FEED_NAME, format!("feed name {name} too long"))?;
        ensure(!name.contains('\n'), format!("feed name {name} contains \\n"))?;
        match value {
            Value::String(text) => {
                let is_short = js::utf16_length(text) <= MAX_FEED_VALUE;
                ensure(is_short, format!("data feed value too long: {text}"))?;
                let is_one_line = !text.contains('\n');
                ensure(is_one_line, format!("value {text} of feed name {name} contains \\n"))?;
            }
            Value::Number(_) => {
                ensure(js::is_integer(value), "fractional numbers not allowed in data feeds")?;
            }
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(Verdict::unit(format!("data feed {name} must be string or number")));
            }
        }
    }
    Ok(())
}

fn check_temp_data(message: &Message<'_>, payload: &Value) -> Check {
    ensure(is_object(payload), "temp_data payload must be an object")?;
    let fields = payload.as_object();
    let fields = fields.ok_or_else(|| Verdict::unit("temp_data payload must not be an array"))?;
    let has_others = js::has_other_fields(fields, &["data_length", "data_hash", "data"]);
    ensure(!has_others, format!("unknown fields in {}", message.app))?;
    let length = js::positive(fields.get("data_length")).ok_or_else(|| Verdict::unit("bad data_length"))?;
    let hash = fields.get("data_hash").and_then(Value::as_str).filter(|hash| js::is_base64(hash));
    let hash = hash.ok_or_else(|| Verdict::unit("bad data_hash"))?;
    let Some(data) = fields.get("data") else { return check_purged(message) };
    ensure_joint(!data.is_null(), "null data")?;
    let own = length::length(data, true);
    ensure_joint(own == length, format!("data_length mismatch, expected {length}, got {own}"))?;
    if let Some(why) = hashes::fault_in(data) {
        return Err(Verdict::joint(format!("invalid temp data: {why}")));
    }
    let own = coinop_core::obyte::unit::payload_hash(data, message.posted.text("version"));
    let own = own.map_err(|error| Verdict::joint(format!("invalid temp data: {error}")))?.to_string();
    ensure_joint(own == hash, format!("data_hash mismatch, expected {hash}, got {own}"))
}

/// Temporary data may be gone a day later, not before.
fn check_purged(message: &Message<'_>) -> Check {
    const KEPT_SECONDS: u64 = 24 * 3600;
    let made = message.posted.number("timestamp");
    let is_fresh = crate::dag::rounded_seconds(message.posted.now) < made + KEPT_SECONDS;
    if is_fresh { Err(Verdict::transient("data not found in temp_data")) } else { Ok(()) }
}

fn check_attestation(message: &Message<'_>, payload: &Value) -> Check {
    ensure(message.authors().len() == 1, "attestation must be single-authored")?;
    let fields = fields(payload, "payload must be a non empty object")?;
    let has_others = js::has_other_fields(fields, &["address", "profile"]);
    ensure(!has_others, format!("unknown fields in {}", message.app))?;
    ensure(is_address(fields.get("address")), "attesting an invalid address")?;
    let has_profile = js::nonempty_object(fields.get("profile")).is_some();
    ensure(has_profile, "attested profile must be non empty object")
}
