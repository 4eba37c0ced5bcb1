use alloc::string::String;

use serde::{Deserialize, Serialize};

use super::Book;
use crate::{
    Timestamp,
    device::{Letter, PairingCode, Secret},
    obyte::{DeviceAddress, Hash, PublicKey},
    session::Name,
};

/// What a book is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A code is to be shown.
    Invite,
    /// Another device's code was read in.
    Join(PairingCode),
    /// A letter was opened: [`Keys::open`](crate::device::Keys::open).
    Hear(Letter),
    /// A letter was dealt with, or the answer to it is with the hub.
    Done {
        /// The message it came in.
        hash: Hash,
    },
    /// A device is to be known no longer.
    Remove {
        /// Which.
        address: DeviceAddress,
    },
    /// The alarm rang.
    Wake,
}

/// What happened in a book; secrets stand in it as hashes, but for those that are spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A code is shown.
    Invited {
        /// Its secret's hash.
        secret: Hash,
        /// When it is void.
        until: Timestamp,
        /// How often somebody may be wrong.
        left: u32,
    },
    /// Somebody had the wrong secret.
    Guessed {
        /// Who.
        address: DeviceAddress,
        /// The message.
        hash: Hash,
        /// How often somebody may be wrong after this.
        left: u32,
    },
    /// The code is good no longer.
    Over {
        /// Why.
        why: Over,
    },
    /// The device of a code was asked.
    Asked {
        /// Its key.
        pubkey: PublicKey,
        /// Its hub.
        hub: String,
        /// The hash of the secret that it is to answer with.
        reverse: Hash,
        /// When the answer comes too late.
        until: Timestamp,
    },
    /// A device did not answer.
    GaveUp {
        /// Which.
        address: DeviceAddress,
    },
    /// A device is known.
    Paired {
        /// Its key.
        pubkey: PublicKey,
        /// Its hub.
        hub: String,
        /// What it calls itself.
        name: Name,
        /// The hash of the secret that it knew.
        secret: Hash,
        /// The message.
        hash: Hash,
        /// The secret that it wants in the answer, if one is due.
        answer: Option<String>,
    },
    /// A known device wrote.
    Heard {
        /// What.
        letter: Letter,
    },
    /// A letter was dealt with.
    Done {
        /// The message.
        hash: Hash,
    },
    /// A device is known no longer.
    Removed {
        /// Which.
        address: DeviceAddress,
        /// Whether it said so itself.
        by_peer: bool,
    },
}

/// Why a code is good no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// It was shown long enough.
    Expired,
    /// Somebody guessed too often.
    Guessed,
}

/// What is to be done for a book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Show a code with this secret, with the device's own key and hub.
    Show {
        /// The secret.
        secret: Secret,
        /// When it is void.
        until: Timestamp,
    },
    /// Write to a device that this one wants to know it; [`Effect::draft`] has the letter. Not repeated
    /// after a restart, since the secret is not kept: the code is read in again.
    Pair {
        /// Whom.
        to: PublicKey,
        /// Where.
        hub: String,
        /// The secret of its code.
        secret: Secret,
        /// What it is to answer with.
        reverse: Option<Secret>,
    },
    /// Write to a device that it is known, then tell [`Command::Done`].
    Answer {
        /// Whom.
        to: PublicKey,
        /// Where.
        hub: String,
        /// The secret it wants.
        secret: Secret,
        /// What is answered.
        hash: Hash,
    },
    /// Write to a device that it is known no longer.
    Part {
        /// Whom.
        to: PublicKey,
        /// Where.
        hub: String,
    },
    /// Give a letter to whom it concerns, then tell [`Command::Done`].
    Deliver(Letter),
    /// The hub need not keep a message: `hub/delete`.
    Delete {
        /// Which.
        hash: Hash,
    },
}

/// Why a book says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Only who is known is listened to.
    #[error("{0} is not known here: read in a pairing code first")]
    Stranger(DeviceAddress),
    /// There is no such device in the book.
    #[error("{0} is not in the book")]
    Unknown(DeviceAddress),
    /// A device reads its own code.
    #[error("this is the code of this device itself; read it in on the other one")]
    Myself,
    /// Somebody wants to be known and no code is shown, or it was used.
    #[error("no pairing code is shown: it was used, or never was; ask for a new one")]
    NoCode,
    /// Somebody comes too late.
    #[error("the pairing code expired at {0}; ask for a new one")]
    Expired(Timestamp),
    /// No sense in it.
    #[error("a letter about {subject:?} that says nothing: {wanted} wanted")]
    Malformed {
        /// What it is about.
        subject: String,
        /// What should be in it.
        wanted: &'static str,
    },
    /// A subject that nobody here speaks.
    #[error("letters about {0:?} are not understood here")]
    NotSpoken(String),
    /// Too many devices.
    #[error("{0} devices are known, which is the most; remove one first")]
    Full(usize),
    /// Too many letters wait.
    #[error("{0} letters wait to be dealt with, which is the most; the hub keeps this one meanwhile")]
    Busy(usize),
}

impl Refusal {
    /// Whether the hub should keep the message for later, instead of deleting it.
    pub const fn is_for_now(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

impl Book {
    /// How long a code is shown.
    pub const CODE_LIFETIME: core::time::Duration = core::time::Duration::from_mins(5);
    /// How long a device that was asked may take to answer.
    pub const PATIENCE: core::time::Duration = core::time::Duration::from_mins(10);
    /// How often somebody may be wrong before a code is void.
    pub const MAX_TRIES: u32 = 5;
    /// The most devices that are known.
    pub const MAX_KNOWN: usize = 256;
    /// The most letters that wait to be dealt with.
    pub const MAX_WAITING: usize = 32;
    /// How many messages of a device are remembered, so that none of them counts twice.
    pub const MAX_SEEN: usize = 128;
    /// The longest text that is read, in bytes.
    pub const MAX_TEXT: usize = 16 * 1024;
}
