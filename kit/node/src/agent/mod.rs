//! Autonomous agents: contracts that live at an address and answer each payment to it.
//!
//! This node runs one of them, the payment channel ([`channel`]), as a native state machine instead of
//! interpreting its source. [`compose`] turns what an agent wants to pay and say into the unit that
//! does it.

pub mod channel;
pub mod compose;
mod datum;
mod number;
mod vars;

use coinop_core::{
    Bytes,
    obyte::{address::Address, hash::Hash},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::{
    channel::Channel,
    compose::{Executed, Holdings, balance_after},
};

pub use datum::Datum;
pub use number::Number;
pub use vars::{Change, Party, Scalar, Var, Vars, report};

/// What an agent keeps of every payment that it does not like, and the least it wants to be sent.
pub const BOUNCE_FEE: Bytes = Bytes::new(10_000);

const TOO_LITTLE: &str = "received bytes are not enough to cover bounce fees";

/// A payment to an agent, once it is stable.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// The first author of the unit.
    pub address: Address,
    /// The unit.
    pub unit: Hash,
    /// What all its outputs to the agent add up to.
    pub amount: Bytes,
    /// The payload of its first data message.
    pub data: Option<Value>,
    /// When the unit says it was made, in seconds.
    pub sent: u64,
    /// The timestamp of the main chain unit at its index, in seconds: the agent's clock.
    pub timestamp: u64,
}

impl Trigger {
    /// Reads from a unit what it sends to `agent`; `None` when that is nothing.
    pub fn of_unit(unit: &Value, agent: &Address, timestamp: u64) -> Option<Self> {
        let messages = unit["messages"].as_array()?;
        let paid = |message: &Value| message["app"] == "payment" && message["payload"]["asset"].is_null();
        let outputs = messages.iter().filter(|message| paid(message)).flat_map(|message| {
            let outputs = message["payload"]["outputs"].as_array();
            outputs.into_iter().flatten().filter(|output| output["address"] == agent.as_str())
        });
        let mut amount = None;
        for output in outputs {
            let more = Bytes::try_from(output["amount"].as_u64()?).ok()?;
            amount = Some(amount.unwrap_or(Bytes::ZERO).plus(more).ok()?);
        }
        let data = messages.iter().find(|message| message["app"] == "data");
        Some(Self {
            address: unit["authors"][0]["address"].as_str()?.parse().ok()?,
            unit: unit["unit"].as_str()?.parse().ok()?,
            amount: amount?,
            data: data.map(|message| message["payload"].clone()),
            sent: unit["timestamp"].as_u64()?,
            timestamp,
        })
    }
}

/// What an agent does about a trigger.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It says and pays something, and remembers.
    Response(Response),
    /// It refuses; what was sent goes back, less the fee.
    Bounce(Bounce),
}

/// The messages of a response, and what it changes in the agent's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// In the order they stand in the unit.
    pub messages: Vec<Saying>,
    /// In the order the agent makes them.
    pub changes: Vec<Change>,
}

/// One message of a response.
#[derive(Clone, Debug, PartialEq)]
pub enum Saying {
    /// Tells the world.
    Data(Value),
    /// Pays bytes.
    Pay(Vec<Payout>),
}

/// An output of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payout {
    /// Who gets it.
    pub to: Address,
    /// How much; `None` is all that is left.
    pub amount: Option<Bytes>,
}

/// Why an agent refuses a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounce {
    /// The text that parties see.
    pub text: String,
    /// Where in the agent's source it is said.
    pub place: Place,
}

/// A place in an agent's source, for the error that light clients are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before the agent is asked.
    Outside,
    /// None of its cases applied.
    Cases,
    /// In the initial formula of a case.
    Init {
        /// Which case.
        case: u32,
        /// The line of the formula.
        line: u32,
    },
}

impl Bounce {
    pub(crate) fn outside(text: impl Into<String>) -> Self {
        Self { text: text.into(), place: Place::Outside }
    }

    /// The error as a response carries it.
    pub fn to_json(&self, agent: &Address) -> Value {
        match self.place {
            Place::Outside => Value::from(self.text.as_str()),
            Place::Cases => json!({"message": self.text, "xpath": "/messages/cases"}),
            Place::Init { case, line } => {
                let xpath = format!("/messages/cases/{case}/init");
                json!({
                    "message": self.text,
                    "formattedContext": "",
                    "codeLines": [{"lineNumber": line}],
                    "trace": [{"type": "aa", "aa": agent, "xpath": xpath, "line": line}],
                })
            }
        }
    }
}

/// An answered trigger, as light clients are told of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The agent.
    pub agent: Address,
    /// Who triggered it.
    pub trigger_address: Address,
    /// With which unit.
    pub trigger_unit: Hash,
    /// When that was made, in seconds.
    pub sent: u64,
    /// Its main chain index.
    pub mci: u64,
    /// The agent's clock then, in seconds.
    pub timestamp: u64,
    /// The error, when it bounced.
    pub error: Option<Value>,
    /// The unit it answered with, if any.
    pub response_unit: Option<Hash>,
    /// What changed in its state.
    pub changes: Vec<Change>,
    /// What it owns now.
    pub balance: Bytes,
}

impl Record {
    /// Writes down what came of `trigger`.
    pub fn new(
        channel: &Channel,
        trigger: &Trigger,
        mci: u64,
        holdings: &Holdings,
        executed: &Executed,
    ) -> Self {
        let agent = channel.address;
        let unit = executed.unit.as_ref();
        Self {
            agent,
            trigger_address: trigger.address,
            trigger_unit: trigger.unit,
            sent: trigger.sent,
            mci,
            timestamp: trigger.timestamp,
            error: executed.bounce.as_ref().map(|bounce| bounce.to_json(&agent)),
            response_unit: unit.and_then(|unit| unit["unit"].as_str()?.parse().ok()),
            changes: executed.changes.clone(),
            balance: unit.map_or(holdings.balance, |unit| balance_after(holdings.balance, agent, unit)),
        }
    }

    /// The body of `light/aa_response`; `unit` is the response unit.
    pub fn event(&self, unit: Option<&Value>) -> Value {
        let mut event = json!({
            "mci": self.mci,
            "timestamp": self.timestamp,
            "trigger_address": self.trigger_address,
            "trigger_initial_address": self.trigger_address,
            "trigger_unit": self.trigger_unit,
            "trigger_initial_unit": self.trigger_unit,
            "aa_address": self.agent,
            "bounced": self.error.is_some(),
            "response_unit": self.response_unit,
            "objResponseUnit": unit,
            "response": self.response(),
            "balances": {"base": self.balance},
            "allBalances": {self.agent.as_str(): {"base": self.balance}},
        });
        // An agent that was not even asked has no log.
        if self.error != Some(Value::from(TOO_LITTLE)) {
            event["logs"] = json!([]);
        }
        if self.error.is_none() {
            event["updatedStateVars"] = json!({self.agent.as_str(): report(&self.changes)});
        }
        event
    }

    /// A row of `light/get_aa_responses`; `unit` is the response unit.
    pub fn row(&self, unit: Option<&Value>) -> Value {
        let mut row = json!({
            "mci": self.mci,
            "trigger_address": self.trigger_address,
            "aa_address": self.agent,
            "trigger_unit": self.trigger_unit,
            "bounced": u8::from(self.error.is_some()),
            "response_unit": self.response_unit,
            "response": self.response(),
            "timestamp": self.sent,
        });
        if let Some(unit) = unit {
            row["objResponseUnit"] = unit.clone();
        }
        row
    }

    fn response(&self) -> Value {
        self.error.as_ref().map_or_else(|| json!({}), |error| json!({"error": error}))
    }
}
