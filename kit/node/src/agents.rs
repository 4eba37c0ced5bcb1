//! Definitions of agents that are not made of another one: their shape, and the syntax of their formulas.

mod formulas;
mod messages;

use serde_json::{Map, Value};

use crate::js;

/// How deep things may nest.
pub(crate) const MAX_DEPTH: usize = 100;
const MAX_CAP: u64 = 9_000_000_000_000_000;
const MIN_BOUNCE_FEE: u64 = 10_000;
const HASH_LENGTH: usize = 44;

/// What a check of a definition says: the words of other nodes when something is wrong.
type Told<T = ()> = Result<T, String>;

/// Checks `{…}` of `["autonomous agent", {…}]`.
///
/// # Errors
///
/// What is wrong, in the words of other nodes.
pub(crate) fn check(template: &Map<String, Value>) -> Told {
    let known = ["bounce_fees", "messages", "init", "doc_url", "getters"];
    ensure(!js::has_other_fields(template, &known), || "foreign fields in AA definition".to_owned())?;
    if let Some(fees) = template.get("bounce_fees") {
        check_bounce_fees(fees)?;
    }
    let has_good = |field: &str, is_good: fn(&Value) -> bool| template.get(field).is_none_or(is_good);
    let is_url = has_good("doc_url", |url| js::nonempty_text(Some(url)).is_some());
    ensure(is_url, || "invalid doc_url".to_owned())?;
    let is_formula = has_good("getters", |getters| formula(Some(getters)).is_some());
    ensure(is_formula, || "invalid getters".to_owned())?;
    messages::check(template)?;
    formulas::check(template)
}

/// The inside of a text in braces.
fn formula(value: Option<&Value>) -> Option<&str> {
    value?.as_str()?.strip_prefix('{')?.strip_suffix('}')
}

/// Alternatives are written as `{cases: […]}`.
fn cases(value: Option<&Value>) -> Option<&[Value]> {
    let only = value?.as_object().filter(|map| map.len() == 1)?;
    js::nonempty_array(only.get("cases"))
}

fn check_bounce_fees(fees: &Value) -> Told {
    let fees = js::nonempty_object(Some(fees)).ok_or("empty bounce_fees")?;
    for (asset, fee) in js::fields(fees) {
        let is_asset = asset == "base" || asset.len() == HASH_LENGTH && js::is_base64(asset);
        ensure(is_asset, || format!("bad asset in bounce_fees: {asset}"))?;
        let is_fee = js::nonnegative(Some(fee)).is_some_and(|fee| fee <= MAX_CAP);
        ensure(is_fee, || format!("bad bounce fee: {}", js::stringify(fee)))?;
    }
    let base = js::nonnegative(fees.get("base"));
    let is_enough = base.is_none_or(|base| base >= MIN_BOUNCE_FEE);
    ensure(is_enough, || format!("too small base bounce fee: {}", base.unwrap_or_default()))
}

fn ensure(holds: bool, words: impl FnOnce() -> String) -> Told {
    if holds { Ok(()) } else { Err(words()) }
}
