//! Counting what is delivered, and sharing it among those who pay for it.

mod accuracy;
mod power;
mod pulse;
mod reconcile;
mod register;
mod seconds;
mod share;
mod watch;

use core::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

pub use accuracy::Accuracy;
pub use power::{Milliwatts, PowerMeter};
pub use pulse::PulseMeter;
pub use reconcile::{Apart, reconcile};
pub use register::RegisterMeter;
pub use seconds::SecondCounter;
pub use share::{Shares, share};
pub use watch::Watch;

use crate::{Timestamp, board::Level, tariff::Quantity};

/// Something that counts what a thing delivers, to whomever, since it was made.
///
/// It never goes back, and says how far it may be from the truth. It is told [`Signal`]s with their
/// moments, and says what is wrong with them.
pub trait Meter {
    /// All that was delivered so far, in the tariff's units.
    fn delivered(&self) -> Quantity;

    /// How far that may be from the truth, in the tariff's units: more or less.
    fn error(&self) -> Quantity;

    /// Takes note of a signal; one that this meter does not go by changes nothing.
    fn note(&mut self, at: Timestamp, signal: Signal) -> Option<Doubt>;
}

/// What a meter can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// The meter's own line has this level from now on.
    Line(Level),
    /// The device's register stands at so many units, counted from a start of its own.
    Register(Quantity),
    /// So much power flows now.
    Power(Milliwatts),
    /// The power was switched on, and something is to be counted from now on.
    On,
    /// The power was switched off.
    Off,
    /// Nothing but that it is now.
    Time,
}

/// What is wrong with what a meter was told. Nothing of it lets the meter go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "doubt", rename_all = "kebab-case")]
pub enum Doubt {
    /// Pulses came further apart than before. What came counts.
    Missed {
        /// The time since the one before.
        after: Duration,
        /// How many would have fitted in between.
        missing: u64,
    },
    /// More than twice the rated power allows: a bouncing contact or a tampered meter. It does not count.
    Impossible {
        /// What was told.
        units: Quantity,
        /// The most that is believed.
        most: Quantity,
    },
    /// A register shows less than before. It does not count.
    Backwards {
        /// What it shows.
        shown: Quantity,
        /// What it showed.
        before: Quantity,
    },
    /// Nothing was counted within the meter's gap while the power is on.
    Silent {
        /// For how long.
        after: Duration,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missed { after, missing } => {
                let after = after.as_millis();
                write!(f, "{after} ms between two pulses: {missing} were missed, or the load fell")
            }
            Self::Impossible { units, most } => {
                write!(f, "{units} units where at most {most} can have flowed: not counted")
            }
            Self::Backwards { shown, before } => {
                write!(f, "the meter shows {shown} units after {before}: it went back, not counted")
            }
            Self::Silent { after } => {
                write!(f, "the meter counted nothing for {} ms with the power on", after.as_millis())
            }
        }
    }
}
