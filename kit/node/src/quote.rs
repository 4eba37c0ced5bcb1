//! What a light wallet asks a hub before it composes: parents, last ball, fee, coins.

use std::collections::BTreeSet;

use coinop_core::{
    Bytes, Timestamp,
    obyte::{address::Address, hash::Hash},
};
use serde::{Deserialize, Serialize};

use crate::dag::{
    CoinId, Dag, Joint, Sequence, TpsPayer, Unspent, count_paying, rounded_seconds, tps_fee_payers,
};

const MAX_PARENTS: usize = 16;
/// Units that paid less than so many times the current tps fee are not recommended as parents.
const PARENTABLE: f64 = 3.0;
/// What a hub adds to an amount when it looks for coins, for the fees.
const RESERVE: Bytes = Bytes::new(2000);

/// Where a new unit may be put, and what it has to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The hub's clock, in seconds.
    pub timestamp: u64,
    /// The parents, sorted.
    pub parent_units: Vec<Hash>,
    /// The ball of the last ball unit.
    pub last_stable_mc_ball: Hash,
    /// The last unit of the main chain that is stable in view of the parents.
    pub last_stable_mc_ball_unit: Hash,
    /// Its main chain index.
    pub last_stable_mc_ball_mci: u64,
    /// The least tps fee, in bytes.
    pub tps_fee: u64,
    /// How many agents are among the output addresses.
    pub count_primary_aa_triggers: u64,
}

/// What a new unit is going to be.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// Its authors; the first one pays the tps fee.
    pub from: &'a [Address],
    /// Whom it pays, the change included.
    pub to: &'a [Address],
    /// How many responses a trigger may cause.
    pub max_aa_responses: u64,
}

/// Why there is no quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// The only units to build on are dated ahead of the clock.
    #[error("unable to find parents: no usable free units")]
    NoFreeUnits,
    /// Agents made all the units there are to build on.
    #[error("unable to find parents: no usable non-AA free units")]
    OnlyFromAgents,
    /// All units there are to build on paid too little.
    #[error("unable to find parents: all potential parents underpay the tps fee")]
    AllUnderpay,
    /// Nothing is stable in view of the parents.
    #[error("unable to find parents: failed to find parents, OP list didn't change")]
    NoLastBall,
}

impl Dag {
    /// Says where a new unit may be put, and what it has to pay.
    ///
    /// # Errors
    ///
    /// [`QuoteError`] when nothing can be built on at the moment.
    pub fn quote(&self, now: Timestamp, intent: Intent<'_>) -> Result<Quote, QuoteError> {
        let timestamp = rounded_seconds(now);
        let parents = self.usable_parents(now, timestamp, intent.from)?;
        let mut parent_units: Vec<Hash> = parents.iter().map(|parent| parent.facts.hash).collect();
        parent_units.sort_by_cached_key(Hash::to_string);
        let last_ball = self.last_ball_for(&parents, &parent_units).ok_or(QuoteError::NoLastBall)?;
        let mci = last_ball.properties.mci.unwrap_or_default();
        let agents: BTreeSet<&Address> =
            intent.to.iter().filter(|address| self.agent(address, u64::MAX).is_some()).collect();
        let triggers = agents.len() as u64;
        let count = count_paying(triggers, Some(intent.max_aa_responses));
        let fee = self.fee_for(now, &parent_units, last_ball, timestamp, count);
        let balance = intent.from.first().map_or(0, |payer| self.tps_fees_balance(payer, mci));
        Ok(Quote {
            timestamp,
            parent_units,
            last_stable_mc_ball: last_ball.properties.ball.ok_or(QuoteError::NoLastBall)?,
            last_stable_mc_ball_unit: last_ball.facts.hash,
            last_stable_mc_ball_mci: mci,
            tps_fee: u64::try_from(fee.saturating_sub(balance)).unwrap_or_default(),
            count_primary_aa_triggers: triggers,
        })
    }

    /// Picks coins of the addresses worth at least `amount` and a reserve for the fees: the smallest one
    /// that is enough, or else the largest ones. None when all together are not enough.
    pub fn pick_coins(
        &self,
        of: &[Address],
        amount: Bytes,
        unstable: Unstable,
    ) -> Option<Vec<(CoinId, Bytes)>> {
        let wanted = amount.plus(RESERVE).ok()?;
        let coins = of.iter().flat_map(|address| self.unspent(address));
        let usable =
            coins.filter(|it| it.coin.asset.is_none() && (it.is_stable || unstable == Unstable::Too));
        let mut coins: Vec<(Bytes, CoinId)> = usable
            .filter_map(|Unspent { coin, id, .. }| Some((Bytes::try_from(coin.amount).ok()?, id)))
            .collect();
        coins.sort_unstable();
        if let Some((amount, id)) = coins.iter().find(|(amount, _)| *amount >= wanted) {
            return Some(vec![(*id, *amount)]);
        }
        let mut total = Bytes::ZERO;
        let mut picked = Vec::new();
        for (amount, id) in coins.into_iter().rev() {
            total = total.plus(amount).ok()?;
            picked.push((id, amount));
            if total >= wanted {
                return Some(picked);
            }
        }
        None
    }

    fn usable_parents(
        &self,
        now: Timestamp,
        timestamp: u64,
        from: &[Address],
    ) -> Result<Vec<&Joint>, QuoteError> {
        let is_usable =
            |it: &&Joint| it.properties.sequence == Sequence::Good && it.facts.timestamp <= timestamp;
        let mut parents: Vec<&Joint> = self.free_units().filter(is_usable).collect();
        parents.sort_by_key(|it| std::cmp::Reverse(self.last_ball_mci_of(it)));
        parents.truncate(MAX_PARENTS);
        if parents.is_empty() {
            return Err(QuoteError::NoFreeUnits);
        }
        if parents.iter().all(|it| it.properties.is_aa_response) {
            return Err(QuoteError::OnlyFromAgents);
        }
        self.without_underpaying(now, parents, from)
    }

    /// Replaces parents that paid too little by their own parents.
    fn without_underpaying<'a>(
        &'a self,
        now: Timestamp,
        parents: Vec<&'a Joint>,
        from: &[Address],
    ) -> Result<Vec<&'a Joint>, QuoteError> {
        let least = real(self.current_tps_fee(now, 1)) * PARENTABLE;
        let is_fine = |it: &&Joint| {
            it.properties.is_aa_response
                || self.paid_per_unit(it) >= least
                || it.facts.authors.iter().any(|author| from.contains(author))
        };
        let (mut good, excluded): (Vec<&Joint>, Vec<&Joint>) = parents.into_iter().partition(is_fine);
        let reach = good.iter().filter_map(|it| it.properties.latest_included_mc_index).max();
        let above: BTreeSet<Hash> = excluded
            .iter()
            .flat_map(|it| &it.facts.parents)
            .filter_map(|unit| self.joint(unit))
            .filter(|it| it.properties.mci.is_none_or(|mci| Some(mci) > reach))
            .map(|it| it.facts.hash)
            .collect();
        let mut has_grown = false;
        for unit in &above {
            let others = good.iter().map(|it| it.facts.hash).chain(above.iter().copied());
            let others: Vec<Hash> = others.filter(|other| other != unit).collect();
            if !self.is_included(unit, &others) {
                good.extend(self.joint(unit));
                has_grown = true;
            }
        }
        match (good.is_empty(), has_grown) {
            (true, _) => Err(QuoteError::AllUnderpay),
            (false, true) => self.without_underpaying(now, good, from),
            (false, false) => Ok(good),
        }
    }

    /// What a unit paid for itself and for each response it may cause, with what its payers had left.
    fn paid_per_unit(&self, joint: &Joint) -> f64 {
        let mci = self.last_ball_mci_of(joint).unwrap_or_default();
        let fee = real(joint.facts.tps_fee.cast_signed());
        let payers = tps_fee_payers(&joint.facts.recipients, &joint.facts.authors);
        let paid = payers.into_iter().map(|(address, percent)| {
            real(self.tps_fees_balance(&address, mci)) / (real(percent.cast_signed()) / 100.0) + fee
        });
        let count = count_paying(joint.properties.count_primary_aa_triggers, joint.facts.max_aa_responses);
        paid.fold(f64::INFINITY, f64::min) / real(count.cast_signed())
    }

    fn last_ball_mci_of(&self, joint: &Joint) -> Option<u64> {
        self.joint(&joint.facts.last_ball_unit?)?.properties.mci
    }

    /// The last stable unit of the main chain that a unit with these parents may rely on.
    fn last_ball_for(&self, parents: &[&Joint], hashes: &[Hash]) -> Option<&Joint> {
        let least = parents.iter().filter_map(|it| self.last_ball_mci_of(it)).max().unwrap_or_default();
        let most = parents.iter().filter_map(|it| it.properties.latest_included_mc_index).max();
        let witnessed = parents.iter().map(|it| it.properties.witnessed_level).max().unwrap_or_default();
        let candidates = (least..=most.unwrap_or_default()).rev().filter_map(|mci| self.main_chain_unit(mci));
        let mut stable = candidates.filter(|it| {
            it.properties.is_stable
                && it.properties.sequence == Sequence::Good
                && it.properties.ball.is_some()
        });
        stable.find(|it| {
            let mci = it.properties.mci.unwrap_or_default();
            let order_providers = self.system_vars().order_providers(mci);
            let best_parent = self.best_parent(hashes, &order_providers);
            let level = best_parent.map(|parent| self.witnessed_level(&parent, &order_providers));
            (mci <= least || self.is_stable_in(it, hashes)) && level >= Some(witnessed)
        })
    }

    fn fee_for(
        &self,
        now: Timestamp,
        parents: &[Hash],
        last_ball: &Joint,
        timestamp: u64,
        count: u64,
    ) -> i64 {
        let order_providers = self.order_providers_by(Some(&last_ball.facts.hash));
        let best_parent = self.best_parent(parents, &order_providers);
        let local = best_parent.map_or(0, |best_parent| {
            self.local_tps_fee(TpsPayer {
                best_parent: &best_parent,
                last_ball_unit: &last_ball.facts.hash,
                timestamp,
                count,
            })
        });
        let quoted = |ahead| self.quoted_tps_fee(now, ahead, count).saturating_mul(count.cast_signed());
        local.max(quoted(0)).max(quoted(1))
    }
}

/// Whether coins that are not stable may be picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unstable {
    /// They may.
    Too,
    /// They may not.
    Never,
}

#[expect(clippy::cast_precision_loss, reason = "fees are far below 2^53")]
fn real(amount: i64) -> f64 {
    amount as f64
}
