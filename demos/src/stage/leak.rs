//! What flows although the output is driven safe and nobody's lease holds.

use std::time::Duration;

use coinop::core::{Timestamp, board::Level, tariff::Quantity};

/// For how long after the power went off a meter's word is still about what was paid: sensors are slow,
/// contacts bounce, edges come late.
const AFTERGLOW: Duration = Duration::from_millis(250);
/// How often a leak that goes on is told.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Tells what is delivered under a lease from what leaks, and raises the alarm when the meter sees a leak.
///
/// Leaked is what the plant truly gave while the output was driven safe all the time, from the first moment
/// on; without a plant, what the meter counted after the afterglow. It belongs to no session.
pub(super) struct Leak {
    /// As little is no reason for an alarm.
    resolution: Quantity,
    off_since: Option<Timestamp>,
    /// Whether the power was on at any moment since the last count.
    powered: bool,
    /// By the meter, since the power went off.
    seen: Quantity,
    metered: Quantity,
    truth: Option<Quantity>,
    alarm: Alarm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alarm {
    Silent,
    Raised { told: Option<(Quantity, Timestamp)> },
}

/// What is to be told of a leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// It was just noticed.
    Noticed,
    /// It goes on.
    Grown,
}

impl Leak {
    /// Nothing leaks; a leak of up to `resolution` is not noticed.
    pub(super) const fn new(resolution: Quantity, now: Timestamp) -> Self {
        Self {
            resolution,
            off_since: Some(now),
            powered: false,
            seen: Quantity::ZERO,
            metered: Quantity::ZERO,
            truth: None,
            alarm: Alarm::Silent,
        }
    }

    /// The power output is driven to this level.
    pub(super) fn driven(&mut self, level: Level, at: Timestamp) {
        self.seen = Quantity::ZERO;
        match level {
            Level::High => (self.powered, self.off_since) = (true, None),
            Level::Low => self.off_since = Some(at),
        }
    }

    /// Takes what leaked out of what the meter counted up to `now`; gives what is for the sessions.
    pub(super) fn take_metered(&mut self, metered: Quantity, now: Timestamp) -> Quantity {
        let is_over = |since: Timestamp| now.since(since) > AFTERGLOW;
        if self.powered || !self.off_since.is_some_and(is_over) {
            return metered;
        }
        self.seen = self.seen.plus(metered);
        self.metered = self.metered.plus(metered);
        if self.alarm == Alarm::Silent && self.seen > self.resolution {
            self.alarm = Alarm::Raised { told: None };
        }
        Quantity::ZERO
    }

    /// The same of what the plant truly gave.
    pub(super) fn take_truth(&mut self, delivered: Quantity) -> Quantity {
        let leaked = self.truth.get_or_insert(Quantity::ZERO);
        if self.powered {
            return delivered;
        }
        *leaked = leaked.plus(delivered);
        Quantity::ZERO
    }

    /// The next count begins.
    pub(super) const fn counted(&mut self) {
        self.powered = self.off_since.is_none();
    }

    /// Everything that leaked so far.
    pub(super) fn units(&self) -> Quantity {
        self.truth.unwrap_or(self.metered)
    }

    /// Whether the alarm goes on.
    pub(super) fn is_alarmed(&self) -> bool {
        self.alarm != Alarm::Silent
    }

    /// What is to be told now.
    pub(super) fn news(&mut self, now: Timestamp) -> Option<News> {
        let Alarm::Raised { told } = self.alarm else { return None };
        let units = self.units();
        let news = match told {
            None => News::Noticed,
            Some((known, at)) if units > known && now.since(at) >= TELL_EVERY => News::Grown,
            Some(_) => return None,
        };
        self.alarm = Alarm::Raised { told: Some((units, now)) };
        Some(news)
    }

    /// Somebody has mended it; says whether there was an alarm.
    pub(super) fn mend(&mut self, now: Timestamp) -> bool {
        self.seen = Quantity::ZERO;
        if self.off_since.is_some() {
            self.off_since = Some(now);
        }
        std::mem::replace(&mut self.alarm, Alarm::Silent) != Alarm::Silent
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn units(units: u64) -> Quantity {
        Quantity::new(units)
    }

    /// A leak of a thing whose power went off at a second.
    fn off_at_a_second() -> Leak {
        let mut leak = Leak::new(units(10), at(0));
        leak.driven(Level::High, at(500));
        leak.driven(Level::Low, at(1_000));
        leak
    }

    #[test]
    fn what_the_meter_says_soon_after_the_power_went_off_is_still_paid_for() {
        let mut leak = off_at_a_second();
        leak.counted();

        assert_eq!(leak.take_metered(units(50), at(1_200)), units(50));
        assert_eq!(leak.news(at(1_200)), None);
    }

    #[test]
    fn what_it_says_later_is_nobody_s_and_raises_the_alarm_once() {
        let mut leak = off_at_a_second();
        leak.counted();

        assert_eq!(leak.take_metered(units(11), at(1_300)), Quantity::ZERO);

        assert_eq!((leak.news(at(1_300)), leak.news(at(1_310))), (Some(News::Noticed), None));
        leak.take_metered(units(11), at(2_400));
        assert_eq!((leak.news(at(2_400)), leak.units()), (Some(News::Grown), units(22)));
    }

    #[test]
    fn in_truth_the_leak_begins_with_the_first_count_that_the_power_was_off_for() {
        let mut leak = off_at_a_second();

        assert_eq!(leak.take_truth(units(7)), units(7));
        leak.counted();
        assert_eq!(leak.take_truth(units(3)), Quantity::ZERO);

        assert_eq!(leak.units(), units(3));
    }

    #[test]
    fn a_mended_leak_that_goes_on_raises_the_alarm_again() {
        let mut leak = off_at_a_second();
        leak.counted();
        leak.take_metered(units(11), at(1_300));

        assert!(leak.mend(at(2_000)) && !leak.is_alarmed());

        leak.take_metered(units(11), at(2_300));
        assert!(leak.is_alarmed());
    }
}
