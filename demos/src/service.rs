//! What a service manager hears of the program: that it is ready, that it is alive, that it stops.
//!
//! systemd names its socket in the environment of a `Type=notify` service. Where nobody has asked to be
//! told, and on other systems, nothing is sent.

use std::time::{Duration, Instant};

/// How many signs of life go into the time after which a service manager takes the program for dead.
const SIGNS: u32 = 4;

/// The program as a service. Its beat belongs where the guard gets its beat: then whatever keeps the guard
/// waiting keeps the service manager waiting, too.
pub(crate) struct Service {
    /// How often it wants to hear that the program is alive, if it does.
    every: Option<Duration>,
    /// When it heard of the program last.
    told: Option<Instant>,
}

/// What there is to say.
#[derive(Clone, Copy, Debug)]
enum State {
    /// The outputs are at their safe levels and under guard.
    Ready,
    Alive,
    Stopping,
}

impl Service {
    /// As the environment says.
    pub(crate) fn of_environment() -> Self {
        Self { every: watchdog().map(|time| time / SIGNS), told: None }
    }

    /// The runtime and the guard are alive. The first beat says that the service is ready; those that
    /// follow say so as often as it is wanted.
    pub(crate) fn beat(&mut self) {
        let now = Instant::now();
        let state = match (self.told, self.every) {
            (None, _) => State::Ready,
            (Some(told), Some(every)) if now.duration_since(told) >= every => State::Alive,
            (Some(_), _) => return,
        };
        self.told = Some(now);
        tell(state);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        tell(State::Stopping);
    }
}

#[cfg(target_os = "linux")]
fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

#[cfg(target_os = "linux")]
fn tell(state: State) {
    use sd_notify::NotifyState;

    let words = match state {
        State::Ready => NotifyState::Ready,
        State::Alive => NotifyState::Watchdog,
        State::Stopping => NotifyState::Stopping,
    };
    // A service manager that cannot be told will end the program by itself.
    if let Err(error) = sd_notify::notify(&[words]) {
        tracing::warn!(%error, ?state, "the service manager was not told");
    }
}

#[cfg(not(target_os = "linux"))]
const fn watchdog() -> Option<Duration> {
    None
}

#[cfg(not(target_os = "linux"))]
fn tell(state: State) {
    tracing::trace!(?state, "there is no service manager to tell");
}
