//! Nothing moves without a lease: the guard decides what each output line may do, and when it stops.
//!
//! [`Guard`] is the rules, a value without a clock or a board. [`Keeper`] holds it together with the board
//! it guards; virtual time steps a keeper inline. [`Sentry`] is a keeper on a thread of its own, which
//! outlives whatever happens to the program around it.
//!
//! What goes safe goes in the reverse of the order in which it went on, and before anything else goes on.

mod debounce;
mod keeper;
mod line;
#[cfg(test)]
mod properties;
mod refusal;
mod sentry;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod together;
mod watchdog;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use coinop_core::{
    Timestamp,
    board::{BoardError, Direction, Level, LineSpec},
};
use serde::{Deserialize, Serialize};

use line::Guarded;

pub use keeper::{Keeper, Report};
pub use refusal::{Refusal, Trip};
pub use sentry::{Command, Sentry, SentryError};
pub use watchdog::Watchdog;

/// How long to wait before a line that could not be driven safe is driven again.
const RETRY: Duration = Duration::from_millis(50);

/// Permission for one output to be at its unsafe level, until a moment and not longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The output it is for.
    pub line: String,
    /// The first moment at which the line is safe again.
    pub until: Timestamp,
}

/// What holds for every line of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The furthest ahead a lease may end; further is refused.
    pub longest_lease: Duration,
    /// How long the owner may be silent before everything is driven safe.
    pub heartbeat: Duration,
    /// How long a line rests after its maximum on-time; a millisecond at least.
    pub pause: Duration,
    /// How long before the end of its lease a line is driven safe: as much as the guard's thread may wake
    /// too late. Nothing on virtual time.
    pub early: Duration,
    /// How long an output rests at its safe level before one that is never on with it goes on: as long as
    /// the slower of the two relays needs to let go. It counts from the guard's start, too.
    pub dead_time: Duration,
}

/// A level to be driven now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drive {
    /// The output.
    pub line: String,
    /// Its level from now on.
    pub level: Level,
}

/// The rules of the outputs: leases, maximum on-time, interlocks, heartbeat, and a safe level for every other
/// moment.
///
/// It owns no board and no clock. Every call takes the present moment; one that lies before the last is
/// taken as the last. After a change call [`step`](Guard::step) and drive what it returns.
#[derive(Clone, Debug)]
pub struct Guard {
    limits: Limits,
    outputs: BTreeMap<String, Guarded>,
    inputs: Vec<String>,
    watchdog: Option<watchdog::Toggling>,
    now: Timestamp,
    last_beat: Timestamp,
    trip: Option<Trip>,
    /// How often a line has gone on so far.
    went_on: u64,
}

impl Guard {
    /// Guards the outputs among `lines`, which the board holds at their safe levels; the first beat is
    /// `now`. An interlock holds both ways, whichever of the two lines names the other.
    pub fn new(lines: &[LineSpec], limits: Limits, now: Timestamp) -> Self {
        let is_output = |spec: &&LineSpec| spec.direction == Direction::Output;
        let outputs = lines
            .iter()
            .filter(is_output)
            .enumerate()
            .map(|(place, spec)| (spec.name.clone(), Guarded::new(spec, place, foes(lines, spec), now)))
            .collect();
        let inputs = lines.iter().filter(|spec| !is_output(spec)).map(|spec| spec.name.clone()).collect();
        Self { limits, outputs, inputs, watchdog: None, now, last_beat: now, trip: None, went_on: 0 }
    }

    /// Takes an output out of everybody's hands and toggles it while nothing is wrong. Without a beat, and
    /// once the board has failed, it rests at its safe level.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownLine`] or [`Refusal::Input`]; the guard is as it was.
    pub fn toggle(&mut self, watchdog: &Watchdog) -> Result<(), Refusal> {
        let Some(output) = self.outputs.remove(&watchdog.line) else {
            return Err(self.no_such_output(&watchdog.line));
        };
        self.watchdog = Some(watchdog::Toggling::new(watchdog, output.safe(), self.now));
        Ok(())
    }

    /// Lets a line be at its unsafe level until the lease ends. It replaces the line's lease, so it
    /// extends as well as shortens; one that is over already ends the line's lease. Within
    /// [`Limits::dead_time`] of one that is never on with it the line waits, inside its lease.
    ///
    /// # Errors
    ///
    /// The [`Refusal`]; the line keeps the lease it had.
    pub fn lease(&mut self, now: Timestamp, lease: &Lease) -> Result<(), Refusal> {
        self.advance(now);
        self.trip_when_silent();
        if let Some(trip) = &self.trip {
            return Err(Refusal::Tripped(trip.clone()));
        }
        let latest = self.now.after(self.limits.longest_lease);
        if !self.outputs.contains_key(&lease.line) {
            return Err(self.no_such_output(&lease.line));
        }
        if lease.until > latest {
            return Err(Refusal::TooFar { line: lease.line.clone(), until: lease.until, latest });
        }
        if let Some(other) = self.interlocked(lease) {
            return Err(Refusal::Interlocked { line: lease.line.clone(), other });
        }
        if let Some(output) = self.outputs.get_mut(&lease.line) {
            output.until = Some(lease.until);
        }
        Ok(())
    }

    /// Ends a line's lease now; a line without one stays as it is.
    pub fn release(&mut self, now: Timestamp, line: &str) {
        self.advance(now);
        if let Some(output) = self.outputs.get_mut(line) {
            output.until = None;
        }
    }

    /// Ends every lease now: the owner has nothing more to do.
    pub fn end(&mut self, now: Timestamp) {
        self.advance(now);
        self.void();
    }

    /// Says that the owner is alive. A beat that comes too late mends the silence, but the leases from
    /// before are void.
    pub fn beat(&mut self, now: Timestamp) {
        self.advance(now);
        if self.now > self.silent_from() {
            self.trip_when_silent();
        }
        self.last_beat = self.now;
        if matches!(self.trip, Some(Trip::Silent { .. })) {
            self.trip = None;
        }
    }

    /// Says that the board failed: every lease is void, nothing more is granted, and the line the error
    /// names is taken as on until it has been driven safe.
    pub fn fail(&mut self, now: Timestamp, error: BoardError) {
        self.advance(now);
        if let Some(output) = self.outputs.get_mut(&error.line) {
            output.doubt(self.now);
        }
        self.void();
        // A failure is the graver of the two reasons, and the first failure the one to look into.
        if !matches!(self.trip, Some(Trip::Board(_))) {
            self.trip = Some(Trip::Board(error));
        }
    }

    /// What must be driven now, in this order. The guard takes it as done; say so with
    /// [`fail`](Guard::fail) when not.
    #[must_use = "the lines are not driven yet"]
    pub fn step(&mut self, now: Timestamp) -> Vec<Drive> {
        self.advance(now);
        self.trip_when_silent();
        let mut drives = self.drive_safe();
        self.drive_on(&mut drives);
        let is_well = self.trip.is_none();
        drives.extend(self.watchdog.as_mut().and_then(|watchdog| watchdog.step(self.now, is_well)));
        drives
    }

    /// When the next [`step`](Guard::step) is due, if nothing else happens; later than the last step.
    pub fn next_wake(&self) -> Option<Timestamp> {
        let leased = self.outputs.values().any(|output| output.until.is_some());
        let watched = self.watchdog.as_ref().filter(|_| self.trip.is_none());
        self.outputs
            .values()
            .filter_map(|output| output.next_wake(self.now, &self.limits, self.free_from(output)))
            .chain((leased || watched.is_some()).then(|| self.silent_from()))
            .chain(watched.map(|watchdog| watchdog.next_wake(self.now)))
            .min()
    }

    /// The order in which the outputs go safe when all have to: what went on last goes first. What is not
    /// on follows, in the reverse order of the allow-list; a watchdog is the last.
    pub fn stop_order(&self) -> Vec<Drive> {
        let mut outputs: Vec<_> = self.outputs.iter().collect();
        outputs.sort_by_key(|(_, output)| output.stop_rank());
        let watchdog = self.watchdog.iter().map(watchdog::Toggling::stop);
        outputs
            .into_iter()
            .map(|(line, output)| Drive { line: line.clone(), level: output.safe() })
            .chain(watchdog)
            .collect()
    }

    /// Whether the guard toggles this line itself.
    pub fn is_watchdog(&self, line: &str) -> bool {
        self.watchdog.as_ref().is_some_and(|watchdog| watchdog.is(line))
    }

    /// The leases that hold, by line.
    pub fn leases(&self) -> impl Iterator<Item = Lease> + '_ {
        self.outputs
            .iter()
            .filter_map(|(line, output)| output.until.map(|until| Lease { line: line.clone(), until }))
    }

    /// The level an output is driven to.
    pub fn level(&self, line: &str) -> Option<Level> {
        self.outputs.get(line).map(|output| output.level)
    }

    /// Why nothing is granted at present.
    pub const fn trip(&self) -> Option<&Trip> {
        self.trip.as_ref()
    }

    /// How long outputs stood at their unsafe level without a lease, all lines together. Not nothing is a
    /// fault of the guard, of its thread's punctuality, or of the board.
    pub fn unleased_on(&self) -> Duration {
        self.outputs.values().map(|output| output.unleased_on).sum()
    }

    /// The same for a single line.
    pub fn unleased_on_of(&self, line: &str) -> Option<Duration> {
        self.outputs.get(line).map(|output| output.unleased_on)
    }

    /// Puts off what may no longer be on, the last that went on first.
    fn drive_safe(&mut self) -> Vec<Drive> {
        let (now, limits) = (self.now, self.limits);
        let mut off: Vec<_> = self
            .outputs
            .iter_mut()
            .filter_map(|(line, output)| {
                let rank = output.stop_rank();
                output.step_safe(now, &limits).then(|| (rank, line.clone(), output.safe()))
            })
            .collect();
        off.sort();
        off.into_iter().map(|(_, line, level)| Drive { line, level }).collect()
    }

    /// Puts on what may be on, in the order of the allow-list.
    fn drive_on(&mut self, drives: &mut Vec<Drive>) {
        let mut due: Vec<_> = self
            .outputs
            .iter()
            .filter(|(_, output)| output.wants_on() && self.free_from(output) <= self.now)
            .map(|(line, output)| (output.place(), line.clone()))
            .collect();
        due.sort();
        for (_, line) in due {
            if let Some(output) = self.outputs.get_mut(&line) {
                self.went_on += 1;
                drives.push(Drive { line, level: output.turn_on(self.went_on) });
            }
        }
    }

    /// From when on nothing that is never on with it keeps an output off.
    fn free_from(&self, output: &Guarded) -> Timestamp {
        let foes = output.foes().iter().filter_map(|foe| self.outputs.get(foe));
        foes.map(|foe| foe.clear_from(self.limits.dead_time)).max().unwrap_or_default()
    }

    /// What keeps a lease from being granted; nothing keeps it from ending one.
    fn interlocked(&self, lease: &Lease) -> Option<String> {
        if lease.until <= self.now {
            return None;
        }
        let foes = self.outputs.get(&lease.line)?.foes();
        foes.iter().find(|foe| self.outputs.get(*foe).is_some_and(|foe| foe.is_taken(self.now))).cloned()
    }

    /// Books the time since the last call under the levels and leases that held in it.
    fn advance(&mut self, now: Timestamp) {
        let now = now.max(self.now);
        for output in self.outputs.values_mut() {
            output.advance(self.now, now);
        }
        self.now = now;
    }

    fn trip_when_silent(&mut self) {
        if self.now >= self.silent_from() {
            self.void();
            self.trip.get_or_insert(Trip::Silent { last: self.last_beat });
        }
    }

    fn silent_from(&self) -> Timestamp {
        self.last_beat.after(self.limits.heartbeat)
    }

    fn void(&mut self) {
        for output in self.outputs.values_mut() {
            output.until = None;
        }
    }

    fn no_such_output(&self, line: &str) -> Refusal {
        if self.is_watchdog(line) {
            return Refusal::Watchdog { line: line.to_owned() };
        }
        if self.inputs.iter().any(|input| input == line) {
            return Refusal::Input { line: line.to_owned() };
        }
        Refusal::UnknownLine { line: line.to_owned(), known: self.outputs.keys().cloned().collect() }
    }
}

/// The outputs that are never on with this one, whichever of the two says so.
fn foes(lines: &[LineSpec], spec: &LineSpec) -> BTreeSet<String> {
    let named = lines.iter().filter(|other| {
        other.name != spec.name
            && other.direction == Direction::Output
            && (spec.never_with.contains(&other.name) || other.never_with.contains(&spec.name))
    });
    named.map(|other| other.name.clone()).collect()
}
