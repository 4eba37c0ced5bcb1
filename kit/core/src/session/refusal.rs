use alloc::string::String;

use super::{Name, SessionId};
use crate::{
    AmountError, Bytes, Timestamp,
    obyte::Address,
    tariff::{Price, Quantity, Tariff, Unit},
};

/// Why a session's machine says no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The session is somewhere else.
    #[error("{asked} is not possible while the session is {phase}")]
    NotNow {
        /// What was asked for.
        asked: &'static str,
        /// Where the session is.
        phase: &'static str,
    },
    /// The signature does not hold, or the package is malformed.
    #[error("not a valid signed message: {0}")]
    Signature(String),
    /// Signed well, but not a statement of ours, or not of the kind needed here.
    #[error("a signed {wanted} is needed here: {found}")]
    Statement {
        /// The kind needed.
        wanted: &'static str,
        /// What came.
        found: String,
    },
    /// A number that JSON readers do not agree about.
    #[error("{number} is no whole number of at most {most}")]
    Number {
        /// The number.
        number: String,
        /// The largest.
        most: u64,
    },
    /// Signed by somebody else.
    #[error("signed by {signer} instead of {wanted}")]
    Signer {
        /// Who signed.
        signer: Address,
        /// Who should have.
        wanted: Address,
    },
    /// About another session.
    #[error("about session {found} instead of {wanted}")]
    Session {
        /// The session it is about.
        found: SessionId,
        /// This session.
        wanted: SessionId,
    },
    /// The accepted offer is not the one that was made.
    #[error("another offer than the one made was accepted")]
    OtherOffer,
    /// The offer is for another buyer.
    #[error("the offer is for {offered} and not for {buyer}")]
    Buyer {
        /// Whom it is for.
        offered: Address,
        /// Who wants to take it.
        buyer: Address,
    },
    /// Too late.
    #[error("expired at {at}, and it is {now}")]
    Expired {
        /// The end.
        at: Timestamp,
        /// The present.
        now: Timestamp,
    },
    /// A stop or control that was used already, or is older than one.
    #[error("counter {found} was used already: the last one was {last}")]
    Replay {
        /// Its counter.
        found: u64,
        /// The newest counter accepted.
        last: u64,
    },
    /// The right of access needs credit.
    #[error("{action} needs credit: {paid} paid and {value} used up")]
    NoCredit {
        /// What was wanted.
        action: Name,
        /// All that was paid.
        paid: Bytes,
        /// The value of what was delivered.
        value: Bytes,
    },
    /// Counted in another unit than the limit.
    #[error("sold by {offered} and not by {wanted}")]
    Unit {
        /// The offer's.
        offered: Unit,
        /// The order's.
        wanted: Unit,
    },
    /// The asking price is above the buyer's limit.
    #[error(
        "{} per {} {} is above the limit of {} per {}",
        tariff.price(), tariff.per(), tariff.unit(), limit.bytes, limit.per
    )]
    TooDear {
        /// The price asked.
        tariff: Tariff,
        /// The most the buyer would pay.
        limit: Price,
    },
    /// The offer asks for another first payment than two steps.
    #[error("a first payment of {first} is not two steps, which are {two_steps}")]
    FirstPayment {
        /// The payment asked.
        first: Bytes,
        /// Two steps.
        two_steps: Bytes,
    },
    /// Less money than needed.
    #[error("{what}: {needed} needed but only {available} available")]
    Short {
        /// Which money.
        what: &'static str,
        /// What is needed.
        needed: Bytes,
        /// What there is.
        available: Bytes,
    },
    /// An amount of nothing.
    #[error("{what} of 0 where at least {least} is needed")]
    Zero {
        /// Which amount.
        what: &'static str,
        /// The least that makes sense.
        least: u64,
    },
    /// A total of money that went down.
    #[error("{what}: a total of {total} after {before}")]
    LessMoney {
        /// Which total.
        what: &'static str,
        /// The total given.
        total: Bytes,
        /// The total before.
        before: Bytes,
    },
    /// More money than there can be.
    #[error("{what}: {total} is above {most}")]
    MoreMoney {
        /// Which total.
        what: &'static str,
        /// The total given.
        total: Bytes,
        /// The most possible.
        most: Bytes,
    },
    /// A meter that went backwards.
    #[error("the meter shows {units} units after {before}")]
    MeterBackwards {
        /// What it shows.
        units: Quantity,
        /// What it showed.
        before: Quantity,
    },
    /// The buyer's meter is less exact than what the offer leaves room for.
    #[error("our meter may be {own} ‰ off, and the offer leaves room for {agreed} ‰")]
    Tolerance {
        /// The buyer's stated error, in thousandths.
        own: u16,
        /// What the offer leaves room for, in thousandths.
        agreed: u16,
    },
    /// A meter too slow or too coarse for the step.
    #[error("{what}: {units} units against {step}")]
    Metering {
        /// What is wrong with it.
        what: &'static str,
        /// How much it may miss.
        units: Quantity,
        /// What that is compared with: the step, or the pulse.
        step: Quantity,
    },
    /// A receipt that does not add up.
    #[error("a receipt over {value} for {delivered} units that are worth {worth} of {paid} paid")]
    Receipt {
        /// The value claimed.
        value: Bytes,
        /// The units claimed.
        delivered: Quantity,
        /// What they are worth by the tariff.
        worth: Bytes,
        /// What was paid.
        paid: Bytes,
    },
    /// A channel's salt that no channel takes.
    #[error("a salt of {length} characters where 1 to {most} are possible")]
    Salt {
        /// How long it is.
        length: usize,
        /// How long it may be.
        most: usize,
    },
    /// A sum that does not fit.
    #[error(transparent)]
    Amount(#[from] AmountError),
}
