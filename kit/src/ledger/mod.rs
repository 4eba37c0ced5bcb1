//! What a light wallet needs of a ledger, and the two ledgers there are: the embedded node, and any hub.

mod embedded;
pub(crate) mod news;

use std::{pin::Pin, rc::Rc};

use coinop_core::{
    Bytes, Timestamp,
    obyte::{address::Address, hash::Hash, unit::Unit},
    wallet::{Coin, Quote, Request},
};
use serde_json::Value;

pub(crate) use self::embedded::STREAM;
pub use self::embedded::{Embedded, OpenError};
use crate::agenda::{Rank, Task};

/// What a ledger will have said.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, LedgerError>>>>;

/// What a light wallet needs of a ledger.
///
/// A ledger that is not in this process is waited for [outside](crate::agenda::Agenda::outside).
pub trait Ledger {
    /// What a new unit of `from` should look like.
    fn quote(&self, from: Address, request: &Request) -> Answer<Quote>;

    /// Whether a unit of this address has to carry its definition.
    fn definition_needed(&self, address: Address) -> Answer<bool>;

    /// Posts a unit; one that is known already is fine.
    fn post(&self, unit: &Unit) -> Answer<()>;

    /// The coins of an address.
    fn coins(&self, address: Address) -> Answer<Vec<Coin>>;

    /// Everything that happened to an agent: its answers, and the triggers that wait for one.
    fn history(&self, agent: Address) -> Answer<Vec<News>>;

    /// Tells `watcher` the news of `address` from now on.
    fn watch(&self, address: Address, rank: Rank, watcher: Watcher);

    /// Tells the watchers of `rank` nothing any more.
    fn unwatch(&self, rank: Rank);
}

/// Hears the news of one address.
pub type Watcher = Rc<dyn Fn(News) -> Task>;

/// What the ledger shows of an address that is watched.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A unit that pays an agent, not yet stable.
    Trigger {
        /// The unit.
        unit: Hash,
        /// Its first author.
        from: Address,
        /// What it pays the agent.
        amount: Bytes,
        /// Its data message.
        data: Option<Value>,
    },
    /// An agent answered; final.
    Response {
        /// The unit answered.
        trigger: Hash,
        /// Its first author.
        from: Address,
        /// Why it bounced, if it did.
        bounced: Option<String>,
        /// The data message of the response.
        payload: Option<Value>,
        /// The agent's clock.
        at: Timestamp,
    },
    /// A unit turned out to be a double spend.
    BadSequence {
        /// The unit.
        unit: Hash,
    },
    /// Coins came, went or became stable.
    Coins,
}

/// A ledger did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// It looked at it and said no; the same again will not help.
    #[error("the ledger refused: {0}")]
    Refused(String),
    /// It did not answer; whether it took a unit is not known, the same again is harmless.
    #[error("the ledger did not answer")]
    NoAnswer,
}
