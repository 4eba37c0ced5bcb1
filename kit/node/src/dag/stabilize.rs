use std::collections::BTreeMap;

use coinop_core::{
    Bytes,
    obyte::{address::Address, ball::ball_hash, hash::Hash},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use super::{Commission, Dag, Joint, Sequence, place::Places};

/// What follows from a main chain index becoming final.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stabilized {
    /// The units of the index, stable now, each with its ball.
    pub places: Places,
    /// Commissions that are earned: kind, by whom, at which main chain index, how much.
    pub commissions: Vec<(Commission, Address, u64, Bytes)>,
}

/// The tps fees of the units at a main chain index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Charged {
    /// The units, each with the tps fee it was charged.
    pub places: Places,
    /// What addresses have left: who, as of which main chain index, how much.
    pub balances: Vec<(Address, u64, i64)>,
}

impl Dag {
    /// Says what follows once the units at `mci` are final. Everything below has to be final already.
    pub fn stabilized(&self, mci: u64) -> Stabilized {
        let mut places = Places::new();
        let mut units: Vec<&Joint> = self.units_at(mci).collect();
        units.sort_by_key(|joint| (joint.properties.level, joint.facts.hash));
        for joint in units {
            let mut place = joint.properties.clone();
            place.is_stable = true;
            place.ball = Some(self.ball_of(joint, &places));
            places.insert(joint.facts.hash, place);
        }
        Stabilized { places, commissions: self.commissions_due(mci) }
    }

    /// Makes the units of an index final.
    pub fn apply_stabilized(&mut self, stabilized: &Stabilized) {
        self.apply_places(&stabilized.places);
        for (kind, address, mci, amount) in &stabilized.commissions {
            self.set_commission(*kind, *address, *mci, *amount);
        }
    }

    /// Gives units their new places.
    pub fn apply_places(&mut self, places: &Places) {
        for (unit, place) in places {
            self.update(unit, place.clone());
        }
    }

    /// Charges tps fees.
    pub fn apply_charged(&mut self, charged: &Charged) {
        self.apply_places(&charged.places);
        for (address, mci, balance) in &charged.balances {
            self.set_tps_fees_balance(*address, *mci, *balance);
        }
    }

    fn ball_of(&self, joint: &Joint, done: &Places) -> Hash {
        let parents = joint.facts.parents.iter().filter_map(|parent| {
            let fresh = done.get(parent).and_then(|place| place.ball);
            fresh.or_else(|| self.joint(parent)?.properties.ball)
        });
        let mut parents: Vec<Hash> = parents.collect();
        parents.sort_unstable();
        let mut skiplist = self.skiplist_balls(joint);
        skiplist.sort_unstable();
        let is_nonserial = joint.properties.sequence == Sequence::FinalBad;
        ball_hash(&joint.facts.hash, &parents, &skiplist, is_nonserial)
    }

    /// The balls ten, a hundred, … indexes before a main chain unit whose index ends in as many zeros.
    fn skiplist_balls(&self, joint: &Joint) -> Vec<Hash> {
        let place = &joint.properties;
        let Some(mci) = place.mci.filter(|_| place.is_on_main_chain) else { return Vec::new() };
        Self::strides(mci).filter_map(|mci| self.main_chain_unit(mci)?.properties.ball).collect()
    }

    /// The main chain indexes that the skiplist of the unit at `mci` leads to.
    pub(crate) fn strides(mci: u64) -> impl Iterator<Item = u64> {
        let strides = std::iter::successors(Some(10_u64), |stride| stride.checked_mul(10));
        strides
            .take_while(move |stride| mci > 0 && mci.is_multiple_of(*stride))
            .map(move |stride| mci - stride)
    }

    /// What a stable unit's ball is made of, as proofs carry it.
    pub(crate) fn ball_parts(&self, joint: &Joint) -> Value {
        let parents = joint.facts.parents.iter().filter_map(|parent| self.joint(parent)?.properties.ball);
        let mut parents: Vec<Hash> = parents.collect();
        parents.sort_unstable();
        let mut skiplist = self.skiplist_balls(joint);
        skiplist.sort_unstable();
        let mut parts = json!({ "unit": joint.facts.hash, "ball": joint.properties.ball });
        if !parents.is_empty() {
            parts["parent_balls"] = json!(parents);
        }
        if !skiplist.is_empty() {
            parts["skiplist_balls"] = json!(skiplist);
        }
        if joint.properties.sequence == Sequence::FinalBad {
            parts["is_nonserial"] = json!(true);
        }
        parts
    }

    fn commissions_due(&self, mci: u64) -> Vec<(Commission, Address, u64, Bytes)> {
        let mut due = Vec::new();
        if let Some(payers) = mci.checked_sub(1).filter(|payers| *payers > 0) {
            let shares = self.headers_commissions(payers, mci);
            due.extend(
                shares.into_iter().map(|(who, much)| (Commission::HeadersCommission, who, payers, much)),
            );
        }
        let paid = mci.checked_sub(self.params.paid_witnessing_span + 1).filter(|paid| *paid > 0);
        // The first payment makes up for genesis.
        for paid in paid.into_iter().flat_map(|paid| if paid == 1 { 0..=1 } else { paid..=paid }) {
            let shares = self.witnessing_commissions(paid);
            due.extend(shares.into_iter().map(|(who, much)| (Commission::Witnessing, who, paid, much)));
        }
        due
    }

    fn headers_commissions(&self, payers: u64, mci: u64) -> BTreeMap<Address, Bytes> {
        let mut earned = BTreeMap::new();
        let next = self.main_chain_unit(mci).map(|joint| joint.facts.hash);
        let good = self.units_at(payers).filter(|it| it.properties.sequence == Sequence::Good);
        for payer in good {
            let Some(winner) = next.and_then(|next| self.headers_winner(payer, mci, &next)) else { continue };
            for (address, share) in shares(winner) {
                add(&mut earned, address, share_of(payer.facts.headers_commission, share));
            }
        }
        earned
    }

    fn headers_winner(&self, payer: &Joint, mci: u64, next: &Hash) -> Option<&Joint> {
        let children = self.chain.children(&payer.facts.hash).filter(|it| {
            it.properties.sequence == Sequence::Good && it.properties.mci.is_some_and(|own| own <= mci)
        });
        children.min_by_key(|child| Sha1::digest(format!("{}{next}", child.facts.hash).as_bytes()).to_vec())
    }

    fn witnessing_commissions(&self, mci: u64) -> BTreeMap<Address, Bytes> {
        let order_providers = self.system_vars.order_providers(mci);
        let mut earned = BTreeMap::new();
        for unit in self.units_at(mci) {
            let present: Vec<Address> =
                order_providers.iter().filter(|it| self.has_witnessed(it, unit)).copied().collect();
            // When nobody ordered it, everybody is paid.
            let paid = if present.is_empty() { &order_providers } else { &present };
            let is_good = unit.properties.sequence == Sequence::Good;
            let amount = if is_good { unit.facts.payload_commission } else { 0 };
            for address in paid {
                add(&mut earned, *address, rounded_part(amount, paid.len() as u64));
            }
        }
        earned
    }

    fn has_witnessed(&self, order_provider: &Address, unit: &Joint) -> bool {
        let from = unit.properties.mci.unwrap_or_default();
        let until = from + self.params.paid_witnessing_span;
        // The units of the span: those of the order provider grow without end.
        let in_span = (from..=until).flat_map(|mci| self.units_at(mci));
        let own = in_span.filter(|it| it.facts.authors.contains(order_provider));
        own.filter(|it| it.properties.sequence == Sequence::Good && it.facts.hash != unit.facts.hash)
            .any(|it| self.is_included(&unit.facts.hash, &[it.facts.hash]))
    }
}

fn shares(winner: &Joint) -> Vec<(Address, u64)> {
    if winner.facts.recipients.is_empty() {
        return winner.facts.authors.iter().take(1).map(|author| (*author, 100)).collect();
    }
    winner.facts.recipients.iter().map(|(address, share)| (*address, *share)).collect()
}

/// `percent` of `amount`, rounded to the nearest, halves up.
fn share_of(amount: u64, percent: u64) -> u64 {
    (amount * percent + 50) / 100
}

/// One of `parts` equal parts of `amount`, rounded to the nearest, halves up.
fn rounded_part(amount: u64, parts: u64) -> u64 {
    (2 * amount + parts) / (2 * parts)
}

fn add(earned: &mut BTreeMap<Address, Bytes>, address: Address, amount: u64) {
    let sum = earned.entry(address).or_insert(Bytes::ZERO);
    // Commissions of one index are a sliver of all bytes; the cap cannot be reached.
    *sum = Bytes::try_from(sum.get().saturating_add(amount)).unwrap_or(Bytes::MAX);
}
