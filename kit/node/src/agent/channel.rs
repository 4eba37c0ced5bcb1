//! The payment channel agent, version 1.1, as a native state machine.
//!
//! Two parties lock deposits at the agent's address and then pay each other with signed packages that
//! never touch the ledger. One of them closes, saying what was spent; the other confirms, or proves
//! with a package signed by the first that he lied, and takes everything.

use coinop_core::{
    Bytes,
    obyte::{Network, address::Address, signed},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Answer, BOUNCE_FEE, Bounce, Change, Datum, Number, Party, Payout, Place, Response, Saying, Scalar,
    TOO_LITTLE, Trigger, Var, Vars, datum::NotComparable, vars::Draft,
};

/// The address of the agent whose parameterized copies are channels.
pub const BASE: &str = "4IRUGAUUCAQ6QRQLG4SNOLOE6VW2STWZ";

const CLOSE: u32 = 1;
const CONFIRM: u32 = 2;
const FRAUD_PROOF: u32 = 3;

/// A channel: who the parties are and how long the other one may answer a close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// The agent's own address.
    pub address: Address,
    /// The contacted peer.
    pub address_a: Address,
    /// The creator.
    pub address_b: Address,
    /// Seconds after which the one who closes may confirm himself.
    pub timeout: u64,
}

/// Why a definition is not a channel that this node can run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoChannel {
    /// Another agent.
    #[error("only channels of the base agent {BASE} run on this node")]
    OtherAgent,
    /// A parameter the agent needs is missing or is not what it must be.
    #[error("a channel needs {0}")]
    Parameter(&'static str),
}

impl Channel {
    /// Reads the channel that `definition` defines at `address`.
    ///
    /// # Errors
    ///
    /// [`NoChannel`] when this is no channel in bytes between two different parties.
    pub fn of_definition(address: Address, definition: &Value) -> Result<Self, NoChannel> {
        let template = &definition[1];
        if definition[0] != "autonomous agent" || template["base_aa"] != BASE {
            return Err(NoChannel::OtherAgent);
        }
        let params = &template["params"];
        let party = |name: &str| params[name].as_str().and_then(|text| text.parse::<Address>().ok());
        let address_a = party("addressA").ok_or(NoChannel::Parameter("a valid addressA"))?;
        let address_b = party("addressB").ok_or(NoChannel::Parameter("a valid addressB"))?;
        if address_a == address_b {
            return Err(NoChannel::Parameter("two different parties"));
        }
        if params["asset"] != "base" {
            return Err(NoChannel::Parameter("the asset base: this node knows no other"));
        }
        let timeout = Datum::at(Some(params), &["timeout"]).integer().and_then(Number::to_u64);
        let timeout = timeout.ok_or(NoChannel::Parameter("a timeout in whole seconds"))?;
        Ok(Self { address, address_a, address_b, timeout })
    }

    /// Says what the agent does about `trigger`.
    pub fn answer(&self, vars: &Vars, trigger: &Trigger, network: Network) -> Answer {
        if trigger.amount < BOUNCE_FEE {
            return Answer::Bounce(Bounce::outside(TOO_LITTLE));
        }
        let run = Run { channel: self, vars, trigger, network };
        run.answer().map_or_else(Answer::Bounce, Answer::Response)
    }

    /// The address of a party.
    pub const fn address_of(&self, party: Party) -> Address {
        match party {
            Party::A => self.address_a,
            Party::B => self.address_b,
        }
    }

    fn party(&self, address: &Address) -> Option<Party> {
        [Party::A, Party::B].into_iter().find(|party| self.address_of(*party) == *address)
    }
}

/// One trigger being answered.
struct Run<'a> {
    channel: &'a Channel,
    vars: &'a Vars,
    trigger: &'a Trigger,
    network: Network,
}

impl<'a> Run<'a> {
    fn answer(&self) -> Result<Response, Bounce> {
        let party = self.channel.party(&self.trigger.address);
        let closing = self.vars.closing();
        match (party, closing) {
            (Some(_), Some(_)) if self.deposits() => self.refuse_deposit(),
            (Some(party), None) if self.deposits() => self.deposit(party),
            (Some(party), None) if self.says("close") => self.close(party),
            (_, Some(initiator)) if self.says("confirm") => self.confirm(party, initiator),
            (_, Some(liar)) if self.says("fraud_proof") && self.says("sentByPeer") => self.fraud_proof(liar),
            (Some(_) | None, Some(_) | None) => {
                Err(Bounce { text: "neither case is true in messages".into(), place: Place::Cases })
            }
        }
    }

    fn deposits(&self) -> bool {
        self.trigger.amount > BOUNCE_FEE
    }

    fn deposit(&self, party: Party) -> Result<Response, Bounce> {
        let amount = Number::of(self.trigger.amount.get());
        let balance = |of: Party| {
            let more = if of == party { amount } else { Number::ZERO };
            sum(self.vars.number(Var::Balance(of)), more)
        };
        let period = self.vars.datum(Var::Period).otherwise(Datum::Number(Number::ONE));
        let data = self.data(&[("open", Datum::Number(Number::ONE)), ("period", period)]);
        let data = self.with_parties(data, balance(Party::A)?, balance(Party::B)?);
        let mut draft = self.next_event()?;
        if !self.vars.datum(Var::Period).is_true() {
            draft.set(Var::Period, Scalar::Number(Number::ONE));
        }
        draft.raise(Var::Balance(party), balance(party)?);
        Ok(Response { messages: vec![Saying::Data(data)], changes: draft.done() })
    }

    fn refuse_deposit(&self) -> Result<Response, Bounce> {
        let data = self.data(&[("refused", Datum::Number(Number::ONE))]);
        let refund = Payout { to: self.trigger.address, amount: Some(self.trigger.amount.less(BOUNCE_FEE)) };
        let messages = vec![Saying::Data(Value::Object(data)), Saying::Pay(vec![refund])];
        Ok(Response { messages, changes: self.next_event()?.done() })
    }

    fn close(&self, party: Party) -> Result<Response, Bounce> {
        self.require_period(CLOSE, 2, 3)?;
        let mine = self.said(&["transferredFromMe"]).otherwise(Datum::Number(Number::ZERO));
        let mine = amount(mine).ok_or_else(|| at(CLOSE, 6, format!("bad amount spent by me: {mine}")))?;
        let peers = if self.says("sentByPeer") {
            self.package_amount(
                party.other(),
                &PackageLines { case: CLOSE, channel: 8, period: 10, signer: 13, amount: 16 },
            )?
        } else {
            Number::ZERO
        };
        let (by_a, by_b) = match party {
            Party::A => (mine, peers),
            Party::B => (peers, mine),
        };
        let initiator = self.trigger.address;
        let mut data =
            self.data(&[("closing", Datum::Number(Number::ONE)), ("period", self.vars.datum(Var::Period))]);
        data.insert("initiated_by".into(), json!(initiator));
        let data = self.with_parties(data, by_a, by_b);
        let mut draft = self.next_event()?;
        draft.set(Var::Spent(Party::A), Scalar::Number(by_a)).set(Var::Spent(Party::B), Scalar::Number(by_b));
        draft.set(Var::CloseInitiatedBy, Scalar::Party(party));
        draft.set(Var::CloseStartTs, Scalar::Number(Number::of(self.trigger.timestamp)));
        Ok(Response { messages: vec![Saying::Data(data)], changes: draft.done() })
    }

    fn confirm(&self, party: Option<Party>, initiator: Party) -> Result<Response, Bounce> {
        let party = party.filter(|party| *party != initiator || self.timeout_is_over());
        let party = party.ok_or_else(|| at(CONFIRM, 3, "too early"))?;
        self.require_period(CONFIRM, 4, 5)?;
        let more = self.said(&["additionalTransferredFromMe"]).otherwise(Datum::Number(Number::ZERO));
        let more =
            amount(more).ok_or_else(|| at(CONFIRM, 8, format!("bad additionalTransferredFromMe: {more}")))?;
        let (final_a, final_b) =
            (self.final_balance(Party::A, party, more)?, self.final_balance(Party::B, party, more)?);
        let smaller = if final_a < final_b { (Party::A, final_a) } else { (Party::B, final_b) };
        let due = sum(smaller.1, Number::of(BOUNCE_FEE.get()))?;
        let due = due.to_u64().and_then(|due| Bytes::try_from(due).ok());
        let due = due.ok_or_else(|| Bounce::outside("negative or fractional amounts"))?;
        let pay = [Party::A, Party::B]
            .map(|of| Payout { to: self.channel.address_of(of), amount: (of == smaller.0).then_some(due) });
        let data = self.closed(&[]);
        Ok(Response { messages: vec![Saying::Pay(pay.to_vec()), Saying::Data(data)], changes: self.reset()? })
    }

    fn fraud_proof(&self, liar: Party) -> Result<Response, Bounce> {
        let lines = PackageLines { case: FRAUD_PROOF, channel: 3, period: 5, signer: 8, amount: 11 };
        let spent = self.package_amount(liar, &lines)?;
        if spent <= self.vars.number(Var::Spent(liar)) {
            return Err(at(FRAUD_PROOF, 14, "the peer didn't lie in his favor"));
        }
        let pay = vec![Payout { to: self.trigger.address, amount: None }];
        let data = self.closed(&[("fraud_proof", Datum::Number(Number::ONE))]);
        Ok(Response { messages: vec![Saying::Pay(pay), Saying::Data(data)], changes: self.reset()? })
    }

    fn timeout_is_over(&self) -> bool {
        let start = self.vars.number(Var::CloseStartTs);
        let end = start.plus(Number::of(self.channel.timeout));
        end.is_some_and(|end| Number::of(self.trigger.timestamp) >= end)
    }

    fn final_balance(&self, of: Party, confirming: Party, more: Number) -> Result<Number, Bounce> {
        let before = difference(self.vars.number(Var::Balance(of)), self.vars.number(Var::Spent(of)))?;
        let received = sum(before, self.vars.number(Var::Spent(of.other())))?;
        let balance = if of == confirming { difference(received, more)? } else { sum(received, more)? };
        Ok(balance.max(Number::ZERO))
    }

    /// The amount that a package of `signer` in the trigger acknowledges.
    fn package_amount(&self, signer: Party, lines: &PackageLines) -> Result<Number, Bounce> {
        let compare = |line: u32, one: Datum<'_>, two: Datum<'_>, text: &str| match one.equals(two) {
            Ok(true) => Ok(()),
            Ok(false) => Err(at(lines.case, line + 1, text)),
            Err(NotComparable(text)) => Err(at(lines.case, line, text)),
        };
        let message = |field: &str| self.said(&["sentByPeer", "signed_message", field]);
        let this = self.channel.address;
        let this = Datum::Text(this.as_str());
        compare(lines.channel, message("aa_address"), this, "signed for another channel")?;
        let period = self.vars.datum(Var::Period);
        let other_period = "signed for a different period of this channel";
        compare(lines.period, message("period"), period, other_period)?;
        if !self.is_signed_by(&self.channel.address_of(signer)) {
            return Err(at(lines.case, lines.signer, "invalid signature by peer"));
        }
        let spent = message("amount_spent");
        amount(spent)
            .ok_or_else(|| at(lines.case, lines.amount, format!("bad amount spent by peer: {spent}")))
    }

    fn is_signed_by(&self, signer: &Address) -> bool {
        let Datum::Object(package) = self.said(&["sentByPeer"]) else { return false };
        // Agents are stricter than wallets: no timestamp, and no version before 2.0.
        let first = package["version"] == self.network.versions()[0];
        let foreign = package.get("timestamp").is_some();
        !first && !foreign && signed::verify_by(package, self.network, signer).is_ok()
    }

    fn require_period(&self, case: u32, line: u32, bounce: u32) -> Result<(), Bounce> {
        let wrong = || at(case, bounce, "wrong period");
        let period = self.said(&["period"]).integer().ok_or_else(wrong)?;
        match Datum::Number(period).equals(self.vars.datum(Var::Period)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(wrong()),
            Err(NotComparable(text)) => Err(at(case, line, text)),
        }
    }

    fn next_event(&self) -> Result<Draft<'a>, Bounce> {
        let mut draft = Draft::new(self.vars);
        if self.vars.datum(Var::EventId).is_true() {
            draft.raise(Var::EventId, sum(self.vars.number(Var::EventId), Number::ONE)?);
        } else {
            draft.set(Var::EventId, Scalar::Number(Number::of(2)));
        }
        Ok(draft)
    }

    fn reset(&self) -> Result<Vec<Change>, Bounce> {
        let mut draft = Draft::new(self.vars);
        draft.raise(Var::Period, sum(self.vars.number(Var::Period), Number::ONE)?);
        for var in [Var::CloseInitiatedBy, Var::CloseStartTs] {
            draft.clear(var);
        }
        for party in [Party::A, Party::B] {
            draft.clear(Var::Balance(party)).clear(Var::Spent(party));
        }
        draft.raise(Var::EventId, sum(self.vars.number(Var::EventId), Number::ONE)?);
        Ok(draft.done())
    }

    /// The payload of an event, with its number and what caused it.
    fn data(&self, fields: &[(&str, Datum<'_>)]) -> Map<String, Value> {
        let mut data = plain(fields);
        let event = self.vars.datum(Var::EventId).otherwise(Datum::Number(Number::ONE));
        data.insert("event_id".into(), spoken(event));
        data.insert("trigger_unit".into(), json!(self.trigger.unit));
        data
    }

    fn closed(&self, fields: &[(&str, Datum<'_>)]) -> Value {
        let mut data = plain(fields);
        data.insert("closed".into(), json!(1));
        data.insert("period".into(), spoken(self.vars.datum(Var::Period)));
        data.insert("event_id".into(), spoken(self.vars.datum(Var::EventId)));
        Value::Object(data)
    }

    fn with_parties(&self, mut data: Map<String, Value>, of_a: Number, of_b: Number) -> Value {
        data.insert(self.channel.address_a.to_string(), spoken(Datum::Number(of_a)));
        data.insert(self.channel.address_b.to_string(), spoken(Datum::Number(of_b)));
        Value::Object(data)
    }

    fn said(&self, path: &[&str]) -> Datum<'a> {
        Datum::at(self.trigger.data.as_ref(), path)
    }

    fn says(&self, field: &str) -> bool {
        self.said(&[field]).is_true()
    }
}

/// Where the checks of a package stand in the source; those of channel and period bounce one line on.
struct PackageLines {
    case: u32,
    channel: u32,
    period: u32,
    signer: u32,
    amount: u32,
}

fn plain(fields: &[(&str, Datum<'_>)]) -> Map<String, Value> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), spoken(*value))).collect()
}

/// A value as it stands in a payload: a number beyond the safe ones is written as text.
fn spoken(value: Datum<'_>) -> Value {
    const SAFE: u64 = 9_007_199_254_740_991;
    match value {
        Datum::Bool(flag) => Value::from(flag),
        Datum::Number(number) => match number.to_u64() {
            Some(size) if size < SAFE => Value::from(size),
            Some(_) | None => Value::from(number.to_string()),
        },
        Datum::Text(text) => Value::from(text),
        Datum::Object(object) => object.clone(),
    }
}

fn amount(said: Datum<'_>) -> Option<Number> {
    said.integer().filter(|number| !number.is_negative())
}

fn sum(one: Number, two: Number) -> Result<Number, Bounce> {
    one.plus(two).ok_or_else(|| Bounce::outside("not finite in +"))
}

fn difference(one: Number, two: Number) -> Result<Number, Bounce> {
    one.minus(two).ok_or_else(|| Bounce::outside("not finite in -"))
}

fn at(case: u32, line: u32, text: impl Into<String>) -> Bounce {
    Bounce { text: text.into(), place: Place::Init { case, line } }
}
