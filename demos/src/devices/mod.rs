//! The devices: one file each, one line in [`ALL`].

mod charger;
mod light;
mod room;

use std::time::Duration;

use coinop::core::{board::Direction, meter::Meter, session::Metering, tariff::Unit};
use coinop_hardware::{meter::Feed, plant::Plant};

use crate::scenario::{self, quantity};

/// The devices there are.
pub(crate) const ALL: &[Device] = &[light::LIGHT, charger::CHARGER, room::ROOM];

/// How far a buyer's meter may be from the truth, in thousandths.
pub(crate) const APART: u16 = 10;

/// A kind of thing that can be sold: its lines, what is counted, and the world behind it.
#[derive(Debug)]
pub(crate) struct Device {
    /// What scenarios call it, and under which kind the market lists it.
    pub(crate) kind: &'static str,
    /// What is counted and paid for.
    pub(crate) unit: Unit,
    /// Its lines.
    pub(crate) lines: &'static [Line],
    /// The output that is on while somebody pays.
    pub(crate) power: &'static str,
    /// What a buyer may ask for.
    pub(crate) actions: &'static [Action],
    /// Whether it serves one buyer at a time.
    pub(crate) single: bool,
    /// Whether a scenario may say which meter it has.
    pub(crate) metered: bool,
    /// Builds it as a scenario describes it.
    pub(crate) build: fn(&Setup<'_>) -> Result<Built, String>,
}

/// A line of a device.
#[derive(Debug)]
pub(crate) struct Line {
    /// What the device calls it.
    pub(crate) name: &'static str,
    /// Which way it points.
    pub(crate) direction: Direction,
}

/// Something a buyer may ask for.
#[derive(Debug)]
pub(crate) struct Action {
    /// What it is called.
    pub(crate) name: &'static str,
    /// The output that it switches on, within the time that is paid.
    pub(crate) line: &'static str,
    /// For how long.
    pub(crate) lasts: Duration,
}

/// What a scenario says of a device.
pub(crate) struct Setup<'a> {
    /// The thing's entry.
    pub(crate) thing: &'a scenario::Thing,
}

/// A device, ready to be wired.
pub(crate) struct Built {
    /// The world behind its lines.
    pub(crate) plant: Box<dyn Plant>,
    /// Counts what it delivers.
    pub(crate) meter: Box<dyn Meter>,
    /// What the meter goes by.
    pub(crate) source: Source,
    /// How that is metered, for the offer.
    pub(crate) metering: Metering,
}

/// What a meter goes by.
pub(crate) enum Source {
    /// A line, by its name on the board.
    Line(String),
    /// A device that measures.
    Device {
        /// What it says.
        feed: Box<dyn Feed>,
        /// What it measures.
        behind: Behind,
    },
}

/// What a measuring device measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    /// The simulated world, whose truth is known.
    Plant,
    /// The real one.
    Reality,
}

impl Setup<'_> {
    /// The board's name of one of the device's lines.
    pub(crate) fn line(&self, own: &str) -> String {
        self.thing.line(own).to_owned()
    }
}

/// The device of this kind.
pub(crate) fn of(kind: &str) -> Option<&'static Device> {
    ALL.iter().find(|device| device.kind == kind)
}

/// Reads a quantity of what is counted.
pub(crate) fn quantity(unit: Unit, text: &str) -> Result<u64, String> {
    match unit {
        Unit::Millisecond => quantity::time(text),
        Unit::MilliwattHour => quantity::energy(text),
        Unit::Opening | Unit::Call => {
            text.parse().map_err(|error| format!("{text:?} is not a whole number of {unit}: {error}"))
        }
    }
}
