use std::{collections::BTreeSet, time::Duration};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Direction, Edge, Level},
};

use super::{Drive, Guard, Lease, Limits, Refusal, Trip};

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
    /// An input changed.
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
        Self { guard: Guard::new(board.lines(), limits, now), board, told: Told::default() }
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

    /// When the next step is due for the outputs' sake; inputs want to be looked at more often.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.guard.next_wake()
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
                Ok(level) => reports.push(Report::Line { line, level, at: now }),
                Err(error) => self.fail(now, BoardError { line, ..error }, reports),
            }
        }
    }

    fn take_edges(&mut self, now: Timestamp, reports: &mut Vec<Report>) {
        match self.board.edges(now) {
            Ok(edges) => reports.extend(edges.into_iter().map(Report::Edge)),
            // The meter's loss, not a reason to distrust the outputs.
            Err(error) if error.kind == BoardErrorKind::EdgesLost => reports.push(Report::Fault(error)),
            Err(error) => self.fail(now, error, reports),
        }
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
    fn drop(&mut self) {
        let outputs = self.board.lines().iter().filter(|spec| spec.direction == Direction::Output);
        let safe: Vec<_> = outputs.map(|spec| (spec.name.clone(), spec.safe)).collect();
        for (line, level) in safe {
            // Nobody is left to tell; the board itself lets go of its lines right after.
            let _ = self.board.drive(&line, level);
        }
    }
}
