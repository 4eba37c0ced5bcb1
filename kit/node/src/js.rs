//! Values as the JavaScript of other nodes sees them: verdicts quote them, and rules ask them this way.

use std::fmt::Write as _;

use coinop_core::obyte::number;
use serde_json::{Map, Value};

use crate::dag::whole;

/// Stands for a number beyond the largest double, which a [`Value`] cannot hold. No unit may hold the NUL
/// in it, so nothing can be mistaken for it.
pub(crate) const INFINITY: &str = "\0Infinity";

/// An object with at least one field.
pub(crate) fn nonempty_object(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value?.as_object().filter(|map| !map.is_empty())
}

/// An array with at least one element.
pub(crate) fn nonempty_array(value: Option<&Value>) -> Option<&[Value]> {
    value?.as_array().filter(|items| !items.is_empty()).map(Vec::as_slice)
}

/// An array of exactly `length` elements.
pub(crate) fn array_of(value: Option<&Value>, length: usize) -> Option<&[Value]> {
    value?.as_array().filter(|items| items.len() == length).map(Vec::as_slice)
}

/// A text that is not empty.
pub(crate) fn nonempty_text(value: Option<&Value>) -> Option<&str> {
    value?.as_str().filter(|text| !text.is_empty())
}

/// A text of exactly `length` UTF-16 units.
pub(crate) fn text_of(value: Option<&Value>, length: usize) -> Option<&str> {
    value?.as_str().filter(|text| utf16_length(text) == length)
}

/// The length of a text as JavaScript counts it.
pub(crate) fn utf16_length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A whole number that is not negative.
pub(crate) fn nonnegative(value: Option<&Value>) -> Option<u64> {
    whole(value?)
}

/// A whole number above zero.
pub(crate) fn positive(value: Option<&Value>) -> Option<u64> {
    nonnegative(value).filter(|number| *number > 0)
}

/// Whether a number has no fraction.
pub(crate) fn is_integer(value: &Value) -> bool {
    value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

/// Base64 as it would be written again, of `length` characters.
pub(crate) fn base64_of(value: Option<&Value>, length: usize) -> Option<&str> {
    text_of(value, length).filter(|text| is_base64(text))
}

/// Whether a text is base64 as it would be written again.
pub(crate) fn is_base64(text: &str) -> bool {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.decode(text).is_ok()
}

/// Whether an object has a field that is not in the list.
pub(crate) fn has_other_fields(object: &Map<String, Value>, fields: &[&str]) -> bool {
    object.keys().any(|field| !fields.contains(&field.as_str()))
}

/// What `if` takes for true.
pub(crate) fn truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Bool(true) | Value::Array(_) | Value::Object(_)) => true,
    }
}

/// A number as JavaScript writes it.
pub(crate) fn number_text(number: f64) -> String {
    number::format(number).unwrap_or_else(|_not_finite| "Infinity".to_owned())
}

/// The text a value has inside a sentence; nothing for what is absent.
pub(crate) fn display(value: Option<&Value>) -> String {
    match value {
        None => "undefined".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let texts: Vec<String> = items.iter().map(|item| display(Some(item))).collect();
            texts.join(",")
        }
        Some(Value::Object(_)) => "[object Object]".to_owned(),
        Some(other @ (Value::Null | Value::Bool(_) | Value::Number(_))) => stringify(other),
    }
}

/// `JSON.stringify` of a value that was just sorted by key.
pub(crate) fn stringify(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value);
    out
}

/// `JSON.stringify` of what may be absent.
pub(crate) fn stringify_optional(value: Option<&Value>) -> String {
    value.map_or_else(|| "undefined".to_owned(), stringify)
}

/// The fields of an object in the order JavaScript keeps them: whole numbers first, then the rest.
pub(crate) fn fields(object: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let mut fields: Vec<(&str, &Value)> = object.iter().map(|(key, value)| (key.as_str(), value)).collect();
    fields.sort_by_cached_key(|(key, _)| (array_index(key).unwrap_or(u32::MAX), utf16(key)));
    fields
}

/// Whether `one` sorts before `other` in JavaScript.
pub(crate) fn utf16(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn array_index(key: &str) -> Option<u32> {
    let index: u32 = key.parse().ok().filter(|index| *index != u32::MAX)?;
    (index.to_string() == key).then_some(index)
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => {
            out.push_str(&number.as_f64().map_or_else(|| "null".to_owned(), number_text));
        }
        Value::String(text) if text == INFINITY => out.push_str("null"),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => write_all(out, '[', ']', items, write),
        Value::Object(map) => write_all(out, '{', '}', fields(map), |out, (key, value)| {
            write_text(out, key);
            out.push(':');
            write(out, value);
        }),
    }
}

fn write_all<T>(
    out: &mut String,
    open: char,
    close: char,
    items: impl IntoIterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write(out, item);
    }
    out.push(close);
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => {
                // Writing to a text cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_number_keys_come_first_and_in_their_order() {
        let value = json!({"b": 1.0, "10": [null, true], "9": "x\n\u{1}", "a": {"-1": 1e21}});

        assert_eq!(stringify(&value), r#"{"9":"x\n\u0001","10":[null,true],"a":{"-1":1e+21},"b":1}"#);
    }

    #[test]
    fn numbers_count_as_whole_whichever_way_they_are_written() {
        for (text, whole) in [("7", Some(7)), ("7.0", Some(7)), ("7e0", Some(7)), ("7.5", None), ("-7", None)]
        {
            let value: Value = serde_json::from_str(text).unwrap();

            assert_eq!(nonnegative(Some(&value)), whole, "{text}");
        }
    }
}
