use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Address, Hash, Name, SessionId};
use crate::{
    Bytes, Timestamp,
    market::{Listing, Withdrawal},
    tariff::{Quantity, Rate, Tariff},
};

/// Everything a party signs about a session or a market, as an Obyte signed message.
///
/// The tag says what it is, so that a signature of one kind never passes for another, nor for a
/// payment package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "coinop", rename_all = "lowercase")]
pub enum Statement {
    /// The seller offers a session.
    Offer(Offer),
    /// The buyer takes the offer.
    Accept(Accept),
    /// The buyer wants the session to end.
    Stop(Stop),
    /// The buyer uses its right of access.
    Control(Control),
    /// The seller says what the session came to.
    Receipt(Receipt),
    /// A seller publishes what it sells.
    Listing(Listing),
    /// A seller takes a listing back.
    Withdrawal(Withdrawal),
}

/// A binding quote for one session, signed by the seller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// The session, chosen by the seller.
    pub session: SessionId,
    /// The thing that is sold.
    pub thing: Name,
    /// The kind of thing: `lamp`, `charger`, `room`.
    pub kind: Name,
    /// Who sells and signs.
    pub seller: Address,
    /// The only one who may accept.
    pub buyer: Address,
    /// The price and the step.
    pub tariff: Tariff,
    /// The first payment, without which nothing starts: two steps.
    pub first: Bytes,
    /// How delivery is metered.
    pub metering: Metering,
    /// The channel the money comes through.
    pub terms: ChannelTerms,
    /// How long the next step may be missing, with the power off, in **milliseconds**.
    pub grace_ms: u64,
    /// Until when it may be accepted and the deposit may come.
    pub expires_at: Timestamp,
}

/// How a thing meters what it delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metering {
    /// The fastest it can deliver.
    pub rated: Rate,
    /// The smallest amount it notices: one pulse of the meter, one millisecond.
    pub resolution: Quantity,
    /// The longest silence of the meter while the power is on, in **milliseconds**.
    pub gap_ms: u64,
}

impl Metering {
    /// The longest silence of the meter while the power is on.
    pub const fn gap(&self) -> Duration {
        Duration::from_millis(self.gap_ms)
    }
}

/// What the channel of a session has to be like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelTerms {
    /// The channel's timeout, in **seconds**.
    pub timeout: u64,
    /// The channel's salt, which tells several channels of the same two parties apart.
    pub salt: Name,
    /// The least the buyer has to have free in the channel before anything starts.
    pub min_deposit: Bytes,
}

/// The buyer's signature under an offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The session.
    pub session: SessionId,
    /// The hash of the offer's canonical JSON.
    pub offer: Hash,
}

/// The buyer ends the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// The session.
    pub session: SessionId,
    /// Larger than in every earlier stop or control of this session.
    pub counter: u64,
}

/// The buyer uses its right of access: `open` a door, say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The session.
    pub session: SessionId,
    /// What to do.
    pub action: Name,
    /// Larger than in every earlier stop or control of this session.
    pub counter: u64,
}

/// What a session came to, signed by the seller; the newest one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The session.
    pub session: SessionId,
    /// What was delivered by the seller's meter.
    pub delivered: Quantity,
    /// What of the payments is used up: the value of what was delivered, never above `paid`.
    pub value: Bytes,
    /// All that was paid; `paid - value` goes back to the buyer.
    pub paid: Bytes,
}

/// The seller's meter during the session. Not signed: it binds nobody, the receipt does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The session.
    pub session: SessionId,
    /// All that was delivered so far.
    pub delivered: Quantity,
}
