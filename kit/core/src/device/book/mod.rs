//! The devices that a device knows, and how it comes to know them.
//!
//! A device becomes known by a secret that only who saw the code can have: shown once, good once, for a
//! while and for a few tries. Whoever is not known is not listened to.

mod contract;
mod hear;
mod pairing;
mod state;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use serde_json::Value;

use super::{Draft, PairingCode, Secret};
use crate::{Context, Deadline, Decision, Machine, machine::Settled, obyte::DeviceAddress};

pub use contract::{Command, Effect, Event, Over, Refusal};
pub use state::{Book, Correspondent};

impl Machine for Book {
    type Command = Command;
    type Event = Event;
    type Effect = Effect;
    type Refusal = Refusal;

    fn decide(&self, context: &Context, command: Command) -> Result<Settled<Self>, Refusal> {
        match command {
            Command::Invite => Ok(Self::invite(context)),
            Command::Join(code) => self.join(context, code),
            Command::Hear(letter) => self.hear(context.now, letter),
            Command::Done { hash } => Ok(self.done(hash)),
            Command::Remove { address } => self.remove(address),
            Command::Wake => Ok(self.wake_up(context.now)),
        }
    }

    fn apply(&mut self, event: &Event) {
        self.record(event);
    }

    /// Letters that nobody has dealt with yet.
    fn pending(&self) -> Vec<Effect> {
        self.undone().collect()
    }

    fn deadline(&self) -> Option<Deadline> {
        self.next_deadline()
    }

    fn wake(&self) -> Option<Command> {
        Some(Command::Wake)
    }
}

impl Book {
    /// Shows a code, in the place of one that was shown before.
    fn invite(context: &Context) -> Settled<Self> {
        let secret = Secret::from_random(&context.random);
        let until = context.now.after(Self::CODE_LIFETIME);
        Decision::event(Event::Invited { secret: secret.hash(), until, left: Self::MAX_TRIES })
            .then(Effect::Show { secret, until })
    }

    /// Asks the device whose code was read in.
    fn join(&self, context: &Context, code: PairingCode) -> Result<Settled<Self>, Refusal> {
        let PairingCode { pubkey, hub, secret } = code;
        if pubkey == *self.me() {
            return Err(Refusal::Myself);
        }
        if self.find(&DeviceAddress::of_key(&pubkey)).is_none() {
            self.check_room()?;
        }
        let reverse = Secret::from_random(&context.random);
        let until = context.now.after(Self::PATIENCE);
        Ok(Decision::event(Event::Asked { pubkey, hub: hub.clone(), reverse: reverse.hash(), until })
            .then(Effect::Pair { to: pubkey, hub, secret, reverse: Some(reverse) }))
    }

    fn remove(&self, address: DeviceAddress) -> Result<Settled<Self>, Refusal> {
        let peer = self.find(&address).ok_or(Refusal::Unknown(address))?;
        let (to, hub) = (peer.pubkey, peer.hub.clone());
        Ok(Decision::event(Event::Removed { address, by_peer: false }).then(Effect::Part { to, hub }))
    }
}

impl Effect {
    /// The letter that this effect wants to be written, if it does; `name` is this device's own.
    pub fn draft(&self, name: &crate::session::Name) -> Option<Draft> {
        match self {
            Self::Pair { secret, reverse, .. } => Some(Draft::pairing(secret, name, reverse.as_ref())),
            Self::Answer { secret, .. } => Some(Draft::pairing(secret, name, None)),
            Self::Part { .. } => Some(Draft::removal()),
            Self::Show { .. } | Self::Deliver(_) | Self::Delete { .. } => None,
        }
    }
}

/// A text of a body, if it is one.
fn text<'v>(body: &'v Value, field: &'static str) -> Option<&'v str> {
    body.get(field).and_then(Value::as_str)
}
