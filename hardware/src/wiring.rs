//! Where the lines of a board are, and how they are wired.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// The last line on the header of a Raspberry Pi.
const LAST_HEADER_PIN: u8 = 27;

/// Where the lines are. A line that is not listed is found by its own name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wiring {
    /// The chip to look on, by path, name or label, when a line says nothing else; every chip when `None`.
    pub chip: Option<String>,
    /// The lines that need more than their name.
    pub lines: BTreeMap<String, Wire>,
}

/// How one line is wired.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// Its chip, when it is not the board's.
    pub chip: Option<String>,
    /// Its place on the chip; the line's own name is the kernel's when `None`.
    pub spot: Option<Spot>,
    /// Which voltage means active.
    pub active: Active,
    /// What to do with the chip's own pull of an input; it is left as it is when `None`.
    pub bias: Option<Bias>,
}

/// A place on a chip.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// The kernel's name of the line, as `gpioinfo` shows it.
    Kernel(String),
    /// Its number on the chip, from 0.
    Offset(u32),
}

/// Which voltage means active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Active {
    /// A high one.
    #[default]
    High,
    /// A low one, as on most relay boards.
    Low,
}

/// A chip's own pull of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bias {
    /// To the supply.
    PullUp,
    /// To ground.
    PullDown,
    /// To nowhere: something outside pulls.
    None,
}

impl Wiring {
    /// The lines by their own names, on one chip or on all.
    pub fn by_name(chip: Option<String>) -> Self {
        Self { chip, ..Self::default() }
    }

    /// How a line is wired.
    pub fn wire(&self, line: &str) -> Wire {
        let mut wire = self.lines.get(line).cloned().unwrap_or_default();
        wire.chip = wire.chip.or_else(|| self.chip.clone());
        wire
    }
}

impl Wire {
    /// The place of a line with this name.
    pub fn spot(&self, line: &str) -> Spot {
        self.spot.clone().unwrap_or_else(|| Spot::Kernel(line.to_owned()))
    }
}

impl Spot {
    /// The number that it has on the header of a Raspberry Pi, 0 to 27, if it is there: 17 for `GPIO17`.
    pub fn header_pin(&self) -> Option<u8> {
        let number = match self {
            Self::Kernel(name) => name.strip_prefix("GPIO")?.parse().ok()?,
            Self::Offset(offset) => u8::try_from(*offset).ok()?,
        };
        (number <= LAST_HEADER_PIN).then_some(number)
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel(name) => f.write_str(name),
            Self::Offset(offset) => write!(f, "offset {offset}"),
        }
    }
}
