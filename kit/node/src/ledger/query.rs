//! What light wallets ask.

use std::{cmp::Reverse, collections::BTreeSet};

use coinop_core::{
    Bytes, Timestamp,
    obyte::{address::Address, hash::Hash},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Ledger,
    live::{definitions, paid},
};
use crate::{
    agent::{Record, Vars, channel::Channel, compose::Coin},
    dag::{Dag, Joint, TpsPayer, count_paying},
};

const MAX_PARENTS: usize = 16;

/// What a new unit should look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The ledger's time, in seconds.
    pub timestamp: u64,
    /// The units to build on, sorted.
    pub parent_units: Vec<Hash>,
    /// The last ball.
    pub last_ball: Hash,
    /// Its unit.
    pub last_ball_unit: Hash,
    /// Its main chain index.
    pub last_ball_mci: u64,
    /// The least fee for the present traffic.
    pub tps_fee: Bytes,
    /// How many agents are among the outputs; `max_aa_responses` may stand in the unit only when it is one.
    pub count_primary_aa_triggers: u64,
}

/// There is nothing a new unit could build on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no usable free units")]
pub struct NoQuote;

/// What an address has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// In stable coins.
    pub stable: Bytes,
    /// In coins that are not stable yet.
    pub pending: Bytes,
}

/// What the ledger knows of an address's definition.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    /// The hash of the definition that speaks for the address.
    pub definition_chash: Address,
    /// The definition, once disclosed.
    pub definition: Option<Value>,
    /// Whether the disclosing unit is stable.
    pub is_stable: bool,
}

impl Definition {
    /// Whether a unit of this address has to disclose the definition (again).
    pub const fn needed(&self) -> bool {
        self.definition.is_none() || !self.is_stable
    }
}

impl Ledger {
    /// The ground for a new unit of `from` that pays `outputs`.
    ///
    /// # Errors
    ///
    /// [`NoQuote`] when the only units to build on are dated ahead of `now`, or made by agents alone.
    pub fn quote(
        &self,
        from: &Address,
        outputs: &[Address],
        max_aa_responses: Option<u32>,
        now: Timestamp,
    ) -> Result<Quote, NoQuote> {
        let dag = &self.dag;
        let parents = self.parents(from, now);
        let parent_units: Vec<Hash> = parents.iter().map(|joint| joint.facts.hash).collect();
        let last_ball = last_ball(dag, &parent_units).ok_or(NoQuote)?;
        let last_ball_mci = last_ball.properties.mci.ok_or(NoQuote)?;
        let order_providers = dag.system_vars().order_providers(last_ball_mci);
        let best_parent = dag.best_parent(&parent_units, &order_providers).ok_or(NoQuote)?;
        let agents: BTreeSet<&Address> =
            outputs.iter().filter(|address| dag.agent(address, last_ball_mci).is_some()).collect();
        let triggers = agents.len() as u64;
        let latest = parents.iter().map(|joint| joint.facts.timestamp).max().unwrap_or_default();
        let timestamp = now.seconds().max(latest);
        let count = count_paying(triggers, max_aa_responses.map(u64::from));
        let payer =
            TpsPayer { best_parent: &best_parent, last_ball_unit: &last_ball.facts.hash, timestamp, count };
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        // Twice the fee of the moment: others may come first.
        let present = dag.current_tps_fee(now, payer.count).saturating_mul(count).saturating_mul(2);
        let left = dag.tps_fees_balance(from, last_ball_mci);
        let fee = dag.local_tps_fee(payer).max(present).saturating_sub(left).max(0);
        Ok(Quote {
            timestamp,
            parent_units,
            last_ball: last_ball.properties.ball.ok_or(NoQuote)?,
            last_ball_unit: last_ball.facts.hash,
            last_ball_mci,
            tps_fee: u64::try_from(fee).ok().and_then(|fee| Bytes::try_from(fee).ok()).ok_or(NoQuote)?,
            count_primary_aa_triggers: triggers,
        })
    }

    /// Free units to build on, sorted: the best one, those that follow what `from` sent or may spend, then
    /// any. Unlike a hub's choice, also those that paid little or are dated a little ahead: on a quiet
    /// ledger there may be no others.
    fn parents(&self, from: &Address, now: Timestamp) -> Vec<&Joint> {
        let dag = &self.dag;
        let usable = |joint: &&Joint| joint.facts.timestamp <= now.seconds() + dag.params().max_seconds_ahead;
        let mut free: Vec<&Joint> = dag.free_units().filter(usable).collect();
        if free.len() > MAX_PARENTS {
            let units: Vec<Hash> = free.iter().map(|joint| joint.facts.hash).collect();
            let mci = dag.last_stable().and_then(|joint| joint.properties.mci).unwrap_or_default();
            let best = dag.best_parent(&units, &dag.system_vars().order_providers(mci));
            let own = self.unstable_of(from);
            free.sort_by_cached_key(|joint| {
                let is_best = Some(joint.facts.hash) == best;
                let follows = own.iter().filter(|unit| dag.is_included(unit, &[joint.facts.hash])).count();
                (!is_best, Reverse(follows), joint.properties.is_aa_response, joint.facts.hash)
            });
            free.truncate(MAX_PARENTS);
        }
        free.sort_by_key(|joint| joint.facts.hash);
        free
    }

    /// The units that an address authored or was paid by and that are not stable yet.
    fn unstable_of(&self, address: &Address) -> BTreeSet<Hash> {
        let sent = self.dag.unstable_units().filter(|joint| joint.facts.authors.contains(address));
        let sent = sent.map(|joint| joint.facts.hash);
        let paid = self.dag.unspent(address).into_iter().filter(|it| !it.is_stable).map(|it| it.id.unit);
        sent.chain(paid).collect()
    }

    /// The unspent coins of an address, in bytes.
    pub fn coins(&self, address: &Address) -> Vec<Coin> {
        let coins = self.dag.unspent(address).into_iter().filter(|it| it.coin.asset.is_none());
        coins.map(|unspent| Coin::of(&unspent)).collect()
    }

    /// Picks coins of an address for `amount`: stable ones first, the largest first; nothing when they
    /// do not suffice.
    pub fn pick_coins(&self, address: &Address, amount: Bytes) -> Vec<Coin> {
        let mut coins = self.coins(address);
        coins.sort_by_key(|coin| (!self.is_stable(&coin.unit), Reverse(coin.amount), coin.unit));
        let enough = (0..=coins.len()).find(|count| Coin::sum(&coins[..*count]) >= amount);
        coins.truncate(enough.unwrap_or(0));
        coins
    }

    /// What an address has.
    pub fn balance(&self, address: &Address) -> Balance {
        let (stable, pending) = self.dag.balance(address);
        Balance { stable, pending }
    }

    /// The definition of an address, and whether it may be left out of new units.
    pub fn definition_for(&self, address: &Address) -> Definition {
        let disclosed = self.dag.disclosed_definition(address);
        let last = self.dag.last_stable().and_then(|joint| joint.properties.mci).unwrap_or_default();
        let current = self.dag.definition_of(address, last);
        let definition_chash = current.as_ref().err().copied().unwrap_or(*address);
        Definition {
            definition_chash,
            definition: disclosed.map(|(known, _)| known.definition.clone()),
            is_stable: current.is_ok(),
        }
    }

    /// The state variables of an agent.
    pub fn state_vars(&self, agent: &Address) -> Option<&Vars> {
        self.agents.get(agent).map(|live| &live.vars)
    }

    /// The channel that lives at an address.
    pub fn channel(&self, agent: &Address) -> Option<&Channel> {
        self.agents.get(agent).map(|live| &live.channel)
    }

    /// The definition of an agent, once it is stable.
    pub fn aa_definition(&self, agent: &Address) -> Option<&Value> {
        let mci = self.dag.last_stable()?.properties.mci?;
        self.dag.agent(agent, mci).map(|known| &known.definition)
    }

    /// Every answer an agent gave, oldest first.
    pub fn responses(&self, agent: &Address) -> &[Record] {
        self.agents.get(agent).map_or(&[], |live| &live.records)
    }

    /// Every answer of every agent.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.agents.values().flat_map(|live| &live.records)
    }

    /// Whether an agent is defined at this address, stable or not.
    pub fn is_agent(&self, address: &Address) -> bool {
        let mut pending = self.dag.unstable_units().flat_map(|joint| definitions(&joint.unit));
        self.agents.contains_key(address) || pending.any(|(defined, _)| defined == *address)
    }

    /// The agents that a unit defines.
    pub fn definitions_in<'a>(&self, unit: &'a Value) -> impl Iterator<Item = (Address, &'a Value)> {
        definitions(unit)
    }

    /// The unit with this hash and its place.
    pub fn joint(&self, unit: &Hash) -> Option<&Joint> {
        self.dag.joint(unit)
    }

    /// Whether a unit is final.
    pub fn is_stable(&self, unit: &Hash) -> bool {
        self.joint(unit).is_some_and(|joint| joint.properties.is_stable)
    }

    /// Every unit that an address authored or was paid by, in the order of arrival.
    pub fn history(&self, address: &Address) -> Vec<&Joint> {
        let touches = |joint: &&Joint| {
            joint.facts.authors.contains(address) || paid(&joint.unit).any(|to| to == *address)
        };
        self.dag.joints().filter(touches).collect()
    }

    /// What the faucet gave an address, or is about to give it.
    pub fn funded(&self, address: &Address) -> Bytes {
        self.work.funded.get(address).copied().unwrap_or(Bytes::ZERO)
    }

    /// The graph itself.
    pub const fn dag(&self) -> &Dag {
        &self.dag
    }
}

/// The latest stable unit that is stable in the view of these parents, too.
fn last_ball<'a>(dag: &'a Dag, parents: &[Hash]) -> Option<&'a Joint> {
    let top = dag.last_stable()?.properties.mci?;
    let of_parent = |parent: &Hash| dag.joint(&dag.joint(parent)?.facts.last_ball_unit?)?.properties.mci;
    let least = parents.iter().filter_map(of_parent).max().unwrap_or_default();
    let candidates = (least..=top).rev().filter_map(|mci| dag.main_chain_unit(mci));
    candidates.into_iter().find(|unit| unit.properties.mci == Some(least) || dag.is_stable_in(unit, parents))
}
