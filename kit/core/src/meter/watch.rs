use core::time::Duration;

use super::{Doubt, Meter, Signal};
use crate::{Timestamp, tariff::Quantity};

/// A meter with an eye on its silence: says once when it counts nothing for its gap while the
/// power is on.
#[derive(Clone, Debug)]
pub struct Watch<M> {
    meter: M,
    gap: Duration,
    /// Since when something is to be counted; `None` while the power is off, or once it was said.
    quiet_since: Option<Timestamp>,
}

impl<M: Meter> Watch<M> {
    /// Watches `meter`, which counts something within each `gap` of power.
    pub const fn new(meter: M, gap: Duration) -> Self {
        Self { meter, gap, quiet_since: None }
    }

    fn silence(&mut self, at: Timestamp, signal: Signal, before: Quantity) -> Option<Doubt> {
        match signal {
            Signal::On => self.quiet_since = Some(at),
            Signal::Off => self.quiet_since = None,
            Signal::Line(_) | Signal::Register(_) | Signal::Power(_) | Signal::Time => {
                if self.meter.delivered() > before {
                    self.quiet_since = self.quiet_since.map(|_| at);
                }
            }
        }
        let after = at.since(self.quiet_since?);
        if after < self.gap {
            return None;
        }
        self.quiet_since = None;
        Some(Doubt::Silent { after })
    }
}

impl<M: Meter> Meter for Watch<M> {
    fn delivered(&self) -> Quantity {
        self.meter.delivered()
    }

    fn error(&self) -> Quantity {
        self.meter.error()
    }

    fn note(&mut self, at: Timestamp, signal: Signal) -> Option<Doubt> {
        let before = self.meter.delivered();
        let doubt = self.meter.note(at, signal);
        doubt.or(self.silence(at, signal, before))
    }
}

impl<M: Meter + ?Sized> Meter for alloc::boxed::Box<M> {
    fn delivered(&self) -> Quantity {
        (**self).delivered()
    }

    fn error(&self) -> Quantity {
        (**self).error()
    }

    fn note(&mut self, at: Timestamp, signal: Signal) -> Option<Doubt> {
        (**self).note(at, signal)
    }
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;

    use super::*;
    use crate::{
        board::Level,
        meter::{Accuracy, Milliwatts, PowerMeter, PulseMeter, RegisterMeter, SecondCounter},
        tariff::Rate,
    };

    const GAP: Duration = Duration::from_millis(500);

    /// What makes a meter count a bit more at a moment.
    type More = fn(u64) -> [Signal; 2];

    /// Every meter, with what makes it count.
    fn every_meter() -> [(Box<dyn Meter>, More); 4] {
        let rated = Rate::new(Quantity::new(36_000_000), Duration::from_hours(1)).unwrap();
        let accuracy = Accuracy::default();
        let pulse = |_| [Signal::Line(Level::Low), Signal::Line(Level::High)];
        let register = |at| [Signal::Register(Quantity::new(at)), Signal::Time];
        let power = |_| [Signal::Power(Milliwatts::new(36_000_000)), Signal::Time];
        [
            (Box::new(PulseMeter::new(Quantity::new(100), rated)), pulse),
            (Box::new(RegisterMeter::new(rated, accuracy)), register),
            (Box::new(PowerMeter::new(rated, accuracy, GAP)), power),
            (Box::new(SecondCounter::new()), |_| [Signal::Line(Level::High), Signal::Time]),
        ]
    }

    #[test]
    fn every_meter_that_falls_silent_with_the_power_on_is_reported_once() {
        for (meter, more) in every_meter() {
            let mut meter = Watch::new(meter, GAP);
            let at = Timestamp::from_millis;
            meter.note(at(0), Signal::On);
            for millis in (100..=2_000).step_by(100) {
                let doubts = more(millis).map(|signal| meter.note(at(millis), signal));
                assert_eq!(doubts, [None, None], "{millis}");
            }
            assert!(!meter.delivered().is_zero());
            // The seconds stop when their line does.
            meter.note(at(2_000), Signal::Line(Level::Low));

            let doubts = [2_400, 2_499, 2_500, 3_000].map(|millis| meter.note(at(millis), Signal::Time));

            let silent = Some(Doubt::Silent { after: GAP });
            assert_eq!(doubts, [None, None, silent, None]);
        }
    }

    #[test]
    fn with_the_power_off_no_meter_has_to_speak() {
        for (meter, _) in every_meter() {
            let mut meter = Watch::new(meter, GAP);
            meter.note(Timestamp::from_millis(0), Signal::On);
            meter.note(Timestamp::from_millis(100), Signal::Off);

            assert_eq!(meter.note(Timestamp::from_millis(9_000), Signal::Time), None);
        }
    }
}
