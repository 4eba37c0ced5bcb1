//! Sizes as the ledger counts them; fees are paid by these bytes.

use serde_json::Value;

use super::order::Trim;

/// The size of a value in bytes as the ledger counts: a string by its UTF-16 length, a number 8, a
/// boolean 1, `null` nothing, and keys when `with_keys` (from unit version 3.0 on).
pub fn length(value: &Value, with_keys: bool) -> u64 {
    trimmed(value, with_keys, Trim::NOTHING)
}

/// The size of what `trim` leaves of a value.
pub(crate) fn trimmed(value: &Value, with_keys: bool, trim: &Trim) -> u64 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 8,
        Value::String(text) => text_length(text),
        Value::Array(elements) => elements.iter().map(|element| trimmed(element, with_keys, trim)).sum(),
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| !trim.drop.contains(&key.as_str()))
            .map(|(key, value)| {
                let key_length = if with_keys { text_length(key) } else { 0 };
                key_length + trimmed(value, with_keys, trim.below(key))
            })
            .sum(),
    }
}

/// The length of a text in UTF-16 code units.
pub(crate) fn text_length(text: &str) -> u64 {
    text.encode_utf16().count() as u64
}
