use std::collections::{BTreeMap, BTreeSet};

use coinop_core::{
    Bytes, Timestamp,
    obyte::{
        address::Address,
        fees::{FeeError, TpsRate},
        hash::Hash,
    },
};

use super::{Charged, Dag, Joint, Sequence};

/// How many responses a trigger pays for when its unit does not say.
const DEFAULT_AA_RESPONSES: u64 = 10;

/// A unit as the tps fee sees it, written or still to be written.
#[derive(Clone, Copy, Debug)]
pub struct TpsPayer<'a> {
    /// The parent on the way to the main chain.
    pub best_parent: &'a Hash,
    /// The unit whose stability it relies on.
    pub last_ball_unit: &'a Hash,
    /// When it was made, in seconds.
    pub timestamp: u64,
    /// It and the responses it may cause.
    pub count: u64,
}

/// A unit and the responses it may cause.
pub fn count_paying(triggers: u64, max_aa_responses: Option<u64>) -> u64 {
    1 + triggers * max_aa_responses.unwrap_or(DEFAULT_AA_RESPONSES)
}

/// Who pays the tps fee, in percent: the recipients when all are authors, or else the first author.
pub fn tps_fee_payers(recipients: &BTreeMap<Address, u64>, authors: &[Address]) -> BTreeMap<Address, u64> {
    if !recipients.is_empty() && recipients.keys().all(|address| authors.contains(address)) {
        return recipients.clone();
    }
    authors.first().map(|author| (*author, 100)).into_iter().collect()
}

impl Dag {
    /// The least tps fee for a unit, in bytes, by the units it builds on.
    pub fn local_tps_fee(&self, payer: TpsPayer<'_>) -> i64 {
        let last_ball = self.joint(payer.last_ball_unit);
        let mci = last_ball.and_then(|it| it.properties.mci).unwrap_or_default();
        let since = last_ball.map_or(0, |it| it.facts.timestamp);
        let above = self.units_above(&[*payer.best_parent], mci);
        let others: u64 = above.iter().filter(|it| !it.properties.is_aa_response).map(|it| paying(it)).sum();
        let elapsed = self.elapsed(signed(payer.timestamp) - signed(since));
        let tps = ratio(payer.count + others, elapsed);
        signed(payer.count).saturating_mul(bytes(self.tps_rate(mci).local_fee(tps)))
    }

    /// The tps fee of one unit, in bytes, by what is going on at the moment.
    pub fn current_tps_fee(&self, now: Timestamp, count: u64) -> i64 {
        self.load(now, 0, count).map_or(0, |(rate, tps)| bytes(rate.final_fee(tps)))
    }

    /// The tps fee of one unit, in bytes, that is quoted for what is going on at the moment, since the main
    /// chain unit `ahead` indexes after the last stable one.
    pub(crate) fn quoted_tps_fee(&self, now: Timestamp, ahead: u64, count: u64) -> i64 {
        self.load(now, ahead, count).map_or(0, |(rate, tps)| bytes(rate.quoted_fee(tps)))
    }

    fn load(&self, now: Timestamp, ahead: u64, count: u64) -> Option<(TpsRate, f64)> {
        let stable = self.last_stable()?.properties.mci?;
        let since = stable + ahead;
        let has_started = |it: &&Joint| it.facts.timestamp <= now.millis().div_ceil(1000);
        let is_later = |it: &&Joint| it.properties.mci.is_none_or(|mci| mci > since);
        let others: u64 = self.unstable_units().filter(has_started).filter(is_later).map(paying).sum();
        let rate = self.tps_rate(stable);
        if others == 0 {
            return Some((rate, 0.0));
        }
        let first = self.units_at(since).filter(|it| ahead == 0 || has_started(it));
        let begin = first.map(|it| it.facts.timestamp).max().unwrap_or_default();
        let elapsed = self.elapsed(signed(rounded_seconds(now)) - signed(begin));
        Some((rate, ratio(count + others, elapsed)))
    }

    /// Says what the units at a stable main chain index are charged, once their responses are counted.
    pub fn charged(&self, mci: u64) -> Charged {
        let mut charged = Charged::default();
        let mut balances: BTreeMap<Address, i64> = BTreeMap::new();
        let good = self.units_at(mci).filter(|it| it.properties.sequence == Sequence::Good);
        for joint in good.filter(|it| !it.properties.is_aa_response && it.properties.level > 0) {
            let responses = signed(joint.properties.count_aa_responses.unwrap_or_default());
            let fee = self.final_tps_fee(joint, mci) * (1 + responses);
            let mut place = joint.properties.clone();
            place.actual_tps_fee = u64::try_from(fee).ok();
            charged.places.insert(joint.facts.hash, place);
            let left = signed(joint.facts.tps_fee) - fee;
            for (address, share) in tps_fee_payers(&joint.facts.recipients, &joint.facts.authors) {
                let before = self.tps_fees_balance(&address, mci);
                *balances.entry(address).or_insert(before) += (left * signed(share)).div_euclid(100);
            }
        }
        charged.balances = balances.into_iter().map(|(address, balance)| (address, mci, balance)).collect();
        charged
    }

    fn final_tps_fee(&self, joint: &Joint, mci: u64) -> i64 {
        let Some(tip) = self.main_chain_unit(mci) else { return 0 };
        let last_ball = tip.facts.last_ball_unit.and_then(|unit| self.joint(&unit));
        let last_ball_mci = last_ball.and_then(|it| it.properties.mci).unwrap_or_default();
        let since = last_ball.map_or(0, |it| it.facts.timestamp);
        let is_tip = tip.facts.hash == joint.facts.hash;
        let best_parent = tip.properties.best_parent_unit.filter(|_| is_tip).map(|unit| vec![unit]);
        let above =
            self.units_above(&best_parent.unwrap_or_else(|| tip.facts.parents.clone()), last_ball_mci);
        let others = above.into_iter().filter(|it| !it.properties.is_aa_response).map(with_responses);
        let count = with_responses(tip) + others.sum::<u64>();
        let elapsed = self.elapsed(signed(tip.facts.timestamp) - signed(since));
        bytes(self.tps_rate(mci).final_fee(ratio(count, elapsed)))
    }

    /// The units with all their ancestors above a main chain index.
    fn units_above(&self, units: &[Hash], mci: u64) -> Vec<&Joint> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut open = units.to_vec();
        while let Some(unit) = open.pop() {
            let Some(joint) = self.joint(&unit).filter(|it| it.properties.mci.is_none_or(|own| own > mci))
            else {
                continue;
            };
            if seen.insert(unit) {
                found.push(joint);
                open.extend(&joint.facts.parents);
            }
        }
        found
    }

    fn elapsed(&self, seconds: i64) -> i64 {
        if seconds == 0 { signed(self.params.elapsed_when_zero) } else { seconds }
    }

    fn tps_rate(&self, mci: u64) -> TpsRate {
        let number = |subject| self.system_vars.number(subject, mci);
        TpsRate {
            base_tps_fee: number("base_tps_fee"),
            tps_interval: number("tps_interval"),
            tps_fee_multiplier: number("tps_fee_multiplier"),
        }
    }
}

/// A fee beyond all amounts cannot be paid, whatever it is.
fn bytes(fee: Result<Bytes, FeeError>) -> i64 {
    signed(fee.map_or(u64::MAX, Bytes::get))
}

fn paying(joint: &Joint) -> u64 {
    count_paying(joint.properties.count_primary_aa_triggers, joint.facts.max_aa_responses)
}

fn with_responses(joint: &Joint) -> u64 {
    1 + joint.properties.count_aa_responses.unwrap_or_default()
}

/// The whole second nearest to a moment.
pub fn rounded_seconds(now: Timestamp) -> u64 {
    (now.millis() + 500) / 1000
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "counts and seconds are far below 2^53")]
fn ratio(count: u64, seconds: i64) -> f64 {
    count as f64 / seconds as f64
}
