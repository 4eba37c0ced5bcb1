//! Assets: they can be defined, as everywhere; this network moves bytes only.

use coinop_core::obyte::chash;
use serde_json::{Map, Value};

use super::{
    apps::fields,
    definition::{self, Purpose, Terms},
    messages::{Message, Used},
    payment::MAX_CAP,
    posted::hash,
};
use crate::{
    dag::{Joint, Sequence, whole},
    js,
    verdict::{Check, Verdict, ensure},
};

const HASH_LENGTH: usize = 44;
const MAX_ATTESTORS: usize = 64;
const MAX_DENOMINATIONS: usize = 64;

const FLAGS: [&str; 7] = [
    "is_private",
    "is_transferrable",
    "auto_destroy",
    "fixed_denominations",
    "issued_by_definer_only",
    "cosigned_by_definer",
    "spender_attested",
];

const FIELDS: [&str; 12] = [
    "cap",
    "is_private",
    "is_transferrable",
    "auto_destroy",
    "fixed_denominations",
    "issued_by_definer_only",
    "cosigned_by_definer",
    "spender_attested",
    "issue_condition",
    "transfer_condition",
    "attestors",
    "denominations",
];

/// The definition of an asset.
pub(super) fn check_definition(message: &Message<'_>, payload: &Value) -> Check {
    ensure(message.authors().len() == 1, "asset definition must be single-authored")?;
    let asset = fields(payload, "asset definition must be a non-empty object")?;
    ensure(!js::has_other_fields(asset, &FIELDS), "unknown fields in asset definition")?;
    let has_flags = FLAGS.iter().all(|flag| asset.get(*flag).is_some_and(Value::is_boolean));
    ensure(has_flags, "some required fields in asset definition are missing")?;
    let cap = asset.get("cap");
    let is_cap = |cap: u64| cap > 0 && cap <= MAX_CAP;
    ensure(cap.is_none_or(|cap| whole(cap).is_some_and(is_cap)), "invalid cap")?;
    if is(asset, "spender_attested") {
        check_attestor_list(asset.get("attestors"))?;
    } else {
        let is_absent = !asset.contains_key("attestors");
        ensure(is_absent, "attestors should not be defined when spender_attested is false")?;
    }
    check_denominations(asset)?;
    check_combination(asset)?;
    for condition in ["issue_condition", "transfer_condition"] {
        if let Some(condition) = asset.get(condition) {
            let purpose = Purpose::Asset { is_private: is(asset, "is_private") };
            let terms = Terms { posted: message.posted, base: message.base, purpose };
            definition::check(terms, condition)?;
        }
    }
    Ok(())
}

/// A new list of attestors for an asset.
pub(super) fn check_attestors<'a>(message: &Message<'a>, payload: &'a Value, used: &mut Used<'a>) -> Check {
    let name = js::text_of(payload.get("asset"), HASH_LENGTH);
    let name = name.ok_or_else(|| Verdict::unit("invalid asset in attestor list update"))?;
    let is_new = used.attested.insert(name);
    ensure(is_new, "can be only one asset attestor list update per asset")?;
    ensure(message.authors().len() == 1, "attestor list must be single-authored")?;
    let update = fields(payload, "attestor update must be a non-empty object")?;
    let has_others = js::has_other_fields(update, &["asset", "attestors"]);
    ensure(!has_others, "foreign fields in attestor list update")?;
    let (definer, asset) = find(message, name)?;
    ensure(is(asset, "spender_attested"), "this asset does not require attestors")?;
    let is_definer = definer.facts.authors == message.authors();
    ensure(is_definer, "attestor list can be edited only by definer")?;
    check_attestor_list(update.get("attestors"))
}

/// A payment in an asset.
pub(super) fn check_payment(message: &Message<'_>, name: &Value) -> Check {
    let name = js::text_of(Some(name), HASH_LENGTH).ok_or_else(|| Verdict::unit("invalid asset"))?;
    find(message, name)?;
    // The asset is there, but no account of its coins is kept; another node may take the unit.
    Err(Verdict::transient("this network moves bytes only"))
}

/// The unit that defined an asset, with the definition.
fn find<'a>(message: &Message<'a>, name: &str) -> Check<(&'a Joint, &'a Map<String, Value>)> {
    let unknown = || Verdict::unit(format!("asset {name} not found"));
    let unit = hash(&Value::from(name)).and_then(|unit| message.dag().joint(&unit)).ok_or_else(unknown)?;
    let messages = unit.unit.get("messages").and_then(Value::as_array).into_iter().flatten();
    let mut assets = messages.filter(|message| message.get("app").and_then(Value::as_str) == Some("asset"));
    let asset = assets.find_map(|asset| asset.get("payload")?.as_object()).ok_or_else(unknown)?;
    ensure(unit.properties.sequence == Sequence::Good, "asset definition is not serial")?;
    ensure(message.base.covers(unit.properties.mci), "asset definition must be before last ball")?;
    Ok((unit, asset))
}

fn is(asset: &Map<String, Value>, flag: &str) -> bool {
    asset.get(flag).and_then(Value::as_bool).unwrap_or_default()
}

fn check_attestor_list(list: Option<&Value>) -> Check {
    let list = js::nonempty_array(list).ok_or_else(|| Verdict::unit("attestors not defined"))?;
    ensure(list.len() <= MAX_ATTESTORS, "too many attestors")?;
    let mut previous = "";
    for attestor in list {
        let address = attestor.as_str().filter(|address| chash::is_valid160(address));
        let invalid = || Verdict::unit(format!("invalid attestor address: {}", js::stringify(attestor)));
        let address = address.ok_or_else(invalid)?;
        ensure(address > previous, "attestors not sorted")?;
        previous = address;
    }
    Ok(())
}

fn check_denominations(asset: &Map<String, Value>) -> Check {
    let (is_fixed, list) = (is(asset, "fixed_denominations"), asset.get("denominations"));
    ensure(!is_fixed || js::nonempty_array(list).is_some(), "denominations not defined")?;
    ensure(is_fixed || list.is_none(), "denominations should not be defined when fixed")?;
    let Some(list) = js::nonempty_array(list) else { return Ok(()) };
    ensure(list.len() <= MAX_DENOMINATIONS, "too many denominations")?;
    let (mut total, mut has_uncapped, mut previous) = (0_u64, false, 0);
    for kind in list {
        let (denomination, count) = check_denomination(kind)?;
        ensure(denomination > previous, "denominations unsorted")?;
        previous = denomination;
        match count {
            Some(count) => total = total.saturating_add(count.saturating_mul(denomination)),
            None => has_uncapped = true,
        }
    }
    let cap = asset.get("cap").and_then(whole);
    ensure(!(has_uncapped && total > 0), "some denominations are capped, some uncapped")?;
    ensure(!(has_uncapped && cap.is_some()), "has cap but some denominations are uncapped")?;
    ensure(total == 0 || cap.is_some(), "has no cap but denominations are capped")?;
    ensure(total == 0 || cap == Some(total), "cap doesn't match sum of denominations")
}

fn check_denomination(kind: &Value) -> Check<(u64, Option<u64>)> {
    let fields = js::nonempty_object(Some(kind)).ok_or_else(|| {
        Verdict::unit(format!("denomination must be a non-empty object: {}", js::stringify(kind)))
    })?;
    let has_others = js::has_other_fields(fields, &["denomination", "count_coins"]);
    ensure(!has_others, format!("unknown fields in denomination: {}", js::stringify(kind)))?;
    let denomination = js::positive(fields.get("denomination"));
    let denomination = denomination.ok_or_else(|| Verdict::unit("invalid denomination"))?;
    let count = match fields.get("count_coins") {
        None => None,
        count => Some(js::positive(count).ok_or_else(|| Verdict::unit("invalid count_coins"))?),
    };
    Ok((denomination, count))
}

fn check_combination(asset: &Map<String, Value>) -> Check {
    let [is_private, is_transferrable, is_fixed] =
        ["is_private", "is_transferrable", "fixed_denominations"].map(|flag| is(asset, flag));
    ensure(
        !(is_private && is_transferrable && !is_fixed),
        "if private and transferrable, must have fixed denominations",
    )?;
    ensure(
        !is_private || is_fixed || is(asset, "auto_destroy") && !is_transferrable,
        "if private and divisible, must also be auto-destroy and non-transferrable",
    )?;
    let has_condition = asset.contains_key("issue_condition") || asset.contains_key("transfer_condition");
    ensure(!(is_private && has_condition), "if private, cannot have issue or transfer conditions")?;
    ensure(
        !asset.contains_key("cap") || is(asset, "issued_by_definer_only"),
        "if capped, must be issued by definer only",
    )
}
