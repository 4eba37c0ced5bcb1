//! What one may ask of a channel, and what it answers: the whole surface other machines code
//! against.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Package, SignedPackage};
use crate::{
    Bytes, Timestamp,
    obyte::{address::Address, hash::Hash},
};

/// Names one metered session within a channel; at most [`SessionId::MAX`] characters from a peer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub String);

impl SessionId {
    /// The longest name taken from a peer, in bytes.
    pub const MAX: usize = 64;
}

impl From<&str> for SessionId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one may ask a channel to do, or tell it.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "the large one is nearly every one, and moves once")]
pub enum Command {
    /// See to it that `amount` can be paid: deposits what is missing, opening the channel or its
    /// next period when need be. When it is all there, only [`Effect::Ready`] is said again.
    Deposit {
        /// What should be payable afterwards.
        amount: Bytes,
    },
    /// Pay this session up to a running total, cumulative over the session's life: what was
    /// paid before counts. Asking for a total already paid repeats the newest package.
    ///
    /// One package at a time: ask for the next total only when the last was answered.
    Pay {
        /// Who is paid for.
        session: SessionId,
        /// The session's new total.
        up_to: Bytes,
    },
    /// The peer's payment.
    Receive {
        /// The request's tag; the answer carries it.
        tag: String,
        /// The payment.
        package: SignedPackage,
        /// What the peer says it pays for.
        session: Option<SessionId>,
    },
    /// Owe the peer an unused rest of this session, as a running total; given back at the close.
    Owe {
        /// Whose rest.
        session: SessionId,
        /// The session's total to give back.
        amount: Bytes,
    },
    /// Close the present period.
    Close,
    /// What the ledger showed.
    Saw(Sighting),
    /// The wallet posted a [`Effect::Post`].
    Posted {
        /// As the effect named it.
        reference: String,
        /// The unit that carries it.
        unit: Hash,
    },
    /// The wallet or the ledger refused a [`Effect::Post`]; nothing was posted.
    PostFailed {
        /// As the effect named it.
        reference: String,
        /// Why.
        error: String,
    },
    /// The channel's deadline passed.
    Wake,
}

/// What the ledger showed about the channel's agent.
#[derive(Clone, Debug, PartialEq)]
pub enum Sighting {
    /// A unit that triggers the agent, not yet stable.
    Trigger {
        /// The unit.
        unit: Hash,
        /// Its author.
        from: Address,
        /// The bytes it sends to the agent.
        amount: Bytes,
        /// Its data message.
        data: Option<Value>,
        /// When it was seen.
        at: Timestamp,
    },
    /// The agent answered a trigger; final.
    Response {
        /// The unit answered.
        trigger: Hash,
        /// The trigger's author.
        from: Address,
        /// Why the agent bounced it, if it did.
        bounced: Option<String>,
        /// The data message of the response unit.
        payload: Option<Value>,
        /// The ledger's time of the response.
        at: Timestamp,
    },
    /// A unit turned out to be a double spend: it will never count.
    BadSequence {
        /// The unit.
        unit: Hash,
    },
}

/// What the outside world must do for a channel.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// To the wallet: post a unit that triggers the agent. The same reference is posted once,
    /// however often it is asked for.
    Post {
        /// Names this posting: `<agent>/<period>/<deposit|close|confirm|fraud>/<number>`.
        reference: String,
        /// The agent, who gets the bytes.
        agent: Address,
        /// The bytes it gets.
        to_agent: Bytes,
        /// A data message.
        data: Option<Value>,
        /// The agent's definition, to be published in the same unit.
        definition: Option<Value>,
    },
    /// To the shell: sign the package and send it to the peer as a `pay` request.
    Send {
        /// The payment, yet unsigned.
        package: Package,
        /// The session it pays for, to be named in the request.
        session: SessionId,
        /// The session's total with this payment.
        total: Bytes,
    },
    /// To the transport: answer the peer's request.
    Answer {
        /// The request's tag.
        tag: String,
        /// The body: `{"response": …}`.
        answer: Value,
    },
    /// To the session: the peer has paid it this much in all.
    Credited {
        /// The session the peer named.
        session: SessionId,
        /// Its running total.
        total: Bytes,
    },
    /// To the sessions: the channel can carry payments.
    Ready {
        /// The period.
        period: u64,
        /// How much this party can pay now.
        payable: Bytes,
        /// How much the peer can still pay.
        receivable: Bytes,
    },
    /// To the sessions: the close began; nothing is paid from now on.
    Closing {
        /// The period.
        period: u64,
        /// Who began it.
        by: Address,
    },
    /// To the sessions: the period is closed and settled.
    Closed {
        /// The period.
        period: u64,
        /// How it ended.
        outcome: Outcome,
    },
    /// To the sessions: a deposit did not come about.
    DepositFailed {
        /// What was to be deposited.
        amount: Bytes,
        /// Why.
        error: String,
    },
}

/// How a period ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// This party's share, before fees.
    pub mine: Bytes,
    /// The peer's share, before fees.
    pub peer: Bytes,
    /// Who got everything by proving a dishonest close.
    pub fraud_proven_by: Option<Address>,
}
