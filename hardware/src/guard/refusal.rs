use coinop_core::{Timestamp, board::BoardError};

/// Why the guard grants nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trip {
    /// The owner was silent for longer than the heartbeat; the next beat mends it.
    #[error("no heartbeat since {last}")]
    Silent {
        /// When it was last heard.
        last: Timestamp,
    },
    /// The board failed; only a new guard on a working board mends it.
    #[error("the board failed: {0}")]
    Board(BoardError),
}

/// Why a lease was turned down; the lines are as they were.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The allow-list does not have the line.
    #[error("no output {line}; there is {}", .known.join(", "))]
    UnknownLine {
        /// What was asked for.
        line: String,
        /// The outputs there are.
        known: Vec<String>,
    },
    /// The world drives that line, not the program.
    #[error("line {line} is an input")]
    Input {
        /// What was asked for.
        line: String,
    },
    /// Longer than one lease may be.
    #[error("a lease of {line} until {until} is too long; the latest now is {latest}")]
    TooFar {
        /// What was asked for.
        line: String,
        /// Its end.
        until: Timestamp,
        /// The latest end that would do.
        latest: Timestamp,
    },
    /// One that is never on with it is on or leased.
    #[error("{line} is never on with {other}, which is on or leased: release {other} first")]
    Interlocked {
        /// What was asked for.
        line: String,
        /// What keeps it off.
        other: String,
    },
    /// The guard alone drives that line, for whoever watches it.
    #[error("line {line} is the guard's watchdog")]
    Watchdog {
        /// What was asked for.
        line: String,
    },
    /// The guard grants nothing at all.
    #[error("the guard has tripped: {0}")]
    Tripped(Trip),
}
