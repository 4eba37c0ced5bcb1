use std::fmt;

use coinop_core::board::{BoardError, BoardErrorKind, Direction};
use serde::{Deserialize, Serialize};

/// What can be wrong with a line of a simulated board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SimFault {
    /// An input keeps the level it has. An output is driven, and the world sees it off: a relay that never
    /// closes.
    Stuck,
    /// An output that was on stays on, whatever is driven: the contacts of a contactor are welded.
    Welded,
    /// Each change of an input becomes a burst: two wrong levels before it is steady, a millisecond each.
    Bouncing,
    /// Each change of an input is seen this many milliseconds later.
    Late(u64),
    /// Of so many changes of an input the last one is never seen; at least 2.
    Lost(u32),
    /// A meter gives so many pulses of a hundred too many, or too few when negative; from -90 to 100.
    Drifting(i8),
}

/// The most milliseconds a change may be late.
pub const LATEST_MS: u64 = 10_000;

impl SimFault {
    /// Makes sure that such a fault can be on a line of this direction, with these numbers.
    ///
    /// # Errors
    ///
    /// What is wrong and what would be right, in words.
    pub fn fits(self, direction: Direction) -> Result<(), String> {
        match (self, direction) {
            (Self::Late(ms), _) if ms == 0 || ms > LATEST_MS => {
                Err(format!("an edge can be 1 to {LATEST_MS} ms late, not {ms}"))
            }
            (Self::Lost(every), _) if every < 2 => {
                Err("at most every second edge can be lost; a line that shows none is stuck".to_owned())
            }
            (Self::Drifting(percent), _) if percent == 0 || percent < -90 => {
                Err(format!("a meter can drift by -90 to 100 percent but 0, not {percent}"))
            }
            (Self::Stuck, Direction::Input | Direction::Output)
            | (Self::Welded, Direction::Output)
            | (Self::Bouncing | Self::Late(_) | Self::Lost(_) | Self::Drifting(_), Direction::Input) => {
                Ok(())
            }
            (Self::Welded, Direction::Input) => {
                Err("only an output can be welded; an input can be stuck".to_owned())
            }
            (Self::Bouncing | Self::Late(_) | Self::Lost(_) | Self::Drifting(_), Direction::Output) => {
                Err("an output can only be stuck or welded; that is a fault of inputs".to_owned())
            }
        }
    }

    pub(super) fn must_fit(self, direction: Direction, line: &str) -> Result<(), BoardError> {
        self.fits(direction).map_err(|message| BoardError {
            line: line.to_owned(),
            kind: BoardErrorKind::WrongDirection,
            message,
        })
    }
}

impl fmt::Display for SimFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stuck => f.write_str("stuck"),
            Self::Welded => f.write_str("welded"),
            Self::Bouncing => f.write_str("bouncing"),
            Self::Late(ms) => write!(f, "late by {ms} ms"),
            Self::Lost(every) => write!(f, "losing every {every}th edge"),
            Self::Drifting(percent) => write!(f, "drifting by {percent}%"),
        }
    }
}
