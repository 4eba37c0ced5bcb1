use core::fmt;

use serde::{Deserialize, Serialize};

/// What a tariff counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Time that a thing is on or held, in milliseconds.
    Millisecond,
    /// Energy, in thousandths of a watt-hour.
    MilliwattHour,
    /// Openings of a door, cups, pieces.
    Opening,
    /// Requests answered.
    Call,
}

impl Unit {
    /// Whether it flows by itself while the power is on, so that a silent meter means something is wrong.
    pub const fn flows(self) -> bool {
        match self {
            Self::Millisecond | Self::MilliwattHour => true,
            Self::Opening | Self::Call => false,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Millisecond => "ms",
            Self::MilliwattHour => "mWh",
            Self::Opening => "openings",
            Self::Call => "calls",
        })
    }
}

/// How many **units of the tariff** there are of what is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Quantity(u64);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many units.
    pub const fn new(units: u64) -> Self {
        Self(units)
    }

    /// The number of units.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum; stays at the largest number, which no payment ever covers.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left without `other`, nothing when `other` is larger.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}
