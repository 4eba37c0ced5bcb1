//! What a hub keeps of devices: their keys, and the messages that wait for them.
//!
//! A machine, so that what was accepted for a device survives a restart. It sees who writes to whom and
//! when, and how much; what is written is encrypted by the senders.

use std::collections::BTreeMap;

use coinop_core::{
    Context, Decision, Machine, Timestamp,
    device::{Message, TemporaryKey},
    machine::Settled,
    obyte::{DeviceAddress, Hash, PublicKey},
};
use serde::{Deserialize, Serialize};

/// The most devices that are registered.
pub const MAX_DEVICES: usize = 4_096;
/// The most messages that wait for one device.
pub const MAX_LETTERS: usize = 200;
/// The most bytes of messages that wait for one device.
pub const MAX_SIZE: usize = 2 << 20;
/// The most bytes of messages that wait for all devices.
pub const MAX_TOTAL: usize = 16 << 20;

/// The devices of a hub, with what waits for them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailboxes {
    devices: BTreeMap<DeviceAddress, Mailbox>,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    pubkey: PublicKey,
    shown: Option<TemporaryKey>,
    entered: Timestamp,
    letters: Vec<Stored>,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// By what it is deleted.
    pub hash: Hash,
    /// The message, as JSON.
    pub text: String,
}

/// What may be asked of the mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A device logs in, and is registered if it is new.
    Enter {
        /// Its key.
        pubkey: PublicKey,
        /// The longest message that it can read, in bytes of JSON; what is longer is thrown away.
        longest: Option<u32>,
    },
    /// A device asks for what waits.
    Collect {
        /// Who.
        device: DeviceAddress,
        /// As in [`Command::Enter`].
        longest: Option<u32>,
    },
    /// A device shows a temporary key, in the place of the one before.
    Show {
        /// The key, signed.
        key: Box<TemporaryKey>,
    },
    /// Somebody sends a message. Again is no error, and does nothing.
    Deliver {
        /// The message, signed and encrypted.
        message: Box<Message>,
    },
    /// A device has dealt with a message.
    Delete {
        /// Whose mailbox.
        device: DeviceAddress,
        /// Which one.
        hash: Hash,
    },
}

/// What happened to the mailboxes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A device logged in.
    Entered {
        /// When.
        at: Timestamp,
        /// Its key.
        pubkey: PublicKey,
    },
    /// A device that did not come back for long made room for another.
    Forgotten {
        /// Which one.
        device: DeviceAddress,
    },
    /// A device shows a temporary key.
    Shown {
        /// The key, signed.
        key: TemporaryKey,
    },
    /// A message waits.
    Stored {
        /// For whom.
        to: DeviceAddress,
        /// The message.
        letter: Stored,
    },
    /// Messages are gone.
    Deleted {
        /// Whose.
        device: DeviceAddress,
        /// Which ones.
        hashes: Vec<Hash>,
    },
}

/// What the shell has to do for the mailboxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Tell the device, if it is there: [`Hub::arrived`](super::Hub::arrived).
    Arrived {
        /// Whom.
        to: DeviceAddress,
        /// Which message.
        hash: Hash,
    },
}

/// Why the mailboxes say no; the first four in the words of the hubs.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The device never logged in here, or was forgotten.
    #[error("address {0} not registered here")]
    NotRegistered(DeviceAddress),
    /// The message is encrypted for a key that its recipient does not show.
    #[error("wrong recipient ephemeral pubkey")]
    WrongKey,
    /// Nobody is registered with this key.
    #[error("device with this pubkey is not registered here")]
    UnknownKey,
    /// The device has registered and shows no temporary key yet.
    #[error("temp pub key not set yet")]
    NotShown,
    /// Too much waits for a device.
    #[error("the mailbox of {0} is full: it has to read and delete first")]
    Full(DeviceAddress),
    /// Too much waits for all devices.
    #[error("this hub stores no more messages: try again later")]
    NoMore,
    /// Too many devices, and messages wait for each of them.
    #[error("this hub has no room for more than {MAX_DEVICES} devices")]
    NoRoom,
}

impl Machine for Mailboxes {
    type Command = Command;
    type Event = Event;
    type Effect = Effect;
    type Refusal = Refusal;

    fn decide(&self, context: &Context, command: Command) -> Result<Settled<Self>, Refusal> {
        match command {
            Command::Enter { pubkey, longest } => self.enter(context.now, pubkey, longest),
            Command::Collect { device, longest } => {
                self.find(&device)?;
                Ok(Decision { events: self.too_long(device, longest).collect(), effects: Vec::new() })
            }
            Command::Show { key } => {
                let shown = self.find(&DeviceAddress::of_key(&key.pubkey))?.shown;
                let is_news = shown != Some(*key);
                Ok(if is_news { Decision::event(Event::Shown { key: *key }) } else { Decision::nothing() })
            }
            Command::Deliver { message } => self.deliver(&message),
            Command::Delete { device, hash } => {
                let waits = self.find(&device)?.letters.iter().any(|letter| letter.hash == hash);
                let deleted = Event::Deleted { device, hashes: vec![hash] };
                Ok(if waits { Decision::event(deleted) } else { Decision::nothing() })
            }
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Entered { at, pubkey } => {
                let new = || Mailbox { pubkey: *pubkey, shown: None, entered: *at, letters: Vec::new() };
                self.devices.entry(DeviceAddress::of_key(pubkey)).or_insert_with(new).entered = *at;
            }
            Event::Forgotten { device } => {
                self.devices.remove(device);
            }
            Event::Shown { key } => {
                if let Some(mailbox) = self.devices.get_mut(&DeviceAddress::of_key(&key.pubkey)) {
                    mailbox.shown = Some(*key);
                }
            }
            Event::Stored { to, letter } => {
                if let Some(mailbox) = self.devices.get_mut(to) {
                    mailbox.letters.push(letter.clone());
                }
            }
            Event::Deleted { device, hashes } => {
                if let Some(mailbox) = self.devices.get_mut(device) {
                    mailbox.letters.retain(|letter| !hashes.contains(&letter.hash));
                }
            }
        }
    }
}

impl Mailboxes {
    /// Whether a device is registered.
    pub fn knows(&self, device: &DeviceAddress) -> bool {
        self.devices.contains_key(device)
    }

    /// What waits for a device, oldest first.
    pub fn letters(&self, device: &DeviceAddress) -> &[Stored] {
        self.devices.get(device).map_or(&[], |mailbox| &mailbox.letters)
    }

    /// The temporary key that a device shows.
    ///
    /// # Errors
    ///
    /// [`Refusal::UnknownKey`] or [`Refusal::NotShown`].
    pub fn shown(&self, pubkey: &PublicKey) -> Result<TemporaryKey, Refusal> {
        let mailbox = self.devices.get(&DeviceAddress::of_key(pubkey)).ok_or(Refusal::UnknownKey)?;
        mailbox.shown.ok_or(Refusal::NotShown)
    }

    fn find(&self, device: &DeviceAddress) -> Result<&Mailbox, Refusal> {
        self.devices.get(device).ok_or(Refusal::NotRegistered(*device))
    }

    fn enter(
        &self,
        at: Timestamp,
        pubkey: PublicKey,
        longest: Option<u32>,
    ) -> Result<Settled<Self>, Refusal> {
        let device = DeviceAddress::of_key(&pubkey);
        let mut events = Vec::new();
        if !self.knows(&device) && self.devices.len() >= MAX_DEVICES {
            let idle = self.devices.iter().filter(|(_, mailbox)| mailbox.letters.is_empty());
            let idlest = idle.min_by_key(|(device, mailbox)| (mailbox.entered, **device));
            events.push(Event::Forgotten { device: *idlest.ok_or(Refusal::NoRoom)?.0 });
        }
        events.push(Event::Entered { at, pubkey });
        events.extend(self.too_long(device, longest));
        Ok(Decision { events, effects: Vec::new() })
    }

    /// The messages that a device cannot read.
    fn too_long(&self, device: DeviceAddress, longest: Option<u32>) -> impl Iterator<Item = Event> {
        let longest = longest.and_then(|longest| usize::try_from(longest).ok()).unwrap_or(usize::MAX);
        let long = self.letters(&device).iter().filter(|letter| letter.text.len() > longest);
        let hashes: Vec<Hash> = long.map(|letter| letter.hash).collect();
        (!hashes.is_empty()).then_some(Event::Deleted { device, hashes }).into_iter()
    }

    fn deliver(&self, message: &Message) -> Result<Settled<Self>, Refusal> {
        let (to, hash) = (message.to(), message.hash());
        let mailbox = self.find(&to)?;
        let key = message.package().recipient();
        if *key != mailbox.pubkey && mailbox.shown.is_none_or(|shown| shown.temp_pubkey != *key) {
            return Err(Refusal::WrongKey);
        }
        if mailbox.letters.iter().any(|letter| letter.hash == hash) {
            return Ok(Decision::nothing());
        }
        let letter = Stored { hash, text: message.value().to_string() };
        if mailbox.letters.len() >= MAX_LETTERS || mailbox.size() + letter.text.len() > MAX_SIZE {
            return Err(Refusal::Full(to));
        }
        let total: usize = self.devices.values().map(Mailbox::size).sum();
        if total + letter.text.len() > MAX_TOTAL {
            return Err(Refusal::NoMore);
        }
        Ok(Decision::event(Event::Stored { to, letter }).then(Effect::Arrived { to, hash }))
    }
}

impl Mailbox {
    fn size(&self) -> usize {
        self.letters.iter().map(|letter| letter.text.len()).sum()
    }
}

#[cfg(test)]
mod tests;
