use std::{cmp::Reverse, collections::BTreeSet, time::Duration};

use coinop_core::{
    Timestamp,
    board::{Level, LineSpec},
};

use super::{Limits, RETRY};

/// The smallest step of the clock: nothing is due sooner.
pub(super) const MOMENT: Duration = Duration::from_millis(1);

/// One output under guard. "On" is its unsafe level, whichever that is.
#[derive(Clone, Debug)]
pub(super) struct Guarded {
    safe: Level,
    /// Its place on the allow-list.
    place: usize,
    /// The outputs that are never on with it.
    foes: BTreeSet<String>,
    max_on: Option<Duration>,
    /// The end of the lease.
    pub(super) until: Option<Timestamp>,
    /// The level it was last driven to; the unsafe one when in doubt.
    pub(super) level: Level,
    /// Time on without a lease.
    pub(super) unleased_on: Duration,
    /// Time on since the last full pause.
    on_time: Duration,
    off_since: Timestamp,
    /// Which of all that went on it was when it went on last.
    went_on: u64,
    retry_at: Option<Timestamp>,
}

impl Guarded {
    pub(super) fn new(spec: &LineSpec, place: usize, foes: BTreeSet<String>, now: Timestamp) -> Self {
        Self {
            safe: spec.safe,
            place,
            foes,
            max_on: spec.max_on,
            until: None,
            level: spec.safe,
            unleased_on: Duration::ZERO,
            on_time: Duration::ZERO,
            off_since: now,
            went_on: 0,
            retry_at: None,
        }
    }

    /// Books the time from `then` to `now`, in which level and lease did not change.
    pub(super) fn advance(&mut self, then: Timestamp, now: Timestamp) {
        if !self.is_on() {
            return;
        }
        let leased_to = self.until.unwrap_or(then).clamp(then, now);
        self.unleased_on += now.since(leased_to);
        self.on_time += now.since(then);
    }

    /// Lets a lease that is over go, and says whether the line has to be driven safe now.
    pub(super) fn step_safe(&mut self, now: Timestamp, limits: &Limits) -> bool {
        self.until = self.until.filter(|until| *until > now.after(limits.early));
        if !self.is_on() && now.since(self.off_since) >= limits.pause.max(MOMENT) {
            self.on_time = Duration::ZERO;
        }
        let waits = self.retry_at.is_some_and(|retry| retry > now);
        if !self.is_on() || waits || self.may_be_on() {
            return false;
        }
        self.off_since = now;
        self.level = self.safe;
        self.retry_at = None;
        true
    }

    /// Whether it would go on, as far as it alone is concerned.
    pub(super) fn wants_on(&self) -> bool {
        !self.is_on() && self.may_be_on()
    }

    /// Goes on as the `went_on`th; gives the level to drive.
    pub(super) fn turn_on(&mut self, went_on: u64) -> Level {
        self.went_on = went_on;
        self.level = !self.safe;
        self.level
    }

    /// From when on it keeps nothing off that is never on with it.
    pub(super) fn clear_from(&self, dead_time: Duration) -> Timestamp {
        if self.is_on() { Timestamp::from_millis(u64::MAX) } else { self.off_since.after(dead_time) }
    }

    /// Whether it is on, or may go on by itself.
    pub(super) fn is_taken(&self, now: Timestamp) -> bool {
        self.is_on() || self.until.is_some_and(|until| until > now)
    }

    /// Smaller goes safe first.
    pub(super) fn stop_rank(&self) -> (Reverse<u64>, Reverse<usize>) {
        (Reverse(if self.is_on() { self.went_on } else { 0 }), Reverse(self.place))
    }

    pub(super) const fn safe(&self) -> Level {
        self.safe
    }

    pub(super) const fn place(&self) -> usize {
        self.place
    }

    pub(super) const fn foes(&self) -> &BTreeSet<String> {
        &self.foes
    }

    /// When the level changes by itself; before `free_from` it cannot go on.
    pub(super) fn next_wake(
        &self,
        now: Timestamp,
        limits: &Limits,
        free_from: Timestamp,
    ) -> Option<Timestamp> {
        if self.retry_at.is_some() {
            return self.retry_at;
        }
        let until = self.until?;
        let ends = until.since(now).saturating_sub(limits.early);
        let turns = match (self.is_on(), self.max_on) {
            (true, Some(max_on)) => max_on.saturating_sub(self.on_time),
            (false, Some(_)) if self.is_spent() => limits.pause.saturating_sub(now.since(self.off_since)),
            (false, _) if free_from > now => free_from.since(now),
            (true | false, _) => ends,
        };
        Some(now.after(ends.min(turns).max(MOMENT)))
    }

    /// Takes the line as on, since nobody knows, and has it driven safe a little later.
    pub(super) fn doubt(&mut self, now: Timestamp) {
        self.level = !self.safe;
        self.retry_at = Some(now.after(RETRY));
    }

    fn is_on(&self) -> bool {
        self.level != self.safe
    }

    fn may_be_on(&self) -> bool {
        self.until.is_some() && !self.is_spent()
    }

    fn is_spent(&self) -> bool {
        self.max_on.is_some_and(|max_on| self.on_time >= max_on)
    }
}
