use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    obyte::Address,
    session::{ChannelTerms, Metering, Name},
    tariff::Tariff,
};

/// What a seller sells, signed by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// Who sells and signs.
    pub seller: Address,
    /// The thing, unique with its seller.
    pub thing: Name,
    /// The kind of thing: `lamp`, `charger`, `room`.
    pub kind: Name,
    /// The price and the step.
    pub tariff: Tariff,
    /// How delivery is metered.
    pub metering: Metering,
    /// The channel it is paid through.
    pub terms: ChannelTerms,
    /// Larger than in every earlier listing of the thing.
    pub version: u64,
    /// Until when it holds.
    pub expires_at: Timestamp,
}

/// A seller takes a listing back; signed by it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawal {
    /// Who sells and signs.
    pub seller: Address,
    /// The thing.
    pub thing: Name,
    /// At least the version of the listing that is taken back.
    pub version: u64,
}
