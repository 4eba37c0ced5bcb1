use alloc::boxed::Box;

use serde::{Deserialize, Serialize};

use crate::{
    Bytes, Timestamp,
    obyte::Address,
    session::{
        ChannelTerms, End, Metering, Name, Offer, Reading, Receipt, Refusal, SessionId, Signed, Statement,
    },
    tariff::{Quantity, Tariff},
};

/// What the seller would sell, before it is an [`Offer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The thing.
    pub thing: Name,
    /// The kind of thing.
    pub kind: Name,
    /// The seller, who signs.
    pub seller: Address,
    /// The buyer who asked.
    pub buyer: Address,
    /// The price and the step.
    pub tariff: Tariff,
    /// How it is metered.
    pub metering: Metering,
    /// The channel it is paid through.
    pub terms: ChannelTerms,
    /// How long the next step may be missing, with the power off, in **milliseconds**.
    pub grace_ms: u64,
    /// Until when it may be accepted and the deposit may come.
    pub expires_at: Timestamp,
}

impl Quote {
    pub(super) fn into_offer(self, session: SessionId) -> Result<Offer, Refusal> {
        let first = self.tariff.first_price();
        let Self { thing, kind, seller, buyer, tariff, metering, terms, grace_ms, expires_at } = self;
        let offer = Offer {
            session,
            thing,
            kind,
            seller,
            buyer,
            tariff,
            first,
            metering,
            terms,
            grace_ms,
            expires_at,
        };
        offer.check()?;
        Ok(offer)
    }
}

/// How a buyer stopped: its own meter's word, with its signature kept as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// What its meter shows, if it has one.
    pub seen: Option<Quantity>,
    /// What our own meter showed by then.
    pub shown: Quantity,
    /// The stop as signed.
    pub package: Signed,
}

/// What a sale is asked or told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A buyer asks: make an offer.
    Quote(Box<Quote>),
    /// The buyer's signed [`Accept`](super::super::Accept).
    Accept(Signed),
    /// The channel is open with this much of the buyer's money free in it.
    Ready {
        /// What the buyer can spend.
        deposit: Bytes,
    },
    /// The channel credited the buyer's payments for this session.
    Paid {
        /// All payments of this session together.
        total: Bytes,
    },
    /// The meter's word: this session's share.
    Metered {
        /// All that this session got.
        units: Quantity,
        /// When the meter stood there: the past, when the word comes late.
        at: Timestamp,
    },
    /// The power is off and this is the meter's last word.
    Final {
        /// All that this session got.
        units: Quantity,
    },
    /// The process is back after it was away, with the power off until now. Said once after a restart.
    Resumed {
        /// The last moment at which the power can have been on.
        until: Timestamp,
    },
    /// The buyer's signed [`Stop`](super::super::Stop) or [`Control`](super::super::Control).
    Instruct(Signed),
    /// The seller ends it: the operator, a failing thing, a closing channel.
    End {
        /// Why.
        why: End,
    },
    /// The channel gave the unused rest back.
    Returned {
        /// All that was given back for this session.
        total: Bytes,
    },
    /// The alarm rang.
    Wake,
}

/// What happened in a sale, with totals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Event {
    /// An offer was made.
    Quoted {
        /// The offer.
        offer: Box<Offer>,
    },
    /// The buyer took it.
    Accepted {
        /// The buyer's signature, kept as evidence.
        accept: Signed,
    },
    /// The deposit is there.
    Funded {
        /// What the buyer can spend.
        deposit: Bytes,
        /// Until when the first payment has to come.
        pay_by: Timestamp,
    },
    /// Money came.
    Paid {
        /// All of it.
        total: Bytes,
    },
    /// The power may be on.
    Powered {
        /// From when on the meter has to show something.
        at: Timestamp,
    },
    /// Something was delivered.
    Metered {
        /// All of it.
        units: Quantity,
        /// When the meter stood there.
        at: Timestamp,
    },
    /// All that was paid is used up; the power is off.
    UsedUp {
        /// Until when the next step may come.
        until: Timestamp,
        /// When the reading is sent again, in case it was lost.
        remind_at: Timestamp,
    },
    /// The buyer used its right of access.
    Acted {
        /// What was done.
        action: Name,
        /// The newest counter.
        counter: u64,
    },
    /// It ends; the power is off, the last reading is awaited.
    Ended {
        /// Why.
        why: End,
        /// The newest counter.
        counter: u64,
        /// Until when the last reading may come.
        until: Timestamp,
        /// The buyer's stop, if it said one.
        stop: Option<Stopped>,
    },
    /// The account is made up; made up again when money comes late.
    Settled {
        /// What it came to.
        receipt: Receipt,
        /// What goes back: all that was paid without the receipt's value.
        owed: Bytes,
    },
    /// The unused rest went back.
    Returned {
        /// All that went back.
        total: Bytes,
    },
}

/// What the seller's shell must do; doing it twice is harmless.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "an effect is carried out once and never kept")]
pub enum Effect {
    /// Sign this as the seller and send it.
    Tell {
        /// To whom.
        to: Address,
        /// What.
        statement: Statement,
    },
    /// Send the meter's reading.
    Read {
        /// To whom.
        to: Address,
        /// The reading.
        reading: Reading,
    },
    /// Let this buyer open such a channel, and say [`Command::Ready`] when it has the deposit.
    Expect {
        /// For which session.
        session: SessionId,
        /// Who will open it.
        buyer: Address,
        /// What it has to be like.
        terms: ChannelTerms,
    },
    /// From now on this many more units may be delivered: a lease of them at rated power. Replaces
    /// the one before; 0 is off.
    Entitle {
        /// For which session.
        session: SessionId,
        /// How many more units from now on.
        units_left: Quantity,
        /// The total that may be reached, the same thing counted from the start.
        up_to: Quantity,
    },
    /// The power is off: read the meter a last time and say [`Command::Final`].
    ReadLast {
        /// Of which session.
        session: SessionId,
    },
    /// Do what the buyer is entitled to; the counter tells a repetition from a new wish.
    Act {
        /// In which session.
        session: SessionId,
        /// What.
        action: Name,
        /// The number of the wish.
        counter: u64,
    },
    /// Give this total back through the channel, and say [`Command::Returned`].
    Owe {
        /// For which session.
        session: SessionId,
        /// To whom.
        to: Address,
        /// All that is to be given back for this session.
        amount: Bytes,
    },
}
