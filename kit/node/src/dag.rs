//! The state of a node: units, their places, and everything that follows from them.

mod bad;
mod chain;
mod earnings;
mod facts;
mod graph;
mod holdings;
mod joint;
mod names;
mod params;
mod place;
mod snapshot;
mod stability;
mod stabilize;
mod tps;

use std::collections::{BTreeMap, BTreeSet};

use coinop_core::{
    Bytes,
    obyte::{address::Address, hash::Hash},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::{
    bad::Bad, chain::Chain, earnings::Earnings, holdings::Holdings, names::Names, snapshot::Snapshot,
};
pub use self::{
    facts::InsertError,
    holdings::Unspent,
    joint::{Coin, CoinId, Collected, Commission, Facts, Joint, Properties, Sequence},
    names::{Agent, Definition},
    params::{Params, SystemVar, SystemVars},
    place::Places,
    stabilize::{Charged, Stabilized},
    tps::{TpsPayer, count_paying, rounded_seconds, tps_fee_payers},
};
pub(crate) use self::{facts::whole, holdings::coin_id};

/// Everything a node knows. Trusted: what is inserted was validated before, or comes from a trusted
/// recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Snapshot", into = "Snapshot")]
pub struct Dag {
    params: Params,
    system_vars: SystemVars,
    chain: Chain,
    holdings: Holdings,
    names: Names,
    native: BTreeSet<Address>,
    earnings: Earnings,
    bad: Bad,
}

impl Dag {
    /// An empty network: the first unit to insert is genesis.
    pub fn new(params: Params, system_vars: SystemVars) -> Self {
        Self {
            params,
            system_vars,
            chain: Chain::default(),
            holdings: Holdings::default(),
            names: Names::default(),
            native: BTreeSet::new(),
            earnings: Earnings::default(),
            bad: Bad::default(),
        }
    }

    /// Adds a unit with its place, together with the coins, definitions and agents it makes.
    ///
    /// A unit that is already there keeps its text and takes the new place.
    ///
    /// # Errors
    ///
    /// When the unit is not shaped like one.
    pub fn insert(&mut self, unit: Value, properties: Properties) -> Result<Hash, InsertError> {
        let facts = Facts::read(&unit)?;
        let hash = facts.hash;
        if self.chain.joint(&hash).is_none() {
            self.holdings.add(&facts, &unit)?;
            self.names.add(&facts, &unit)?;
            self.chain.add(Joint { unit, facts, properties });
        } else {
            self.chain.change(&hash, properties);
        }
        self.settle(&hash);
        Ok(hash)
    }

    /// Gives a unit a new place; says whether the unit is known.
    pub fn update(&mut self, unit: &Hash, properties: Properties) -> bool {
        let is_known = self.chain.change(unit, properties);
        self.settle(unit);
        is_known
    }

    /// Lets go of what a unit has spent, once nothing can change that.
    fn settle(&mut self, unit: &Hash) {
        let Self { chain, holdings, .. } = self;
        let place =
            |joint: &&Joint| joint.properties.is_stable && joint.properties.sequence == Sequence::Good;
        if let Some(joint) = chain.joint(unit).filter(place) {
            holdings.settle(&joint.unit);
        }
    }

    /// What distinguishes this network.
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// What order providers were voted on, and the other votes.
    pub const fn system_vars(&self) -> &SystemVars {
        &self.system_vars
    }

    /// Records the outcome of a vote.
    pub fn set_system_var(&mut self, row: SystemVar) {
        self.system_vars.rows.push(row);
    }

    /// The unit with this hash.
    pub fn joint(&self, unit: &Hash) -> Option<&Joint> {
        self.chain.joint(unit)
    }

    /// Every unit, in the order of arrival.
    pub fn joints(&self) -> impl Iterator<Item = &Joint> {
        self.chain.joints()
    }

    /// The units nothing builds on yet, sorted.
    pub fn free_units(&self) -> impl Iterator<Item = &Joint> {
        self.chain.free_units()
    }

    /// The units that are not stable, sorted by hash.
    pub fn unstable_units(&self) -> impl Iterator<Item = &Joint> {
        self.chain.unstable_units()
    }

    /// The last stable unit of the main chain; none before genesis is stable.
    pub fn last_stable(&self) -> Option<&Joint> {
        self.chain.last_stable()
    }

    /// The unit of the main chain at this index.
    pub fn main_chain_unit(&self, mci: u64) -> Option<&Joint> {
        self.chain.main_chain_unit(mci)
    }

    /// Every unit with this main chain index, sorted by hash.
    pub fn units_at(&self, mci: u64) -> impl Iterator<Item = &Joint> {
        self.chain.units_at(mci)
    }

    /// The units an address authored, in the order of arrival.
    pub fn units_of(&self, author: &Address) -> impl Iterator<Item = &Joint> {
        self.chain.units_of(author)
    }

    /// Whether `earlier` is one of `later`, or an ancestor of one of them.
    pub fn is_included(&self, earlier: &Hash, later: &[Hash]) -> bool {
        self.chain.is_included(earlier, later)
    }

    /// The coin at this place.
    pub fn coin(&self, id: &CoinId) -> Option<&Coin> {
        self.holdings.coin(id)
    }

    /// The units that spend this coin; more than one only while they compete.
    pub fn spenders(&self, id: &CoinId) -> impl Iterator<Item = &Joint> {
        self.holdings.spenders(id).filter_map(|unit| self.joint(unit))
    }

    /// The coins of an address that no living unit spends, with whether each is stable.
    pub fn unspent(&self, address: &Address) -> Vec<Unspent<'_>> {
        self.holdings.unspent(address, &self.chain)
    }

    /// The bytes of an address in stable coins, then in pending ones.
    pub fn balance(&self, address: &Address) -> (Bytes, Bytes) {
        holdings::balance(&self.unspent(address))
    }

    /// The definition that speaks for an address at `mci`: its own, or the one it was changed to.
    ///
    /// # Errors
    ///
    /// The hash of the definition that would speak but is not disclosed by a stable unit.
    pub fn definition_of(&self, address: &Address, mci: u64) -> Result<&Definition, Address> {
        self.names.definition_of(address, mci, &self.chain)
    }

    /// The definition an address disclosed, stable or not, and whether it is stable.
    pub fn disclosed_definition(&self, address: &Address) -> Option<(&Definition, bool)> {
        self.names.disclosed(address, &self.chain)
    }

    /// Whether a stable unit up to `mci` disclosed the definition that the address stands for.
    pub(crate) fn has_shown_itself(&self, address: &Address, mci: u64) -> bool {
        self.names.has_shown_itself(address, mci, &self.chain)
    }

    /// The agent at this address, once its definition is stable at `mci`.
    pub fn agent(&self, address: &Address, mci: u64) -> Option<&Agent> {
        self.names.agent(address, mci, &self.chain)
    }

    /// Declares a base agent that this node runs without ever having seen its text.
    pub fn run_natively(&mut self, base: Address) {
        self.native.insert(base);
    }

    /// Whether parameterized copies of this agent may be defined although its own text is not here.
    pub fn runs_natively(&self, base: &Address) -> bool {
        self.native.contains(base)
    }

    /// Sets what an address has left of the tps fees it paid, as of `mci`.
    pub fn set_tps_fees_balance(&mut self, address: Address, mci: u64, balance: i64) {
        self.earnings.set_tps_fees_balance(address, mci, balance);
    }

    /// What an address has left of the tps fees it paid, at `mci`; it can be in debt.
    pub fn tps_fees_balance(&self, address: &Address, mci: u64) -> i64 {
        self.earnings.tps_fees_balance(address, mci)
    }

    /// Sets what an address earned at `mci`.
    pub fn set_commission(&mut self, kind: Commission, address: Address, mci: u64, amount: Bytes) {
        self.earnings.set(kind, address, mci, amount);
    }

    /// What an address earned at each main chain index.
    pub fn commissions(&self, kind: Commission, address: &Address) -> Option<&BTreeMap<u64, Bytes>> {
        self.earnings.of(kind, address)
    }

    /// The ranges of commissions an address collected.
    pub fn collected(&self, kind: Commission, address: &Address) -> &[Collected] {
        self.holdings.collected(kind, address)
    }
}
