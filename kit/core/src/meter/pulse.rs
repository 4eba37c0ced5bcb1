use core::{num::NonZeroU64, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Doubt, Meter, Milliwatts, Signal};
use crate::{
    Timestamp,
    board::Level,
    tariff::{Quantity, Rate},
};

/// How long pulses may be told late and all at once, and still be believed.
const BUNCH: Duration = Duration::from_secs(1);
/// What a kilowatt-hour is in milliwatt-hours.
const KILOWATT_HOUR: u64 = 1_000_000;

/// A meter that gives a pulse for each so many units: an S0 energy meter, a reed switch.
///
/// A pulse counts when its line becomes active. It never counts more than twice what the rated power
/// allows, whatever the line does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PulseMeter {
    /// `units` are worth `pulses`, so that 6,400 pulses for a kilowatt-hour are exact.
    units: Quantity,
    pulses: NonZeroU64,
    rated: Rate,
    debounce: Duration,
    counted: u64,
    level: Level,
    last: Option<Timestamp>,
    distance: Option<Duration>,
    /// A gap, and how many pulses would have fitted into it: they may still be told.
    gap: Option<(Duration, u64)>,
    /// How many units are believed at once, as of `since`.
    believed: Quantity,
    since: Option<Timestamp>,
}

impl PulseMeter {
    /// A meter with `units` a pulse behind something that delivers at most at `rated`.
    pub const fn new(units: Quantity, rated: Rate) -> Self {
        Self::of(units, NonZeroU64::MIN, rated)
    }

    /// An S0 energy meter: so many pulses a kilowatt-hour, counted in milliwatt-hours.
    pub const fn s0(per_kilowatt_hour: NonZeroU64, rated: Rate) -> Self {
        Self::of(Quantity::new(KILOWATT_HOUR), per_kilowatt_hour, rated)
    }

    const fn of(units: Quantity, pulses: NonZeroU64, rated: Rate) -> Self {
        Self {
            units,
            pulses,
            rated,
            debounce: Duration::ZERO,
            counted: 0,
            level: Level::Low,
            last: None,
            distance: None,
            gap: None,
            believed: Quantity::ZERO,
            since: None,
        }
    }

    /// The same meter, on whose contact a pulse sooner than `debounce` after another is none.
    #[must_use]
    pub const fn debounced(self, debounce: Duration) -> Self {
        Self { debounce, ..self }
    }

    /// What a pulse is worth, rounded up.
    pub const fn worth(&self) -> Quantity {
        Quantity::new(self.units.get().div_ceil(self.pulses.get()))
    }

    /// The power between the last two pulses, for a meter of milliwatt-hours; unknown before the second
    /// one, and after the power was switched on.
    pub fn power(&self) -> Option<Milliwatts> {
        let millis = self.distance?.as_millis().max(1);
        let power = u128::from(self.units.get()) * 3_600_000 / u128::from(self.pulses.get()) / millis;
        Some(Milliwatts::new(u64::try_from(power).unwrap_or(u64::MAX)))
    }

    fn pulse(&mut self, at: Timestamp) -> Option<Doubt> {
        let believed = self.believed(at);
        let after = self.last.map(|last| at.since(last));
        let past = self.last.is_some_and(|last| at < last);
        let bounced = after.is_some_and(|after| after < self.debounce);
        if past || bounced || believed < self.worth() {
            return Some(Doubt::Impossible { units: self.worth(), most: believed });
        }
        (self.believed, self.since) = (believed.less(self.worth()), Some(at));
        self.counted = self.counted.saturating_add(1);
        self.last = Some(at);
        self.missed(after?)
    }

    /// Judges the distance to the pulse before. A gap is one when what comes after it does not make up for
    /// it: on a busy machine pulses are told late and all at once.
    fn missed(&mut self, after: Duration) -> Option<Doubt> {
        let before = self.distance.replace(after)?.max(self.rated.least_time_for(self.worth()));
        if after < before / 2 {
            self.distance = Some(before);
            self.gap = self.gap.take().filter(|gap| gap.1 > 1).map(|(span, missing)| (span, missing - 1));
            return None;
        }
        if let Some((after, missing)) = self.gap.take() {
            return Some(Doubt::Missed { after, missing });
        }
        let missing = room_for_more(before, after);
        if missing > 0 {
            self.distance = Some(before);
            self.gap = Some((after, missing));
        }
        None
    }

    /// What may be told by now: what twice the rated power gave since the last pulse, and a pulse at the
    /// start.
    fn believed(&self, at: Timestamp) -> Quantity {
        let twice = |span| self.rated.most_within(span).plus(self.rated.most_within(span));
        let Some(since) = self.since else { return self.worth() };
        let most = twice(BUNCH).max(self.worth().plus(self.worth()));
        self.believed.plus(twice(at.since(since))).min(most)
    }
}

/// How many more pulses fit: another one into a distance of half as much again as the one before.
fn room_for_more(before: Duration, after: Duration) -> u64 {
    let (before, millis) = (before.as_millis().max(1), after.as_millis());
    let fit = (2 * millis + before) / (2 * before);
    u64::try_from(fit.saturating_sub(1)).unwrap_or(u64::MAX)
}

impl Meter for PulseMeter {
    fn delivered(&self) -> Quantity {
        let units = u128::from(self.counted) * u128::from(self.units.get()) / u128::from(self.pulses.get());
        Quantity::new(u64::try_from(units).unwrap_or(u64::MAX))
    }

    fn error(&self) -> Quantity {
        // What flowed since the last pulse.
        self.worth()
    }

    fn note(&mut self, at: Timestamp, signal: Signal) -> Option<Doubt> {
        match signal {
            Signal::Line(level) => {
                let rises = self.level == Level::Low && level == Level::High;
                self.level = level;
                if rises { self.pulse(at) } else { None }
            }
            Signal::On => {
                // How long the power was off says nothing about the load.
                (self.distance, self.gap) = (None, None);
                None
            }
            Signal::Register(_) | Signal::Power(_) | Signal::Off | Signal::Time => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A pulse for each watt-hour, at most ten a second.
    fn meter() -> PulseMeter {
        PulseMeter::new(Quantity::new(1_000), rated())
    }

    fn rated() -> Rate {
        Rate::new(Quantity::new(10_000), Duration::from_secs(1)).unwrap()
    }

    fn pulse(meter: &mut PulseMeter, at: u64) -> Option<Doubt> {
        let doubt = meter.note(Timestamp::from_millis(at), Signal::Line(Level::High));
        meter.note(Timestamp::from_millis(at), Signal::Line(Level::Low));
        doubt
    }

    #[test]
    fn each_pulse_counts_its_units_when_it_begins() {
        let mut meter = meter();

        assert_eq!((pulse(&mut meter, 100), pulse(&mut meter, 200)), (None, None));

        assert_eq!((meter.delivered(), meter.error()), (Quantity::new(2_000), Quantity::new(1_000)));
    }

    #[test]
    fn pulses_a_kilowatt_hour_that_do_not_divide_it_are_exact() {
        let mut meter = PulseMeter::s0(NonZeroU64::new(6_400).unwrap(), rated());

        for second in 1..=64 {
            pulse(&mut meter, second * 1_000);
        }

        assert_eq!((meter.delivered(), meter.worth()), (Quantity::new(10_000), Quantity::new(157)));
    }

    #[test]
    fn the_distance_of_two_pulses_is_the_power() {
        let mut meter = PulseMeter::s0(NonZeroU64::new(1_000).unwrap(), rated());
        pulse(&mut meter, 1_000);
        assert_eq!(meter.power(), None);

        pulse(&mut meter, 2_800);

        assert_eq!(meter.power(), Some(Milliwatts::new(2_000_000)));
    }

    #[test]
    fn a_contact_that_bounces_counts_once() {
        let mut meter = meter();
        pulse(&mut meter, 100);

        let bounce = pulse(&mut meter, 103);

        let (units, most) = (Quantity::new(1_000), Quantity::new(60));
        assert_eq!(bounce, Some(Doubt::Impossible { units, most }));
        assert_eq!(meter.delivered(), Quantity::new(1_000));
    }

    #[test]
    fn a_bounce_after_a_long_quiet_time_is_none_with_a_debounce() {
        let mut meter = meter().debounced(Duration::from_millis(5));
        pulse(&mut meter, 100);
        pulse(&mut meter, 900);

        let bounce = pulse(&mut meter, 904);

        assert!(matches!(bounce, Some(Doubt::Impossible { .. })), "{bounce:?}");
        assert_eq!(meter.delivered(), Quantity::new(2_000));
    }

    #[test]
    fn pulses_that_are_told_late_and_together_count() {
        let mut meter = meter();
        pulse(&mut meter, 100);

        let doubts = [200, 600, 600, 600, 600, 700, 800].map(|at| pulse(&mut meter, at));

        assert_eq!(doubts, [None; 7]);
        assert_eq!(meter.delivered(), Quantity::new(8_000));
    }

    #[test]
    fn a_gap_is_reported_with_the_pulses_missing() {
        let mut meter = meter();
        pulse(&mut meter, 100);
        pulse(&mut meter, 200);

        let doubts = [600, 700, 800].map(|at| pulse(&mut meter, at));

        let missed = Doubt::Missed { after: Duration::from_millis(400), missing: 3 };
        assert_eq!(doubts, [None, Some(missed), None]);
        assert_eq!(meter.delivered(), Quantity::new(5_000));
    }

    #[test]
    fn a_load_that_falls_at_once_is_reported_once() {
        let mut meter = meter();

        let doubts = [100, 200, 500, 800, 1_100, 1_400].map(|at| pulse(&mut meter, at));

        assert_eq!(doubts.iter().flatten().count(), 1, "{doubts:?}");
    }

    #[test]
    fn a_load_that_falls_slowly_misses_nothing() {
        let mut meter = meter();

        let doubts = [100, 200, 310, 440, 600, 800].map(|at| pulse(&mut meter, at));

        assert_eq!(doubts, [None; 6]);
    }

    #[test]
    fn a_gap_with_the_power_off_is_no_gap() {
        let mut meter = meter();
        pulse(&mut meter, 100);
        pulse(&mut meter, 200);

        meter.note(Timestamp::from_millis(60_000), Signal::On);

        assert_eq!(pulse(&mut meter, 60_100), None);
    }

    #[test]
    fn a_pulse_from_the_past_does_not_count() {
        let mut meter = meter();
        pulse(&mut meter, 1_000);

        assert!(matches!(pulse(&mut meter, 500), Some(Doubt::Impossible { .. })));
        assert_eq!(meter.delivered(), Quantity::new(1_000));
    }

    proptest! {
        #[test]
        fn it_never_goes_back_and_never_counts_more_than_twice_the_rated_power(
            steps in prop::collection::vec(0..400_u64, 1..200),
        ) {
            let (mut meter, mut at) = (meter(), 1_000);
            for step in steps {
                let before = meter.delivered();
                at += step;
                pulse(&mut meter, at);
                prop_assert!(meter.delivered() >= before);
                prop_assert!(meter.delivered().get() <= 1_000 + 20 * (at - 1_000) + 1_000);
            }
        }
    }
}
