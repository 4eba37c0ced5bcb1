use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Balance, Coin, CoinId, Effect, Event};
use crate::{
    Bytes, Timestamp,
    obyte::{
        Network,
        address::Address,
        hash::Hash,
        key::PublicKey,
        unit::{Message, Unit},
    },
};

/// How many finished spendings are remembered, so that asking again does not pay again.
const MAX_FINISHED: usize = 256;

/// The coins of one address, and what is being done with them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wallet {
    pub(super) network: Network,
    pub(super) address: Address,
    pub(super) key: PublicKey,
    pub(super) policy: Policy,
    coins: BTreeMap<CoinId, Held>,
    spends: BTreeMap<String, Spend>,
    finished: VecDeque<String>,
}

/// How a wallet spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Which coins may be spent before they are stable.
    pub spend_pending: SpendPending,
    /// How long after no answer a unit is posted again, in milliseconds.
    pub retry_ms: u64,
}

/// Which coins may be spent before they are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpendPending {
    /// None.
    None,
    /// The wallet's own change.
    Own,
    /// Any.
    All,
}

/// A free coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    pub(super) amount: Bytes,
    pub(super) stable: bool,
    /// Change of this wallet's own making.
    pub(super) own: bool,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Spend {
    /// Made, and perhaps posted; when nobody answered, to be posted again.
    Bound { unit: Box<Unit>, inputs: Vec<Coin>, retry_at: Option<Timestamp> },
    /// On the ledger.
    Accepted { unit: Hash, inputs: Vec<CoinId> },
}

impl Default for Policy {
    fn default() -> Self {
        Self { spend_pending: SpendPending::Own, retry_ms: 5_000 }
    }
}

impl Policy {
    pub(super) const fn retry(&self) -> Duration {
        Duration::from_millis(self.retry_ms)
    }
}

impl Spend {
    pub(super) fn effect(&self, reference: &str) -> Effect {
        let reference = reference.to_string();
        match self {
            Self::Bound { unit, .. } => Effect::SignAndPost { reference, unit: unit.clone() },
            Self::Accepted { unit, .. } => Effect::Posted { reference, unit: *unit },
        }
    }

    fn spends(&self, id: &CoinId) -> bool {
        match self {
            Self::Bound { inputs, .. } => inputs.iter().any(|coin| coin.id == *id),
            Self::Accepted { inputs, .. } => inputs.contains(id),
        }
    }
}

impl Wallet {
    /// The empty wallet of one key.
    pub fn new(network: Network, key: PublicKey, policy: Policy) -> Self {
        Self {
            network,
            address: Address::of_key(&key),
            key,
            policy,
            coins: BTreeMap::new(),
            spends: BTreeMap::new(),
            finished: VecDeque::new(),
        }
    }

    /// Its address.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// What it has.
    pub fn balance(&self) -> Balance {
        let sum = |amounts: &mut dyn Iterator<Item = Bytes>| {
            // Coins of one ledger never add up to more than there is money.
            amounts.fold(Bytes::ZERO, |sum, amount| sum.plus(amount).unwrap_or(Bytes::MAX))
        };
        let bound = self.bound().flat_map(|(_, spend)| match spend {
            Spend::Bound { inputs, .. } => inputs.as_slice(),
            Spend::Accepted { .. } => &[],
        });
        Balance {
            stable: sum(&mut self.coins.values().filter(|coin| coin.stable).map(|coin| coin.amount)),
            pending: sum(&mut self.coins.values().filter(|coin| !coin.stable).map(|coin| coin.amount)),
            reserved: sum(&mut bound.map(|coin| coin.amount)),
        }
    }

    /// Its free coins.
    pub fn coins(&self) -> impl Iterator<Item = Coin> {
        self.coins.iter().map(|(id, held)| Coin { id: *id, amount: held.amount, stable: held.stable })
    }

    /// The coins that may be spent now, in the order in which they are: stable before pending, large
    /// before small.
    pub(super) fn spendable(&self) -> Vec<Coin> {
        let may_spend = |held: &Held| match self.policy.spend_pending {
            SpendPending::None => held.stable,
            SpendPending::Own => held.stable || held.own,
            SpendPending::All => true,
        };
        let spendable = self.coins.iter().filter(|(_, held)| may_spend(held));
        let mut coins: Vec<Coin> =
            spendable.map(|(id, held)| Coin { id: *id, amount: held.amount, stable: held.stable }).collect();
        coins.sort_by_key(|coin| (!coin.stable, core::cmp::Reverse(coin.amount), coin.id));
        coins
    }

    pub(super) fn held(&self, id: &CoinId) -> Option<&Held> {
        self.coins.get(id)
    }

    pub(super) fn spend(&self, reference: &str) -> Option<&Spend> {
        self.spends.get(reference)
    }

    /// What waits for the ledger's answer.
    pub(super) fn bound(&self) -> impl Iterator<Item = (&String, &Spend)> {
        self.spends.iter().filter(|(_, spend)| matches!(spend, Spend::Bound { .. }))
    }

    pub(super) fn is_bound_or_spent(&self, id: &CoinId) -> bool {
        self.spends.values().any(|spend| spend.spends(id))
    }

    pub(super) fn knows(&self, id: &CoinId) -> bool {
        self.coins.contains_key(id) || self.bound().any(|(_, spend)| spend.spends(id))
    }

    pub(super) fn has_posted(&self, hash: Hash) -> bool {
        self.spends.values().any(|spend| match spend {
            Spend::Accepted { unit, .. } => *unit == hash,
            Spend::Bound { .. } => false,
        })
    }

    /// The outputs of a unit that come back to this wallet.
    pub(super) fn own_outputs(&self, unit: &Unit, hash: Hash) -> Vec<Coin> {
        let mut coins = Vec::new();
        for (message_index, payment) in (0..).zip(unit.messages.iter().map(Message::as_payment)) {
            let outputs = payment.filter(|payment| payment.asset.is_none()).map(|payment| payment.outputs);
            for (output_index, output) in (0..).zip(outputs.unwrap_or_default()) {
                if output.address == self.address {
                    let id = CoinId { unit: hash, message_index, output_index };
                    coins.push(Coin { id, amount: output.amount, stable: false });
                }
            }
        }
        coins
    }

    pub(super) fn record(&mut self, event: &Event) {
        match event {
            Event::Composed { reference, unit, inputs } => {
                self.coins.retain(|id, _| !inputs.iter().any(|coin| coin.id == *id));
                let bound = Spend::Bound { unit: unit.clone(), inputs: inputs.clone(), retry_at: None };
                self.spends.insert(reference.clone(), bound);
            }
            Event::Accepted { reference, unit, change } => self.finish(reference, *unit, change),
            Event::Rejected { reference, error: _ } => self.release(reference),
            Event::Unanswered { reference, retry_at: at } => match self.spends.get_mut(reference) {
                Some(Spend::Bound { retry_at, .. }) => *retry_at = Some(*at),
                Some(Spend::Accepted { .. }) | None => {}
            },
            Event::CoinsSeen { coins } => self.hold(coins),
            Event::CoinsGone { coins } => self.lose(coins),
            Event::Stable { unit } => {
                self.coins
                    .iter_mut()
                    .filter(|(id, _)| id.unit == *unit)
                    .for_each(|(_, held)| held.stable = true);
            }
            Event::BadSequence { unit } => self.void(*unit),
        }
    }

    fn hold(&mut self, coins: &[Coin]) {
        for coin in coins {
            let own = self.has_posted(coin.id.unit);
            self.coins.insert(coin.id, Held { amount: coin.amount, stable: coin.stable, own });
        }
    }

    fn finish(&mut self, reference: &str, unit: Hash, change: &[Coin]) {
        let inputs = match self.spends.remove(reference) {
            Some(Spend::Bound { inputs, .. }) => inputs.iter().map(|coin| coin.id).collect(),
            Some(Spend::Accepted { inputs, .. }) => inputs,
            None => Vec::new(),
        };
        self.spends.insert(reference.to_string(), Spend::Accepted { unit, inputs });
        self.finished.push_back(reference.to_string());
        if self.finished.len() > MAX_FINISHED
            && let Some(oldest) = self.finished.pop_front()
        {
            self.spends.remove(&oldest);
        }
        self.hold(change);
    }

    fn release(&mut self, reference: &str) {
        if let Some(Spend::Bound { inputs, .. }) = self.spends.remove(reference) {
            self.hold(&inputs);
        }
    }

    fn lose(&mut self, lost: &[CoinId]) {
        self.coins.retain(|id, _| !lost.contains(id));
        for spend in self.spends.values_mut() {
            match spend {
                Spend::Bound { inputs, .. } => inputs.retain(|coin| !lost.contains(&coin.id)),
                Spend::Accepted { .. } => {}
            }
        }
    }

    /// Its outputs never were; whether its inputs are still there the ledger will show.
    fn void(&mut self, unit: Hash) {
        self.coins.retain(|id, _| id.unit != unit);
        self.spends.retain(|_, spend| match spend {
            Spend::Accepted { unit: posted, .. } => *posted != unit,
            Spend::Bound { .. } => true,
        });
        self.finished.retain(|reference| self.spends.contains_key(reference));
    }
}
