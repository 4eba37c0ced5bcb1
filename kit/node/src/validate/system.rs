//! Votes on the network's own values.

use coinop_core::obyte::{address::Address, chash};
use serde_json::Value;

use super::{apps::fields, messages::Message};
use crate::{
    dag::whole,
    js,
    verdict::{Check, Verdict, ensure},
};

const SUBJECTS: [&str; 5] =
    ["op_list", "threshold_size", "base_tps_fee", "tps_interval", "tps_fee_multiplier"];
const MIN_THRESHOLD_SIZE: u64 = 1000;
const MIN_TPS_INTERVAL: f64 = 0.1;
const MAX_BASE_TPS_FEE: f64 = 1e8;

/// A vote for a value.
pub(super) fn check_vote(message: &Message<'_>, payload: &Value) -> Check {
    let fields = fields(payload, "payload must be a non empty object")?;
    let has_others = js::has_other_fields(fields, &["subject", "value"]);
    ensure(!has_others, format!("unknown fields in {}", message.app))?;
    let subject = fields.get("subject").and_then(Value::as_str);
    let subject = subject.ok_or_else(|| Verdict::unit("subject must be string"))?;
    let value = fields.get("value").filter(|value| js::truthy(Some(value)));
    let value = value.ok_or_else(|| Verdict::unit(format!("no value in {}", message.app)))?;
    match subject {
        "op_list" => check_order_providers(message, value),
        "threshold_size" => {
            let size = whole(value).filter(|size| *size > 0);
            let size = size.ok_or_else(|| Verdict::unit(format!("{subject} must be a positive integer")))?;
            ensure(size >= MIN_THRESHOLD_SIZE, format!("{subject} must be at least {MIN_THRESHOLD_SIZE}"))
        }
        "base_tps_fee" | "tps_interval" | "tps_fee_multiplier" => check_fee_value(subject, value),
        _ => Err(Verdict::unit(format!("unknown subject: {subject}"))),
    }
}

/// A request to count the votes.
pub(super) fn check_count(payload: &Value) -> Check {
    let is_known = payload.as_str().is_some_and(|subject| SUBJECTS.contains(&subject));
    ensure(is_known, "unknown subject in vote count")
}

fn check_fee_value(subject: &str, value: &Value) -> Check {
    let number = value.as_f64().filter(|number| *number > 0.0);
    let number = number.ok_or_else(|| Verdict::unit(format!("{subject} must be a positive number")))?;
    match subject {
        "tps_interval" => {
            ensure(number >= MIN_TPS_INTERVAL, format!("{subject} must be at least {MIN_TPS_INTERVAL}"))
        }
        "base_tps_fee" => ensure(number <= MAX_BASE_TPS_FEE, format!("{subject} must be at most 1e8")),
        _ => ensure((1.0..=1000.0).contains(&number), format!("{subject} must be between 1 and 1000")),
    }
}

fn check_order_providers(message: &Message<'_>, value: &Value) -> Check {
    let count = message.dag().params().order_providers;
    let list = js::array_of(Some(value), count);
    let list = list.ok_or_else(|| Verdict::unit(format!("OP list must be an array of {count}")))?;
    let names: Vec<&str> =
        list.iter().filter_map(Value::as_str).filter(|it| chash::is_valid160(it)).collect();
    ensure(names.len() == count, "all OPs must be valid addresses")?;
    let is_sorted = names.windows(2).all(|pair| pair[0] < pair[1]);
    ensure(is_sorted, "OP list must be sorted and unique")?;
    let addresses: Vec<Address> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let (dag, mci) = (message.dag(), message.base.mci);
    let agents: Vec<&str> =
        addresses.iter().filter(|it| dag.agent(it, mci).is_some()).map(Address::as_str).collect();
    ensure(agents.is_empty(), format!("some OPs are AAs: {}", agents.join(", ")))?;
    let all_known = addresses.iter().all(|address| dag.has_shown_itself(address, mci));
    ensure(all_known, "some witnesses are not stable, not serial, or don't come before last ball")?;
    let refers = |address: &Address| {
        dag.definition_of(address, mci).is_ok_and(|known| refers_to_others(&known.definition))
    };
    ensure(!addresses.iter().any(refers), "some witnesses have references in their addresses")
}

/// Whether a definition depends on anything but signatures.
fn refers_to_others(definition: &Value) -> bool {
    let args = &definition[1];
    let any = |list: &Value| list.as_array().into_iter().flatten().any(refers_to_others);
    match definition[0].as_str() {
        Some("sig" | "hash" | "cosigned by") => false,
        Some("or" | "and") => any(args),
        Some("r of set") => any(&args["set"]),
        Some("weighted and") => {
            args["set"].as_array().into_iter().flatten().any(|element| refers_to_others(&element["value"]))
        }
        Some("not") => refers_to_others(args),
        Some(_) | None => true,
    }
}
