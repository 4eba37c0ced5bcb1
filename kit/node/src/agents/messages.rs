//! The messages an agent may send.

use coinop_core::obyte::chash;
use serde_json::{Map, Value};

use super::{HASH_LENGTH, MAX_CAP, MAX_DEPTH, Told, cases, ensure, formula};
use crate::js;

const APPS: [&str; 13] = [
    "payment",
    "data",
    "data_feed",
    "definition",
    "asset",
    "asset_attestors",
    "attestation",
    "poll",
    "vote",
    "text",
    "profile",
    "definition_template",
    "state",
];

const WITH_INIT: [&str; 6] = ["payment", "asset", "asset_attestors", "attestation", "poll", "vote"];

/// Checks the messages of a template, whichever way their alternatives are nested.
pub(super) fn check(template: &Map<String, Value>) -> Told {
    in_cases(template, "messages", 0, &check_all)
}

/// Checks a field that may be given in alternatives.
fn in_cases(
    object: &Map<String, Value>,
    field: &str,
    depth: usize,
    check: &impl Fn(Option<&Value>) -> Told,
) -> Told {
    ensure(depth <= MAX_DEPTH, || format!("cases for {field} go too deep"))?;
    let value = object.get(field);
    let Some(cases) = cases(value) else { return check(value) };
    for (index, case) in cases.iter().enumerate() {
        check_case(field, case, index, cases.len())?;
    }
    for case in cases.iter().filter_map(Value::as_object) {
        for key in ["if", "init"] {
            let is_formula = case.get(key).is_none_or(|value| formula(Some(value)).is_some());
            ensure(is_formula, || format!("not a formula in {key}"))?;
        }
        in_cases(case, field, depth + 1, check)?;
    }
    Ok(())
}

fn check_case(field: &str, case: &Value, index: usize, count: usize) -> Told {
    let case =
        js::nonempty_object(Some(case)).ok_or_else(|| format!("case {index} must be a non-empty object"))?;
    let has_others = js::has_other_fields(case, &[field, "if", "init"]);
    ensure(!has_others, || format!("foreign fields in case {index} of {field}"))?;
    ensure(case.contains_key(field), || format!("case {index} has no field {field}"))?;
    let is_text = |key: &str| case.get(key).is_none_or(|value| js::nonempty_text(Some(value)).is_some());
    let shown = |key: &str| js::stringify_optional(case.get(key));
    ensure(is_text("if"), || format!("bad if in case: {}", shown("if")))?;
    let is_last = index + 1 == count;
    ensure(case.contains_key("if") || is_last, || "if required in all but the last cases".to_owned())?;
    ensure(is_text("init"), || format!("bad init in case: {}", shown("init")))
}

fn check_all(messages: Option<&Value>) -> Told {
    let messages = messages.and_then(Value::as_array).ok_or("bad messages in AA")?;
    for (index, message) in messages.iter().enumerate() {
        check_outside(message, index + 1 == messages.len())?;
    }
    messages.iter().filter_map(Value::as_object).try_for_each(check_inside)
}

fn check_outside(message: &Value, is_last: bool) -> Told {
    if let Some(text) = message.as_str() {
        return ensure(formula(Some(message)).is_some(), || format!("bad message formula: {text}"));
    }
    let message = js::nonempty_object(Some(message)).ok_or("message must be a non-empty object")?;
    let app = message.get("app").and_then(Value::as_str).ok_or("app is not a string")?;
    ensure(APPS.contains(&app), || format!("bad app: {app}"))?;
    let (body, kind) = if app == "state" { ("state", "state") } else { ("payload", "payload") };
    let has_others = js::has_other_fields(message, &["app", body, "if", "init"]);
    ensure(!has_others, || format!("foreign fields in {kind} message"))?;
    ensure(message.contains_key(body), || format!("no {body} in message"))?;
    ensure(app != "state" || is_last, || "state message must be last".to_owned())?;
    for key in ["if", "init"] {
        let value = message.get(key);
        let is_text = value.is_none() || js::nonempty_text(value).is_some();
        ensure(is_text, || format!("bad {key} in message: {}", js::stringify_optional(value)))?;
    }
    Ok(())
}

fn check_inside(message: &Map<String, Value>) -> Told {
    let app = message.get("app").and_then(Value::as_str).unwrap_or_default();
    if app == "state" {
        let state = message.get("state");
        let words = || format!("bad state formula: {}", js::stringify_optional(state));
        return ensure(formula(state).is_some(), words);
    }
    in_cases(message, "payload", 0, &|payload| check_payload(app, payload))
}

fn check_payload(app: &str, payload: Option<&Value>) -> Told {
    let is_fit =
        payload.is_some_and(|it| it.is_string() || it.is_object() || it.is_array()) && js::truthy(payload);
    ensure(is_fit, || format!("payload must be a string or object: {}", js::display(payload)))?;
    if let Some(text) = payload.and_then(Value::as_str).filter(|_| app != "text") {
        let words = || format!("payload is a string but doesn't look like a formula: {text}");
        return ensure(formula(payload).is_some(), words);
    }
    let empty = Map::new();
    let fields = payload.and_then(Value::as_object).unwrap_or(&empty);
    if let Some(init) = fields.get("init").filter(|_| WITH_INIT.contains(&app)) {
        let text =
            js::nonempty_text(Some(init)).ok_or_else(|| format!("bad init: {}", js::stringify(init)))?;
        ensure(formula(Some(init)).is_some(), || format!("init is not a formula: {text}"))?;
    }
    match app {
        "profile" | "data" => ensure(!fields.is_empty(), || {
            let shown = js::stringify_optional(payload);
            format!("payload of app={app} must be non-empty object or formula: {shown}")
        }),
        "payment" => check_payment(fields),
        "text" => {
            let is_text = js::nonempty_text(payload).is_some();
            ensure(is_text, || format!("bad text: {}", js::stringify_optional(payload)))
        }
        "definition" => check_definition(fields),
        "definition_template" => {
            let is_pair = js::array_of(payload, 2).is_some();
            ensure(is_pair, || "AA definition_template must be array of two elements".to_owned())
        }
        // The rest is checked by what the agent makes of it, when it runs.
        _ => Ok(()),
    }
}

fn check_payment(payment: &Map<String, Value>) -> Told {
    let has_others = js::has_other_fields(payment, &["asset", "outputs", "init"]);
    ensure(!has_others, || "foreign fields in payment".to_owned())?;
    if let Some(asset) = payment.get("asset") {
        let name =
            js::nonempty_text(Some(asset)).ok_or_else(|| format!("bad asset: {}", js::stringify(asset)))?;
        let is_asset = name == "base"
            || js::base64_of(Some(asset), HASH_LENGTH).is_some()
            || formula(Some(asset)).is_some();
        ensure(is_asset, || format!("bad asset in payment: {name}"))?;
    }
    in_cases(payment, "outputs", 0, &check_outputs)
}

fn check_outputs(outputs: Option<&Value>) -> Told {
    let outputs = js::nonempty_array(outputs).ok_or("bad outputs")?;
    let mut has_rest = false;
    for output in outputs {
        if let Some(text) = js::nonempty_text(Some(output)) {
            ensure(formula(Some(output)).is_some(), || format!("bad output formula: {text}"))?;
            continue;
        }
        let fields = js::nonempty_object(Some(output))
            .ok_or_else(|| format!("output must be a non-empty object: {}", js::stringify(output)))?;
        let takes_rest = check_output(fields)?;
        ensure(!(takes_rest && has_rest), || "a second send-all output".to_owned())?;
        has_rest |= takes_rest;
    }
    Ok(())
}

/// Checks an output and tells whether it takes all that is left.
fn check_output(output: &Map<String, Value>) -> Told<bool> {
    let has_others = js::has_other_fields(output, &["address", "amount", "init", "if"]);
    ensure(!has_others, || "foreign fields in output".to_owned())?;
    for key in ["if", "init"] {
        let Some(value) = output.get(key) else { continue };
        let text = js::nonempty_text(Some(value))
            .ok_or_else(|| format!("bad {key} in output: {}", js::stringify(value)))?;
        ensure(formula(Some(value)).is_some(), || format!("{key} in output is not a formula: {text}"))?;
    }
    let address = output.get("address");
    let name = js::nonempty_text(address)
        .ok_or_else(|| format!("address not a string: {}", js::stringify_optional(address)))?;
    let is_address = formula(address).is_some() || chash::is_valid160(name);
    ensure(is_address, || format!("bad address: {name}"))?;
    let amount = output.get("amount");
    match amount {
        None => Ok(true),
        Some(Value::Number(_)) => {
            let is_amount = js::positive(amount).is_some_and(|amount| amount <= MAX_CAP);
            ensure(is_amount, || format!("bad amount number: {}", js::display(amount)))?;
            Ok(false)
        }
        Some(Value::String(text)) => {
            ensure(formula(amount).is_some(), || format!("bad formula in amount: {text}"))?;
            Ok(false)
        }
        Some(other) => Err(format!("bad amount: {}", js::stringify(other))),
    }
}

fn check_definition(payload: &Map<String, Value>) -> Told {
    let definition = payload.get("definition");
    if formula(definition).is_some() {
        return Ok(());
    }
    let pair = js::array_of(definition, 2).ok_or("definition must be array of 2")?;
    let has_others = js::has_other_fields(payload, &["definition"]);
    ensure(!has_others, || "unknown fields in AA definition in AA".to_owned())?;
    let is_agent = pair[0].as_str() == Some("autonomous agent");
    ensure(is_agent, || "not an AA in nested AA definition".to_owned())?;
    let is_given = formula(pair.get(1)).is_some() || js::nonempty_object(pair.get(1)).is_some();
    ensure(is_given, || "empty nested definition".to_owned())
}
