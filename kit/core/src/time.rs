use core::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// A moment, in **milliseconds** since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down: what units carry.
    pub const fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The time since `earlier`, nothing when that is not earlier.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment `span` later; stays at the end of time instead of overflowing.
    #[must_use]
    pub const fn after(self, span: Duration) -> Self {
        // A span beyond 2⁶⁴ ms is the end of time as well.
        let millis = span.as_millis();
        #[expect(clippy::cast_possible_truncation, reason = "checked on the same line")]
        let millis = if millis > u64::MAX as u128 { u64::MAX } else { millis as u64 };
        Self(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}
