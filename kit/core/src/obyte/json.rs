//! Reading JSON as a node does: no unpaired surrogates, no bottomless nesting.

use alloc::string::{String, ToString};

use serde_json::Value;

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 100;

/// Why a text is no JSON that may be hashed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// Not JSON at all, a number beyond the largest double, or text with an unpaired surrogate.
    #[error("not JSON: {0}")]
    Syntax(String),
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// Reads a JSON text; of repeated keys the last one counts, as in JavaScript.
///
/// # Errors
///
/// [`JsonError`] when the text is no JSON, holds an unpaired surrogate, or nests too deep.
pub fn parse(text: &str) -> Result<Value, JsonError> {
    let value = serde_json::from_str(text).map_err(|error| JsonError::Syntax(error.to_string()))?;
    if deeper_than(&value, MAX_DEPTH) { Err(JsonError::TooDeep) } else { Ok(value) }
}

/// Recursion is bounded by the reader, which gives up at 128 levels.
fn deeper_than(value: &Value, levels: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(elements) => {
            levels == 0 || elements.iter().any(|element| deeper_than(element, levels - 1))
        }
        Value::Object(map) => levels == 0 || map.values().any(|element| deeper_than(element, levels - 1)),
    }
}

/// What JavaScript takes for true: `null`, `false`, `0` and the empty text are not.
pub(crate) fn truthy(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Bool(true) | Value::Array(_) | Value::Object(_)) => true,
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn text_with_an_unpaired_surrogate_is_refused() {
        for text in [r#""\ud800""#, r#""x\udc00y""#, r#"{"\udfff":1}"#, r#""\ud83d\u0041""#] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse(r#""\ud83d\ude00""#).unwrap(), "😀");
    }

    #[test]
    fn nesting_stops_at_the_limit() {
        let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));

        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(parse(&nested(MAX_DEPTH + 1)), Err(JsonError::TooDeep));
        assert!(parse(&nested(100_000)).is_err());
    }

    #[test]
    fn of_repeated_keys_the_last_counts() {
        assert_eq!(parse(r#"{"a":1,"a":2}"#).unwrap()["a"], 2);
    }
}
