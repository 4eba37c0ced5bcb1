//! Real lines of any Linux machine through linux-embedded-hal, the way embedded-hal programs take them.
//!
//! Like [`gpiochip`](crate::gpiochip) it takes the lines from the kernel's character device, and what is
//! said there of a killed program holds here: the kernel releases the line. But its pins **can only be
//! polled**: an input is compared with its last level whenever edges are taken. A pulse that begins and ends
//! between two looks is never seen and its loss cannot be noticed, so this board is for buttons, doors and
//! lamps' sensors, not for meters; and it cannot set a chip's own pulls. Take `gpiochip` unless you mean to
//! try embedded-hal drivers beside it.

use std::{fmt::Display, fs::File, io, path::PathBuf};

use coinop_core::board::{BoardError, BoardErrorKind, Direction, LineSpec};
use embedded_hal::digital::{InputPin, PinState};
use linux_embedded_hal::{
    CdevPin,
    gpio_cdev::{Chip, LineRequestFlags},
};

use crate::{
    gpiochip::{CONSUMER, Found, find, refused},
    hal::{HalBoard, Pins, Taken, Wired, voltage},
    wiring::Wiring,
};

/// A board of polled kernel lines.
pub type LinuxBoard = HalBoard<Polled>;

/// Inputs that are compared with what they were.
#[derive(Debug)]
pub struct Polled {
    chips: Vec<PathBuf>,
    seen: Vec<PinState>,
}

impl HalBoard<Polled> {
    /// Takes `lines` from the kernel: outputs are at their safe level from then on.
    ///
    /// # Errors
    ///
    /// [`BoardError`] saying which line or chip is missing, in use or not permitted, and how to mend it; then
    /// no line is kept.
    pub fn open(wiring: &Wiring, lines: Vec<LineSpec>) -> Result<Self, BoardError> {
        let mut pins = Polled { chips: Vec::new(), seen: Vec::new() };
        let mut taken = Vec::new();
        for (spec, found) in find(wiring, &lines)? {
            let wire = wiring.wire(&spec.name);
            if wire.bias.is_some() {
                return Err(BoardError {
                    line: spec.name.clone(),
                    kind: BoardErrorKind::Io,
                    message: "this board cannot set a pull; use a resistor, or the gpiochip board".to_owned(),
                });
            }
            let voltage = voltage(wire.active, spec.safe);
            let mut pin = request(spec, &found, voltage)?;
            let pin = match spec.direction {
                Direction::Output => Taken::Output(pin),
                Direction::Input => {
                    let high = pin.is_high().map_err(|error| pins.failure(&spec.name, &error))?;
                    pins.seen.push(high.into());
                    Taken::Input(pin)
                }
            };
            taken.push((wire.active, pin));
            pins.chips.push(found.chip);
        }
        Ok(Self::new(lines, taken, pins))
    }
}

impl Pins for Polled {
    type Output = CdevPin;
    type Input = CdevPin;

    fn changes(&mut self, inputs: &mut [Wired<CdevPin>]) -> Result<Vec<(usize, PinState)>, BoardError> {
        let mut changes = Vec::new();
        for (index, wired) in inputs.iter_mut().enumerate() {
            let high = wired.pin.is_high().map_err(|error| self.failure(&wired.line, &error))?;
            let voltage = PinState::from(high);
            if self.seen.get(index) != Some(&voltage) {
                changes.push((index, voltage));
            }
        }
        // Only when all could be read: what a failed look has not told is told by the next.
        for (index, voltage) in &changes {
            if let Some(seen) = self.seen.get_mut(*index) {
                *seen = *voltage;
            }
        }
        Ok(changes)
    }

    fn failure(&self, line: &str, error: &dyn Display) -> BoardError {
        let gone =
            |chip: &PathBuf| File::open(chip).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        if self.chips.iter().any(gone) {
            let message = format!("its chip is gone; plug it in again and start anew ({error})");
            return BoardError { line: line.to_owned(), kind: BoardErrorKind::NoSuchChip, message };
        }
        BoardError { line: line.to_owned(), kind: BoardErrorKind::Io, message: error.to_string() }
    }
}

/// Takes one line. Which voltage is active stays with us: a `CdevPin` undoes the kernel's own inversion.
fn request(spec: &LineSpec, found: &Found, safe: PinState) -> Result<CdevPin, BoardError> {
    let flags = match spec.direction {
        Direction::Input => LineRequestFlags::INPUT,
        Direction::Output => LineRequestFlags::OUTPUT,
    };
    let line = Chip::new(&found.chip).and_then(|mut chip| chip.get_line(found.offset));
    let handle = line.and_then(|line| line.request(flags, u8::from(safe == PinState::High), CONSUMER));
    handle.and_then(CdevPin::new).map_err(|error| refused(&found.chip, spec, found.offset, &error))
}
