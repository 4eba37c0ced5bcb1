//! What a hub answers to a posted unit.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a unit is turned down: the hub's own words, and what it remembers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{text}")]
pub struct Verdict {
    /// The hub's words.
    pub text: String,
    /// What follows for a second try.
    pub class: Class,
}

/// What a hub remembers of a unit it turned down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Something its hash does not cover is wrong: this very text is bad, the unit may come again.
    Joint,
    /// What its hash covers is wrong: the hash is bad.
    Unit,
    /// It may be right at another time.
    Transient,
    /// It was never looked at: turned away at the door.
    Door,
}

/// What a single check says.
pub(crate) type Check<T = ()> = Result<T, Verdict>;

impl Verdict {
    /// A fault in what the unit's hash does not cover.
    pub(crate) fn joint(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: Class::Joint }
    }

    /// A fault in what the unit's hash covers.
    pub(crate) fn unit(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: Class::Unit }
    }

    /// A fault that time may heal.
    pub(crate) fn transient(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: Class::Transient }
    }

    /// Turned away unread.
    pub(crate) fn door(text: impl Into<String>) -> Self {
        Self { text: text.into(), class: Class::Door }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Joint => "joint",
            Self::Unit => "unit",
            Self::Transient => "transient",
            Self::Door => "door",
        })
    }
}

/// Passes when `holds`; the unit is bad otherwise.
pub(crate) fn ensure(holds: bool, text: impl Into<String>) -> Check {
    if holds { Ok(()) } else { Err(Verdict::unit(text)) }
}

/// Passes when `holds`; this text of the unit is bad otherwise.
pub(crate) fn ensure_joint(holds: bool, text: impl Into<String>) -> Check {
    if holds { Ok(()) } else { Err(Verdict::joint(text)) }
}
