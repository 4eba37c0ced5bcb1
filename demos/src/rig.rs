//! The board, its guard and the world behind it: inline on virtual time, on a thread of its own else.

use std::{
    sync::mpsc::{Receiver, sync_channel},
    time::Duration,
};

use coinop::{
    core::{
        Timestamp,
        board::{Board, BoardError, Level, LineSpec},
        written::Wrong,
    },
    run::{Clock, Pace},
};
use coinop_hardware::{
    guard::{Command, Keeper, Lease, Limits, Refusal, Report, Sentry, SentryError, Watchdog},
    plant::{Living, Plant, World, Worlds},
    sim::SimChip,
};

use crate::{
    board::{Plan, PlanError},
    service::Service,
};

/// How fast a person may let a run go: the guard of a simulated board is given that much more time.
pub(crate) const FASTEST: f64 = 10.0;
/// How often the line for a watchdog outside moves, at most.
const WATCHED_EVERY: Duration = Duration::from_millis(100);
/// How many reports of the guard may wait.
const REPORTS: usize = 4_096;

/// What holds for every line.
pub(crate) fn limits(speed: f64) -> Limits {
    // A thread wakes up to some milliseconds late, of real time.
    let early = Duration::from_millis(2).mul_f64(speed);
    Limits {
        longest_lease: Duration::from_hours(24),
        heartbeat: Duration::from_millis(500).mul_f64(speed.max(1.0)),
        pause: Duration::from_secs(1),
        early,
        // Longer than a small relay takes to let go.
        dead_time: Duration::from_millis(50),
    }
}

/// The hardware of one process.
pub(crate) struct Rig {
    guard: Guard,
    chip: Option<SimChip>,
    worlds: Worlds<SimChip>,
    /// Dropped after the guard: whoever hears that the program stops finds the lines safe.
    service: Service,
}

enum Guard {
    /// Stepped by the scenario, so that the same seed gives the same bytes.
    Inline(Box<Keeper>),
    /// Apart from every runtime and actor.
    Thread {
        sentry: Sentry,
        reports: Receiver<Report>,
        /// How many steps of it have been seen.
        steps: u64,
        clock: Clock,
    },
}

/// The hardware cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RigError {
    /// A line or chip cannot be had.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// The board is not as the scenario needs it, or cannot be had.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The guard is gone.
    #[error(transparent)]
    Sentry(#[from] SentryError),
    /// The watchdog's line cannot be toggled.
    #[error("no line for a watchdog: {0}")]
    Watchdog(#[from] Refusal),
    /// The watchdog's line is somebody else's.
    #[error("{line} belongs to a thing of the scenario: name a free line with --watchdog")]
    WatchdogTaken {
        /// Which line.
        line: String,
    },
}

/// Which board, and where its guard runs.
pub(crate) enum Kind {
    /// The simulated board, guarded inline.
    Virtual(Plan),
    /// The simulated board, guarded by a thread on this clock.
    Paced(Plan, Clock, f64),
    /// A real board, guarded by a thread on this clock.
    Real(Plan, Clock),
}

impl From<Wrong> for RigError {
    fn from(wrong: Wrong) -> Self {
        Self::Plan(wrong.into())
    }
}

impl Rig {
    /// Takes the board; `plants` are the simulated worlds behind it, which a real board has already. The
    /// line of a watchdog joins the others.
    pub(crate) fn new(
        kind: Kind,
        mut lines: Vec<LineSpec>,
        plants: Vec<Box<dyn Plant>>,
        watchdog: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, RigError> {
        if let Some(taken) = lines.iter().find(|spec| watchdog == Some(spec.name.as_str())) {
            return Err(RigError::WatchdogTaken { line: taken.name.clone() });
        }
        lines.extend(watchdog.map(|line| LineSpec::output(line, Level::Low)));
        let keep = |board, limits| keeper(board, limits, watchdog, now);
        match kind {
            Kind::Virtual(plan) => {
                let chip = SimChip::new(plan.fit(&lines)?.1);
                let worlds = worlds(&chip, plants);
                let limits = Limits { early: Duration::ZERO, ..limits(1.0) };
                let keeper = keep(Box::new(chip.board()?), limits)?;
                Ok(Self::of(Guard::Inline(Box::new(keeper)), Some(chip), worlds))
            }
            Kind::Paced(plan, clock, speed) => {
                let chip = SimChip::new(plan.fit(&lines)?.1);
                let worlds = worlds(&chip, plants);
                let (board, hand) = (chip.board()?, clock.clone());
                let board = Living::new(board, worlds.clone(), move || hand.now());
                let guard = Guard::post(keep(Box::new(board), limits(speed.max(FASTEST)))?, clock)?;
                Ok(Self::of(guard, Some(chip), worlds))
            }
            Kind::Real(plan, clock) => {
                let board = plan.open(&lines)?;
                let guard = Guard::post(keep(board, limits(1.0))?, clock)?;
                Ok(Self::of(guard, None, Worlds::new(Vec::new())))
            }
        }
    }

    fn of(guard: Guard, chip: Option<SimChip>, worlds: Worlds<SimChip>) -> Self {
        Self { guard, chip, worlds, service: Service::of_environment() }
    }

    /// Wants an output on until then; what came of it is among the reports, now or later.
    pub(crate) fn lease(
        &mut self,
        now: Timestamp,
        line: &str,
        until: Timestamp,
    ) -> Result<Vec<Report>, RigError> {
        let lease = Lease { line: line.to_owned(), until };
        match &mut self.guard {
            Guard::Inline(keeper) => {
                let answer = match keeper.lease(now, &lease) {
                    Ok(()) => Report::Granted { lease, at: now },
                    Err(refusal) => Report::Refused { lease, refusal },
                };
                let mut reports = vec![answer];
                reports.extend(self.step(now)?);
                Ok(reports)
            }
            Guard::Thread { sentry, .. } => {
                // A guard that is behind or gone keeps its lines safe; the heartbeat tells.
                if let Err(error) = sentry.send(Command::Lease(lease)) {
                    tracing::warn!(%error, line, "no lease");
                }
                Ok(Vec::new())
            }
        }
    }

    /// Wants an output off.
    pub(crate) fn release(&mut self, now: Timestamp, line: &str) -> Result<Vec<Report>, RigError> {
        match &mut self.guard {
            Guard::Inline(keeper) => {
                keeper.release(now, line);
                self.step(now)
            }
            Guard::Thread { sentry, .. } => {
                if let Err(error) = sentry.send(Command::Release(line.to_owned())) {
                    tracing::warn!(%error, line, "not released by hand; the lease ends by itself");
                }
                Ok(Vec::new())
            }
        }
    }

    /// Reads a line back from the board; the answer is among the reports, now or later.
    pub(crate) fn look(&mut self, now: Timestamp, line: &str) -> Vec<Report> {
        match &mut self.guard {
            Guard::Inline(keeper) => keeper.look(now, line),
            Guard::Thread { sentry, .. } => {
                if let Err(error) = sentry.send(Command::Look(line.to_owned())) {
                    tracing::warn!(%error, line, "not read back");
                }
                Vec::new()
            }
        }
    }

    /// Lives until `now`: what the guard did, and what the world did.
    pub(crate) fn step(&mut self, now: Timestamp) -> Result<Vec<Report>, RigError> {
        let reports = match &mut self.guard {
            Guard::Inline(keeper) => {
                keeper.beat(now);
                step_inline(keeper, &self.worlds, now)?
            }
            Guard::Thread { sentry, reports, .. } => {
                if let Err(SentryError::Gone) = sentry.send(Command::Beat) {
                    return Err(SentryError::Gone.into());
                }
                reports.try_iter().collect()
            }
        };
        if self.guard.is_alive() {
            self.service.beat();
        }
        Ok(reports)
    }

    /// Ends every lease; the last thing the guard does.
    pub(crate) fn end(&mut self, now: Timestamp) -> Result<Vec<Report>, RigError> {
        match &mut self.guard {
            Guard::Inline(keeper) => {
                keeper.end(now);
                Ok(step_inline(keeper, &self.worlds, now)?)
            }
            Guard::Thread { sentry, reports, .. } => {
                sentry.end();
                Ok(reports.try_iter().collect())
            }
        }
    }

    /// Does nothing for so long, nor does anybody else on this thread; the guard and the world go on. What
    /// the guard did on virtual time is told at once, else by the next step.
    pub(crate) fn hang(&mut self, now: Timestamp, lasts: Duration) -> Result<Vec<Report>, RigError> {
        let until = now.after(lasts);
        match &mut self.guard {
            Guard::Inline(keeper) => {
                let (mut at, mut reports) = (now, Vec::new());
                while at < until {
                    let wake = keeper.next_wake().into_iter().chain(self.worlds.next_wake()).min();
                    at = wake.unwrap_or(until).clamp(at.after(Duration::from_millis(1)), until);
                    reports.extend(step_inline(keeper, &self.worlds, at)?);
                }
                Ok(reports)
            }
            Guard::Thread { clock, .. } => {
                if let Pace::Real(speed) = clock.pace() {
                    std::thread::sleep(lasts.div_f64(speed));
                }
                Ok(Vec::new())
            }
        }
    }

    /// When something happens by itself.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        let guard = match &self.guard {
            Guard::Inline(keeper) => keeper.next_wake(),
            // Its thread steps the worlds as well.
            Guard::Thread { .. } => return None,
        };
        guard.into_iter().chain(self.worlds.next_wake()).min()
    }

    /// What a simulated world truly delivered; `None` when the world is real.
    pub(crate) fn truth(&self, plant: usize) -> Option<u64> {
        self.worlds.truth(plant)
    }

    /// The simulated board, to be poked and made faulty; a real one has a real world.
    pub(crate) const fn chip(&self) -> Option<&SimChip> {
        self.chip.as_ref()
    }

    /// How long outputs were on without a lease, by the guard's own account.
    pub(crate) fn unleased_on(&self) -> Duration {
        match &self.guard {
            Guard::Inline(keeper) => keeper.unleased_on(),
            Guard::Thread { sentry, .. } => sentry.unleased_on(),
        }
    }
}

impl Guard {
    fn post(keeper: Keeper, clock: Clock) -> Result<Self, RigError> {
        let (sender, reports) = sync_channel(REPORTS);
        let tell = move |report| {
            // A full queue means that nobody looks; the guard goes on guarding.
            let _ = sender.try_send(report);
        };
        let hand = clock.clone();
        let sentry = Sentry::post(keeper, move || hand.now(), tell)?;
        Ok(Self::Thread { sentry, reports, steps: 0, clock })
    }

    /// Whether it has looked at its lines since the last time this was asked.
    fn is_alive(&mut self) -> bool {
        match self {
            // It was stepped by who asks.
            Self::Inline(_) => true,
            Self::Thread { sentry, steps, .. } => std::mem::replace(steps, sentry.steps()) < *steps,
        }
    }
}

fn worlds(chip: &SimChip, plants: Vec<Box<dyn Plant>>) -> Worlds<SimChip> {
    Worlds::new(plants.into_iter().map(|plant| World::new(chip.clone(), plant)).collect())
}

/// The world sees what the guard does, and the guard what the world does.
fn step_inline(
    keeper: &mut Keeper,
    worlds: &Worlds<SimChip>,
    now: Timestamp,
) -> Result<Vec<Report>, BoardError> {
    worlds.step(now)?;
    let reports = keeper.step(now);
    worlds.step(now)?;
    Ok(reports)
}

fn keeper(
    board: Box<dyn Board>,
    limits: Limits,
    watchdog: Option<&str>,
    now: Timestamp,
) -> Result<Keeper, RigError> {
    let mut keeper = Keeper::new(board, limits, now);
    if let Some(line) = watchdog {
        keeper.toggle(&Watchdog { line: line.to_owned(), every: WATCHED_EVERY })?;
    }
    Ok(keeper)
}
