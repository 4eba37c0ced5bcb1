use std::time::Duration;

use coinop_core::{Timestamp, board::Level};

use super::{Drive, line::MOMENT};

/// An output that the guard toggles for something outside that cuts the power when it no longer moves: the
/// last resort, where software cannot make a line safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watchdog {
    /// The output.
    pub line: String,
    /// The least time between two of its edges; the guard's steps make it longer.
    pub every: Duration,
}

/// A watchdog at work.
#[derive(Clone, Debug)]
pub(super) struct Toggling {
    line: String,
    every: Duration,
    safe: Level,
    level: Level,
    last: Timestamp,
}

impl Toggling {
    pub(super) fn new(watchdog: &Watchdog, safe: Level, now: Timestamp) -> Self {
        Self { line: watchdog.line.clone(), every: watchdog.every.max(MOMENT), safe, level: safe, last: now }
    }

    /// The other level when it is time and all is well; the safe one, once, when not.
    pub(super) fn step(&mut self, now: Timestamp, is_well: bool) -> Option<Drive> {
        if !is_well {
            return (self.level != self.safe).then(|| self.drive(now, self.safe));
        }
        (now.since(self.last) >= self.every).then(|| self.drive(now, !self.level))
    }

    /// When it is to move next.
    pub(super) fn next_wake(&self, now: Timestamp) -> Timestamp {
        self.last.after(self.every).max(now.after(MOMENT))
    }

    /// Rests.
    pub(super) fn stop(&self) -> Drive {
        Drive { line: self.line.clone(), level: self.safe }
    }

    pub(super) fn is(&self, line: &str) -> bool {
        self.line == line
    }

    fn drive(&mut self, now: Timestamp, level: Level) -> Drive {
        (self.last, self.level) = (now, level);
        Drive { line: self.line.clone(), level }
    }
}
