use alloc::string::String;

use super::SessionId;
use crate::{AmountError, Bytes, obyte::address::Address};

/// Why a channel says no. What a peer gets to hear has the words of aa-channels-lib.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The package is not a valid signed message.
    #[error("{0}")]
    Unsigned(String),
    /// The signed message is not an object.
    #[error("signed message should be an object")]
    NotAnObject,
    /// The agent's address is none.
    #[error("aa address is not valid")]
    InvalidAgent,
    /// The total is not a positive integer.
    #[error("amount_spent should be a positive integer")]
    BadAmountSpent,
    /// The payment is not a positive integer.
    #[error("payment_amount should be a positive integer")]
    BadPaymentAmount,
    /// The package is for another agent.
    #[error("unknown channel")]
    UnknownChannel,
    /// Someone announces a channel in the name of another.
    #[error("address in channel_parameters mismatches with signing address")]
    AnnouncedByAnother,
    /// The announced parameters make another agent.
    #[error("channel_parameters doesn't correspond to aa_address")]
    AnnouncedOtherwise,
    /// Signed by someone else.
    #[error("package signed by wrong address expected : {0}")]
    WrongSigner(Address),
    /// The channel is closing.
    #[error("closing initiated")]
    Closing,
    /// The package belongs to another period.
    #[error("wrong period")]
    WrongPeriod,
    /// This party has already asked for the close.
    #[error("period closed by me")]
    ClosedByMe,
    /// The peer's close is under way.
    #[error("channel in unconfirmed closing state")]
    PeerIsClosing,
    /// Nothing was ever deposited.
    #[error("AA definition was not published")]
    NotDefined,
    /// The peer's deposits do not cover its total.
    #[error("AA not funded enough.")]
    NotFunded {
        /// What the peer would have spent.
        spent: Bytes,
        /// What it can spend.
        funded: Bytes,
    },
    /// A repeat, or a payment above what the total grew by.
    #[error("Payment amount is over your available credit.")]
    OverCredit {
        /// What the peer wants to pay.
        payment: Bytes,
        /// What its package is good for.
        credit: Bytes,
    },
    /// The package is longer than [`Package::MAX_SIZE`](super::Package::MAX_SIZE): as evidence it
    /// would cost more than it proves.
    #[error("the package has {size} B, at most {most} B are accepted")]
    TooLong {
        /// Its size.
        size: usize,
        /// The most.
        most: usize,
    },
    /// A peer's name for a session is too long.
    #[error("the session's name has {0} B, at most {most} B are accepted", most = SessionId::MAX)]
    NameTooLong(usize),
    /// More sessions than a channel remembers.
    #[error("a channel remembers at most {0} sessions")]
    TooManySessions(usize),
    /// More is to be paid than there is.
    #[error("{wanted} to be paid but only {available} available in the channel")]
    Short {
        /// What was asked for.
        wanted: Bytes,
        /// What there is.
        available: Bytes,
    },
    /// More is to be given back than was received.
    #[error("{wanted} to be given back but the session received only {received}")]
    OwesTooMuch {
        /// What was asked for.
        wanted: Bytes,
        /// What the session received.
        received: Bytes,
    },
    /// Nothing is deposited in this period.
    #[error("the channel is not open")]
    NotOpen,
    /// The close would strand a deposit.
    #[error("a deposit of {0} is still under way")]
    DepositUnderWay(Bytes),
    /// Nothing is to be deposited.
    #[error("a deposit of {wanted} is below the smallest, {least}")]
    DepositTooSmall {
        /// What was asked for.
        wanted: Bytes,
        /// The smallest.
        least: Bytes,
    },
    /// An amount beyond the protocol.
    #[error(transparent)]
    Amount(#[from] AmountError),
    /// The agent's response is not one of the channel agent's.
    #[error("the agent's response cannot be read: {0} is missing")]
    Unreadable(&'static str),
}
