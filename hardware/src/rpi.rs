//! The registers of a Raspberry Pi, through rppal.
//!
//! **Danger: after SIGKILL, or a SIGTERM that nobody handles, a pin of this board STAYS DRIVEN as it was.**
//! Levels are written straight into the chip's registers, and no kernel puts them back when the program is
//! gone. (A mainline kernel makes a claimed pin an input then; those of Raspberry Pi OS need not.) The board
//! drives the safe levels when it is dropped, and a killed program drops nothing. Do not put a lock, a heater
//! or a relay on it: the [`gpiochip`](crate::gpiochip) board is as fast as the guard needs, and there the
//! kernel lets go. If it must be this board, put a watchdog outside of the Pi between the pin and the load.
//! An external pull does not help against a pin that is driven.
//!
//! The lines are the header's, `GPIO0` to `GPIO27`. Inputs are kept from others, and told by the kernel's
//! edges; outputs are claimed from the kernel as they are, so that a second owner is refused. (A program
//! that writes registers without asking is not.) rppal is no longer developed; it knows models up to the
//! Pi 5 and 500.

use std::{fmt::Display, io, path::PathBuf, time::Duration};

use coinop_core::board::{BoardError, BoardErrorKind, Direction, LineSpec};
use embedded_hal::digital::{self, PinState};
use gpiocdev::{Chip, Request, chip::chips};
use rppal::gpio::{Error, Gpio, InputPin, OutputPin, Trigger};

use crate::{
    gpiochip::{CONSUMER, at_request, join_the_group, refused},
    hal::{HalBoard, Pins, Taken, Wired, voltage},
    wiring::{Bias, Wire, Wiring},
};

/// What the kernel calls the chip of the header: up to the Pi 3, the Pi 4, the Pi 5.
const HEADERS: &[&str] = &["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"];
/// How many edges one look takes at most; the rest stays with the kernel until the next.
const EDGES_PER_LOOK: usize = 1024;

/// A board of a Raspberry Pi's registers.
pub type RpiBoard = HalBoard<Registers>;

/// The registers, and what keeps others away from the pins.
#[derive(Debug)]
pub struct Registers {
    gpio: Gpio,
    /// The number of the newest edge of each input.
    newest: Vec<u32>,
    /// The outputs, claimed from the kernel.
    _claim: Option<Request>,
}

/// An input that tells its changes until it is dropped.
#[derive(Debug)]
pub struct Watched(InputPin);

impl HalBoard<Registers> {
    /// Takes `lines` of the header: outputs are at their safe level from then on.
    ///
    /// # Errors
    ///
    /// [`BoardError`] saying what is missing, in use or not permitted, and how to mend it; then no line is
    /// kept.
    pub fn open(wiring: &Wiring, lines: Vec<LineSpec>) -> Result<Self, BoardError> {
        let mut places = Vec::new();
        for spec in &lines {
            let wire = wiring.wire(&spec.name);
            places.push((spec, number(spec, &wire)?, wire));
        }
        let gpio = Gpio::new().map_err(|error| no_registers(&error))?;
        let header = header()?;
        let outputs: Vec<_> = (places.iter())
            .filter(|(spec, _, _)| spec.direction == Direction::Output)
            .map(|(spec, pin, _)| (*spec, u32::from(*pin)))
            .collect();
        let claim = if outputs.is_empty() { None } else { Some(claim(&header, &outputs)?) };
        let mut taken = Vec::new();
        for (spec, number, wire) in places {
            let refused = |error: Error| match error {
                Error::PinUsed(_) => in_use(spec, number),
                other => refused(&header, spec, u32::from(number), &other),
            };
            let pin = take(&gpio, spec, number, &wire).map_err(refused)?;
            taken.push((wire.active, pin));
        }
        let inputs = lines.len() - outputs.len();
        let pins = Registers { gpio, newest: vec![0; inputs], _claim: claim };
        drop(outputs);
        Ok(Self::new(lines, taken, pins))
    }
}

impl Pins for Registers {
    type Output = OutputPin;
    type Input = Watched;

    fn changes(&mut self, inputs: &mut [Wired<Watched>]) -> Result<Vec<(usize, PinState)>, BoardError> {
        let pins: Vec<&InputPin> = inputs.iter().map(|wired| &wired.pin.0).collect();
        let (mut events, mut lost) = (Vec::new(), None);
        while events.len() < EDGES_PER_LOOK {
            let event = self.gpio.poll_interrupts(&pins, false, Some(Duration::ZERO));
            let event = event.map_err(|error| self.failure(HEADERS[0], &error))?;
            let Some((pin, event)) = event else { break };
            let Some(index) = pins.iter().position(|known| known.pin() == pin.pin()) else { continue };
            let missing = event.seqno.wrapping_sub(self.newest[index]).wrapping_sub(1);
            self.newest[index] = event.seqno;
            if missing > 0 {
                lost = Some(BoardError {
                    line: inputs[index].line.clone(),
                    kind: BoardErrorKind::EdgesLost,
                    message: format!("{missing} edges lost since they were last taken"),
                });
            }
            events.push((event.timestamp, index, PinState::from(event.trigger == Trigger::RisingEdge)));
        }
        if let Some(lost) = lost {
            return Err(lost);
        }
        // Each input has its own order; the kernel's clock is the common one.
        events.sort_by_key(|(timestamp, _, _)| *timestamp);
        Ok(events.into_iter().map(|(_, index, voltage)| (index, voltage)).collect())
    }

    fn failure(&self, line: &str, error: &dyn Display) -> BoardError {
        BoardError { line: line.to_owned(), kind: BoardErrorKind::Io, message: error.to_string() }
    }
}

impl digital::ErrorType for Watched {
    type Error = <InputPin as digital::ErrorType>::Error;
}

impl digital::InputPin for Watched {
    fn is_high(&mut self) -> Result<bool, Self::Error> {
        digital::InputPin::is_high(&mut self.0)
    }

    fn is_low(&mut self) -> Result<bool, Self::Error> {
        digital::InputPin::is_low(&mut self.0)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // rppal keeps the interrupt of a dropped pin as long as any other pin lives.
        let _ = self.0.clear_interrupt();
    }
}

fn number(spec: &LineSpec, wire: &Wire) -> Result<u8, BoardError> {
    let spot = wire.spot(&spec.name);
    spot.header_pin().ok_or_else(|| BoardError {
        line: spec.name.clone(),
        kind: BoardErrorKind::NoSuchLine,
        message: format!(
            "{spot} is not on a Pi's header; this board knows GPIO0 to GPIO27: say so in the scenario, \
             lines = {{ {} = \"GPIO17\" }}, or in a board file with driver = \"rpi\"",
            spec.name
        ),
    })
}

fn header() -> Result<PathBuf, BoardError> {
    let is_header = |path: &PathBuf| {
        let info = Chip::from_path(path).and_then(|chip| chip.info());
        info.is_ok_and(|info| HEADERS.contains(&info.label.as_str()))
    };
    chips().unwrap_or_default().into_iter().find(is_header).ok_or_else(|| BoardError {
        line: HEADERS.join(", "),
        kind: BoardErrorKind::NoSuchChip,
        message: format!("no chip of a Pi's header can be opened; load its driver, or {}", join_the_group()),
    })
}

/// Claims outputs as they are: others are refused, and nothing moves.
fn claim(header: &PathBuf, outputs: &[(&LineSpec, u32)]) -> Result<Request, BoardError> {
    let mut builder = Request::builder();
    builder.on_chip(header).with_consumer(CONSUMER);
    for (_, offset) in outputs {
        builder.with_line(*offset).as_is();
    }
    builder.request().map_err(|error| at_request(header, outputs, &error))
}

fn take(gpio: &Gpio, spec: &LineSpec, number: u8, wire: &Wire) -> Result<Taken<Registers>, Error> {
    let pin = gpio.get(number)?;
    match spec.direction {
        // The level is in the register before the pin becomes an output.
        Direction::Output => Ok(Taken::Output(match voltage(wire.active, spec.safe) {
            PinState::High => pin.into_output_high(),
            PinState::Low => pin.into_output_low(),
        })),
        Direction::Input => {
            let mut input = match wire.bias {
                Some(Bias::PullUp) => pin.into_input_pullup(),
                Some(Bias::PullDown) => pin.into_input_pulldown(),
                Some(Bias::None) | None => pin.into_input(),
            };
            input.set_interrupt(Trigger::Both, None)?;
            Ok(Taken::Input(Watched(input)))
        }
    }
}

fn in_use(spec: &LineSpec, number: u8) -> BoardError {
    BoardError {
        line: spec.name.clone(),
        kind: BoardErrorKind::Busy,
        message: format!("GPIO{number} is in use by this program; drop the other owner first"),
    }
}

fn no_registers(error: &Error) -> BoardError {
    let (kind, message) = match error {
        Error::UnknownModel => (
            BoardErrorKind::NoSuchChip,
            "this machine is no Raspberry Pi that rppal knows; use --board gpiochip".to_owned(),
        ),
        // It comes to this only where a kernel has no /dev/gpiomem, and there no group helps.
        Error::PermissionDenied(path) if path == "/dev/mem" => (
            BoardErrorKind::Permission,
            "the kernel has no /dev/gpiomem and keeps /dev/mem to itself; use --board gpiochip, or be root and \
             start the kernel with iomem=relaxed"
                .to_owned(),
        ),
        Error::PermissionDenied(path) => {
            (BoardErrorKind::Permission, format!("{path} may not be opened; {}", join_the_group()))
        }
        Error::Io(error) if error.kind() == io::ErrorKind::NotFound => (
            BoardErrorKind::NoSuchChip,
            format!("no registers or no chip of a Pi's header ({error}); use --board gpiochip"),
        ),
        other => (BoardErrorKind::Io, other.to_string()),
    };
    BoardError { line: "rpi".to_owned(), kind, message }
}
