//! What one may ask of a wallet, and what it answers.

use alloc::{boxed::Box, string::String, vec, vec::Vec};
use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::{
    Bytes,
    obyte::{
        address::Address,
        hash::Hash,
        unit::{Output, Unit},
    },
};

/// What is to be posted, before coins and fees are known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who gets how much. Change goes back to the wallet by itself.
    pub outputs: Vec<Output>,
    /// Messages besides the payment.
    pub messages: Vec<Attachment>,
    /// How many responses an agent among the outputs may give; nothing when there is none.
    pub max_aa_responses: Option<u32>,
}

impl Request {
    /// Bytes for an agent, who may respond once, with what it is to be told.
    ///
    /// A unit that defines its agent does not say how often it may respond: before it, there is no
    /// agent among the outputs, and hubs refuse the field then.
    pub fn to_agent(agent: Address, bytes: Bytes, data: Option<Value>, definition: Option<Value>) -> Self {
        let data = data.map(|payload| Attachment::Data { payload });
        let max_aa_responses = definition.is_none().then_some(1);
        let definition = definition.map(|definition| Attachment::Definition { address: agent, definition });
        Self {
            outputs: vec![Output { address: agent, amount: bytes }],
            messages: data.into_iter().chain(definition).collect(),
            max_aa_responses,
        }
    }
}

/// A message that goes along with a payment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attachment {
    /// Data for an agent.
    Data {
        /// The payload.
        payload: Value,
    },
    /// What an oracle says, for agents to read.
    DataFeed {
        /// Names and values.
        payload: Value,
    },
    /// The definition of an agent.
    Definition {
        /// The agent's address.
        address: Address,
        /// Its definition.
        definition: Value,
    },
}

/// What a hub says a new unit should look like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quote {
    /// The units to build upon.
    pub parents: Vec<Hash>,
    /// The last ball.
    pub last_ball: Hash,
    /// Its unit.
    pub last_ball_unit: Hash,
    /// The ledger's time, in seconds.
    pub timestamp: u64,
    /// The least fee for the present traffic.
    pub tps_fee: Bytes,
}

/// An output that can be spent, named by where it stands; its text is `unit:message:output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CoinId {
    /// The unit.
    pub unit: Hash,
    /// The payment among its messages.
    pub message_index: u32,
    /// The output within the payment.
    pub output_index: u32,
}

impl fmt::Display for CoinId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.unit, self.message_index, self.output_index)
    }
}

/// A text that names no coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a coin: unit:message:output wanted")]
pub struct CoinIdError;

impl FromStr for CoinId {
    type Err = CoinIdError;

    fn from_str(text: &str) -> Result<Self, CoinIdError> {
        let mut parts = text.split(':');
        let id = (|| {
            let unit = parts.next()?.parse().ok()?;
            let message_index = parts.next()?.parse().ok()?;
            let output_index = parts.next()?.parse().ok()?;
            Some(Self { unit, message_index, output_index })
        })();
        id.filter(|_| parts.next().is_none()).ok_or(CoinIdError)
    }
}

// A text, so that it can be a key in JSON.
impl Serialize for CoinId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CoinId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An output of the ledger that belongs to the wallet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coin {
    /// Where it stands.
    pub id: CoinId,
    /// What it is worth.
    pub amount: Bytes,
    /// Whether its unit is stable.
    pub stable: bool,
}

/// What one may ask a wallet to do, or tell it.
#[derive(Clone, Debug)]
pub enum Command {
    /// Make a unit of a request. One at a time: the next when the ledger has answered. The same
    /// reference gives the same unit again.
    Compose {
        /// Names the spending.
        reference: String,
        /// What is to be posted.
        request: Request,
        /// What the hub says.
        quote: Quote,
        /// Whether the wallet's own definition must go along.
        definition_needed: bool,
    },
    /// The ledger took the unit.
    Accepted {
        /// Names the spending.
        reference: String,
        /// The signed unit.
        unit: Hash,
    },
    /// The ledger refused the unit: its coins are free again.
    Rejected {
        /// Names the spending.
        reference: String,
        /// Why.
        error: String,
    },
    /// The ledger did not answer: whether it took the unit is not known.
    Unanswered {
        /// Names the spending.
        reference: String,
    },
    /// Outputs the ledger shows.
    CoinsSeen {
        /// New or known, with their present state.
        coins: Vec<Coin>,
    },
    /// Outputs that cannot be spent any more: spent elsewhere, or of a double spend.
    CoinsGone {
        /// Which.
        coins: Vec<CoinId>,
    },
    /// A unit became stable.
    Stable {
        /// Which.
        unit: Hash,
    },
    /// A unit turned out to be a double spend: neither its outputs nor its inputs are spent.
    BadSequence {
        /// Which.
        unit: Hash,
    },
    /// The wallet's deadline passed.
    Wake,
}

/// What the outside world must do for a wallet.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Sign, seal and post this unit; see [`seal`](super::seal). Always the same unit for the same
    /// reference until the ledger refuses it.
    SignAndPost {
        /// Names the spending.
        reference: String,
        /// The unit, without signature and hash.
        unit: Box<Unit>,
    },
    /// To whoever asked: the ledger took the unit.
    Posted {
        /// Names the spending.
        reference: String,
        /// The signed unit.
        unit: Hash,
    },
    /// To whoever asked: the ledger refused the unit; it may be composed anew.
    PostFailed {
        /// Names the spending.
        reference: String,
        /// Why.
        error: String,
    },
}

/// What a wallet has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// On the ledger for good, and free to spend.
    pub stable: Bytes,
    /// On the ledger, not yet stable, free to spend later.
    pub pending: Bytes,
    /// Bound in a unit the ledger has not answered yet.
    pub reserved: Bytes,
}
