//! Works the agenda off, in virtual or in real time.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use coinop_core::Timestamp;

use crate::{journal::JournalError, shell::Shell};

/// How often a person gets to see and to touch a run, of real time.
pub const FRAME: Duration = Duration::from_millis(33);

/// How scenario time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as the work gets done: time moves only when nothing is left to do at this moment.
    Max,
    /// This many scenario seconds a real second.
    Real(f64),
    /// Not at all, until told otherwise; then at this pace.
    Paused(f64),
}

/// What the one who watches wants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Go on at another pace.
    Pace(Pace),
    /// Stop now.
    Quit,
}

/// Why a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The time was up.
    TimeUp,
    /// The one who watches had enough.
    Quit,
}

/// Turns real time into scenario time; clones are the same clock, also on other threads.
///
/// At [`Pace::Max`] it stands still: there the agenda moves the time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<Mutex<Watch>>);

#[derive(Clone, Copy, Debug)]
struct Watch {
    pace: Pace,
    began: Instant,
    base: Timestamp,
}

impl Clock {
    /// A clock that shows `now` and goes at `pace`.
    pub fn new(pace: Pace, now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Watch { pace, began: Instant::now(), base: now })))
    }

    /// The present moment of the scenario.
    pub fn now(&self) -> Timestamp {
        self.watch().now()
    }

    /// How fast it goes.
    pub fn pace(&self) -> Pace {
        self.watch().pace
    }

    /// Goes on at another pace.
    pub fn set_pace(&self, pace: Pace) {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *watch = Watch { pace, began: Instant::now(), base: watch.now() };
    }

    fn watch(&self) -> Watch {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long, in real time, until the scenario's `then`.
    fn until(&self, now: Timestamp, then: Timestamp) -> Duration {
        match self.pace() {
            Pace::Max => Duration::ZERO,
            Pace::Paused(_) => FRAME,
            Pace::Real(speed) => then.since(now).div_f64(speed),
        }
    }
}

impl Watch {
    fn now(&self) -> Timestamp {
        match self.pace {
            Pace::Max | Pace::Paused(_) => self.base,
            Pace::Real(speed) => self.base.after(self.began.elapsed().mul_f64(speed)),
        }
    }
}

/// Runs until scenario time `until`, calling `frame` about every [`FRAME`] of real time.
///
/// # Errors
///
/// [`JournalError`] when something could not be made durable: nothing of it was told, and the
/// process must stop.
pub async fn run(
    shell: &Shell,
    clock: &Clock,
    until: Timestamp,
    frame: &mut dyn FnMut() -> Control,
) -> Result<Ended, JournalError> {
    let mut last_frame = Instant::now();
    loop {
        shell.agenda().advance(clock.now().min(until));
        let idle = work(shell, last_frame).await?;
        if idle && shell.now() >= until {
            return Ok(Ended::TimeUp);
        }
        if last_frame.elapsed() >= FRAME {
            last_frame = Instant::now();
            match frame() {
                Control::Continue => {}
                Control::Pace(pace) => clock.set_pace(pace),
                Control::Quit => return Ok(Ended::Quit),
            }
            // A run that is never idle would keep everybody else on this thread waiting: signals, too.
            tokio::task::yield_now().await;
        }
        if idle {
            let next = shell.agenda().next().map_or(until, |at| at.min(until));
            let to_frame = FRAME.saturating_sub(last_frame.elapsed());
            let pause = match clock.pace() {
                Pace::Max if shell.agenda().away() == 0 => {
                    shell.agenda().advance(next);
                    continue;
                }
                Pace::Max => to_frame,
                Pace::Real(_) | Pace::Paused(_) => clock.until(shell.now(), next).min(to_frame),
            };
            shell.agenda().rest(tokio::time::sleep(pause)).await;
        }
    }
}

/// Does what is due, and says whether nothing is left to do at this moment.
async fn work(shell: &Shell, since: Instant) -> Result<bool, JournalError> {
    loop {
        shell.agenda().look_outside().await;
        while let Some((rank, task)) = shell.agenda().due() {
            shell.agenda().work_on(rank, task).await;
            if shell.is_full() {
                shell.settle()?;
            } else {
                shell.overlap()?;
            }
            if since.elapsed() >= FRAME {
                return Ok(false);
            }
        }
        if shell.is_committing() {
            if !shell.finish(FRAME.saturating_sub(since.elapsed()))? {
                return Ok(false);
            }
        } else if !shell.settle()? {
            return Ok(true);
        }
    }
}
