//! Units: what the ledger is made of.
//!
//! The functions work on JSON as it was sent, whatever its version, and so also on units that are
//! malformed; the types are for units of today's version that this kit makes and trusts.

mod hashes;
mod payment;
mod sizes;
mod typed;

use serde_json::Value;

pub use hashes::{
    content_hash, hash_to_sign, message_payload_hash, payload_hash, stripped, text_to_sign, unit_hash,
};
pub use payment::{Earned, Input, Output, Payment};
pub use sizes::{headers_size, paid_temp_data_fee, payload_size};
pub use typed::{Author, Message, Recipient, Unit};

use super::source::SourceError;

/// Why a unit has no hash or no size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnitError {
    /// Something inside cannot be hashed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A field is missing or is not of the kind it must be.
    #[error("{0} is missing or malformed")]
    Field(&'static str),
    /// The unit came without its messages.
    #[error("a stripped unit has no sizes")]
    Stripped,
}

/// How units of a version are hashed and counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Era {
    /// 1.0: no timestamp, source strings, sizes without keys.
    First,
    /// 2.0: timestamp, canonical JSON, sizes without keys.
    Second,
    /// 3.0 and later: sizes with keys.
    Later,
}

impl Era {
    fn of(unit: &Value) -> Self {
        unit.get("version").and_then(Value::as_str).map_or(Self::Later, Self::of_version)
    }

    /// The networks mark their versions with a suffix.
    fn of_version(version: &str) -> Self {
        match version {
            "1.0" | "1.0t" | "1.0dev" => Self::First,
            "2.0" | "2.0t" | "2.0dev" => Self::Second,
            _ => Self::Later,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::obyte::json;

    fn temporary(data: &Value, data_length: &Value) -> Value {
        let payload = json!({"data_length": data_length, "data_hash": "h", "data": data});
        json!({"version": "4.0", "messages": [{"app": "temp_data", "payload": payload}]})
    }

    #[test]
    fn temporary_data_cost_half_and_stay_out_of_the_hash() {
        let [with, without] = [json!("x".repeat(101)), json!("")].map(|data| temporary(&data, &json!(101)));
        let hash = |unit: &Value| message_payload_hash(&unit["messages"][0], "4.0").unwrap();

        // An empty text counts as absent for JavaScript, and so keeps the length of its key.
        assert_eq!(payload_size(&with).unwrap() + 4, payload_size(&without).unwrap());
        assert_eq!(paid_temp_data_fee(&with), Ok(53));
        assert_eq!(hash(&with), hash(&without));
        assert_eq!(
            paid_temp_data_fee(&temporary(&json!(""), &json!(-1))),
            Err(UnitError::Field("data_length"))
        );
    }

    #[test]
    fn a_stripped_unit_has_a_hash_but_no_sizes() {
        let unit = json!({"version": "4.0", "alt": "1", "timestamp": 1, "messages": [], "authors": [{"address": "A"}]});
        let hash = content_hash(&json!({"version": "4.0", "x": 1})).unwrap();
        let stripped = json!({"version": "4.0", "alt": "1", "timestamp": 1, "authors": [{"address": "A"}], "content_hash": hash});

        assert!(unit_hash(&stripped).is_ok());
        assert_eq!(headers_size(&stripped), Err(UnitError::Stripped));
        assert_eq!(payload_size(&stripped), Err(UnitError::Stripped));
        assert!(matches!(unit_hash(&unit), Err(UnitError::Source(SourceError::EmptyArray(_)))));
    }

    #[test]
    fn stripping_a_unit_leaves_its_hash() {
        let unit = json!({
            "version": "4.0", "alt": "1", "timestamp": 1, "messages": [{"app": "data"}], "tps_fee": 5,
            "authors": [{"address": "A", "authentifiers": {"r": "x"}}],
            "parent_units": ["p"], "last_ball": "b", "last_ball_unit": "u",
        });

        let stripped = stripped(&unit).unwrap();

        assert_eq!(unit_hash(&stripped), unit_hash(&unit));
        assert_eq!(stripped["unit"], unit_hash(&unit).unwrap().to_string());
        assert_eq!(stripped["authors"], json!([{"address": "A"}]));
        assert_eq!(super::stripped(&stripped).unwrap(), stripped);
    }

    #[test]
    fn a_missing_field_is_named() {
        let unit = json!({"version": "4.0", "alt": "1", "messages": [{"app": "data"}], "authors": [{"address": "A"}]});

        assert_eq!(unit_hash(&unit), Err(UnitError::Field("timestamp")));
        assert_eq!(unit_hash(&json!({})).unwrap_err().to_string(), "authors is missing or malformed");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_answered(
            version in "[1-5]\\.0(t|dev)?",
            field in "(authors|messages|parent_units|content_hash|timestamp|witnesses)",
            value in r#"(null|1|"x"|\[\]|\{\}|\[null\]|\[1\]|\[\{\}\]|\[\{"payload":1,"app":"temp_data"\}\]|\{"x":\[1\]\})"#,
        ) {
            let mut unit = json!({"version": version, "alt": "1", "authors": [{"address": "A"}], "messages": [{"a": 1}]});
            unit[field] = json::parse(&value).unwrap();

            // Not a panic, that is.
            let _ = (unit_hash(&unit), content_hash(&unit), hash_to_sign(&unit));
            let _ = (headers_size(&unit), payload_size(&unit), message_payload_hash(&unit["messages"], "4.0"));
        }
    }
}
