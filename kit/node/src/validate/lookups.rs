//! Definitions that look things up instead of asking for a signature.

use coinop_core::obyte::chash;
use serde_json::Value;

use super::{definition::Terms, filter};
use crate::{
    js,
    oscript::{self, Form},
    verdict::{Check, Verdict, ensure},
};

const MAX_FEED_NAME: usize = 64;
const MAX_FEED_VALUE: usize = 64;
const MAX_FORMULA: usize = 10_000;

/// What is looked up in the DAG or in the unit itself.
pub(super) fn check(terms: &Terms<'_>, operator: &str, args: &Value) -> Check {
    match operator {
        "seen address" => ensure(is_address(args), "invalid seen address"),
        "seen definition change" | "has definition change" => check_definition_change(terms, operator, args),
        "attested" => check_attested(terms, operator, args),
        "mci" | "age" | "timestamp" => check_comparison(operator, args),
        "has" | "has one" | "seen" => filter::check_one(terms, operator, args),
        "has equal" | "has one equal" => filter::check_pair(terms, operator, args),
        "sum" => filter::check_sum(terms, operator, args),
        "formula" => check_formula(args),
        _ => Err(Verdict::unit(format!("unknown op: {operator}"))),
    }
}

fn check_formula(args: &Value) -> Check {
    let formula = js::nonempty_text(Some(args));
    let formula = formula.ok_or_else(|| Verdict::unit("formula must be a non-empty string"))?;
    ensure(js::utf16_length(formula) <= MAX_FORMULA, "formula too long")?;
    oscript::check(formula, Form::Expression).map_err(|wrong| Verdict::unit(wrong.error))
}

fn check_definition_change(terms: &Terms<'_>, operator: &str, args: &Value) -> Check {
    let pair = js::array_of(Some(args), 2);
    let [changed, chash] = pair.unwrap_or_default() else {
        return Err(Verdict::unit(format!("{operator} must have 2 args")));
    };
    let names = [changed.as_str(), chash.as_str()];
    let is_relative = names.iter().any(|it| matches!(it, Some("this address" | "other address")));
    ensure(
        !(terms.is_asset() && is_relative),
        format!("asset condition cannot reference this/other address in {operator}"),
    )?;
    let is_this = |value: &Value| value.as_str() == Some("this address");
    ensure(is_address(changed) || is_this(changed), "invalid changed address")?;
    let is_any = chash.as_str() == Some("any");
    ensure(is_address(chash) || is_this(chash) || is_any, "invalid new definition chash")
}

fn check_attested(terms: &Terms<'_>, operator: &str, args: &Value) -> Check {
    let pair = js::array_of(Some(args), 2);
    let [attested, attestors] = pair.unwrap_or_default() else {
        return Err(Verdict::unit(format!("{operator} must have 2 args")));
    };
    let is_this = attested.as_str() == Some("this address");
    ensure(
        !(terms.is_asset() && is_this),
        format!("asset condition cannot reference this address in {operator}"),
    )?;
    ensure(is_address(attested) || is_this, "invalid attested address")?;
    let attestors = js::nonempty_array(Some(attestors)).ok_or_else(|| Verdict::unit("no attestors"))?;
    ensure(attestors.iter().all(is_address), "invalid attestor address")
}

/// Each further oracle makes a definition more complex.
fn check_oracles(operator: &str, oracles: Option<&Value>) -> Check<usize> {
    let oracles = js::nonempty_array(oracles);
    let oracles = oracles.ok_or_else(|| Verdict::unit(format!("no addresses in {operator}")))?;
    ensure(oracles.iter().all(is_address), "oracle address not valid")?;
    Ok(oracles.len() - 1)
}

/// Checks `in data feed`; gives what it adds to the complexity.
pub(super) fn check_data_feed(operator: &str, args: &Value) -> Check<usize> {
    let args = args.as_array().ok_or_else(|| Verdict::unit(format!("{operator} arg must be array")))?;
    ensure(matches!(args.len(), 4 | 5), format!("{operator} must have 4 or 5 args"))?;
    let more = check_oracles(operator, args.first())?;
    let relation = match args.get(2) {
        Some(Value::String(relation)) if !relation.is_empty() => relation,
        Some(_) | None => return Err(Verdict::unit("no relation")),
    };
    ensure(is_relation(relation), format!("invalid relation: {relation}"))?;
    check_feed_name(args.get(1))?;
    match args.get(3) {
        Some(Value::String(value)) => {
            ensure(!value.is_empty(), "no value")?;
            ensure(js::utf16_length(value) <= MAX_FEED_VALUE, "value too long")?;
        }
        Some(value @ Value::Number(_)) => ensure(js::is_integer(value), "no fractional values allowed")?,
        Some(_) | None => return Err(Verdict::unit("invalid value")),
    }
    check_min_mci(operator, args.get(4))?;
    Ok(more)
}

/// Checks `in merkle`; gives what it adds to the complexity.
pub(super) fn check_merkle(operator: &str, args: &Value) -> Check<usize> {
    let args = args.as_array().ok_or_else(|| Verdict::unit(format!("{operator} arg must be array")))?;
    ensure(matches!(args.len(), 3 | 4), format!("{operator} must have 3 or 4 args"))?;
    let more = check_oracles(operator, args.first())?;
    check_feed_name(args.get(1))?;
    let element = js::nonempty_text(args.get(2)).ok_or_else(|| Verdict::unit("no element"))?;
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric() || "_ ~,./\\;:!@#$%^&*()=+[]{}<>?|-".contains(character)
    };
    let is_short = element.len() <= 100;
    ensure(is_short && element.chars().all(is_plain), "incorrect format of merkled element")?;
    check_min_mci(operator, args.get(3))?;
    Ok(more)
}

fn check_comparison(operator: &str, args: &Value) -> Check {
    let pair = js::array_of(Some(args), 2);
    let [relation, value] = pair.unwrap_or_default() else {
        return Err(Verdict::unit(format!("{operator} must have 2 args")));
    };
    let text = js::nonempty_text(Some(relation)).ok_or_else(|| Verdict::unit("no relation"))?;
    ensure(is_relation(text), format!("invalid relation: {}", js::stringify(relation)))?;
    ensure(js::nonnegative(Some(value)).is_some(), format!("{operator} must be a non-neg number"))
}

fn check_feed_name(name: Option<&Value>) -> Check {
    let name = js::nonempty_text(name).ok_or_else(|| Verdict::unit("no feed_name"))?;
    ensure(js::utf16_length(name) <= MAX_FEED_NAME, "feed_name too long")
}

fn check_min_mci(operator: &str, mci: Option<&Value>) -> Check {
    ensure(mci.is_none() || js::nonnegative(mci).is_some(), format!("{operator}: invalid min_mci"))
}

fn is_relation(text: &str) -> bool {
    ["=", ">", "<", ">=", "<=", "!="].contains(&text)
}

/// Whether a value is an address.
pub(super) fn is_address(value: &Value) -> bool {
    value.as_str().is_some_and(chash::is_valid160)
}
