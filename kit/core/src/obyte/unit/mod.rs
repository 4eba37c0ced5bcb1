//! Units: what the ledger is made of.
//!
//! The functions work on JSON as it was sent, whatever its version, and so also on units that are
//! malformed; the types are for units of today's version that this kit makes and trusts.

mod hashes;
mod payment;
mod sizes;
mod typed;

use serde_json::Value;

pub use hashes::{content_hash, hash_to_sign, message_payload_hash, payload_hash, text_to_sign, unit_hash};
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
