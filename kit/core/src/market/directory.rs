use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    market::Listing,
    obyte::Address,
    session::{Name, Signed},
};

/// The listings of a market, by seller and thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {}

/// What a directory is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A seller publishes a signed [`Listing`]; a newer version replaces the older one.
    Publish(Signed),
    /// A seller takes it back with a signed [`Withdrawal`](crate::market::Withdrawal).
    Withdraw(Signed),
    /// The alarm rang.
    Wake,
}

/// What happened in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// A listing is published.
    Published {
        /// The listing.
        listing: Listing,
        /// As signed, for those who ask.
        package: Signed,
    },
    /// A listing is taken back.
    Withdrawn {
        /// Whose.
        seller: Address,
        /// Of what.
        thing: Name,
        /// Newer listings than this are welcome.
        version: u64,
    },
    /// A listing expired.
    Expired {
        /// Whose.
        seller: Address,
        /// Of what.
        thing: Name,
    },
}

/// Why a directory says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The signature does not hold, or it is no listing.
    #[error("not a valid signed listing: {0}")]
    Signature(String),
    /// Signed by somebody else than its seller.
    #[error("a listing of {seller} signed by {signer}")]
    Signer {
        /// Whose listing it says it is.
        seller: Address,
        /// Who signed.
        signer: Address,
    },
    /// Over already.
    #[error("the listing expired at {at}, and it is {now}")]
    Expired {
        /// The end.
        at: Timestamp,
        /// The present.
        now: Timestamp,
    },
    /// Not newer than what is known.
    #[error("version {version} of {thing} is not newer than {known}")]
    Version {
        /// The thing.
        thing: Name,
        /// The version given.
        version: u64,
        /// The version known.
        known: u64,
    },
    /// Too many.
    #[error("{what}: {count} where at most {most} are kept")]
    Full {
        /// Of what.
        what: &'static str,
        /// How many there would be.
        count: usize,
        /// How many there may be.
        most: usize,
    },
}
