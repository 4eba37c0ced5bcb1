//! Payment channels of two parties over Obyte's channel agent: one [`Channel`] per channel and
//! party, wire-compatible with aa-channels-lib.
//!
//! A [`Channel`] holds no secret key. It says which package to sign and which trigger to post;
//! others sign, send, post, and tell it what the ledger showed.

mod apply;
mod contract;
mod event;
mod limits;
mod package;
mod pay;
mod receive;
mod refusal;
mod response;
mod settle;
mod sight;
mod signed;
mod state;
mod terms;

use alloc::vec::Vec;

use crate::{Context, Deadline, Decision, Machine};

pub use contract::{Command, Effect, Outcome, SessionId, Sighting};
pub use event::{Event, PeerTrigger, PeerTriggerKind, Trigger};
pub use limits::{Limits, TRIGGER_BYTES};
pub use package::{ChannelParameters, Package};
pub use refusal::Refusal;
pub use signed::{SignedPackage, Signer, VERSION};
pub use state::{Channel, Closing, Phase, Side, Tally};
pub use terms::{AGENT_VERSION, BASE_AGENT, MAX_SALT, Role, Terms};

impl Machine for Channel {
    type Command = Command;
    type Event = Event;
    type Effect = Effect;
    type Refusal = Refusal;

    fn decide(&self, context: &Context, command: Command) -> Result<Decision<Event, Effect>, Refusal> {
        match command {
            Command::Deposit { amount } => self.deposit(amount),
            Command::Pay { session, up_to } => self.pay(session, up_to),
            Command::Receive { tag, package, session } => self.receive(context, tag, package, session),
            Command::Saw(sighting) => self.saw(context, sighting),
            Command::Owe { session, amount } => self.owe(session, amount),
            Command::Close => self.close(),
            Command::Posted { reference, unit } => Ok(self.posted(context, reference, unit)),
            Command::PostFailed { reference, error } => Ok(self.post_failed(context, reference, error)),
            Command::Wake => Ok(self.wake_up(context)),
        }
    }

    fn apply(&mut self, event: &Event) {
        self.record(event);
    }

    /// Posts nobody answered for, the newest package, and how things stand for the sessions.
    fn pending(&self) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.unposted().collect();
        if self.may_spend().is_ok() {
            effects.extend(self.sent.as_ref().map(state::Sent::effect));
        }
        effects.extend(self.standing());
        effects
    }

    fn deadline(&self) -> Option<Deadline> {
        self.next_deadline()
    }

    fn wake(&self) -> Option<Command> {
        Some(Command::Wake)
    }
}

impl Channel {
    /// What the sessions were told, once more.
    fn standing(&self) -> Vec<Effect> {
        let credited = self
            .sessions
            .iter()
            .filter(|(_, tally)| !tally.credited.is_zero())
            .map(|(session, tally)| Effect::Credited { session: session.clone(), total: tally.credited });
        let mut effects: Vec<Effect> = credited.collect();
        match (self.phase, self.last) {
            (Phase::Open, _) => effects.push(self.ready()),
            (Phase::Closing(closing), _) => {
                effects.push(Effect::Closing { period: self.period, by: self.terms.address(closing.by) });
            }
            (Phase::Closed, Some((period, outcome))) => effects.push(Effect::Closed { period, outcome }),
            (Phase::Closed, None) => {}
        }
        effects
    }
}
