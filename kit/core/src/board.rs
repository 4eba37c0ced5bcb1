//! The port to hardware: named lines with a direction, a safe level and limits.
//!
//! Boards live in the crate `coinop-hardware`; no code outside it knows a pin number.

use alloc::{collections::BTreeSet, string::String, vec::Vec};
use core::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What a line carries, as the thing sees it: `High` is *active* (lamp lit, lock released, contact
/// closed), whatever the electrical polarity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Inactive.
    Low,
    /// Active.
    High,
}

/// Which way a line points, seen from the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The world drives it, the program reads it.
    Input,
    /// The program drives it; only the guard may.
    Output,
}

/// One line of a board's allow-list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineSpec {
    /// What the thing calls it, unique on a board: `LAMP`, `LOCK`, `METER`.
    pub name: String,
    /// Which way it points.
    pub direction: Direction,
    /// The level that is safe: driven at start, at the end of a lease and on any failure.
    pub safe: Level,
    /// The longest an output may stay at its unsafe level without a pause; `None` is no limit.
    pub max_on: Option<Duration>,
    /// How long an input has to keep a new level before the change is told; zero tells each one.
    pub debounce: Duration,
    /// The outputs that are never at their unsafe level together with this one, whoever pays.
    pub never_with: BTreeSet<String>,
}

impl LineSpec {
    /// An input without debounce.
    pub fn input(name: impl Into<String>) -> Self {
        Self::new(name.into(), Direction::Input, Level::Low)
    }

    /// An output with this safe level and no limit on its time at the other one.
    pub fn output(name: impl Into<String>, safe: Level) -> Self {
        Self::new(name.into(), Direction::Output, safe)
    }

    const fn new(name: String, direction: Direction, safe: Level) -> Self {
        Self { name, direction, safe, max_on: None, debounce: Duration::ZERO, never_with: BTreeSet::new() }
    }
}

/// An input that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The line that changed.
    pub line: String,
    /// The level after the change.
    pub level: Level,
    /// When, on the clock the board was given.
    pub at: Timestamp,
}

/// A set of named lines that belong to this program alone.
///
/// Every implementation passes the board contract: only lines of the allow-list, only in their
/// direction, outputs at their safe level from the start and after drop, edges in order.
pub trait Board: Send {
    /// The allow-list, in a fixed order.
    fn lines(&self) -> &[LineSpec];

    /// Reads a line, output lines included.
    ///
    /// # Errors
    ///
    /// [`BoardError`] with the line and the kind.
    fn read(&mut self, line: &str) -> Result<Level, BoardError>;

    /// Drives an output line.
    ///
    /// # Errors
    ///
    /// [`BoardError`] with the line and the kind; an input is refused.
    fn drive(&mut self, line: &str, level: Level) -> Result<(), BoardError>;

    /// Takes the input edges since the last call, oldest first.
    ///
    /// # Errors
    ///
    /// [`BoardError`] when the board is gone, or when edges were lost because nobody took them.
    fn edges(&mut self, now: Timestamp) -> Result<Vec<Edge>, BoardError>;
}

/// What went wrong with a line, whatever the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BoardErrorKind {
    /// The line is not on the allow-list, or the chip does not have it.
    NoSuchLine,
    /// The line points the other way.
    WrongDirection,
    /// Another program holds the line.
    Busy,
    /// This user may not open the chip.
    Permission,
    /// The chip is not there, or is gone.
    NoSuchChip,
    /// Edges came faster than they were taken; some are lost.
    EdgesLost,
    /// Anything else the system said.
    Io,
}

/// A line could not be read, driven or had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {message}")]
pub struct BoardError {
    /// The line, or the chip, it is about.
    pub line: String,
    /// What kind of failure.
    pub kind: BoardErrorKind,
    /// What happened and how to mend it.
    pub message: String,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Low => "low",
            Self::High => "high",
        })
    }
}

impl core::ops::Not for Level {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}
