//! What is typed, and how levels and times are written.

use std::time::Duration;

use coinop::core::board::{Direction, Level};

/// What somebody typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Nothing but the Enter key.
    Enter,
    Yes,
    No,
    Again,
    Skip,
    Quit,
    Other,
}

impl Word {
    /// By the first letter.
    pub(super) fn of(text: &str) -> Self {
        match text.trim().chars().next().map(|letter| letter.to_ascii_lowercase()) {
            None => Self::Enter,
            Some('y') => Self::Yes,
            Some('n') => Self::No,
            Some('r') => Self::Again,
            Some('s') => Self::Skip,
            Some('q') => Self::Quit,
            Some(_) => Self::Other,
        }
    }
}

/// A level of a line whose device is not known.
pub(super) const fn level(level: Level) -> &'static str {
    match level {
        Level::Low => "off",
        Level::High => "on",
    }
}

/// Which way a line points.
pub(super) const fn way(direction: Direction) -> &'static str {
    match direction {
        Direction::Input => "input",
        Direction::Output => "output",
    }
}

/// A time as files have it: in the largest unit of which it is a whole number.
pub(super) fn span(span: Duration) -> String {
    let millis = span.as_millis();
    let fits = |unit: u128| millis > 0 && millis.is_multiple_of(unit);
    match () {
        () if fits(3_600_000) => format!("{} h", millis / 3_600_000),
        () if fits(60_000) => format!("{} min", millis / 60_000),
        () if fits(1_000) => format!("{} s", millis / 1_000),
        () => format!("{millis} ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_the_largest_unit_that_fits() {
        let of = |millis| span(Duration::from_millis(millis));

        assert_eq!([of(0), of(250), of(1_500), of(10_000)], ["0 ms", "250 ms", "1500 ms", "10 s"]);
        assert_eq!([of(90_000), of(600_000), of(7_200_000)], ["90 s", "10 min", "2 h"]);
    }
}
