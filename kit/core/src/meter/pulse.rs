use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::Meter;
use crate::{
    Timestamp,
    tariff::{Quantity, Rate},
};

/// A meter that gives a pulse for each so many units: an S0 energy meter, a reed switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PulseMeter {
    per_pulse: Quantity,
    rated: Rate,
    delivered: Quantity,
    last: Option<Timestamp>,
    impossible: u64,
}

/// What to make of a pulse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    /// It counts.
    Counted,
    /// It counts, but at rated power others should have come before it: the load is low, or they were
    /// missed.
    Late {
        /// The time since the one before.
        after: Duration,
        /// How many were to be expected in between.
        missing: u64,
    },
    /// It came sooner than even twice the rated power allows, or before the last one: a bouncing contact
    /// or a tampered meter. It does not count.
    Impossible {
        /// The time since the one before.
        after: Duration,
        /// The least time believed.
        least: Duration,
    },
}

impl PulseMeter {
    /// A meter with `per_pulse` units a pulse behind something that delivers at most at `rated`.
    pub const fn new(per_pulse: Quantity, rated: Rate) -> Self {
        Self { per_pulse, rated, delivered: Quantity::ZERO, last: None, impossible: 0 }
    }

    /// Takes note of a pulse at this moment.
    pub fn pulse(&mut self, at: Timestamp) -> Pulse {
        let usual = self.rated.least_time_for(self.per_pulse);
        let least = usual / 2;
        let Some(previous) = self.last else {
            self.count(at);
            return Pulse::Counted;
        };
        let after = at.since(previous);
        if at < previous || after < least {
            self.impossible = self.impossible.saturating_add(1);
            return Pulse::Impossible { after, least };
        }
        self.count(at);
        match self.rated.most_within(after).get() / self.per_pulse.get().max(1) {
            0..=2 => Pulse::Counted,
            expected => Pulse::Late { after, missing: expected - 1 },
        }
    }

    /// The power was switched on: the time until the next pulse counts from here.
    pub fn switched_on(&mut self, at: Timestamp) {
        // Only forward: a pulse just before stays the one to compare with.
        if self.last.is_some_and(|last| at.since(last) > self.rated.least_time_for(self.per_pulse)) {
            self.last = None;
        }
    }

    /// How many pulses did not count.
    pub const fn impossible(&self) -> u64 {
        self.impossible
    }

    fn count(&mut self, at: Timestamp) {
        self.delivered = self.delivered.plus(self.per_pulse);
        self.last = Some(at);
    }
}

impl Meter for PulseMeter {
    fn delivered(&self) -> Quantity {
        self.delivered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pulse for each watt-hour, at most ten a second.
    fn meter() -> PulseMeter {
        let rated = Rate::new(Quantity::new(10_000), Duration::from_secs(1)).unwrap();
        PulseMeter::new(Quantity::new(1_000), rated)
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn each_pulse_counts_its_units() {
        let mut meter = meter();

        assert_eq!(meter.pulse(at(100)), Pulse::Counted);
        assert_eq!(meter.pulse(at(200)), Pulse::Counted);

        assert_eq!(meter.delivered(), Quantity::new(2_000));
    }

    #[test]
    fn a_bouncing_contact_counts_once() {
        let mut meter = meter();
        meter.pulse(at(100));

        let bounce = meter.pulse(at(103));

        let (after, least) = (Duration::from_millis(3), Duration::from_millis(50));
        assert_eq!(bounce, Pulse::Impossible { after, least });
        assert_eq!((meter.delivered(), meter.impossible()), (Quantity::new(1_000), 1));
    }

    #[test]
    fn a_long_gap_is_reported_with_the_pulses_missing() {
        let mut meter = meter();
        meter.pulse(at(100));

        let late = meter.pulse(at(500));

        assert_eq!(late, Pulse::Late { after: Duration::from_millis(400), missing: 3 });
        assert_eq!(meter.delivered(), Quantity::new(2_000));
    }

    #[test]
    fn a_gap_with_the_power_off_is_no_gap() {
        let mut meter = meter();
        meter.pulse(at(100));

        meter.switched_on(at(60_000));

        assert_eq!(meter.pulse(at(60_100)), Pulse::Counted);
    }

    #[test]
    fn a_pulse_from_the_past_does_not_count() {
        let mut meter = meter();
        meter.pulse(at(1_000));

        assert!(matches!(meter.pulse(at(500)), Pulse::Impossible { .. }));
        assert_eq!(meter.delivered(), Quantity::new(1_000));
    }
}
