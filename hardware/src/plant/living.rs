use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, Edge, Level, LineSpec},
};

use super::{Wires, World};

/// Worlds that several hands step and look at; clones are the same worlds.
pub struct Worlds<W>(Arc<Mutex<Vec<World<W>>>>);

impl<W> Clone for Worlds<W> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<W: Wires> Worlds<W> {
    /// These worlds, in this order.
    pub fn new(worlds: Vec<World<W>>) -> Self {
        Self(Arc::new(Mutex::new(worlds)))
    }

    /// Lets all of them live until `now`.
    ///
    /// # Errors
    ///
    /// [`BoardError`] of the first wire that fails.
    pub fn step(&self, now: Timestamp) -> Result<(), BoardError> {
        self.lock().iter_mut().try_for_each(|world| world.step(now))
    }

    /// When one of them changes something by itself.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let wake =
            |world: &World<W>| world.plant().next_wake().into_iter().chain(world.wires().next_wake()).min();
        self.lock().iter().filter_map(wake).min()
    }

    /// What the world at this place truly delivered so far.
    pub fn truth(&self, place: usize) -> Option<u64> {
        self.lock().get(place).map(|world| world.plant().truth())
    }

    /// A world that panicked is as far as it came; the others go on.
    fn lock(&self) -> MutexGuard<'_, Vec<World<W>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A simulated board whose worlds live on the thread that looks at it: the guard's, so that they go on when
/// everything else hangs, as real ones do.
pub struct Living<B, W> {
    board: B,
    worlds: Worlds<W>,
    clock: Box<dyn Fn() -> Timestamp + Send>,
}

impl<B: Board, W: Wires> Living<B, W> {
    /// Lets `worlds` live with `board`, by `clock`.
    pub fn new(board: B, worlds: Worlds<W>, clock: impl Fn() -> Timestamp + Send + 'static) -> Self {
        Self { board, worlds, clock: Box::new(clock) }
    }

    fn live(&self) -> Result<(), BoardError> {
        self.worlds.step((self.clock)())
    }
}

impl<B: Board, W: Wires + Send> Board for Living<B, W> {
    fn lines(&self) -> &[LineSpec] {
        self.board.lines()
    }

    fn read(&mut self, line: &str) -> Result<Level, BoardError> {
        self.board.read(line)
    }

    /// What a world sees of the line before and after lasts exactly as long as it is so.
    fn drive(&mut self, line: &str, level: Level) -> Result<(), BoardError> {
        let lived = self.live();
        // Whatever is wrong with a world, the line moves.
        self.board.drive(line, level)?;
        lived.and_then(|()| self.live())
    }

    fn edges(&mut self, now: Timestamp) -> Result<Vec<Edge>, BoardError> {
        self.live()?;
        self.board.edges(now)
    }
}
