use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Accuracy, Doubt, Meter, Signal};
use crate::{
    Timestamp,
    tariff::{Quantity, Rate},
};

/// How much sooner than the device measured two readings may come.
const JITTER: Duration = Duration::from_secs(1);

/// A meter with a register of its own that is read from time to time: a smart meter's head.
///
/// What the register showed at the first reading was delivered to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterMeter {
    rated: Rate,
    accuracy: Accuracy,
    shown: Option<(Timestamp, Quantity)>,
    delivered: Quantity,
}

impl RegisterMeter {
    /// A meter behind something that delivers at most at `rated`.
    pub const fn new(rated: Rate, accuracy: Accuracy) -> Self {
        Self { rated, accuracy, shown: None, delivered: Quantity::ZERO }
    }

    fn read(&mut self, at: Timestamp, shown: Quantity) -> Option<Doubt> {
        let Some((when, before)) = self.shown else {
            self.shown = Some((at, shown));
            return None;
        };
        if shown < before {
            return Some(Doubt::Backwards { shown, before });
        }
        let once = self.rated.most_within(at.since(when).saturating_add(JITTER));
        let (units, most) = (shown.less(before), once.plus(once));
        self.shown = Some((when.max(at), shown));
        if units > most {
            // Somebody else's, or nobody's: it is never paid for.
            return Some(Doubt::Impossible { units, most });
        }
        self.delivered = self.delivered.plus(units);
        None
    }
}

impl Meter for RegisterMeter {
    fn delivered(&self) -> Quantity {
        self.delivered
    }

    fn error(&self) -> Quantity {
        self.accuracy.of(self.delivered)
    }

    fn note(&mut self, at: Timestamp, signal: Signal) -> Option<Doubt> {
        match signal {
            Signal::Register(shown) => self.read(at, shown),
            Signal::Line(_) | Signal::Power(_) | Signal::On | Signal::Off | Signal::Time => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Ten units a millisecond at most.
    fn meter() -> RegisterMeter {
        let rated = Rate::new(Quantity::new(10_000), Duration::from_secs(1)).unwrap();
        RegisterMeter::new(rated, Accuracy { units: Quantity::new(100), permille: 10 })
    }

    fn read(meter: &mut RegisterMeter, at: u64, shown: u64) -> Option<Doubt> {
        meter.note(Timestamp::from_millis(at), Signal::Register(Quantity::new(shown)))
    }

    #[test]
    fn what_was_there_before_is_somebody_elses() {
        let mut meter = meter();

        assert_eq!(read(&mut meter, 1_000, 5_000_000), None);
        assert_eq!(read(&mut meter, 2_000, 5_010_000), None);

        assert_eq!((meter.delivered(), meter.error()), (Quantity::new(10_000), Quantity::new(200)));
    }

    #[test]
    fn a_register_that_goes_back_is_refused_and_goes_on_from_where_it_was() {
        let mut meter = meter();
        read(&mut meter, 1_000, 5_000);
        read(&mut meter, 2_000, 9_000);

        let back = read(&mut meter, 3_000, 8_000);

        let (shown, before) = (Quantity::new(8_000), Quantity::new(9_000));
        assert_eq!(back, Some(Doubt::Backwards { shown, before }));
        assert_eq!(read(&mut meter, 4_000, 9_500), None);
        assert_eq!(meter.delivered(), Quantity::new(4_500));
    }

    #[test]
    fn a_leap_does_not_count_and_the_next_reading_does() {
        let mut meter = meter();
        read(&mut meter, 1_000, 0);

        let leap = read(&mut meter, 2_000, 1_000_000);

        assert!(matches!(leap, Some(Doubt::Impossible { .. })), "{leap:?}");
        assert_eq!(read(&mut meter, 3_000, 1_005_000), None);
        assert_eq!(meter.delivered(), Quantity::new(5_000));
    }

    proptest! {
        #[test]
        fn it_never_goes_back_whatever_it_is_told(
            readings in prop::collection::vec((0..3_000_u64, any::<u64>()), 1..50),
        ) {
            let (mut meter, mut at) = (meter(), 0);
            for (step, shown) in readings {
                let before = meter.delivered();
                at += step;
                read(&mut meter, at, shown);
                prop_assert!(meter.delivered() >= before);
                prop_assert!(meter.delivered().less(before).get() <= 20 * (at + 1_000));
            }
        }
    }
}
