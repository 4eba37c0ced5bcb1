//! Works the agenda off, in virtual or in real time.

use std::time::{Duration, Instant};

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
    /// Not at all, until told otherwise.
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

/// Runs until scenario time `until`, calling `frame` about every [`FRAME`] of real time.
///
/// # Errors
///
/// [`JournalError`] when something could not be made durable: nothing of it was told, and the
/// process must stop.
pub async fn run(
    shell: &Shell,
    pace: Pace,
    until: Timestamp,
    frame: &mut dyn FnMut() -> Control,
) -> Result<Ended, JournalError> {
    let mut watch = Watch::start(pace, shell.now());
    let mut last_frame = Instant::now();
    loop {
        shell.agenda().advance(watch.now(shell.now(), until));
        let idle = work(shell, last_frame).await?;
        if idle && shell.now() >= until {
            return Ok(Ended::TimeUp);
        }
        if last_frame.elapsed() >= FRAME {
            last_frame = Instant::now();
            match frame() {
                Control::Continue => {}
                Control::Pace(pace) => watch = Watch::start(pace, shell.now()),
                Control::Quit => return Ok(Ended::Quit),
            }
        }
        if idle {
            match watch.pace {
                Pace::Max => shell.agenda().advance(shell.agenda().next().map_or(until, |at| at.min(until))),
                Pace::Real(_) | Pace::Paused(_) => {
                    let to_frame = FRAME.saturating_sub(last_frame.elapsed());
                    tokio::time::sleep(watch.nap(shell, until).min(to_frame)).await;
                }
            }
        }
    }
}

/// Does what is due, and says whether nothing is left to do at this moment.
async fn work(shell: &Shell, since: Instant) -> Result<bool, JournalError> {
    loop {
        while let Some(task) = shell.agenda().due() {
            task.await;
            if shell.is_full() {
                shell.settle()?;
            }
            if since.elapsed() >= FRAME {
                return Ok(false);
            }
        }
        if !shell.settle()? {
            return Ok(true);
        }
    }
}

/// Turns real time into scenario time.
struct Watch {
    pace: Pace,
    began: Instant,
    base: Timestamp,
}

impl Watch {
    fn start(pace: Pace, base: Timestamp) -> Self {
        Self { pace, began: Instant::now(), base }
    }

    fn now(&self, present: Timestamp, until: Timestamp) -> Timestamp {
        match self.pace {
            Pace::Max | Pace::Paused(_) => present,
            Pace::Real(speed) => self.base.after(self.began.elapsed().mul_f64(speed)).min(until),
        }
    }

    /// How long, in real time, until something is due.
    fn nap(&self, shell: &Shell, until: Timestamp) -> Duration {
        match self.pace {
            Pace::Max => Duration::ZERO,
            Pace::Paused(_) => FRAME,
            Pace::Real(speed) => {
                let next = shell.agenda().next().map_or(until, |at| at.min(until));
                next.since(shell.now()).div_f64(speed)
            }
        }
    }
}
