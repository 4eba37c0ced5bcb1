use alloc::boxed::Box;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    Bytes, Timestamp,
    obyte::Address,
    session::{ChannelTerms, End, Name, Offer, Reading, Receipt, SessionId, Signed, Statement},
    tariff::{Price, Quantity, Unit},
};

/// What a buyer wants, and where it stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// How much to get, in the tariff's units; `None` is until stopped.
    pub wanted: Option<Quantity>,
    /// How long at most from the first payment on, in **milliseconds**; `None` is no limit.
    pub longest_ms: Option<u64>,
    /// The most to pay in all.
    pub budget: Bytes,
    /// What it counts in.
    pub unit: Unit,
    /// The most to pay for so many units.
    pub limit: Price,
    /// What to have free in the channel.
    pub deposit: Bytes,
    /// Whose meter is believed.
    pub witness: Witness,
    /// How far our own meter may be from the truth, in **thousandths** of what it shows.
    pub error_permille: u16,
    /// How long to wait for others.
    pub patience: Patience,
}

/// Whose word about the delivery a buyer goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Witness {
    /// Its own observation, or the seller's reading when that is smaller.
    Own,
    /// It has none: the seller's reading, but never faster than the rated power since the start. A
    /// lying seller gains what it did not deliver, up to that rate.
    Seller,
}

/// How long a buyer waits, in **milliseconds**.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patience {
    /// For an answer, before saying it again.
    pub retry_ms: u64,
    /// For the channel to have the deposit.
    pub deposit_ms: u64,
    /// For something more to be delivered.
    pub stall_ms: u64,
    /// For the receipt after the stop.
    pub settle_ms: u64,
}

impl Patience {
    pub(super) const fn retry(&self) -> Duration {
        Duration::from_millis(self.retry_ms)
    }

    pub(super) const fn deposit(&self) -> Duration {
        Duration::from_millis(self.deposit_ms)
    }

    pub(super) const fn stall(&self) -> Duration {
        Duration::from_millis(self.stall_ms)
    }

    pub(super) const fn settle(&self) -> Duration {
        Duration::from_millis(self.settle_ms)
    }
}

/// What a purchase is asked or told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take this signed [`Offer`] and buy on it.
    Buy {
        /// The offer, signed by its seller.
        offer: Signed,
        /// Who buys.
        buyer: Address,
        /// What is wanted.
        order: Box<Order>,
    },
    /// The seller's reading; the first one also says that the seller holds the thing for us.
    Read(Reading),
    /// The channel is open with this much of our money free in it.
    Ready {
        /// What can be spent.
        available: Bytes,
    },
    /// Our own meter's word.
    Observed {
        /// All that was delivered to us in this session.
        units: Quantity,
    },
    /// Use the right of access: open the door.
    Control {
        /// What to do.
        action: Name,
    },
    /// The process is back after it was away. Said once after a restart.
    Resumed,
    /// We do not want any more.
    Stop,
    /// The seller's signed [`Receipt`].
    Receipt(Signed),
    /// The channel got the unused rest back.
    Returned {
        /// All that came back for this session.
        total: Bytes,
    },
    /// The channel is closing, or refused to pay.
    ChannelLost,
    /// The alarm rang.
    Wake,
}

/// What happened in a purchase, with totals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// An offer was taken.
    Taken {
        /// The offer as signed, kept as evidence.
        package: Signed,
        /// The offer itself.
        offer: Box<Offer>,
        /// Who buys.
        buyer: Address,
        /// What is wanted.
        order: Box<Order>,
        /// When to say so again.
        retry_at: Timestamp,
    },
    /// It is time to say the last thing again.
    Retried {
        /// When next.
        retry_at: Timestamp,
    },
    /// The seller holds the thing for us; the channel is opened.
    Held {
        /// Until when it has to be ready.
        ready_by: Timestamp,
    },
    /// The channel is ready.
    Funded {
        /// The most this session may pay: budget, deposit and what is wanted.
        ceiling: Bytes,
        /// When the first payment was made.
        started: Timestamp,
    },
    /// Another step is paid.
    Paid {
        /// All that is paid.
        total: Bytes,
        /// Until when something more has to be delivered.
        stalls_at: Timestamp,
    },
    /// Something was delivered by our own meter.
    Observed {
        /// All of it.
        units: Quantity,
        /// Until when something more has to be delivered.
        stalls_at: Timestamp,
    },
    /// Something was still delivered after the stop.
    SeenLate {
        /// All of it.
        units: Quantity,
    },
    /// The process is back after it was away.
    Resumed {
        /// Until when something more has to be delivered.
        stalls_at: Timestamp,
    },
    /// Something was delivered by the seller's meter.
    Read {
        /// All of it.
        units: Quantity,
        /// Until when something more has to be delivered.
        stalls_at: Timestamp,
    },
    /// The right of access was used.
    Controlled {
        /// What was asked for.
        action: Name,
        /// The newest counter.
        counter: u64,
    },
    /// It is to end; the receipt is awaited.
    Stopped {
        /// Why.
        why: End,
        /// The newest counter, the stop's.
        counter: u64,
        /// When to say it again.
        retry_at: Timestamp,
        /// When to give up waiting.
        until: Timestamp,
    },
    /// The receipt came, or a newer one.
    Settled {
        /// The receipt as signed, kept as evidence.
        package: Signed,
        /// The receipt itself.
        receipt: Receipt,
        /// What has to come back: all that was paid without the receipt's value.
        owed: Bytes,
        /// What the receipt claims beyond one step more than our own meter saw.
        overclaimed: Bytes,
        /// Why it ended.
        why: End,
        /// Until when the rest has to be given back.
        until: Timestamp,
    },
    /// The unused rest came back.
    Returned {
        /// All that came back.
        total: Bytes,
    },
    /// Nothing more is to be done; without a receipt when the seller gave none.
    Released {
        /// Why it ended.
        why: End,
    },
}

/// What the buyer's shell must do; doing it twice is harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Sign this as the buyer and send it.
    Tell {
        /// To whom.
        to: Address,
        /// What.
        statement: Statement,
    },
    /// Have such a channel with this much free in it, and say [`Command::Ready`].
    OpenChannel {
        /// For which session.
        session: SessionId,
        /// With whom.
        seller: Address,
        /// What it has to be like.
        terms: ChannelTerms,
        /// What has to be free in it.
        deposit: Bytes,
    },
    /// Pay the seller through the channel until this session's payments add up to this.
    Pay {
        /// For which session.
        session: SessionId,
        /// To whom.
        to: Address,
        /// All payments of this session together.
        up_to: Bytes,
    },
    /// This session is settled as far as it can be and pays no more: the channel may be closed, which gives
    /// the rest back.
    Done {
        /// Which session.
        session: SessionId,
    },
}
