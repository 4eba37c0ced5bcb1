//! Definitions that look at the inputs and outputs of units.

use std::collections::BTreeSet;

use coinop_core::obyte::chash;
use serde_json::Value;

use super::definition::{Purpose, Terms};
use crate::{
    js,
    verdict::{Check, Verdict, ensure},
};

const HASH_LENGTH: usize = 44;
const THIS_ASSET: &str = "this asset";
const FIELDS: [&str; 7] = ["what", "asset", "type", "address", "amount", "amount_at_least", "amount_at_most"];

/// `has`, `has one`, `seen`.
pub(super) fn check_one(terms: &Terms<'_>, operator: &str, args: &Value) -> Check {
    check_filter(terms, Some(args))?;
    if operator == "seen" {
        let address = args.get("address");
        ensure(js::truthy(address), "seen must specify address")?;
        ensure(address.and_then(Value::as_str) != Some("other address"), "seen cannot be other address")?;
        let is_input = args.get("what").and_then(Value::as_str) == Some("input");
        ensure(!(is_input && has_amount(args)), "amount not allowed in seen input")?;
    }
    Ok(())
}

/// `has equal`, `has one equal`.
pub(super) fn check_pair(terms: &Terms<'_>, operator: &str, args: &Value) -> Check {
    let fields = js::nonempty_object(Some(args));
    let fields =
        fields.ok_or_else(|| Verdict::unit(format!("{operator} args must be a non-empty object")))?;
    let has_others = js::has_other_fields(fields, &["equal_fields", "search_criteria"]);
    ensure(!has_others, format!("unknown fields in {operator}"))?;
    let equal = js::nonempty_array(fields.get("equal_fields"));
    let equal = equal.ok_or_else(|| Verdict::unit("no equal_fields"))?;
    let mut used = BTreeSet::new();
    for field in equal {
        let field = field.as_str().ok_or_else(|| Verdict::unit("fields must be strings"))?;
        let is_known = ["asset", "address", "amount", "type"].contains(&field);
        ensure(is_known, format!("unknown field: {field}"))?;
        ensure(used.insert(field), format!("duplicate {field}"))?;
    }
    let pair = js::array_of(fields.get("search_criteria"), 2);
    let pair = pair.ok_or_else(|| Verdict::unit("search_criteria must be 2-elements array"))?;
    for filter in pair {
        check_filter(terms, Some(filter))?;
    }
    let has_output = pair.iter().any(|it| it.get("what").and_then(Value::as_str) == Some("output"));
    ensure(!(used.contains("type") && has_output), "outputs cannot have type")
}

/// `sum`.
pub(super) fn check_sum(terms: &Terms<'_>, operator: &str, args: &Value) -> Check {
    let fields = js::nonempty_object(Some(args));
    let fields =
        fields.ok_or_else(|| Verdict::unit(format!("{operator} args must be a non-empty object")))?;
    let has_others = js::has_other_fields(fields, &["filter", "equals", "at_least", "at_most"]);
    ensure(!has_others, format!("unknown fields in {operator}"))?;
    check_filter(terms, fields.get("filter"))?;
    let restricts = fields.get("filter").is_some_and(has_amount);
    ensure(!restricts, "sum filter cannot restrict amounts")?;
    let [equals, at_least, at_most] = ["equals", "at_least", "at_most"].map(|field| fields.get(field));
    ensure(equals.is_none() || js::nonnegative(equals).is_some(), "equals must be nonnegative int")?;
    ensure(at_least.is_none() || js::positive(at_least).is_some(), "at_least must be positive int")?;
    ensure(at_most.is_none() || js::positive(at_most).is_some(), "at_most must be positive int")?;
    let has_bounds = at_least.is_some() || at_most.is_some();
    ensure(!(equals.is_some() && has_bounds), "can't have equals and at_least/at_most at the same time")?;
    ensure(equals.is_some() || has_bounds, "at least one of equals, at_least, at_most must be specified")
}

fn check_filter(terms: &Terms<'_>, filter: Option<&Value>) -> Check {
    ensure(js::truthy(filter), "no filter")?;
    let fields = js::nonempty_object(filter);
    let fields = fields.ok_or_else(|| Verdict::unit("filter must be a non-empty object"))?;
    ensure(!js::has_other_fields(fields, &FIELDS), "unknown fields in filter")?;
    let what = fields.get("what").and_then(Value::as_str);
    ensure(matches!(what, Some("input" | "output")), "invalid what")?;
    check_asset(terms, fields.get("asset"))?;
    let kind = fields.get("type");
    ensure(!(what == Some("output") && kind.is_some()), "output canot have type")?;
    let is_kind = kind.is_none_or(|kind| matches!(kind.as_str(), Some("issue" | "transfer")));
    ensure(is_kind, "invalid type in filter")?;
    check_address(terms, fields.get("address"))?;
    for field in ["amount", "amount_at_least", "amount_at_most"] {
        let amount = fields.get(field);
        ensure(amount.is_none() || js::positive(amount).is_some(), format!("{field} must be positive int"))?;
    }
    let has_bounds = fields.contains_key("amount_at_least") || fields.contains_key("amount_at_most");
    ensure(
        !(fields.contains_key("amount") && has_bounds),
        "can't have amount and amount_at_least/most at the same time",
    )
}

fn check_asset(terms: &Terms<'_>, asset: Option<&Value>) -> Check {
    let is_this = asset.and_then(Value::as_str) == Some(THIS_ASSET);
    let (is_condition, is_private) = match terms.purpose {
        Purpose::Address(_) => (false, false),
        Purpose::Asset { is_private } => (true, is_private),
    };
    ensure(!(is_private && is_this), "private asset cannot reference itself")?;
    let is_known = asset.is_none_or(|asset| {
        asset.as_str() == Some("base")
            || js::base64_of(Some(asset), HASH_LENGTH).is_some()
            || is_condition && is_this
    });
    ensure(is_known, "invalid asset")
}

fn check_address(terms: &Terms<'_>, address: Option<&Value>) -> Check {
    let Some(address) = address else { return Ok(()) };
    let is_relative = matches!(address.as_str(), Some("this address" | "other address"));
    ensure(!(terms.is_asset() && is_relative), "asset condition cannot reference this/other address")?;
    ensure(is_relative || address.as_str().is_some_and(chash::is_valid160), "invalid address in filter")
}

fn has_amount(filter: &Value) -> bool {
    ["amount", "amount_at_least", "amount_at_most"].iter().any(|field| js::truthy(filter.get(*field)))
}
