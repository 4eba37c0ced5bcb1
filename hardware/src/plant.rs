//! The simulated physical world behind the lines.
//!
//! A [`Plant`] is a value stepped with the time: it sees the outputs, sets the inputs, and knows the truth
//! about what was delivered, which no meter can bend. A [`World`] steps plants on [`Wires`]: on the
//! simulated board inside the process, or from outside on the kernel's simulated lines.

mod car;
mod door;
mod lamp;
mod living;
#[cfg(target_os = "linux")]
pub mod sysfs;
#[cfg(test)]
mod tests;

use std::time::Duration;

use coinop_core::{
    Timestamp,
    board::{BoardError, Direction, Level, LineSpec},
};

pub use car::{Car, CarSpec};
pub use door::{Door, DoorSpec};
pub use lamp::{Lamp, LampSpec};
pub use living::{Living, Worlds};

/// A piece of the physical world.
///
/// Between two steps the outputs are taken to have stayed as the earlier step saw them, so step a plant
/// right after every change; how often it is stepped in between does not change the truth.
pub trait Plant: Send {
    /// The lines it is wired to, with the limits a board for it should have.
    fn lines(&self) -> Vec<LineSpec>;

    /// Lives until `now`, then looks at the outputs; gives the inputs to set, in this order.
    fn step(&mut self, now: Timestamp, output: &dyn Fn(&str) -> Level) -> Vec<Poke>;

    /// When it next changes an input by itself, as far as it knows; later than the last step.
    fn next_wake(&self) -> Option<Timestamp>;

    /// What it truly delivered so far, in the unit its documentation names.
    fn truth(&self) -> u64;
}

/// An input to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poke {
    /// The input.
    pub line: String,
    /// Its level from now on.
    pub level: Level,
}

/// The world's end of the lines.
pub trait Wires {
    /// The level an output has.
    ///
    /// # Errors
    ///
    /// [`BoardError`] with the line and the kind.
    fn output(&self, line: &str) -> Result<Level, BoardError>;

    /// Sets an input.
    ///
    /// # Errors
    ///
    /// [`BoardError`] with the line and the kind.
    fn poke(&self, line: &str, level: Level) -> Result<(), BoardError>;

    /// Says that it is `now`: real wires know, simulated ones may have something on its way.
    fn pass(&self, _now: Timestamp) {}

    /// When something on its way arrives.
    fn next_wake(&self) -> Option<Timestamp> {
        None
    }
}

/// A plant on its wires.
pub struct World<W> {
    wires: W,
    plant: Box<dyn Plant>,
}

impl<W: Wires> World<W> {
    /// Connects `plant` to `wires`.
    pub fn new(wires: W, plant: Box<dyn Plant>) -> Self {
        Self { wires, plant }
    }

    /// Lets the plant live until `now`, and sets the inputs it changed.
    ///
    /// # Errors
    ///
    /// [`BoardError`] of the first wire that fails.
    pub fn step(&mut self, now: Timestamp) -> Result<(), BoardError> {
        self.wires.pass(now);
        let mut levels = Vec::new();
        for spec in self.plant.lines().into_iter().filter(|spec| spec.direction == Direction::Output) {
            let level = self.wires.output(&spec.name)?;
            levels.push((spec, level));
        }
        let output = |line: &str| {
            levels.iter().find(|(spec, _)| spec.name == line).map_or(Level::Low, |(_, level)| *level)
        };
        for poke in self.plant.step(now, &output) {
            self.wires.poke(&poke.line, poke.level)?;
        }
        Ok(())
    }

    /// The plant.
    pub fn plant(&self) -> &dyn Plant {
        &*self.plant
    }

    /// The wires.
    pub const fn wires(&self) -> &W {
        &self.wires
    }
}

/// An input of a plant that follows what it is set to, a little later, and tells each change once.
#[derive(Clone, Debug)]
struct Sensor {
    line: String,
    delay: Duration,
    shown: Option<Level>,
    /// What it will show, and when.
    coming: Option<(Timestamp, Level)>,
}

impl Sensor {
    fn new(line: &str, delay: Duration) -> Self {
        Self { line: line.to_owned(), delay, shown: None, coming: None }
    }

    /// Notices that the world is at `level` since `now`. A change back before the delay is not seen.
    fn notice(&mut self, now: Timestamp, level: Level) {
        let heading = self.coming.map_or(self.shown, |(_, coming)| Some(coming));
        if heading == Some(level) {
            return;
        }
        // The first look at the world is not a change of it.
        let delay = if self.shown.is_none() { Duration::ZERO } else { self.delay };
        self.coming = (self.shown != Some(level)).then(|| (now.after(delay), level));
    }

    /// Shows what is due.
    fn show(&mut self, now: Timestamp, pokes: &mut Vec<Poke>) {
        let Some((at, level)) = self.coming else { return };
        if at <= now {
            self.coming = None;
            self.shown = Some(level);
            pokes.push(Poke { line: self.line.clone(), level });
        }
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.coming.map(|(at, _)| at)
    }
}
