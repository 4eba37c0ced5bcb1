//! What an agent finds in a trigger's data: values of the agents' language, and their comparison.

use core::fmt;

use serde_json::Value;

use super::Number;

/// A value of the agents' language. What is missing is `false`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Datum<'a> {
    /// True, false, or missing.
    Bool(bool),
    /// A number, also one written as text.
    Number(Number),
    /// Text that is no number.
    Text(&'a str),
    /// An object or an array.
    Object(&'a Value),
}

/// Two values that the language does not compare; the text is the bounce text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotComparable(pub(crate) &'static str);

impl<'a> Datum<'a> {
    /// What is missing.
    pub const MISSING: Self = Self::Bool(false);

    /// What lies at `path` in `root`, arrays of one element opened on the way.
    pub fn at(root: Option<&'a Value>, path: &[&str]) -> Self {
        let mut value = match root {
            Some(Value::Object(fields)) if fields.is_empty() => return Self::MISSING,
            Some(value) => value,
            None => return Self::MISSING,
        };
        for key in path {
            match opened(value).get(key) {
                Some(inner) => value = inner,
                None => return Self::MISSING,
            }
        }
        Self::of(value)
    }

    fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::MISSING,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => Number::of_json(number).map_or(Self::MISSING, Self::Number),
            Value::String(text) => Number::of_text(text).map_or(Self::Text(text), Self::Number),
            Value::Array(_) | Value::Object(_) => Self::Object(value),
        }
    }

    /// Whether a condition holds for it.
    pub fn is_true(self) -> bool {
        match self {
            Self::Bool(flag) => flag,
            Self::Number(number) => !number.is_zero(),
            Self::Text(text) => !text.is_empty(),
            Self::Object(_) => true,
        }
    }

    /// This, or `other` when this is false, zero, empty or missing.
    #[must_use]
    pub fn otherwise(self, other: Self) -> Self {
        if self.is_true() { self } else { other }
    }

    /// The number, when it is a whole one.
    pub fn integer(self) -> Option<Number> {
        match self {
            Self::Number(number) if number.is_integer() => Some(number),
            Self::Number(_) | Self::Bool(_) | Self::Text(_) | Self::Object(_) => None,
        }
    }

    pub(crate) fn equals(self, other: Self) -> Result<bool, NotComparable> {
        match (self, other) {
            (Self::Object(one), Self::Object(two)) => Ok(one == two),
            (Self::Object(_), _) | (_, Self::Object(_)) => {
                Err(NotComparable("objects cannot be compared with other types"))
            }
            (Self::Bool(one), Self::Bool(two)) => Ok(one == two),
            (Self::Bool(_), _) | (_, Self::Bool(_)) => {
                Err(NotComparable("booleans cannot be compared with other types"))
            }
            (Self::Number(one), Self::Number(two)) => Ok(one == two),
            (Self::Text(one), Self::Text(two)) => Ok(one == two),
            (Self::Text(text), Self::Number(number)) | (Self::Number(number), Self::Text(text)) => {
                Ok(number.to_string() == text)
            }
        }
    }
}

fn opened(value: &Value) -> &Value {
    match value {
        Value::Array(items) => match items.as_slice() {
            [only] => opened(only),
            _ => value,
        },
        _ => value,
    }
}

/// As the language joins it to text.
impl fmt::Display for Datum<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(flag) => flag.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Object(_) => f.write_str("true"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numeric_text_is_a_number_and_the_missing_is_false() {
        let data = json!({"a": "9", "b": {"c": [[{"d": "x"}]]}, "e": ""});

        assert_eq!(Datum::at(Some(&data), &["a"]), Datum::Number(Number::of(9)));
        assert_eq!(Datum::at(Some(&data), &["b", "c", "d"]), Datum::Text("x"));
        assert_eq!(Datum::at(Some(&data), &["a", "z"]), Datum::MISSING);
        assert!(!Datum::at(Some(&data), &["e"]).is_true());
        assert_eq!(Datum::at(None, &["e"]), Datum::MISSING);
    }

    #[test]
    fn values_of_different_kinds_are_compared_as_text_or_not_at_all() {
        let object = json!({"a": 1});

        assert_eq!(Datum::Text("x").equals(Datum::Number(Number::ONE)), Ok(false));
        assert!(Datum::MISSING.equals(Datum::Number(Number::ONE)).is_err());
        assert!(Datum::Object(&object).equals(Datum::Text("x")).is_err());
    }
}
