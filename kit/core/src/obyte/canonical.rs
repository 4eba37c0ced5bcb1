//! Canonical JSON: the way units, payloads and signed packages turn into bytes since version 2.0.

use alloc::string::String;

use serde_json::Value;

use super::{
    number,
    order::{self, Trim},
    source::{Fault, SourceError},
};

/// Writes canonical JSON: no spaces, keys by UTF-16 order, numbers as JavaScript writes them, and every
/// character beyond the basic plane as two escaped surrogates.
///
/// # Errors
///
/// [`SourceError`] for `null`, empty arrays and empty objects.
pub fn canonical_json(value: &Value) -> Result<String, SourceError> {
    trimmed(value, Trim::NOTHING)
}

/// Writes canonical JSON that may hold empty arrays and empty objects: what agents write.
///
/// # Errors
///
/// [`SourceError`] for `null`.
pub fn canonical_json_with_empties(value: &Value) -> Result<String, SourceError> {
    start(value, Trim::NOTHING, Empties::Allowed)
}

/// Writes the canonical JSON of what `trim` leaves of a value.
pub(crate) fn trimmed(value: &Value, trim: &Trim) -> Result<String, SourceError> {
    start(value, trim, Empties::Refused)
}

/// Appends the canonical JSON of a value.
pub(crate) fn append(out: &mut String, value: &Value) -> Result<(), Fault> {
    write(out, value, Trim::NOTHING, Empties::Refused)
}

/// Appends a text as a JSON string.
pub(crate) fn append_text(out: &mut String, text: &str) {
    out.push('"');
    if text.bytes().any(needs_escape) {
        for character in text.chars() {
            escape(out, character);
        }
    } else {
        out.push_str(text);
    }
    out.push('"');
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Empties {
    Allowed,
    Refused,
}

fn start(value: &Value, trim: &Trim, empties: Empties) -> Result<String, SourceError> {
    let mut out = String::with_capacity(256);
    write(&mut out, value, trim, empties).map_err(|fault| fault.in_value(value))?;
    Ok(out)
}

fn write(out: &mut String, value: &Value, trim: &Trim, empties: Empties) -> Result<(), Fault> {
    match value {
        Value::Null => return Err(Fault::Null),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => {
            number::append(out, number).map_err(|number::NumberError| Fault::Number)?;
        }
        Value::String(text) => append_text(out, text),
        Value::Array(elements) => {
            if elements.is_empty() && empties == Empties::Refused {
                return Err(Fault::EmptyArray);
            }
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(out, element, trim, empties)?;
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            let written = order::for_each_sorted(map, trim, |index, key, value| {
                if index > 0 {
                    out.push(',');
                }
                append_text(out, key);
                out.push(':');
                write(out, value, trim.below(key), empties)
            })?;
            if written == 0 && empties == Empties::Refused {
                return Err(Fault::EmptyObject);
            }
            out.push('}');
        }
    }
    Ok(())
}

/// Control characters, the quote, the backslash, and the lead bytes of supplementary characters.
const fn needs_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\' || byte >= 0xF0
}

fn escape(out: &mut String, character: char) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\u{8}' => out.push_str("\\b"),
        '\t' => out.push_str("\\t"),
        '\n' => out.push_str("\\n"),
        '\u{c}' => out.push_str("\\f"),
        '\r' => out.push_str("\\r"),
        '\0'..'\u{20}' | '\u{10000}'.. => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escape_unit(out, *unit);
            }
        }
        _ => out.push(character),
    }
}

fn escape_unit(out: &mut String, unit: u16) {
    out.push_str("\\u");
    for shift in [12, 8, 4, 0] {
        let digit = u32::from(unit >> shift & 0xF);
        out.push(char::from_digit(digit, 16).expect("four bits are a digit"));
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, vec::Vec};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::obyte::json;

    #[test]
    fn supplementary_characters_become_two_escaped_surrogates() {
        assert_eq!(canonical_json(&json!("😀\u{7f}\u{2028}/")).unwrap(), "\"\\ud83d\\ude00\u{7f}\u{2028}/\"");
    }

    #[test]
    fn keys_are_sorted_by_utf_16_code_units() {
        let text = canonical_json(&json!({"\u{e000}": 1, "\u{10000}": 2, "a": 3})).unwrap();

        assert_eq!(text, "{\"a\":3,\"\\ud800\\udc00\":2,\"\u{e000}\":1}");
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(|number| Value::from(number >> 11)),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
            any::<std::string::String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Value::from),
                prop::collection::btree_map(any::<std::string::String>(), inner, 1..4).prop_map(
                    |map: BTreeMap<_, _>| Value::from(map.into_iter().collect::<serde_json::Map<_, _>>())
                ),
            ]
        })
    }

    /// Numbers are doubles in JavaScript: `1.0` and `1` are one value.
    fn as_doubles(value: &Value) -> Value {
        match value {
            Value::Number(number) => number.as_f64().map(|number| number + 0.0).into(),
            Value::Array(elements) => elements.iter().map(as_doubles).collect::<Vec<_>>().into(),
            Value::Object(map) => {
                Value::Object(map.iter().map(|(key, value)| (key.clone(), as_doubles(value))).collect())
            }
            Value::Null | Value::Bool(_) | Value::String(_) => value.clone(),
        }
    }

    proptest! {
        #[test]
        fn canonical_json_reads_back_as_the_same_value(value in values()) {
            let text = canonical_json(&value).unwrap();

            let again = json::parse(&text).unwrap();

            prop_assert_eq!(as_doubles(&again), as_doubles(&value));
            prop_assert_eq!(canonical_json(&again).unwrap(), text);
        }
    }
}
