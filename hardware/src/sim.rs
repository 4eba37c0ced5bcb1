//! The simulated board: lines in memory, with a handle for whoever plays the world.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Direction, Edge, Level, LineSpec},
};

use crate::plant::Wires;

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
}

#[derive(Debug)]
struct Line {
    direction: Direction,
    /// What the program drives, or what the world does.
    level: Level,
    /// What a broken sensor says instead.
    stuck: Option<Level>,
    /// Whether reading and driving fail.
    broken: bool,
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

    /// The level an output has, and what an input shows to the program.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::NoSuchLine`].
    pub fn level(&self, line: &str) -> Result<Level, BoardError> {
        let mut state = self.lock();
        self.line(&mut state, line).map(|line| line.shown())
    }

    /// Sets an input, as the world does. What a stuck sensor shows stays as it is.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::NoSuchLine`], or [`BoardErrorKind::WrongDirection`] for an output.
    pub fn poke(&self, line: &str, level: Level) -> Result<(), BoardError> {
        self.change_input(line, |input| input.level = level)
    }

    /// Makes an input show `level` whatever the world does; `None` mends it.
    ///
    /// # Errors
    ///
    /// [`BoardErrorKind::NoSuchLine`], or [`BoardErrorKind::WrongDirection`] for an output.
    pub fn stick(&self, line: &str, level: Option<Level>) -> Result<(), BoardError> {
        self.change_input(line, |input| input.stuck = level)
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

    fn change_input(&self, name: &str, change: impl FnOnce(&mut Line)) -> Result<(), BoardError> {
        let mut state = self.lock();
        let line = self.line(&mut state, name)?;
        line.must_be(Direction::Input, name)?;
        let before = line.shown();
        change(line);
        let after = line.shown();
        if before != after {
            state.push_edge(name, after);
        }
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
        self.level(line)
    }

    fn poke(&self, line: &str, level: Level) -> Result<(), BoardError> {
        Self::poke(self, line, level)
    }
}

impl Board for SimBoard {
    fn lines(&self) -> &[LineSpec] {
        &self.chip.specs
    }

    fn read(&mut self, name: &str) -> Result<Level, BoardError> {
        let mut state = self.chip.lock();
        let line = self.chip.line(&mut state, name)?;
        line.must_work(name)?;
        Ok(line.shown())
    }

    fn drive(&mut self, name: &str, level: Level) -> Result<(), BoardError> {
        let mut state = self.chip.lock();
        let line = self.chip.line(&mut state, name)?;
        line.must_be(Direction::Output, name)?;
        line.must_work(name)?;
        line.level = level;
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
                line.level = spec.safe;
            }
        }
        state.owned = false;
    }
}

impl State {
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

impl Line {
    fn new(spec: &LineSpec) -> Self {
        let level = match spec.direction {
            Direction::Input => Level::Low,
            Direction::Output => spec.safe,
        };
        Self { direction: spec.direction, level, stuck: None, broken: false }
    }

    fn shown(&self) -> Level {
        self.stuck.unwrap_or(self.level)
    }

    fn must_be(&self, direction: Direction, name: &str) -> Result<(), BoardError> {
        if self.direction == direction {
            return Ok(());
        }
        let message = match self.direction {
            Direction::Input => "an input, which only the world drives",
            Direction::Output => "an output, which only its board drives",
        };
        Err(BoardError {
            line: name.to_owned(),
            kind: BoardErrorKind::WrongDirection,
            message: message.to_owned(),
        })
    }

    fn must_work(&self, name: &str) -> Result<(), BoardError> {
        if !self.broken {
            return Ok(());
        }
        Err(BoardError {
            line: name.to_owned(),
            kind: BoardErrorKind::Io,
            message: "the simulated wire is broken".to_owned(),
        })
    }
}
