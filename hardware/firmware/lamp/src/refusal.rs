use alloc::{
    format,
    string::{String, ToString},
};

use coinop_core::{
    Bytes,
    channel::{self, Channel, SignedPackage},
    obyte::{Address, Signature},
};

use crate::LONGEST;

/// Why the lamp says no. Its text is the peer's: for packages, the words of aa-channels-lib.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// More than [`LONGEST`] bytes.
    #[error("the line is too long, at most {LONGEST} B are heard")]
    TooLong,
    /// More objects, lists and fields than the memory takes.
    #[error("the line has too many parts")]
    TooManyParts,
    /// Not JSON, or not of the shape of a request.
    #[error("not a request: {0}")]
    NotARequest(String),
    /// A request that a lamp does not serve.
    #[error("unknown command: {0}")]
    UnknownCommand(String),
    /// Nobody vouched for a channel yet.
    #[error("unknown channel")]
    NoChannel,
    /// The word about the ledger is not signed by the owner.
    #[error("not signed by the owner, {0}")]
    NotByTheOwner(Address),
    /// The owner said it to another lamp.
    #[error("this is said to the lamp {0:?}")]
    AnotherLamp(String),
    /// The owner said this before, or something later.
    #[error("word {said} comes after word {heard}")]
    OldWord {
        /// The number of this word.
        said: u64,
        /// The number of the last one.
        heard: u64,
    },
    /// A channel that is not settled has to be settled first.
    #[error("the channel {0} is not closed yet")]
    Occupied(Address),
    /// The channel's rules say no.
    #[error("{refusal}")]
    Channel {
        /// What they say.
        refusal: channel::Refusal,
        /// The same for people, with the figures.
        why: String,
    },
}

impl Refusal {
    /// What a person standing before the lamp is told.
    pub fn why(&self) -> String {
        match self {
            Self::Channel { why, .. } => why.clone(),
            Self::NoChannel => "wrong channel: the owner has not vouched for any".to_string(),
            Self::TooLong
            | Self::TooManyParts
            | Self::NotARequest(_)
            | Self::UnknownCommand(_)
            | Self::NotByTheOwner(_)
            | Self::AnotherLamp(_)
            | Self::OldWord { .. }
            | Self::Occupied(_) => self.to_string(),
        }
    }

    /// The channel's refusal of a package, explained.
    pub(crate) fn of_package(refusal: channel::Refusal, channel: &Channel, offer: Offer) -> Self {
        let why = explain(&refusal, channel, offer);
        Self::Channel { refusal, why }
    }
}

/// What an explanation needs of a package, which is not kept twice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer {
    spent: Bytes,
    agent: Address,
    signer: Address,
    signature: Signature,
}

impl From<&SignedPackage> for Offer {
    fn from(package: &SignedPackage) -> Self {
        Self {
            spent: package.message.amount_spent,
            agent: package.message.aa_address,
            signer: package.signer,
            signature: package.signature,
        }
    }
}

impl From<channel::Refusal> for Refusal {
    fn from(refusal: channel::Refusal) -> Self {
        Self::Channel { why: refusal.to_string(), refusal }
    }
}

/// The peer's words say as little as the reference; a person wants to know which of several it was.
fn explain(refusal: &channel::Refusal, channel: &Channel, offer: Offer) -> String {
    use channel::Refusal as No;
    let (said, had) = (offer.spent, channel.peer().spent);
    match refusal {
        No::OverCredit { .. } if said < had => {
            format!("lower amount: the total went down to {said}, {had} were paid already")
        }
        No::OverCredit { .. } if said == had => {
            format!("same amount: the total stays at {had}, nothing more is paid")
        }
        No::OverCredit { payment, credit } => {
            format!("over credit: {payment} asked for, the total grew by {credit}")
        }
        No::UnknownChannel => {
            format!("wrong channel: for {}, here is {}", offer.agent, channel.agent())
        }
        No::WrongSigner(expected) => format!("wrong key: signed by {}, not by {expected}", offer.signer),
        No::Unsigned(_) if offer.signature.has_high_s() => {
            "high s: the mirror image of a signature, which nodes refuse".to_string()
        }
        No::Unsigned(reason) if reason.starts_with("bad signature") => {
            "bad signature: not made with the key that the package names".to_string()
        }
        No::Unsigned(reason) => format!("not signed as it should be: {reason}"),
        other => other.to_string(),
    }
}
