//! Payments.

use serde_json::{Map, Value};

use super::{
    apps::fields,
    asset, inputs,
    messages::{Message, Used},
    outputs,
    posted::Standing,
};
use crate::{
    js,
    verdict::{Check, Verdict, ensure},
};

/// More than all bytes there can be.
pub(super) const MAX_CAP: u64 = 9_000_000_000_000_000;
const VOTE_COUNT_FEE: u64 = 1_000_000_000;

/// A payment that is shown.
pub(super) fn check<'a>(
    message: &Message<'a>,
    payload: &'a Value,
    used: &mut Used<'a>,
    standing: &mut Standing,
) -> Check {
    let payload = fields(payload, "payment must be a non-empty object")?;
    ensure(js::nonempty_array(payload.get("inputs")).is_some(), "no inputs")?;
    ensure(js::nonempty_array(payload.get("outputs")).is_some(), "no outputs")?;
    if let Some(name) = payload.get("asset") {
        return asset::check_payment(message, name);
    }
    let has_others = js::has_other_fields(payload, &["inputs", "outputs"]);
    ensure(!has_others, "unknown fields in payment message")?;
    ensure(used.apps.insert("payment"), "can have only one base payment")?;
    check_bytes(message, payload, used, standing)
}

fn check_bytes(
    message: &Message<'_>,
    payload: &Map<String, Value>,
    used: &mut Used<'_>,
    standing: &mut Standing,
) -> Check {
    let list = |field: &str| js::nonempty_array(payload.get(field)).unwrap_or_default();
    ensure(list("inputs").len() <= inputs::MAX_INPUTS, "too many inputs")?;
    let total_output = outputs::check(list("outputs"))?;
    let total_input = inputs::check(message, list("inputs"), used, standing)?;
    ensure(total_input <= MAX_CAP, format!("total input too large: {total_input}"))?;
    check_balance(message, total_input, total_output)
}

fn check_balance(message: &Message<'_>, total_input: u64, total_output: u64) -> Check {
    let posted = message.posted;
    let counts_votes = posted.items("messages").iter().any(|it| it["app"] == "system_vote_count");
    let fields = ["headers_commission", "payload_commission", "oversize_fee", "tps_fee", "burn_fee"];
    let mut costs: Vec<u64> = fields.iter().map(|field| posted.number(field)).collect();
    costs.push(if counts_votes { VOTE_COUNT_FEE } else { 0 });
    let total = costs.iter().try_fold(total_output, |sum, cost| sum.checked_add(*cost));
    if total == Some(total_input) {
        return Ok(());
    }
    let costs: Vec<String> = costs.iter().map(ToString::to_string).collect();
    Err(Verdict::unit(format!(
        "inputs and outputs do not balance: {total_input} !== {total_output} + {}",
        costs.join(" + ")
    )))
}
