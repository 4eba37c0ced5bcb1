//! What the node itself posts: heartbeats of the order provider, gifts of the faucet.

use std::time::Duration;

use coinop_core::{
    AmountError, Bytes, Timestamp,
    obyte::{
        Network,
        address::Address,
        definition,
        hash::Hash,
        key::PublicKey,
        unit::{self, UnitError},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Ledger, NoQuote, Purse, Quote};
use crate::agent::compose::Coin;

/// How many gifts fit into a unit, with room for the change.
const MAX_GIFTS: usize = 100;
/// How many coins a unit may spend.
const MAX_COINS: usize = 128;

/// How long the shell may take to sign and post.
const PATIENCE: Duration = Duration::from_secs(30);

/// A unit to be signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    /// The unit, complete but for its signature and its hash.
    pub unit: Value,
    /// How many requests to the faucet it fulfils, the oldest ones.
    pub requests: usize,
    /// When it was composed.
    pub at: Timestamp,
}

impl Draft {
    /// When it is composed anew if nobody has posted it.
    pub(super) fn expires(&self) -> Timestamp {
        self.at.after(PATIENCE)
    }

    /// Whether `unit` is this draft, signed.
    pub(super) fn became(&self, unit: &Value) -> bool {
        let drafted = unit::hash_to_sign(&self.unit);
        drafted.is_ok() && drafted == unit::hash_to_sign(unit)
    }
}

/// The node cannot post what it should.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unfunded {
    /// There is no ground to build on.
    #[error(transparent)]
    NoQuote(#[from] NoQuote),
    /// The amounts do not add up.
    #[error("the node's own money does not suffice: {0}")]
    Short(#[from] AmountError),
    /// The unit cannot be made.
    #[error("the node's own unit cannot be made: {0}")]
    Unit(#[from] UnitError),
}

impl Ledger {
    pub(super) fn draft_heartbeat(&self, now: Timestamp) -> Result<Draft, Unfunded> {
        let feed = message("data_feed", &json!({"timestamp": now.millis()}))?;
        let unit = self.compose(now, Purse::Provider, &[feed], &[])?;
        Ok(Draft { unit, requests: 0, at: now })
    }

    pub(super) fn draft_gift(&self, now: Timestamp) -> Result<Draft, Unfunded> {
        let requests = &self.work.requests[..self.work.requests.len().min(MAX_GIFTS)];
        let unit = self.compose(now, Purse::Faucet, &[], requests)?;
        Ok(Draft { unit, requests: requests.len(), at: now })
    }

    fn compose(
        &self,
        now: Timestamp,
        purse: Purse,
        messages: &[Value],
        outputs: &[(Address, Bytes)],
    ) -> Result<Value, Unfunded> {
        let key = match purse {
            Purse::Provider => &self.provider,
            Purse::Faucet => &self.faucet,
        };
        let owner = self.address_of(purse);
        let quote = self.quote(&owner, &[], None, now)?;
        let author = author(key, self.definition_for(&owner).needed());
        let mut coins = self.coins(&owner);
        coins.sort_by_key(|coin| std::cmp::Reverse(coin.amount));
        coins.truncate(MAX_COINS);
        let due = outputs.iter().try_fold(quote.tps_fee, |sum, (_, amount)| sum.plus(*amount))?;
        for count in 1..=coins.len() {
            let total = Coin::sum(&coins[..count]);
            let with_change = |change: Bytes| {
                let outputs: Vec<_> = outputs.iter().copied().chain([(owner, change)]).collect();
                framed(&quote, &author, messages, &coins[..count], &outputs)
            };
            let fees = fees(&with_change(Bytes::ZERO)?);
            if let Ok(change) = total.minus(due.plus(fees)?)
                && !change.is_zero()
            {
                return Ok(with_change(change)?);
            }
        }
        Err(AmountError::Short { wanted: due, available: Coin::sum(&coins) }.into())
    }
}

fn framed(
    quote: &Quote,
    author: &Value,
    messages: &[Value],
    coins: &[Coin],
    outputs: &[(Address, Bytes)],
) -> Result<Value, UnitError> {
    let inputs: Vec<Value> = coins.iter().map(Coin::input).collect();
    let payment = message("payment", &payment(&inputs, outputs))?;
    let messages: Vec<&Value> = messages.iter().chain([&payment]).collect();
    complete(json!({
        "version": Network::Devnet.version(),
        "alt": Network::Devnet.alt(),
        "messages": messages,
        "authors": [author],
        "timestamp": quote.timestamp,
        "parent_units": quote.parent_units,
        "last_ball": quote.last_ball,
        "last_ball_unit": quote.last_ball_unit,
        "tps_fee": quote.tps_fee,
    }))
}

pub(super) fn author(key: &PublicKey, with_definition: bool) -> Value {
    // Sizes count a signature of this length, whatever it will be.
    let mut author =
        json!({"address": Address::of_key(key), "authentifiers": {definition::ROOT: "-".repeat(88)}});
    if with_definition {
        author["definition"] = definition::sig(key);
    }
    author
}

pub(super) fn message(app: &str, payload: &Value) -> Result<Value, UnitError> {
    let hash = unit::payload_hash(payload, Network::Devnet.version())?;
    Ok(json!({"app": app, "payload_location": "inline", "payload_hash": hash, "payload": payload}))
}

pub(super) fn payment(inputs: &[Value], outputs: &[(Address, Bytes)]) -> Value {
    let mut outputs = outputs.to_vec();
    outputs.sort();
    let outputs: Vec<Value> =
        outputs.iter().map(|(address, amount)| json!({"address": address, "amount": amount})).collect();
    json!({"inputs": inputs, "outputs": outputs})
}

/// Fills in what the unit pays for its size.
pub(super) fn complete(mut unit: Value) -> Result<Value, UnitError> {
    unit["headers_commission"] = json!(unit::headers_size(&unit)?);
    unit["payload_commission"] = json!(unit::payload_size(&unit)?);
    Ok(unit)
}

/// What a unit pays for its size.
pub(super) fn fees(unit: &Value) -> Bytes {
    let fee = |field: &str| Bytes::try_from(unit[field].as_u64().unwrap_or(0)).unwrap_or(Bytes::MAX);
    fee("headers_commission").plus(fee("payload_commission")).unwrap_or(Bytes::MAX)
}

pub(super) fn hash_of(unit: &Value) -> Result<Hash, UnitError> {
    unit::unit_hash(unit)
}
