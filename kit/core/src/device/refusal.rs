use alloc::string::String;

use crate::obyte::{DeviceAddress, json::JsonError, key::KeyError, source::SourceError};

/// Why something that came from a hub, or is to go there, is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// More than anybody sends.
    #[error("{what}: {size} where at most {most} are read")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// How long it is.
        size: u64,
        /// How long it may be.
        most: u64,
    },
    /// A field is not there, or not what it should be.
    #[error("{0} is missing or is not what it should be")]
    Field(&'static str),
    /// Not even a hash can be taken of it.
    #[error("cannot be hashed: {0}")]
    Unhashable(#[from] SourceError),
    /// Not a key of the curve.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// Altered, or signed by another key than the one that it names.
    #[error("the signature does not hold")]
    Signature,
    /// A login for another connection.
    #[error("signed for another challenge than {0:?}")]
    Challenge(String),
    /// The hub names another hash than the message has.
    #[error("the message has another hash than the hub says")]
    Hash,
    /// For somebody else.
    #[error("a message to {0}, not to this device")]
    Recipient(DeviceAddress),
    /// Encrypted for a key that was given up, or that never was.
    #[error("encrypted for a key that this device does not hold")]
    UnknownKey,
    /// The cipher's tag does not match: altered, or another key.
    #[error("does not decrypt")]
    Cipher,
    /// Decrypts to something that is no JSON.
    #[error("decrypts to what is no JSON: {0}")]
    Json(#[from] JsonError),
    /// Encrypted over and over.
    #[error("more than {0} layers of encryption")]
    Layers(usize),
    /// The letter inside names another sender than the one who signed outside.
    #[error("the letter claims to be from another device than {0}")]
    Sender(DeviceAddress),
}

impl Refusal {
    /// Refuses what is longer than `most`.
    pub(super) const fn unless_within(what: &'static str, size: u64, most: u64) -> Result<(), Self> {
        if size <= most { Ok(()) } else { Err(Self::TooLong { what, size, most }) }
    }
}
