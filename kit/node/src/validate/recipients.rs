//! Who earns the headers commission.

use coinop_core::obyte::chash;
use serde_json::Value;

use super::posted::Posted;
use crate::{
    js,
    verdict::{Check, Verdict, ensure},
};

/// The recipients have to be named when there are several authors, and their shares add up.
pub(super) fn check(posted: &Posted<'_>) -> Check {
    let list = posted.get("earned_headers_commission_recipients");
    let is_object = list.is_some_and(|list| list.is_object() || list.is_array() || list.is_null());
    ensure(
        posted.items("authors").len() <= 1 || is_object,
        "must specify earned_headers_commission_recipients when more than 1 author",
    )?;
    let Some(list) = list else { return Ok(()) };
    let list = js::nonempty_array(Some(list));
    let list = list.ok_or_else(|| Verdict::unit("empty earned_headers_commission_recipients array"))?;
    let mut total = 0;
    let mut previous = "";
    for recipient in list {
        total += share_of(recipient)?;
        let address = address_of(recipient)?;
        ensure(address > previous, "recipient list must be sorted by address")?;
        previous = address;
    }
    ensure(total == 100, "sum of earned_headers_commission_share is not 100")
}

fn share_of(recipient: &Value) -> Check<u64> {
    let share = js::positive(recipient.get("earned_headers_commission_share"));
    share.ok_or_else(|| Verdict::unit("earned_headers_commission_share must be positive integer"))
}

fn address_of(recipient: &Value) -> Check<&str> {
    let fields = ["address", "earned_headers_commission_share"];
    let has_others = recipient.as_object().is_some_and(|map| js::has_other_fields(map, &fields));
    ensure(!has_others, "unknown fields in recipient")?;
    let address = recipient.get("address").and_then(Value::as_str).filter(|it| chash::is_valid160(it));
    address.ok_or_else(|| Verdict::unit("invalid recipient address checksum"))
}
