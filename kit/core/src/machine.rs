//! The one shape of every rule set: a value that decides, and never acts.

use alloc::{vec, vec::Vec};
use core::fmt;

use serde::{Serialize, de::DeserializeOwned};

use crate::Timestamp;

/// A state machine that decides, and never acts.
///
/// [`decide`](Machine::decide) checks a command against the rules and says what would happen;
/// [`apply`](Machine::apply) makes it so. Replaying a journal through `apply` restores the state,
/// which is why `apply` is total and `decide` cannot mutate.
pub trait Machine: 'static {
    /// What one may ask for.
    type Command: 'static;
    /// What happened, with the resulting totals; written to the journal, then shown.
    type Event: Clone + fmt::Debug + Serialize + DeserializeOwned + Send + 'static;
    /// What the outside world must do once the events are durable; doing it twice is harmless.
    type Effect: Clone + fmt::Debug + 'static;
    /// Why a command was turned down.
    type Refusal: core::error::Error + Send + 'static;

    /// Says what `command` leads to, without changing anything.
    ///
    /// # Errors
    ///
    /// The machine's own reason for saying no; the state is untouched.
    fn decide(&self, context: &Context, command: Self::Command) -> Result<Settled<Self>, Self::Refusal>;

    /// Makes `event` part of the state. Total: events carry totals, `apply` only assigns.
    fn apply(&mut self, event: &Self::Event);

    /// Effects that may not have been carried out before a restart.
    fn pending(&self) -> Vec<Self::Effect> {
        Vec::new()
    }

    /// The next moment the machine wants to be woken, and why.
    fn deadline(&self) -> Option<Deadline> {
        None
    }

    /// The command with which the machine is woken at its [`deadline`](Machine::deadline).
    fn wake(&self) -> Option<Self::Command> {
        None
    }
}

/// The [`Decision`] of a given machine.
pub type Settled<M> = Decision<<M as Machine>::Event, <M as Machine>::Effect>;

/// What a decision may depend on besides the state and the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// The present moment.
    pub now: Timestamp,
    /// Fresh chance, drawn by the shell for this one decision.
    pub random: [u8; 32],
}

/// A moment a machine waits for, with the reason, so that a log explains every wake-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When.
    pub at: Timestamp,
    /// Why, as a fragment for the log: "the peer has not confirmed".
    pub reason: &'static str,
}

/// Events to record, then effects to carry out, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Decision<Event, Effect> {
    /// To be journaled before anything else happens.
    pub events: Vec<Event>,
    /// To be carried out once the events are durable.
    pub effects: Vec<Effect>,
}

impl<Event, Effect> Decision<Event, Effect> {
    /// Nothing happens: the command was already satisfied.
    pub const fn nothing() -> Self {
        Self { events: Vec::new(), effects: Vec::new() }
    }

    /// A single event and no effects.
    pub fn event(event: Event) -> Self {
        Self { events: vec![event], effects: Vec::new() }
    }

    /// A single effect and no events: repeating what is already recorded.
    pub fn effect(effect: Effect) -> Self {
        Self { events: Vec::new(), effects: vec![effect] }
    }

    /// Adds an event.
    pub fn and(mut self, event: Event) -> Self {
        self.events.push(event);
        self
    }

    /// Adds an effect.
    pub fn then(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }
}
