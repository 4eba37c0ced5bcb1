use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use coinop_core::Timestamp;

use super::{Keeper, Lease, Report};

/// How many commands may wait; more than a whole street sends in a second.
const COMMANDS: usize = 256;
/// How often the inputs are looked at.
const WATCH: Duration = Duration::from_millis(1);

/// What a [`Sentry`] is asked to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// As [`Keeper::lease`]; answered by [`Report::Granted`] or [`Report::Refused`].
    Lease(Lease),
    /// As [`Keeper::release`].
    Release(String),
    /// As [`Keeper::look`]; answered by [`Report::Seen`] or [`Report::Fault`].
    Look(String),
    /// As [`Keeper::beat`].
    Beat,
}

/// A command did not reach the guard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SentryError {
    /// The guard's thread did not start.
    #[error("the guard's thread did not start")]
    Start(#[source] io::Error),
    /// Too many commands wait; later may do.
    #[error("the guard is behind with {COMMANDS} commands")]
    Behind,
    /// The guard is gone, and its lines are safe.
    #[error("the guard is gone")]
    Gone,
}

/// A [`Keeper`] on a plain thread of its own, apart from every runtime and actor.
///
/// The outputs are driven safe when the sentry is dropped, when its owner panics, when nobody beats, and
/// when the thread itself fails.
#[derive(Debug)]
pub struct Sentry {
    commands: Option<SyncSender<Command>>,
    unleased_on_ms: Arc<AtomicU64>,
    steps: Arc<AtomicU64>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Sentry {
    /// Puts the keeper on its thread. `clock` goes on from the keeper's last moment and may run faster than
    /// real time; then let [`Limits::early`](super::Limits::early) grow with it. `tell` is called on the
    /// guard's thread and must not block.
    ///
    /// # Errors
    ///
    /// [`SentryError::Start`] when the system gives no thread.
    pub fn post(
        keeper: Keeper,
        clock: impl Fn() -> Timestamp + Send + 'static,
        tell: impl FnMut(Report) + Send + 'static,
    ) -> Result<Self, SentryError> {
        let (commands, inbox) = sync_channel(COMMANDS);
        let unleased_on_ms = Arc::new(AtomicU64::new(0));
        let steps = Arc::new(AtomicU64::new(0));
        let shown = (Arc::clone(&unleased_on_ms), Arc::clone(&steps));
        let watch = move || {
            let (unleased_on_ms, steps) = shown;
            Watch { keeper, inbox, clock, tell, unleased_on_ms, steps }.run();
        };
        let thread =
            thread::Builder::new().name("guard".to_owned()).spawn(watch).map_err(SentryError::Start)?;
        Ok(Self { commands: Some(commands), unleased_on_ms, steps, thread: Some(thread) })
    }

    /// Hands over a command without waiting.
    ///
    /// # Errors
    ///
    /// [`SentryError::Behind`], or [`SentryError::Gone`].
    pub fn send(&self, command: Command) -> Result<(), SentryError> {
        let commands = self.commands.as_ref().ok_or(SentryError::Gone)?;
        commands.try_send(command).map_err(|unsent| match unsent {
            TrySendError::Full(_) => SentryError::Behind,
            TrySendError::Disconnected(_) => SentryError::Gone,
        })
    }

    /// Ends every lease and the guard's thread with them; when this returns the lines are safe, and that
    /// they are has been told.
    pub fn end(&mut self) {
        drop(self.commands.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed, and its lines went safe on the way out.
            let _ = thread.join();
        }
    }

    /// How long outputs were on without a lease so far, in whole milliseconds.
    pub fn unleased_on(&self) -> Duration {
        Duration::from_millis(self.unleased_on_ms.load(Ordering::Relaxed))
    }

    /// How often the guard has looked at its lines so far. While it grows the thread is alive; a board that
    /// does not answer lets it stand still.
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}

impl Drop for Sentry {
    fn drop(&mut self) {
        self.end();
    }
}

/// The thread's side.
struct Watch<Clock, Tell> {
    keeper: Keeper,
    inbox: Receiver<Command>,
    clock: Clock,
    tell: Tell,
    unleased_on_ms: Arc<AtomicU64>,
    steps: Arc<AtomicU64>,
}

impl<Clock: Fn() -> Timestamp, Tell: FnMut(Report)> Watch<Clock, Tell> {
    /// Ends when the owner is gone, and every lease with it; whatever else ends the thread, dropping the
    /// keeper drives the lines safe.
    fn run(mut self) {
        loop {
            self.step();
            self.steps.fetch_add(1, Ordering::Relaxed);
            match self.inbox.recv_timeout(WATCH) {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.keeper.end((self.clock)());
                    return self.step();
                }
            }
        }
    }

    fn step(&mut self) {
        for report in self.keeper.step((self.clock)()) {
            (self.tell)(report);
        }
        let unleased = u64::try_from(self.keeper.unleased_on().as_millis()).unwrap_or(u64::MAX);
        self.unleased_on_ms.store(unleased, Ordering::Relaxed);
    }

    /// Obeys what waits, so that many commands cost one step; a full inbox at most, so that a flood of them
    /// does not keep the lines waiting.
    fn obey(&mut self, first: Command) {
        self.obey_one(first);
        for _ in 1..COMMANDS {
            let Ok(command) = self.inbox.try_recv() else { return };
            self.obey_one(command);
        }
    }

    fn obey_one(&mut self, command: Command) {
        let now = (self.clock)();
        match command {
            Command::Lease(lease) => {
                let answer = match self.keeper.lease(now, &lease) {
                    Ok(()) => Report::Granted { lease, at: now },
                    Err(refusal) => Report::Refused { lease, refusal },
                };
                (self.tell)(answer);
            }
            Command::Release(line) => {
                self.keeper.release(now, &line);
                // The next command may be a lease of what was interlocked with it.
                self.step();
            }
            Command::Look(line) => self.keeper.look(now, &line).into_iter().for_each(&mut self.tell),
            Command::Beat => self.keeper.beat(now),
        }
    }
}
