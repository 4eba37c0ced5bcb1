use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::Quantity;

/// How fast a thing delivers at most, its rated power: `units` in `millis` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Ratio")]
pub struct Rate {
    units: Quantity,
    millis: u64,
}

/// Why a rate makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rate of {units} units in {millis} ms: neither may be 0")]
pub struct RateError {
    units: Quantity,
    millis: u64,
}

impl Rate {
    /// Real time counted in milliseconds: one unit a millisecond.
    pub const CLOCK: Self = Self { units: Quantity::new(1), millis: 1 };

    /// `units` in each `span`, which counts in whole milliseconds.
    ///
    /// # Errors
    ///
    /// [`RateError`] when either is nothing or the span is beyond 2⁶⁴ ms.
    pub fn new(units: Quantity, span: Duration) -> Result<Self, RateError> {
        let millis = u64::try_from(span.as_millis()).unwrap_or(0);
        if units.is_zero() || millis == 0 {
            Err(RateError { units, millis })
        } else {
            Ok(Self { units, millis })
        }
    }

    /// The most that can be delivered within `span`, rounded up.
    pub fn most_within(self, span: Duration) -> Quantity {
        let millis = u128::from(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        let units = (millis * u128::from(self.units.get())).div_ceil(u128::from(self.millis));
        Quantity::new(u64::try_from(units).unwrap_or(u64::MAX))
    }

    /// The least time in which `units` can be delivered, rounded down: a lease of it delivers no more.
    pub fn least_time_for(self, units: Quantity) -> Duration {
        let millis = u128::from(units.get()) * u128::from(self.millis) / u128::from(self.units.get());
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratio {
    units: Quantity,
    millis: u64,
}

impl TryFrom<Ratio> for Rate {
    type Error = RateError;

    fn try_from(ratio: Ratio) -> Result<Self, RateError> {
        Self::new(ratio.units, Duration::from_millis(ratio.millis))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eleven_kilowatts_give_a_watt_hour_in_a_third_of_a_second() {
        let rate = Rate::new(Quantity::new(11_000_000), Duration::from_hours(1)).unwrap();

        assert_eq!(rate.least_time_for(Quantity::new(1_000)), Duration::from_millis(327));
        assert_eq!(rate.most_within(Duration::from_millis(327)), Quantity::new(1_000));
    }

    #[test]
    fn a_rate_of_nothing_is_not_read() {
        assert!(serde_json::from_str::<Rate>(r#"{"units":0,"millis":1}"#).is_err());
        assert!(serde_json::from_str::<Rate>(r#"{"units":1,"millis":0}"#).is_err());
    }
}
