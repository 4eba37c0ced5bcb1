//! What the channel agent says in the data message of a response.

use serde_json::Value;

use super::{Refusal, Role, Terms};
use crate::{Bytes, obyte::address::Address};

/// A response of the agent that was not a bounce.
pub(super) struct Response {
    pub(super) event_id: u64,
    pub(super) news: News,
}

/// What the agent did; figures of the seller, then of the buyer.
pub(super) enum News {
    Opened { period: u64, balances: (Bytes, Bytes) },
    Refused,
    Closing { period: u64, by: Role, spent: (Bytes, Bytes) },
    Closed { period: u64, by_fraud_proof: bool },
}

impl Response {
    pub(super) fn read(payload: Option<&Value>, terms: &Terms) -> Result<Self, Refusal> {
        let payload = payload.ok_or(Refusal::Unreadable("its data"))?;
        let event_id = number(payload, "event_id").ok_or(Refusal::Unreadable("event_id"))?;
        let is = |what: &str| number(payload, what) == Some(1);
        let period = || number(payload, "period").ok_or(Refusal::Unreadable("period"));
        let figures = || {
            let of = |address: &Address| amount(payload, address);
            of(&terms.address_a).zip(of(&terms.address_b)).ok_or(Refusal::Unreadable("a party's figure"))
        };
        let news = if is("open") {
            News::Opened { period: period()?, balances: figures()? }
        } else if is("refused") {
            News::Refused
        } else if is("closing") {
            News::Closing { period: period()?, by: initiator(payload, terms)?, spent: figures()? }
        } else if is("closed") {
            News::Closed { period: period()?, by_fraud_proof: is("fraud_proof") }
        } else {
            return Err(Refusal::Unreadable("what happened"));
        };
        Ok(Self { event_id, news })
    }
}

/// The agent counts numeric strings as numbers, and so may repeat them.
pub(super) fn number(payload: &Value, field: &str) -> Option<u64> {
    match payload.get(field)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A figure; one above all money stands for all money.
fn amount(payload: &Value, address: &Address) -> Option<Bytes> {
    number(payload, address.as_str()).map(|figure| Bytes::try_from(figure).unwrap_or(Bytes::MAX))
}

fn initiator(payload: &Value, terms: &Terms) -> Result<Role, Refusal> {
    let by = payload.get("initiated_by").and_then(Value::as_str);
    [Role::Seller, Role::Buyer]
        .into_iter()
        .find(|role| by == Some(terms.address(*role).as_str()))
        .ok_or(Refusal::Unreadable("initiated_by"))
}
