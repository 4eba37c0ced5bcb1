use serde::{Deserialize, Serialize};

use super::{Doubt, Meter, Signal};
use crate::{Timestamp, board::Level, tariff::Quantity};

/// Counts the milliseconds during which a line is active: light, use of a room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondCounter {
    delivered: Quantity,
    on_since: Option<Timestamp>,
}

impl SecondCounter {
    /// A counter at zero, for a line that is inactive.
    pub const fn new() -> Self {
        Self { delivered: Quantity::ZERO, on_since: None }
    }

    /// Counts up to this moment; a moment from the past must not be counted twice.
    fn up_to(&mut self, at: Timestamp) {
        if let Some(since) = self.on_since {
            let millis = at.millis().saturating_sub(since.millis());
            self.delivered = self.delivered.plus(Quantity::new(millis));
            self.on_since = Some(since.max(at));
        }
    }
}

impl Meter for SecondCounter {
    fn delivered(&self) -> Quantity {
        self.delivered
    }

    fn error(&self) -> Quantity {
        // Whole milliseconds.
        Quantity::new(1)
    }

    fn note(&mut self, at: Timestamp, signal: Signal) -> Option<Doubt> {
        match signal {
            Signal::Line(level) => {
                self.up_to(at);
                self.on_since = match level {
                    Level::High => Some(self.on_since.unwrap_or(at)),
                    Level::Low => None,
                };
            }
            Signal::Time => self.up_to(at),
            Signal::Register(_) | Signal::Power(_) | Signal::On | Signal::Off => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(counter: &mut SecondCounter, level: Level, at: u64) {
        counter.note(Timestamp::from_millis(at), Signal::Line(level));
    }

    #[test]
    fn only_the_time_on_is_counted() {
        let mut counter = SecondCounter::new();

        level(&mut counter, Level::High, 1_000);
        level(&mut counter, Level::High, 1_300);
        level(&mut counter, Level::Low, 2_000);
        counter.note(Timestamp::from_millis(5_000), Signal::Time);
        level(&mut counter, Level::High, 9_000);
        counter.note(Timestamp::from_millis(9_500), Signal::Time);

        assert_eq!(counter.delivered(), Quantity::new(1_500));
    }

    #[test]
    fn a_moment_from_the_past_adds_nothing() {
        let mut counter = SecondCounter::new();
        level(&mut counter, Level::High, 1_000);
        level(&mut counter, Level::High, 2_000);

        level(&mut counter, Level::High, 1_500);
        level(&mut counter, Level::Low, 2_500);

        assert_eq!(counter.delivered(), Quantity::new(1_500));
    }
}
