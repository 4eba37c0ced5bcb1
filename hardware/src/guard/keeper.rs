use std::{collections::BTreeSet, time::Duration};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Edge, Level},
};

use super::{Drive, Guard, Lease, Limits, Refusal, Trip, Watchdog, debounce::Debounce};

/// What a [`Keeper`] has to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// An output was driven; at the first step, the level that each line has.
    Line {
        /// Which line.
        line: String,
        /// Its level.
        level: Level,
        /// Since when.
        at: Timestamp,
    },
    /// A line was looked at, as was asked: an output is read back from the board.
    Seen {
        /// Which line.
        line: String,
        /// The level that the board reads.
        level: Level,
        /// When.
        at: Timestamp,
    },
    /// An input changed, and kept its level as long as its debounce.
    Edge(Edge),
    /// A lease was granted and replaces the line's lease.
    Granted {
        /// What was asked for.
        lease: Lease,
        /// From when on it holds.
        at: Timestamp,
    },
    /// A lease was turned down.
    Refused {
        /// What was asked for.
        lease: Lease,
        /// Why not.
        refusal: Refusal,
    },
    /// A line failed for the first time, or edges were lost.
    Fault(BoardError),
    /// Every lease is void and no more are granted.
    Tripped(Trip),
    /// Leases are granted again.
    Mended,
}

/// A board and the guard of its outputs: does what the guard decides.
///
/// Whatever happens to the keeper, its board's outputs end at their safe levels.
pub struct Keeper {
    guard: Guard,
    board: Box<dyn Board>,
    debounce: Debounce,
    told: Told,
}

/// What has been reported, so that it is reported once.
#[derive(Default)]
struct Told {
    levels: bool,
    faults: BTreeSet<String>,
    trip: Option<Trip>,
}

impl Keeper {
    /// Guards `board` from `now` on; that is the first beat.
    pub fn new(board: Box<dyn Board>, limits: Limits, now: Timestamp) -> Self {
        let (guard, debounce) = (Guard::new(board.lines(), limits, now), Debounce::new(board.lines()));
        Self { guard, board, debounce, told: Told::default() }
    }

    /// Toggles an output for a watchdog outside; how it moves is not told.
    ///
    /// # Errors
    ///
    /// As [`Guard::toggle`].
    pub fn toggle(&mut self, watchdog: &Watchdog) -> Result<(), Refusal> {
        self.guard.toggle(watchdog)
    }

    /// Grants a lease; the line moves at the next [`step`](Keeper::step).
    ///
    /// # Errors
    ///
    /// As [`Guard::lease`].
    pub fn lease(&mut self, now: Timestamp, lease: &Lease) -> Result<(), Refusal> {
        self.guard.lease(now, lease)
    }

    /// Ends a line's lease; the line moves at the next [`step`](Keeper::step).
    pub fn release(&mut self, now: Timestamp, line: &str) {
        self.guard.release(now, line);
    }

    /// Reads a line from the board, outputs included. A line that is not on the allow-list is told as a
    /// fault and harms nobody; one that cannot be read is a failure of the board.
    pub fn look(&mut self, now: Timestamp, line: &str) -> Vec<Report> {
        let line = line.to_owned();
        match self.board.read(&line) {
            Ok(level) => vec![Report::Seen { line, level, at: now }],
            Err(error) if error.kind == BoardErrorKind::NoSuchLine => vec![Report::Fault(error)],
            Err(error) => {
                let mut reports = Vec::new();
                self.fail(now, BoardError { line, ..error }, &mut reports);
                reports
            }
        }
    }

    /// Ends every lease; the lines move at the next [`step`](Keeper::step), in their order.
    pub fn end(&mut self, now: Timestamp) {
        self.guard.end(now);
    }

    /// Says that the owner is alive. On virtual time, beat before every step.
    pub fn beat(&mut self, now: Timestamp) {
        self.guard.beat(now);
    }

    /// Drives what is due and takes the edges; tells what changed.
    pub fn step(&mut self, now: Timestamp) -> Vec<Report> {
        let mut reports = Vec::new();
        if !self.told.levels {
            self.told.levels = true;
            self.tell_levels(now, &mut reports);
        }
        self.take_edges(now, &mut reports);
        self.drive_what_is_due(now, &mut reports);
        self.tell_trip(&mut reports);
        reports
    }

    /// When the next step is due by itself; new edges want to be looked for more often.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.guard.next_wake().into_iter().chain(self.debounce.next_wake()).min()
    }

    /// The rules and what they hold at present.
    pub const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// How long outputs were on without a lease, all lines together.
    pub fn unleased_on(&self) -> Duration {
        self.guard.unleased_on()
    }

    fn tell_levels(&mut self, now: Timestamp, reports: &mut Vec<Report>) {
        let lines: Vec<String> = self.board.lines().iter().map(|spec| spec.name.clone()).collect();
        for line in lines {
            match self.board.read(&line) {
                Ok(level) => {
                    self.debounce.told(&line, level);
                    reports.push(Report::Line { line, level, at: now });
                }
                Err(error) => self.fail(now, BoardError { line, ..error }, reports),
            }
        }
    }

    fn take_edges(&mut self, now: Timestamp, reports: &mut Vec<Report>) {
        match self.board.edges(now) {
            Ok(edges) => self.tell_edges(edges, now, reports),
            // The meter's loss, not a reason to distrust the outputs.
            Err(error) if error.kind == BoardErrorKind::EdgesLost => {
                reports.push(Report::Fault(error));
                let edges = self.look_again(now, reports);
                self.tell_edges(edges, now, reports);
            }
            Err(error) => {
                self.tell_edges(Vec::new(), now, reports);
                self.fail(now, error, reports);
            }
        }
    }

    fn tell_edges(&mut self, edges: Vec<Edge>, now: Timestamp, reports: &mut Vec<Report>) {
        reports.extend(self.debounce.pass(edges, now).into_iter().map(Report::Edge));
    }

    /// What has a debounce is taken at the level it has now, whatever was lost.
    fn look_again(&mut self, now: Timestamp, reports: &mut Vec<Report>) -> Vec<Edge> {
        let mut edges = Vec::new();
        for line in self.debounce.lines() {
            match self.board.read(&line) {
                Ok(level) => edges.push(Edge { line, level, at: now }),
                Err(error) => self.fail(now, BoardError { line, ..error }, reports),
            }
        }
        edges
    }

    /// Ends because every failure silences the line it is about until the guard tries it again.
    fn drive_what_is_due(&mut self, now: Timestamp, reports: &mut Vec<Report>) {
        loop {
            let due = self.guard.step(now);
            if due.is_empty() {
                return;
            }
            for Drive { line, level } in due {
                match self.board.drive(&line, level) {
                    Ok(()) if self.guard.is_watchdog(&line) => {}
                    Ok(()) => reports.push(Report::Line { line, level, at: now }),
                    Err(error) => self.fail(now, BoardError { line, ..error }, reports),
                }
            }
        }
    }

    fn fail(&mut self, now: Timestamp, error: BoardError, reports: &mut Vec<Report>) {
        if self.told.faults.insert(error.line.clone()) {
            reports.push(Report::Fault(error.clone()));
        }
        self.guard.fail(now, error);
    }

    fn tell_trip(&mut self, reports: &mut Vec<Report>) {
        let trip = self.guard.trip();
        if trip == self.told.trip.as_ref() {
            return;
        }
        self.told.trip = trip.cloned();
        reports.push(trip.cloned().map_or(Report::Mended, Report::Tripped));
    }
}

impl Drop for Keeper {
    /// In the order in which the outputs go safe together.
    fn drop(&mut self) {
        for Drive { line, level } in self.guard.stop_order() {
            // Nobody is left to tell; the board itself lets go of its lines right after.
            let _ = self.board.drive(&line, level);
        }
    }
}
