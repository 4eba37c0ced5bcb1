//! The outputs of payments in bytes.

use coinop_core::obyte::chash;
use serde_json::Value;

use super::payment::MAX_CAP;
use crate::{
    js,
    verdict::{Check, Verdict, ensure},
};

const MAX_OUTPUTS: usize = 128;

/// The outputs' shapes and order; gives their sum.
pub(super) fn check(outputs: &[Value]) -> Check<u64> {
    ensure(outputs.len() <= MAX_OUTPUTS, "too many outputs")?;
    let mut previous = ("", 0);
    let mut total = 0_u64;
    for output in outputs {
        let (address, amount) = check_output(output)?;
        ensure(previous.0 <= address, "output addresses not sorted")?;
        let is_sorted = previous.0 != address || previous.1 <= amount;
        ensure(is_sorted, "output amounts for same address not sorted")?;
        previous = (address, amount);
        total += amount;
        ensure(total <= MAX_CAP, format!("total output too large: {total}"))?;
    }
    Ok(total)
}

fn check_output(output: &Value) -> Check<(&str, u64)> {
    let fields = js::nonempty_object(Some(output));
    let fields = fields.ok_or_else(|| Verdict::unit("output must be a non-empty object"))?;
    let has_others = js::has_other_fields(fields, &["address", "amount", "blinding", "output_hash"]);
    ensure(!has_others, "unknown fields in payment output")?;
    let written = fields.get("amount");
    let amount = js::positive(written).ok_or_else(|| {
        let written = js::stringify_optional(written);
        Verdict::unit(format!("amount must be positive integer, found {written}"))
    })?;
    ensure(amount <= MAX_CAP, format!("output too large: {}", js::display(written)))?;
    ensure(!fields.contains_key("blinding"), "public output must not have blinding")?;
    ensure(!fields.contains_key("output_hash"), "public output must not have output_hash")?;
    let written = fields.get("address");
    let address = written.and_then(Value::as_str).filter(|address| chash::is_valid160(address));
    let invalid = || Verdict::unit(format!("output address {} invalid", js::stringify_optional(written)));
    Ok((address.ok_or_else(invalid)?, amount))
}
