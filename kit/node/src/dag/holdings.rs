use std::collections::{BTreeMap, BTreeSet};

use coinop_core::{
    Bytes,
    obyte::{address::Address, hash::Hash},
};
use serde_json::Value;

use super::{Coin, CoinId, Collected, Commission, Facts, InsertError, Sequence, chain::Chain, facts};

/// The coins, who spends them, and the commissions that were collected.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Holdings {
    coins: BTreeMap<CoinId, Coin>,
    spenders: BTreeMap<CoinId, BTreeSet<Hash>>,
    /// The coins of each address, but for those that a stable unit has spent for good.
    owned: BTreeMap<Address, BTreeSet<CoinId>>,
    collected: BTreeMap<(Commission, Address), Vec<Collected>>,
}

/// A coin nobody spends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unspent<'a> {
    /// Where it lies.
    pub id: CoinId,
    /// The coin.
    pub coin: &'a Coin,
    /// Whether the unit that made it is stable.
    pub is_stable: bool,
    /// The main chain index of the unit that made it.
    pub mci: Option<u64>,
}

impl Holdings {
    pub(super) fn add(&mut self, facts: &Facts, unit: &Value) -> Result<(), InsertError> {
        for (message_index, payload) in payments(unit) {
            for input in items(payload, "inputs") {
                self.spend(facts, input)?;
            }
            let asset = payload.get("asset").and_then(Value::as_str);
            for (output_index, output) in (0..).zip(items(payload, "outputs")) {
                let id = CoinId { unit: facts.hash, message_index, output_index };
                self.make(id, asset, output)?;
            }
        }
        Ok(())
    }

    /// Forgets the coins that a unit spends for good, now that it is stable: nobody asks for them again.
    pub(super) fn settle(&mut self, unit: &Value) {
        for (_, payload) in payments(unit) {
            for id in items(payload, "inputs").filter_map(coin_id) {
                let owner = self.coins.get(&id).map(|coin| coin.address);
                if let Some(owned) = owner.and_then(|owner| self.owned.get_mut(&owner)) {
                    owned.remove(&id);
                }
            }
        }
    }

    pub(super) fn coin(&self, id: &CoinId) -> Option<&Coin> {
        self.coins.get(id)
    }

    pub(super) fn spenders(&self, id: &CoinId) -> impl Iterator<Item = &Hash> {
        self.spenders.get(id).into_iter().flatten()
    }

    pub(super) fn collected(&self, kind: Commission, address: &Address) -> &[Collected] {
        self.collected.get(&(kind, *address)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn unspent(&self, address: &Address, chain: &Chain) -> Vec<Unspent<'_>> {
        let ids = self.owned.get(address).into_iter().flatten();
        ids.filter(|id| !self.is_spent(id, chain)).filter_map(|id| self.unspent_coin(*id, chain)).collect()
    }

    fn is_spent(&self, id: &CoinId, chain: &Chain) -> bool {
        let alive = |unit| chain.joint(unit).is_some_and(|it| it.properties.sequence != Sequence::FinalBad);
        self.spenders(id).any(alive)
    }

    fn unspent_coin(&self, id: CoinId, chain: &Chain) -> Option<Unspent<'_>> {
        let properties = &chain.joint(&id.unit)?.properties;
        let coin = self.coin(&id)?;
        (properties.sequence == Sequence::Good).then_some(Unspent {
            id,
            coin,
            is_stable: properties.is_stable,
            mci: properties.mci,
        })
    }

    fn make(&mut self, id: CoinId, asset: Option<&str>, output: &Value) -> Result<(), InsertError> {
        let address = output.get("address").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let address: Address = address.ok_or(InsertError::Field("outputs.address"))?;
        let amount =
            output.get("amount").and_then(facts::whole).ok_or(InsertError::Field("outputs.amount"))?;
        self.owned.entry(address).or_default().insert(id);
        self.coins.insert(id, Coin { address, amount, asset: asset.map(str::to_owned) });
        Ok(())
    }

    fn spend(&mut self, facts: &Facts, input: &Value) -> Result<(), InsertError> {
        match input.get("type").and_then(Value::as_str) {
            None | Some("transfer") => {
                let id = coin_id(input).ok_or(InsertError::Field("inputs.unit"))?;
                self.spenders.entry(id).or_default().insert(facts.hash);
            }
            Some("headers_commission") => self.collect(Commission::HeadersCommission, facts, input)?,
            Some("witnessing") => self.collect(Commission::Witnessing, facts, input)?,
            Some(_) => {}
        }
        Ok(())
    }

    fn collect(&mut self, kind: Commission, facts: &Facts, input: &Value) -> Result<(), InsertError> {
        let named = input.get("address").and_then(Value::as_str).and_then(|text| text.parse().ok());
        let address = named.or_else(|| facts.authors.first().copied());
        let address: Address = address.ok_or(InsertError::Field("inputs.address"))?;
        let end = |field| input.get(field).and_then(facts::whole).ok_or(InsertError::Field("inputs.range"));
        let range = Collected {
            unit: facts.hash,
            from: end("from_main_chain_index")?,
            to: end("to_main_chain_index")?,
        };
        self.collected.entry((kind, address)).or_default().push(range);
        Ok(())
    }
}

/// The bytes in stable coins, then in pending ones.
pub(super) fn balance(coins: &[Unspent<'_>]) -> (Bytes, Bytes) {
    let bytes = |is_stable| {
        let amounts = coins.iter().filter(|it| it.coin.asset.is_none() && it.is_stable == is_stable);
        // More than all bytes there are cannot lie in coins.
        amounts.fold(Bytes::ZERO, |sum, it| Bytes::try_from(sum.get() + it.coin.amount).unwrap_or(Bytes::MAX))
    };
    (bytes(true), bytes(false))
}

/// The place an input points to.
pub(crate) fn coin_id(input: &Value) -> Option<CoinId> {
    Some(CoinId {
        unit: input.get("unit")?.as_str()?.parse().ok()?,
        message_index: facts::index(input.get("message_index"))?,
        output_index: facts::index(input.get("output_index"))?,
    })
}

fn payments(unit: &Value) -> impl Iterator<Item = (u32, &Value)> {
    let messages = (0..).zip(items(unit, "messages"));
    messages.filter_map(|(index, message)| {
        let is_payment = message.get("app").and_then(Value::as_str) == Some("payment");
        Some((index, message.get("payload").filter(|_| is_payment)?))
    })
}

fn items<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    object.get(field).and_then(Value::as_array).into_iter().flatten()
}
