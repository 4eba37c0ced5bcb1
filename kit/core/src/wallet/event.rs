use alloc::{boxed::Box, string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use super::{Coin, CoinId};
use crate::{
    AmountError, Bytes, Timestamp,
    obyte::{
        fees::FeeError,
        hash::Hash,
        unit::{Unit, UnitError},
    },
};

/// What happened to a wallet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A unit was made, and its coins are bound.
    Composed {
        /// Names the spending.
        reference: String,
        /// The unit, without signature and hash.
        unit: Box<Unit>,
        /// The coins it spends.
        inputs: Vec<Coin>,
    },
    /// The ledger took the unit: its coins are spent.
    Accepted {
        /// Names the spending.
        reference: String,
        /// The signed unit.
        unit: Hash,
        /// What came back to the wallet.
        change: Vec<Coin>,
    },
    /// The ledger refused the unit: its coins are free.
    Rejected {
        /// Names the spending.
        reference: String,
        /// Why.
        error: String,
    },
    /// Whether the ledger took the unit is not known.
    Unanswered {
        /// Names the spending.
        reference: String,
        /// When the same unit is posted again.
        retry_at: Timestamp,
    },
    /// Coins were found, or changed their state.
    CoinsSeen {
        /// As they are now.
        coins: Vec<Coin>,
    },
    /// Coins cannot be spent any more.
    CoinsGone {
        /// Which.
        coins: Vec<CoinId>,
    },
    /// A unit's outputs are on the ledger for good.
    Stable {
        /// The unit.
        unit: Hash,
    },
    /// A unit was a double spend: its outputs are void.
    BadSequence {
        /// The unit.
        unit: Hash,
    },
}

/// Why a wallet says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The coins do not suffice.
    #[error("{wanted} needed with fees but only {available} can be spent")]
    Short {
        /// The outputs and all fees.
        wanted: Bytes,
        /// All coins that may be spent now.
        available: Bytes,
    },
    /// More coins would be needed than fit into a unit.
    #[error("{wanted} needed with fees but the {most} largest coins make only {available}")]
    TooManyCoins {
        /// The outputs and all fees.
        wanted: Bytes,
        /// How many inputs a payment may have.
        most: usize,
        /// What they come to.
        available: Bytes,
    },
    /// Another unit waits for the ledger's answer.
    #[error("the ledger has not answered {0} yet")]
    Busy(String),
    /// An output of nothing.
    #[error("an output of 0 B cannot be paid")]
    ZeroOutput,
    /// No responses at all.
    #[error("0 responses of an agent cannot be paid for")]
    ZeroResponses,
    /// An amount beyond the protocol.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// A fee beyond the protocol.
    #[error(transparent)]
    Fee(#[from] FeeError),
    /// A message that cannot be hashed.
    #[error(transparent)]
    Unit(#[from] UnitError),
}
