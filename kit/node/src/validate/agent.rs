//! Definitions of autonomous agents.

use coinop_core::obyte::{address::Address, chash};
use serde_json::{Map, Value};

use super::{apps::fields, messages::Message};
use crate::{
    agents, js,
    verdict::{Check, Verdict, ensure},
};

const MAX_STRING: usize = 4096;

/// The definition of an agent, at its address.
pub(super) fn check(message: &Message<'_>, payload: &Value) -> Check {
    let payload = fields(payload, "payload must be a non empty object")?;
    let has_others = js::has_other_fields(payload, &["address", "definition"]);
    ensure(!has_others, "unknown fields in app definition")?;
    let definition = payload.get("definition").unwrap_or(&Value::Null);
    let own = Address::of_definition(definition).map_err(|_malformed| Verdict::unit("bad definition"))?;
    let named = payload.get("address").and_then(Value::as_str);
    ensure(named == Some(own.as_str()), "definition doesn't match the chash")?;
    check_definition(message, definition)
}

fn check_definition(message: &Message<'_>, definition: &Value) -> Check {
    let pair = js::array_of(Some(definition), 2);
    let [kind, template] = pair.unwrap_or_default() else {
        return Err(Verdict::unit("AA definition must be 2-element array"));
    };
    ensure(kind.as_str() == Some("autonomous agent"), "not an AA")?;
    let template = fields(template, "definition must be a non-empty object")?;
    if js::truthy(template.get("base_aa")) {
        check_parameterized(message, template)
    } else {
        agents::check(template).map_err(Verdict::unit)
    }
}

/// An agent that is another one with its own parameters.
fn check_parameterized(message: &Message<'_>, template: &Map<String, Value>) -> Check {
    let has_others = js::has_other_fields(template, &["base_aa", "params"]);
    ensure(!has_others, "foreign fields in parameterized AA definition")?;
    let params = template.get("params");
    ensure(js::nonempty_object(params).is_some(), "no params in parameterized AA")?;
    ensure(params.is_some_and(is_short), "some strings in params are too long")?;
    let base = template.get("base_aa").and_then(Value::as_str).filter(|base| chash::is_valid160(base));
    let base: Option<Address> = base.and_then(|base| base.parse().ok());
    let base = base.ok_or_else(|| Verdict::unit("base_aa is not a valid address"))?;
    if message.dag().runs_natively(&base) {
        return Ok(());
    }
    let agent = message.dag().agent(&base, message.base.mci);
    let agent = agent.ok_or_else(|| Verdict::unit("base AA not found"))?;
    let is_regular = js::truthy(agent.definition[1].get("messages"));
    ensure(is_regular, "base AA must be a regular AA")
}

fn is_short(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => js::utf16_length(text) <= MAX_STRING,
        Value::Array(items) => items.iter().all(is_short),
        Value::Object(map) => {
            map.iter().all(|(key, value)| js::utf16_length(key) <= MAX_STRING && is_short(value))
        }
    }
}
