use serde::{Deserialize, Serialize};

use super::Meter;
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

    /// Takes note of the line's level from this moment on; said again with the same level, it counts up
    /// to now.
    pub fn level(&mut self, level: Level, at: Timestamp) {
        if let Some(since) = self.on_since {
            let millis = at.millis().saturating_sub(since.millis());
            self.delivered = self.delivered.plus(Quantity::new(millis));
        }
        self.on_since = match level {
            // A moment from the past must not be counted twice.
            Level::High => Some(self.on_since.map_or(at, |since| since.max(at))),
            Level::Low => None,
        };
    }
}

impl Meter for SecondCounter {
    fn delivered(&self) -> Quantity {
        self.delivered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn only_the_time_on_is_counted() {
        let mut counter = SecondCounter::new();

        counter.level(Level::High, at(1_000));
        counter.level(Level::High, at(1_300));
        counter.level(Level::Low, at(2_000));
        counter.level(Level::High, at(9_000));
        counter.level(Level::Low, at(9_500));

        assert_eq!(counter.delivered(), Quantity::new(1_500));
    }

    #[test]
    fn a_moment_from_the_past_adds_nothing() {
        let mut counter = SecondCounter::new();
        counter.level(Level::High, at(1_000));
        counter.level(Level::High, at(2_000));

        counter.level(Level::High, at(1_500));
        counter.level(Level::Low, at(2_500));

        assert_eq!(counter.delivered(), Quantity::new(1_500));
    }
}
