//! The one module that knows actix: a generic actor that drives any [`Machine`].
//!
//! Decide, record, apply, tell, act. actix is fenced in here because its supervisor does not revive
//! an actor that panicked; an actor that is gone answers [`AskError::Gone`] and its party restarts
//! through the journal.

use std::{
    cell::{Ref, RefCell},
    rc::Rc,
    time::Duration,
};

use actix::{Actor, Addr, Context, Handler, Message};
use coinop_core::{Machine, Timestamp};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    agenda::{Rank, Task, Ticket},
    journal::Stamp,
    notice::Fact,
    shell::Shell,
};

/// A machine's state replaces its events in the journal after this many of them.
pub const SNAPSHOT_EVERY: u32 = 512;
/// How long a machine waits that was woken in vain.
const PATIENCE: Duration = Duration::from_secs(1);

/// A [`Machine`] that can be driven: its state can be written down, its commands can be mailed.
pub trait Drivable:
    Machine<Command: Send, Refusal: Send + Sync> + Serialize + DeserializeOwned + Unpin
{
}

impl<M> Drivable for M where
    M: Machine<Command: Send, Refusal: Send + Sync> + Serialize + DeserializeOwned + Unpin
{
}

/// How a machine is wired to the world around it.
pub struct Wiring<M: Machine> {
    /// Its stream in the journal, `party/kind/id`.
    pub stream: String,
    /// Its party on the bus.
    pub who: String,
    /// Its party's place in the order of simultaneous work.
    pub rank: Rank,
    /// Carries out its effects: the socket, the ledger, the line. Failures come back as commands.
    pub outlet: Box<dyn Fn(M::Effect) -> Task>,
    /// Tells what an event means to a spectator, given the state after it.
    pub narrate: Narrator<M>,
}

/// Turns an event into what a spectator is told.
pub type Narrator<M> = Box<dyn Fn(&M, &<M as Machine>::Event) -> Vec<Fact>>;

/// Whether a machine is new or comes back from the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Birth {
    /// New: its state is recorded as the beginning of its stream.
    New,
    /// Restored: what it had pending is repeated.
    Restored,
}

/// Where to send commands for one running machine; cheap to clone.
pub struct Handle<M: Drivable> {
    address: Addr<Driver<M>>,
    stream: Rc<str>,
    state: Rc<RefCell<M>>,
}

impl<M: Drivable> Clone for Handle<M> {
    fn clone(&self) -> Self {
        Self { address: self.address.clone(), stream: Rc::clone(&self.stream), state: Rc::clone(&self.state) }
    }
}

impl<M: Drivable> Handle<M> {
    /// Asks the machine to do something and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`AskError`] says who turned it down; nothing was changed.
    pub async fn ask(&self, command: M::Command) -> Result<(), AskError<M::Refusal>> {
        self.address.send(Ask(command)).await.unwrap_or(Err(AskError::Gone))
    }

    /// The state as it would be written down, and the stream it is recorded in.
    ///
    /// # Errors
    ///
    /// [`serde_json::Error`] when it cannot be written down.
    pub fn written(&self) -> Result<(String, serde_json::Value), serde_json::Error> {
        Ok((self.stream.to_string(), serde_json::to_value(&*self.state())?))
    }

    /// Looks at the state; not across an `await`.
    pub fn state(&self) -> Ref<'_, M> {
        self.state.borrow()
    }
}

/// Why [`Handle::ask`] changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum AskError<Refusal: std::error::Error + 'static> {
    /// The machine said no.
    #[error("{0}")]
    Refused(Refusal),
    /// The decision could not be written down, so it was dropped.
    #[error("the decision could not be encoded")]
    Encoding(#[source] serde_json::Error),
    /// The actor has stopped.
    #[error("the actor has stopped")]
    Gone,
}

/// Starts `machine`; must be called inside a tokio `LocalSet`.
///
/// # Errors
///
/// [`serde_json::Error`] when the state of a new machine cannot be written down.
pub fn spawn<M: Drivable>(
    shell: &Shell,
    machine: M,
    birth: Birth,
    wiring: Wiring<M>,
) -> Result<Handle<M>, serde_json::Error> {
    let mut driver = Driver {
        shell: shell.clone(),
        wiring,
        state: Rc::new(RefCell::new(machine)),
        alarm: None,
        woken: None,
        own: None,
        events: 0,
    };
    match birth {
        Birth::New => driver.snapshot()?,
        Birth::Restored => {
            let pending = driver.state.borrow().pending();
            driver.post(pending);
        }
    }
    let (state, stream) = (Rc::clone(&driver.state), driver.wiring.stream.as_str().into());
    Ok(Handle { address: driver.start(), stream, state })
}

struct Ask<M: Machine>(M::Command);

impl<M: Drivable> Message for Ask<M> {
    type Result = Result<(), AskError<M::Refusal>>;
}

/// Runs any machine as an actor.
struct Driver<M: Drivable> {
    shell: Shell,
    wiring: Wiring<M>,
    state: Rc<RefCell<M>>,
    alarm: Option<(Timestamp, Ticket)>,
    /// The deadline it was last woken for in vain.
    woken: Option<Timestamp>,
    own: Option<Addr<Self>>,
    /// Events recorded since the last state.
    events: u32,
}

impl<M: Drivable> Driver<M> {
    fn step(&mut self, command: M::Command) -> Result<(), AskError<M::Refusal>> {
        let context = coinop_core::Context { now: self.shell.now(), random: self.shell.random() };
        let decision = self.state.borrow().decide(&context, command).map_err(AskError::Refused)?;
        let bodies = decision.events.iter().map(serde_json::to_vec).collect::<Result<Vec<_>, _>>();
        if !decision.events.is_empty() {
            self.woken = None;
        }
        for (event, body) in decision.events.iter().zip(bodies.map_err(AskError::Encoding)?) {
            self.shell.record(&self.wiring.stream, Stamp::Event, body);
            self.events += 1;
            self.state.borrow_mut().apply(event);
            for fact in (self.wiring.narrate)(&self.state.borrow(), event) {
                self.shell.tell(self.wiring.rank, &self.wiring.who, fact);
            }
        }
        self.post(decision.effects);
        if self.events >= SNAPSHOT_EVERY {
            self.snapshot().map_err(AskError::Encoding)?;
        }
        self.set_alarm();
        Ok(())
    }

    fn post(&self, effects: Vec<M::Effect>) {
        for effect in effects {
            self.shell.hold(self.wiring.rank, (self.wiring.outlet)(effect));
        }
    }

    fn snapshot(&mut self) -> Result<(), serde_json::Error> {
        let body = serde_json::to_vec(&*self.state.borrow())?;
        self.shell.record(&self.wiring.stream, Stamp::State, body);
        self.events = 0;
        Ok(())
    }

    fn set_alarm(&mut self) {
        let deadline = self.state.borrow().deadline();
        match (&self.alarm, deadline) {
            (Some((at, _)), Some(deadline)) if *at == deadline.at => return,
            _ => {}
        }
        if let Some((_, stale)) = self.alarm.take() {
            self.shell.agenda().cancel(stale);
        }
        let (Some(deadline), Some(own)) = (deadline, self.own.clone()) else { return };
        let stream = self.wiring.stream.clone();
        // A machine that still waits for the moment it was just woken at would keep the process busy.
        let again = self.woken == Some(deadline.at) && deadline.at <= self.shell.now();
        let at = if again { self.shell.now().after(PATIENCE) } else { deadline.at };
        let ticket = self.shell.agenda().at(at, self.wiring.rank, async move {
            tracing::trace!(%stream, reason = deadline.reason, "woken");
            // Answers come back as refusals of the machine itself; an actor that is gone wakes nobody.
            let _ = own.send(Wake).await;
        });
        self.alarm = Some((deadline.at, ticket));
    }
}

struct Wake;

impl Message for Wake {
    type Result = ();
}

impl<M: Drivable> Actor for Driver<M> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        use actix::AsyncContext as _;
        self.own = Some(context.address());
        self.set_alarm();
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if let Some((_, ticket)) = self.alarm.take() {
            self.shell.agenda().cancel(ticket);
        }
    }
}

impl<M: Drivable> Handler<Ask<M>> for Driver<M> {
    type Result = Result<(), AskError<M::Refusal>>;

    fn handle(&mut self, Ask(command): Ask<M>, _: &mut Self::Context) -> Self::Result {
        self.step(command)
    }
}

impl<M: Drivable> Handler<Wake> for Driver<M> {
    type Result = ();

    fn handle(&mut self, _: Wake, _: &mut Self::Context) {
        self.woken = self.alarm.take().map(|(at, _)| at);
        let Some(command) = self.state.borrow().wake() else { return };
        if let Err(refusal) = self.step(command) {
            tracing::debug!(stream = self.wiring.stream, %refusal, "woken for nothing");
            self.set_alarm();
        }
    }
}
