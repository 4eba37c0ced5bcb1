//! The older way to turn JSON into bytes: components joined by NUL.
//!
//! Used for address definitions, balls, device messages, and units and packages of version 1.0.

use alloc::string::{String, ToString};

use serde_json::Value;

use super::{
    number,
    order::{self, Trim},
};

const SEPARATOR: char = '\0';

/// Why a value has no source string and no canonical JSON; each holds the whole value as JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// `null` somewhere inside.
    #[error("null value in {0}")]
    Null(String),
    /// An array without elements somewhere inside.
    #[error("empty array in {0}")]
    EmptyArray(String),
    /// An object without keys somewhere inside.
    #[error("empty object in {0}")]
    EmptyObject(String),
    /// A NUL in a text, which would read as a separator.
    #[error("00 byte in string value in {0}")]
    NulInText(String),
    /// A NUL in a key, which would read as a separator.
    #[error("00 byte in object key in {0}")]
    NulInKey(String),
    /// An infinity or NaN.
    #[error("invalid number in {0}")]
    Number(String),
}

/// The reason alone, while the whole value is not at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Null,
    EmptyArray,
    EmptyObject,
    NulInText,
    NulInKey,
    Number,
}

impl Fault {
    /// The error, with the value it is about.
    pub(crate) fn in_value(self, value: &Value) -> SourceError {
        let text = value.to_string();
        match self {
            Self::Null => SourceError::Null(text),
            Self::EmptyArray => SourceError::EmptyArray(text),
            Self::EmptyObject => SourceError::EmptyObject(text),
            Self::NulInText => SourceError::NulInText(text),
            Self::NulInKey => SourceError::NulInKey(text),
            Self::Number => SourceError::Number(text),
        }
    }
}

/// Writes the source string of a value.
///
/// # Errors
///
/// [`SourceError`] when something inside has no representation.
pub fn source_string(value: &Value) -> Result<String, SourceError> {
    trimmed(value, Trim::NOTHING)
}

/// Writes the source string of what `trim` leaves of a value.
pub(crate) fn trimmed(value: &Value, trim: &Trim) -> Result<String, SourceError> {
    let mut out = String::with_capacity(256);
    write(&mut out, value, trim).map_err(|fault| fault.in_value(value))?;
    Ok(out)
}

fn write(out: &mut String, value: &Value, trim: &Trim) -> Result<(), Fault> {
    match value {
        Value::Null => return Err(Fault::Null),
        Value::Bool(true) => out.push_str("b\0true"),
        Value::Bool(false) => out.push_str("b\0false"),
        Value::Number(number) => {
            out.push_str("n\0");
            number::append(out, number).map_err(|number::NumberError| Fault::Number)?;
        }
        Value::String(text) => {
            out.push_str("s\0");
            push_without_nul(out, text).ok_or(Fault::NulInText)?;
        }
        Value::Array(elements) => {
            if elements.is_empty() {
                return Err(Fault::EmptyArray);
            }
            out.push('[');
            for element in elements {
                out.push(SEPARATOR);
                write(out, element, trim)?;
            }
            out.push_str("\0]");
        }
        Value::Object(map) => {
            let written = order::for_each_sorted(map, trim, |index, key, value| {
                if index > 0 {
                    out.push(SEPARATOR);
                }
                push_without_nul(out, key).ok_or(Fault::NulInKey)?;
                out.push(SEPARATOR);
                write(out, value, trim.below(key))
            })?;
            if written == 0 {
                return Err(Fault::EmptyObject);
            }
        }
    }
    Ok(())
}

fn push_without_nul(out: &mut String, text: &str) -> Option<()> {
    if text.contains(SEPARATOR) {
        return None;
    }
    out.push_str(text);
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn components_are_tagged_and_joined_by_nul() {
        let source = source_string(&json!(["sig", {"pubkey": "X"}])).unwrap();

        assert_eq!(source, "[\0s\0sig\0pubkey\0s\0X\0]");
    }

    #[test]
    fn what_has_no_source_string_is_named_with_the_whole_value() {
        let refused = |value: Value| source_string(&value).unwrap_err().to_string();

        assert_eq!(refused(json!({"a": [null]})), r#"null value in {"a":[null]}"#);
        assert_eq!(refused(json!([[]])), "empty array in [[]]");
        assert_eq!(refused(json!([{}])), "empty object in [{}]");
        assert_eq!(refused(json!("\0")), r#"00 byte in string value in "\u0000""#);
        assert_eq!(refused(json!({"\0": 1})), r#"00 byte in object key in {"\u0000":1}"#);
    }
}
