//! The simulated board: lines in memory, with a handle for whoever plays the world.

mod fault;
mod line;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Direction, Edge, Level, LineSpec},
};

use crate::plant::Wires;
use line::Line;

pub use fault::{LATEST_MS, SimFault};

/// How many edges wait to be taken before some are lost.
const EDGES: usize = 1024;

/// A simulated chip: the world's side of the lines. Clones are handles to the same chip.
#[derive(Clone, Debug)]
pub struct SimChip {
    specs: Arc<[LineSpec]>,
    state: Arc<Mutex<State>>,
}

/// The program's side of a [`SimChip`]; there is at most one at a time.
#[derive(Debug)]
pub struct SimBoard {
    chip: SimChip,
}

#[derive(Debug, Default)]
struct State {
    owned: bool,
    lines: BTreeMap<String, Line>,
    edges: VecDeque<(String, Level)>,
    edges_lost: bool,
    /// The time as whoever plays the world last told it.
    now: Timestamp,
    browned_out: bool,
}

impl SimChip {
    /// A chip with these lines; inputs start low, outputs at their safe level.
    pub fn new(specs: impl Into<Arc<[LineSpec]>>) -> Self {
        let specs = specs.into();
        let lines = specs.iter().map(|spec| (spec.name.clone(), Line::new(spec))).collect();
        Self { specs, state: Arc::new(Mutex::new(State { lines, ..State::default() })) }
    }

    /// Takes the lines for the program.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::Busy`] while another board of this chip lives.
    pub fn board(&self) -> Result<SimBoard, BoardError> {
        let mut state = self.lock();
        if state.owned {
            return Err(BoardError {
                line: self.specs.first().map_or_else(String::new, |spec| spec.name.clone()),
                kind: BoardErrorKind::Busy,
                message: "the simulated board is in use; drop the other owner first".to_owned(),
            });
        }
        state.owned = true;
        state.edges.clear();
        state.edges_lost = false;
        drop(state);
        Ok(SimBoard { chip: self.clone() })
    }

    /// What the program reads: the level an output is driven to, and what an input shows.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::NoSuchLine`].
    pub fn level(&self, line: &str) -> Result<Level, BoardError> {
        let mut state = self.lock();
        let has_power = !state.browned_out;
        self.line(&mut state, line).map(|line| line.read(has_power))
    }

    /// What is out there: the level an output has in the world, and what the world does to an input. With
    /// a fault that is not what the program drives or reads.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::NoSuchLine`].
    pub fn world(&self, line: &str) -> Result<Level, BoardError> {
        let mut state = self.lock();
        let has_power = !state.browned_out;
        self.line(&mut state, line).map(|line| match line.direction {
            Direction::Input => line.level,
            Direction::Output => line.shown(has_power),
        })
    }

    /// Sets an input, as the world does; a faulty one shows it late, wrongly or not at all.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::NoSuchLine`], or [`BoardErrorKind::WrongDirection`] for an output.
    pub fn poke(&self, line: &str, level: Level) -> Result<(), BoardError> {
        let mut state = self.lock();
        self.line(&mut state, line)?.must_be(Direction::Input, line)?;
        let now = state.now;
        state.change(line, |input| input.set(level, now));
        Ok(())
    }

    /// Makes a line faulty from now on, in place of the fault it has; `None` mends it.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::NoSuchLine`], or [`BoardErrorKind::WrongDirection`] when such a line cannot have
    /// such a fault.
    pub fn fault(&self, line: &str, fault: Option<SimFault>) -> Result<(), BoardError> {
        let mut state = self.lock();
        let direction = self.line(&mut state, line)?.direction;
        if let Some(fault) = fault {
            fault.must_fit(direction, line)?;
        }
        state.change(line, |line| line.suffer(fault));
        Ok(())
    }

    /// The fault of a line, if it has one.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::NoSuchLine`].
    pub fn fault_of(&self, line: &str) -> Result<Option<SimFault>, BoardError> {
        self.line(&mut self.lock(), line).map(|line| line.fault)
    }

    /// Takes the board's power away: every output falls to its safe level, as undriven, and every input
    /// reads low. The program is not told. With [`brown_in`](SimChip::brown_in) the board is as driven.
    pub fn brown_out(&self) {
        self.power(true);
    }

    /// Gives the power back.
    pub fn brown_in(&self) {
        self.power(false);
    }

    /// Whether the board is without power.
    pub fn is_browned_out(&self) -> bool {
        self.lock().browned_out
    }

    fn power(&self, browned_out: bool) {
        let mut state = self.lock();
        let before = state.inputs_shown();
        state.browned_out = browned_out;
        let after = state.inputs_shown();
        for ((line, was), (_, is)) in before.into_iter().zip(after) {
            if was != is {
                state.push_edge(&line, is);
            }
        }
    }

    /// Says that it is `now`: changes that were late or bouncing are seen.
    pub fn pass(&self, now: Timestamp) {
        let mut state = self.lock();
        state.now = now;
        let waiting = state.lines.iter().filter(|(_, line)| line.next_wake().is_some_and(|at| at <= now));
        let names: Vec<_> = waiting.map(|(name, _)| name.clone()).collect();
        for name in names {
            while state.lines.get(&name).and_then(Line::next_wake).is_some_and(|at| at <= now) {
                state.change(&name, |line| line.pass(now));
            }
        }
    }

    /// When a change that is late or bouncing is seen next.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.lock().lines.values().filter_map(Line::next_wake).min()
    }

    /// Makes every read and drive of a line fail, as a loose wire to the chip would; an output keeps its
    /// level.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::NoSuchLine`].
    pub fn break_line(&self, line: &str) -> Result<(), BoardError> {
        let mut state = self.lock();
        self.line(&mut state, line)?.broken = true;
        Ok(())
    }

    /// Mends what [`break_line`](SimChip::break_line) did.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::NoSuchLine`].
    pub fn mend_line(&self, line: &str) -> Result<(), BoardError> {
        let mut state = self.lock();
        self.line(&mut state, line)?.broken = false;
        Ok(())
    }

    fn line<'a>(&self, state: &'a mut State, name: &str) -> Result<&'a mut Line, BoardError> {
        state.lines.get_mut(name).ok_or_else(|| {
            let known: Vec<&str> = self.specs.iter().map(|spec| spec.name.as_str()).collect();
            BoardError {
                line: name.to_owned(),
                kind: BoardErrorKind::NoSuchLine,
                message: format!("not on the allow-list, which has {}", known.join(", ")),
            }
        })
    }

    /// A world that panicked has left the lines as they are, and they still must be driven safe.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wires for SimChip {
    fn output(&self, line: &str) -> Result<Level, BoardError> {
        self.world(line)
    }

    fn poke(&self, line: &str, level: Level) -> Result<(), BoardError> {
        Self::poke(self, line, level)
    }

    fn pass(&self, now: Timestamp) {
        Self::pass(self, now);
    }

    fn next_wake(&self) -> Option<Timestamp> {
        Self::next_wake(self)
    }
}

impl Board for SimBoard {
    fn lines(&self) -> &[LineSpec] {
        &self.chip.specs
    }

    fn read(&mut self, name: &str) -> Result<Level, BoardError> {
        let mut state = self.chip.lock();
        let has_power = !state.browned_out;
        let line = self.chip.line(&mut state, name)?;
        line.must_work(name)?;
        Ok(line.read(has_power))
    }

    fn drive(&mut self, name: &str, level: Level) -> Result<(), BoardError> {
        let mut state = self.chip.lock();
        let line = self.chip.line(&mut state, name)?;
        line.must_be(Direction::Output, name)?;
        line.must_work(name)?;
        line.set(level, Timestamp::default());
        Ok(())
    }

    fn edges(&mut self, now: Timestamp) -> Result<Vec<Edge>, BoardError> {
        let mut state = self.chip.lock();
        let taken = std::mem::take(&mut state.edges);
        if std::mem::take(&mut state.edges_lost) {
            return Err(BoardError {
                line: taken.front().map_or_else(String::new, |(line, _)| line.clone()),
                kind: BoardErrorKind::EdgesLost,
                message: format!("more than {EDGES} edges since they were last taken"),
            });
        }
        Ok(taken.into_iter().map(|(line, level)| Edge { line, level, at: now }).collect())
    }
}

impl Drop for SimBoard {
    /// Without its owner an output falls back to its safe level, as a pull on a real line makes it.
    fn drop(&mut self) {
        let mut state = self.chip.lock();
        for spec in self.chip.specs.iter().filter(|spec| spec.direction == Direction::Output) {
            if let Some(line) = state.lines.get_mut(&spec.name) {
                line.set(spec.safe, Timestamp::default());
            }
        }
        state.owned = false;
    }
}

impl State {
    /// Changes a line, and notes the edge if the program sees one.
    fn change<T>(&mut self, name: &str, change: impl FnOnce(&mut Line) -> T) {
        let has_power = !self.browned_out;
        let Some(line) = self.lines.get_mut(name) else { return };
        let before = line.shown(has_power);
        change(line);
        let after = line.shown(has_power);
        let is_input = line.direction == Direction::Input;
        if is_input && before != after {
            self.push_edge(name, after);
        }
    }

    fn inputs_shown(&self) -> Vec<(String, Level)> {
        let has_power = !self.browned_out;
        let inputs = self.lines.iter().filter(|(_, line)| line.direction == Direction::Input);
        inputs.map(|(name, line)| (name.clone(), line.shown(has_power))).collect()
    }

    fn push_edge(&mut self, line: &str, level: Level) {
        // Without an owner nobody asked for edges.
        if !self.owned {
            return;
        }
        if self.edges.len() < EDGES {
            self.edges.push_back((line.to_owned(), level));
        } else {
            self.edges_lost = true;
        }
    }
}
