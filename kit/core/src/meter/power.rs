use core::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Accuracy, Doubt, Meter, Signal};
use crate::{
    Timestamp,
    tariff::{Quantity, Rate},
};

/// Microjoules, which are milliwatts times milliseconds, in a milliwatt-hour.
const MICROJOULES_PER_MILLIWATT_HOUR: u128 = 3_600_000;

/// Power in **milliwatts**.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Milliwatts(u64);

impl Milliwatts {
    /// So many milliwatts.
    pub const fn new(milliwatts: u64) -> Self {
        Self(milliwatts)
    }

    /// The number of milliwatts.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Milliwatts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mW", self.0)
    }
}

/// A meter of **milliwatt-hours** that adds up power measured from time to time.
///
/// Between two measurements the power is taken to go in a straight line; across more than the gap nothing
/// is counted, because nobody looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PowerMeter {
    most: Milliwatts,
    accuracy: Accuracy,
    gap: Duration,
    last: Option<(Timestamp, Milliwatts)>,
    microjoules: u128,
}

impl PowerMeter {
    /// A meter behind something that takes at most `rated`, looked at once in each `gap` at least.
    pub fn new(rated: Rate, accuracy: Accuracy, gap: Duration) -> Self {
        let most = rated.most_within(Duration::from_hours(1)).get();
        Self { most: Milliwatts::new(most), accuracy, gap, last: None, microjoules: 0 }
    }

    fn measured(&mut self, at: Timestamp, power: Milliwatts) -> Option<Doubt> {
        let twice = self.most.get().saturating_mul(2);
        if power.get() > twice {
            return Some(Doubt::Impossible { units: Quantity::new(power.get()), most: Quantity::new(twice) });
        }
        if let Some((since, before)) = self.last.filter(|(since, _)| at >= *since) {
            let span = at.since(since);
            if span <= self.gap {
                let both = u128::from(before.get()) + u128::from(power.get());
                self.microjoules = self.microjoules.saturating_add(both * span.as_millis() / 2);
            }
        }
        let from_the_past = self.last.is_some_and(|(since, _)| at < since);
        if !from_the_past {
            self.last = Some((at, power));
        }
        None
    }
}

impl Meter for PowerMeter {
    fn delivered(&self) -> Quantity {
        let units = self.microjoules / MICROJOULES_PER_MILLIWATT_HOUR;
        Quantity::new(u64::try_from(units).unwrap_or(u64::MAX))
    }

    fn error(&self) -> Quantity {
        self.accuracy.of(self.delivered())
    }

    fn note(&mut self, at: Timestamp, signal: Signal) -> Option<Doubt> {
        match signal {
            Signal::Power(power) => self.measured(at, power),
            Signal::Line(_) | Signal::Register(_) | Signal::On | Signal::Off | Signal::Time => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 36 watts at most, looked at each second.
    fn meter() -> PowerMeter {
        let rated = Rate::new(Quantity::new(36_000), Duration::from_hours(1)).unwrap();
        let accuracy = Accuracy { units: Quantity::new(10), permille: 20 };
        PowerMeter::new(rated, accuracy, Duration::from_secs(1))
    }

    fn measure(meter: &mut PowerMeter, at: u64, milliwatts: u64) -> Option<Doubt> {
        meter.note(Timestamp::from_millis(at), Signal::Power(Milliwatts::new(milliwatts)))
    }

    #[test]
    fn power_adds_up_to_energy() {
        let mut meter = meter();

        for at in (0..=100_000).step_by(100) {
            assert_eq!(measure(&mut meter, at, 36_000), None);
        }

        assert_eq!((meter.delivered(), meter.error()), (Quantity::new(1_000), Quantity::new(30)));
    }

    #[test]
    fn between_two_measurements_it_goes_in_a_straight_line() {
        let mut meter = meter();
        for at in (0..=100_000).step_by(1_000) {
            measure(&mut meter, at, if at % 2_000 == 0 { 0 } else { 36_000 });
        }

        assert_eq!(meter.delivered(), Quantity::new(500));
    }

    #[test]
    fn nothing_counts_while_nobody_looked() {
        let mut meter = meter();
        measure(&mut meter, 0, 36_000);

        measure(&mut meter, 100_000, 36_000);

        assert_eq!(meter.delivered(), Quantity::ZERO);
    }

    #[test]
    fn more_than_twice_the_rated_power_is_no_measurement() {
        let mut meter = meter();

        let doubt = measure(&mut meter, 0, 72_001);

        let (units, most) = (Quantity::new(72_001), Quantity::new(72_000));
        assert_eq!(doubt, Some(Doubt::Impossible { units, most }));
    }

    proptest! {
        #[test]
        fn it_never_goes_back_and_never_beyond_what_was_measured(
            measured in prop::collection::vec((0..2_000_u64, 0..200_000_u64), 1..50),
        ) {
            let (mut meter, mut at) = (meter(), 0);
            for (step, power) in measured {
                let before = meter.delivered();
                at += step;
                measure(&mut meter, at, power);
                prop_assert!(meter.delivered() >= before);
                prop_assert!(u128::from(meter.delivered().get()) * 3_600_000 <= u128::from(at) * 72_000);
            }
        }
    }
}
