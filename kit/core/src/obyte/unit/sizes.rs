use serde_json::Value;

use super::{Era, UnitError};
use crate::obyte::{
    json::truthy,
    length::{self, text_length},
    number,
    order::Trim,
};

/// Parents count as two, however many there are.
const PARENT_UNITS_SIZE: u64 = 2 * 44;

macro_rules! not_in_the_headers {
    ($($more:literal),*) => {
        &[
            "unit",
            "headers_commission",
            "payload_commission",
            "oversize_fee",
            "actual_tps_fee",
            "main_chain_index",
            "messages",
            "parent_units",
            $($more),*
        ]
    };
}

static HEADERS: Trim = Trim { drop: not_in_the_headers!(), below: &[] };
static HEADERS_FIRST: Trim = Trim { drop: not_in_the_headers!("timestamp"), below: &[] };

/// The size of a unit's headers in bytes, which is their commission.
///
/// # Errors
///
/// [`UnitError`] for a stripped unit and for what is no object.
pub fn headers_size(unit: &Value) -> Result<u64, UnitError> {
    let (era, with_keys) = counted(unit)?;
    let headers = match era {
        Era::First => &HEADERS_FIRST,
        Era::Second | Era::Later => &HEADERS,
    };
    let key = if with_keys { text_length("parent_units") } else { 0 };
    Ok(length::trimmed(unit, with_keys, headers) + PARENT_UNITS_SIZE + key)
}

/// The size of a unit's messages in bytes, which is their commission; temporary data cost half.
///
/// # Errors
///
/// [`UnitError`] for a stripped unit, and when the messages or the stated length of temporary data are
/// malformed.
pub fn payload_size(unit: &Value) -> Result<u64, UnitError> {
    let (_, with_keys) = counted(unit)?;
    let key = if with_keys { text_length("messages") } else { 0 };
    let all: u64 = messages(unit)?.iter().map(|message| length::length(message, with_keys)).sum();
    let data: u64 = temporary(unit)?
        .filter_map(|(payload, _)| payload.get("data").filter(|data| truthy(Some(data))))
        .map(|data| length::length(data, with_keys) + if with_keys { text_length("data") } else { 0 })
        .sum();
    Ok(key + all - data + paid_temp_data_fee(unit)?)
}

/// What is paid for a unit's temporary data, in bytes; it does not count for the oversize fee.
///
/// # Errors
///
/// [`UnitError`] when the messages or the stated length of temporary data are malformed.
pub fn paid_temp_data_fee(unit: &Value) -> Result<u64, UnitError> {
    let mut stated = 0_u64;
    for (_, length) in temporary(unit)? {
        let length = number::whole(length).filter(|length| *length <= MAX_TEMP_DATA).ok_or(BAD_LENGTH)?;
        stated += length + text_length("data");
    }
    Ok(stated.div_ceil(2))
}

const BAD_LENGTH: UnitError = UnitError::Field("data_length");
/// Far above the largest unit; keeps sums small.
const MAX_TEMP_DATA: u64 = 1 << 40;

fn counted(unit: &Value) -> Result<(Era, bool), UnitError> {
    if !unit.is_object() {
        return Err(UnitError::Field("unit"));
    }
    if truthy(unit.get("content_hash")) {
        return Err(UnitError::Stripped);
    }
    let era = Era::of(unit);
    match era {
        Era::First | Era::Second => Ok((era, false)),
        Era::Later => Ok((era, true)),
    }
}

fn messages(unit: &Value) -> Result<&[Value], UnitError> {
    let messages = unit.get("messages").and_then(Value::as_array).ok_or(UnitError::Field("messages"))?;
    if messages.iter().any(Value::is_null) { Err(UnitError::Field("messages")) } else { Ok(messages) }
}

/// Payloads of temporary data that state a length, with it; others are left to validation.
fn temporary(unit: &Value) -> Result<impl Iterator<Item = (&Value, &serde_json::Number)>, UnitError> {
    let temporary = messages(unit)?
        .iter()
        .filter(|message| message.get("app").and_then(Value::as_str) == Some("temp_data"))
        .filter_map(|message| {
            let payload = message.get("payload")?;
            let Value::Number(length) = payload.get("data_length")? else { return None };
            Some((payload, length))
        });
    Ok(temporary)
}
