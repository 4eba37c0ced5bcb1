use std::time::Duration;

use coinop_core::{
    Timestamp,
    board::{Level, LineSpec},
};

use super::{Limits, RETRY};

/// The smallest step of the clock: nothing is due sooner.
const MOMENT: Duration = Duration::from_millis(1);

/// One output under guard. "On" is its unsafe level, whichever that is.
#[derive(Clone, Debug)]
pub(super) struct Guarded {
    safe: Level,
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
    retry_at: Option<Timestamp>,
}

impl Guarded {
    pub(super) fn new(spec: &LineSpec, now: Timestamp) -> Self {
        Self {
            safe: spec.safe,
            max_on: spec.max_on,
            until: None,
            level: spec.safe,
            unleased_on: Duration::ZERO,
            on_time: Duration::ZERO,
            off_since: now,
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

    /// The level to drive now, when it is another one than the line has.
    pub(super) fn step(&mut self, now: Timestamp, limits: &Limits) -> Option<Level> {
        self.until = self.until.filter(|until| *until > now.after(limits.early));
        if !self.is_on() && now.since(self.off_since) >= limits.pause.max(MOMENT) {
            self.on_time = Duration::ZERO;
        }
        let wanted = if self.until.is_some() && !self.is_spent() { !self.safe } else { self.safe };
        if wanted == self.level || self.retry_at.is_some_and(|retry| retry > now) {
            return None;
        }
        if wanted == self.safe {
            self.off_since = now;
        }
        self.level = wanted;
        self.retry_at = None;
        Some(wanted)
    }

    /// When the level changes by itself.
    pub(super) fn next_wake(&self, now: Timestamp, limits: &Limits) -> Option<Timestamp> {
        if self.retry_at.is_some() {
            return self.retry_at;
        }
        let until = self.until?;
        let ends = until.since(now).saturating_sub(limits.early);
        let turns = match (self.is_on(), self.max_on) {
            (true, Some(max_on)) => max_on.saturating_sub(self.on_time),
            (false, Some(_)) if self.is_spent() => limits.pause.saturating_sub(now.since(self.off_since)),
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

    fn is_spent(&self) -> bool {
        self.max_on.is_some_and(|max_on| self.on_time >= max_on)
    }
}
