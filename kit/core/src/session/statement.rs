use alloc::string::{String, ToString};
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{End, Name, Refusal, SessionId};
use crate::{
    Bytes, Timestamp,
    market::{Listing, Withdrawal},
    meter::Accuracy,
    obyte::{Address, Hash, canonical::canonical_json},
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

impl Statement {
    /// The tag, for a log.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Offer(_) => "offer",
            Self::Accept(_) => "accept",
            Self::Stop(_) => "stop",
            Self::Control(_) => "control",
            Self::Receipt(_) => "receipt",
            Self::Listing(_) => "listing",
            Self::Withdrawal(_) => "withdrawal",
        }
    }
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

impl Offer {
    /// The hash that an [`Accept`] names: of the canonical JSON.
    ///
    /// # Errors
    ///
    /// [`Refusal::Statement`] when it cannot be written.
    pub fn hash(&self) -> Result<Hash, Refusal> {
        let broken = |found: String| Refusal::Statement { wanted: "offer", found };
        let value = serde_json::to_value(self).map_err(|error| broken(error.to_string()))?;
        let text = canonical_json(&value).map_err(|error| broken(error.to_string()))?;
        Ok(Hash::of(text.as_bytes()))
    }

    /// How long the next step may be missing.
    pub const fn grace(&self) -> Duration {
        Duration::from_millis(self.grace_ms)
    }

    /// Checks what both sides rely on: two steps first, a deposit that holds them, a meter that is fine
    /// and quick enough, a grace time.
    ///
    /// # Errors
    ///
    /// What is wrong, with the numbers.
    pub fn check(&self) -> Result<(), Refusal> {
        let two_steps = self.tariff.first_price();
        if self.first != two_steps {
            return Err(Refusal::FirstPayment { first: self.first, two_steps });
        }
        if self.terms.min_deposit < self.first {
            let (needed, available) = (self.first, self.terms.min_deposit);
            return Err(Refusal::Short { what: "deposit asked for", needed, available });
        }
        if self.grace_ms == 0 {
            return Err(Refusal::Zero { what: "grace time", least: 1 });
        }
        self.terms.check()?;
        self.metering.check(&self.tariff)
    }

    pub(super) fn not_expired(&self, now: Timestamp) -> Result<(), Refusal> {
        if now < self.expires_at { Ok(()) } else { Err(Refusal::Expired { at: self.expires_at, now }) }
    }
}

pub(super) fn same_session(found: SessionId, wanted: SessionId) -> Result<(), Refusal> {
    if found == wanted { Ok(()) } else { Err(Refusal::Session { found, wanted }) }
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
    /// How far the seller's meter may be from the truth, in **thousandths** of what it shows.
    pub error_permille: u16,
    /// How much further the buyer's meter may be apart from it, in **thousandths** of what they show.
    pub apart_permille: u16,
}

impl Metering {
    /// The longest silence of the meter while the power is on.
    pub const fn gap(&self) -> Duration {
        Duration::from_millis(self.gap_ms)
    }

    /// How far the seller's and the buyer's meter may be apart when the lower one shows so much.
    ///
    /// Two readings are hardly of one moment, so what may flow within the gap is no disagreement. It is
    /// never more than a step: nobody agreed to lose more.
    pub fn tolerance(&self, tariff: &Tariff, shown: Quantity) -> Quantity {
        let unnoticed = if tariff.unit().flows() {
            self.rated.most_within(self.gap()).max(self.resolution)
        } else {
            self.resolution
        };
        let permille = self.error_permille.saturating_add(self.apart_permille);
        Accuracy { units: unnoticed, permille }.of(shown).min(tariff.step())
    }

    /// Checks that what the meter may not have noticed yet is less than a step.
    ///
    /// # Errors
    ///
    /// [`Refusal::Metering`] with both numbers, [`Refusal::Zero`].
    pub fn check(&self, tariff: &Tariff) -> Result<(), Refusal> {
        let step = tariff.step();
        if self.resolution.is_zero() {
            return Err(Refusal::Zero { what: "meter resolution", least: 1 });
        }
        if self.resolution > step {
            return Err(Refusal::Metering { what: "the meter is too coarse", units: self.resolution, step });
        }
        if !tariff.unit().flows() {
            return Ok(());
        }
        let unnoticed = self.rated.most_within(self.gap());
        if unnoticed > step {
            return Err(Refusal::Metering { what: "the meter may be silent for", units: unnoticed, step });
        }
        if unnoticed <= self.resolution {
            let (units, step) = (unnoticed, self.resolution);
            return Err(Refusal::Metering { what: "the meter's gap is shorter than its pulse", units, step });
        }
        Ok(())
    }
}

/// What the channel of a session has to be like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelTerms {
    /// The channel's timeout, in **seconds**.
    pub timeout: u64,
    /// The channel's salt, which tells several channels of the same two parties apart.
    pub salt: String,
    /// The least the buyer has to have free in the channel before anything starts.
    pub min_deposit: Bytes,
}

impl ChannelTerms {
    /// The longest salt, in characters.
    pub const MAX_SALT: usize = 50;

    /// Checks what every channel needs: a salt of 1 to 50 characters, a timeout.
    ///
    /// # Errors
    ///
    /// [`Refusal::Zero`], [`Refusal::Salt`].
    pub fn check(&self) -> Result<(), Refusal> {
        if self.timeout == 0 {
            return Err(Refusal::Zero { what: "channel timeout", least: 1 });
        }
        let length = self.salt.chars().take(Self::MAX_SALT + 1).count();
        if length == 0 || length > Self::MAX_SALT {
            return Err(Refusal::Salt { length, most: Self::MAX_SALT });
        }
        Ok(())
    }
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
    /// What the buyer's own meter shows, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Quantity>,
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
    /// Why it ended.
    pub why: End,
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
