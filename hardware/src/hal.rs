//! One board for every chip whose pins speak embedded-hal: what `linux` and `rpi` share.
//!
//! Pins know voltages; levels, directions, safe levels and errors are the board's.

use std::{collections::BTreeMap, fmt::Display};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Direction, Edge, Level, LineSpec},
};
use embedded_hal::digital::{ErrorType, InputPin, OutputPin, PinState};

use crate::wiring::Active;

/// Where the pins of a board come from, and how it learns that an input changed.
pub trait Pins: Send {
    /// A pin that is driven; its voltage can be read as well.
    type Output: OutputPin + InputPin + ErrorType<Error: Display> + Send;
    /// A pin that is read.
    type Input: InputPin + ErrorType<Error: Display> + Send;

    /// The inputs that changed since the last look, oldest first: which, and the voltage after it.
    ///
    /// # Errors
    ///
    /// [`BoardError`] when they cannot be looked at, or when changes were lost.
    fn changes(&mut self, inputs: &mut [Wired<Self::Input>]) -> Result<Vec<(usize, PinState)>, BoardError>;

    /// A failure of a pin, reduced to its kind.
    fn failure(&self, line: &str, error: &dyn Display) -> BoardError;
}

/// A pin under the name of its line.
#[derive(Debug)]
pub struct Wired<T> {
    pub(crate) line: String,
    pub(crate) pin: T,
    pub(crate) active: Active,
}

/// A board of pins, held until it is dropped.
pub struct HalBoard<P: Pins> {
    specs: Vec<LineSpec>,
    outputs: BTreeMap<String, Wired<P::Output>>,
    inputs: Vec<Wired<P::Input>>,
    // Dropped last: what it holds is what keeps others away from the pins.
    pins: P,
}

/// What a line was taken as.
pub(crate) enum Taken<P: Pins> {
    Output(P::Output),
    Input(P::Input),
}

impl<P: Pins> HalBoard<P> {
    /// A board of pins that have been taken, the outputs at their safe levels.
    pub(crate) fn new(specs: Vec<LineSpec>, taken: Vec<(Active, Taken<P>)>, pins: P) -> Self {
        let (mut outputs, mut inputs) = (BTreeMap::new(), Vec::new());
        for (spec, (active, taken)) in specs.iter().zip(taken) {
            let line = spec.name.clone();
            match taken {
                Taken::Output(pin) => drop(outputs.insert(line.clone(), Wired { line, pin, active })),
                Taken::Input(pin) => inputs.push(Wired { line, pin, active }),
            }
        }
        Self { specs, outputs, inputs, pins }
    }

    fn unknown(&self, line: &str) -> BoardError {
        let known: Vec<&str> = self.specs.iter().map(|spec| spec.name.as_str()).collect();
        BoardError {
            line: line.to_owned(),
            kind: BoardErrorKind::NoSuchLine,
            message: format!("not on the allow-list, which has {}", known.join(", ")),
        }
    }
}

impl<P: Pins> Board for HalBoard<P> {
    fn lines(&self) -> &[LineSpec] {
        &self.specs
    }

    fn read(&mut self, line: &str) -> Result<Level, BoardError> {
        let pins = &self.pins;
        if let Some(wired) = self.outputs.get_mut(line) {
            let high = wired.pin.is_high().map_err(|error| pins.failure(line, &error))?;
            return Ok(level(wired.active, high.into()));
        }
        if let Some(wired) = self.inputs.iter_mut().find(|wired| wired.line == line) {
            let high = wired.pin.is_high().map_err(|error| pins.failure(line, &error))?;
            return Ok(level(wired.active, high.into()));
        }
        Err(self.unknown(line))
    }

    fn drive(&mut self, line: &str, level: Level) -> Result<(), BoardError> {
        let pins = &self.pins;
        if let Some(wired) = self.outputs.get_mut(line) {
            let voltage = voltage(wired.active, level);
            return wired.pin.set_state(voltage).map_err(|error| pins.failure(line, &error));
        }
        if self.inputs.iter().any(|wired| wired.line == line) {
            return Err(BoardError {
                line: line.to_owned(),
                kind: BoardErrorKind::WrongDirection,
                message: "an input, which only the world drives".to_owned(),
            });
        }
        Err(self.unknown(line))
    }

    fn edges(&mut self, now: Timestamp) -> Result<Vec<Edge>, BoardError> {
        let changes = self.pins.changes(&mut self.inputs)?;
        let edge = |(input, voltage): (usize, PinState)| {
            let wired = self.inputs.get(input)?;
            Some(Edge { line: wired.line.clone(), level: level(wired.active, voltage), at: now })
        };
        Ok(changes.into_iter().filter_map(edge).collect())
    }
}

impl<P: Pins> Drop for HalBoard<P> {
    fn drop(&mut self) {
        let outputs = self.specs.iter().filter(|spec| spec.direction == Direction::Output);
        let safe: Vec<_> = outputs.map(|spec| (spec.name.clone(), spec.safe)).collect();
        for (line, level) in safe {
            // Nobody is left to tell, and the pins are let go next.
            let _ = self.drive(&line, level);
        }
    }
}

/// The voltage that carries a level.
pub(crate) fn voltage(active: Active, level: Level) -> PinState {
    match (active, level) {
        (Active::High, Level::High) | (Active::Low, Level::Low) => PinState::High,
        (Active::High, Level::Low) | (Active::Low, Level::High) => PinState::Low,
    }
}

/// The level that a voltage carries.
fn level(active: Active, voltage: PinState) -> Level {
    match (active, voltage) {
        (Active::High, PinState::High) | (Active::Low, PinState::Low) => Level::High,
        (Active::High, PinState::Low) | (Active::Low, PinState::High) => Level::Low,
    }
}
