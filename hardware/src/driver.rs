//! Which code drives the lines of a board, by its word.

use std::{fmt, str::FromStr};

use coinop_core::board::{Board, BoardError, LineSpec};
use serde::{Deserialize, Serialize};

use crate::{sim::SimChip, wiring::Wiring};

/// What drives the lines of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// Lines in memory.
    Sim,
    /// The kernel's character device, with edges from its event buffer.
    Gpiochip,
    /// The kernel's character device through embedded-hal, polled.
    Linux,
    /// The registers of a Raspberry Pi, through embedded-hal.
    Rpi,
}

impl Driver {
    /// The drivers there are.
    pub const ALL: [Self; 4] = [Self::Sim, Self::Gpiochip, Self::Linux, Self::Rpi];

    /// Takes `lines` where `wiring` says they are: outputs are at their safe level from then on.
    ///
    /// # Errors
    ///
    /// [`BoardError`] with the line or chip, and how to mend it; always, where there is no such hardware.
    pub fn open(self, wiring: &Wiring, lines: Vec<LineSpec>) -> Result<Box<dyn Board>, BoardError> {
        match self {
            Self::Sim => Ok(Box::new(SimChip::new(lines).board()?)),
            Self::Gpiochip | Self::Linux | Self::Rpi => self.take(wiring, lines),
        }
    }

    #[cfg(target_os = "linux")]
    fn take(self, wiring: &Wiring, lines: Vec<LineSpec>) -> Result<Box<dyn Board>, BoardError> {
        Ok(match self {
            Self::Sim => Box::new(SimChip::new(lines).board()?),
            Self::Gpiochip => Box::new(crate::gpiochip::GpioChip::open(wiring, lines)?),
            Self::Linux => Box::new(crate::linux::LinuxBoard::open(wiring, lines)?),
            Self::Rpi => Box::new(crate::rpi::RpiBoard::open(wiring, lines)?),
        })
    }

    #[cfg(not(target_os = "linux"))]
    fn take(self, wiring: &Wiring, _lines: Vec<LineSpec>) -> Result<Box<dyn Board>, BoardError> {
        Err(BoardError {
            line: wiring.chip.clone().unwrap_or_else(|| self.to_string()),
            kind: coinop_core::board::BoardErrorKind::NoSuchChip,
            message: "there are real lines on Linux only; use --board sim here".to_owned(),
        })
    }

    /// Why an output may stay driven when the program is killed, and what to do; none where the kernel lets
    /// go of it.
    pub fn danger(self) -> Option<String> {
        match self {
            Self::Sim => None,
            Self::Gpiochip | Self::Linux => kept_by_the_kernel(),
            Self::Rpi => Some(
                "the rpi board leaves its pins driven when the program is killed: use --board gpiochip for \
                 anything that must not stay on"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(target_os = "linux")]
fn kept_by_the_kernel() -> Option<String> {
    let switch = crate::gpiochip::outputs_outlive_their_owner()?;
    Some(format!(
        "this kernel keeps an output driven when its program is killed ({}): put dtparam=strict_gpiod into \
         /boot/firmware/config.txt and start the Pi again",
        switch.display()
    ))
}

#[cfg(not(target_os = "linux"))]
const fn kept_by_the_kernel() -> Option<String> {
    None
}

impl fmt::Display for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sim => "sim",
            Self::Gpiochip => "gpiochip",
            Self::Linux => "linux",
            Self::Rpi => "rpi",
        })
    }
}

impl FromStr for Driver {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|driver| driver.to_string() == word).ok_or(())
    }
}
