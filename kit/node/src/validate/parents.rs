//! What a unit builds on: parents, last ball, and what both allow.

use std::collections::BTreeSet;

use coinop_core::{
    Bytes,
    obyte::{address::Address, hash::Hash},
};

use super::posted::{Posted, hash};
use crate::{
    dag::{Joint, Properties},
    js,
    verdict::{Check, Verdict, ensure},
};

const MAX_PARENTS: usize = 16;

/// The ground a unit stands on.
pub(super) struct Base<'a> {
    pub(super) parents: Vec<Hash>,
    pub(super) best_parent: Hash,
    pub(super) last_ball: &'a Joint,
    /// The main chain index of the last ball: what is stable up to here may be relied on.
    pub(super) mci: u64,
    /// The highest main chain index the parents include.
    pub(super) reach: u64,
}

impl Base<'_> {
    /// Whether something with this main chain index is below the last ball.
    pub(super) fn covers(&self, mci: Option<u64>) -> bool {
        mci.is_some_and(|mci| mci <= self.mci)
    }
}

/// Parents and last ball.
pub(super) fn check<'a>(posted: &Posted<'a>) -> Check<Base<'a>> {
    check_known(posted)?;
    let parents = posted.parents();
    let joints: Vec<&Joint> = parents.iter().filter_map(|parent| posted.dag.joint(parent)).collect();
    check_apart(posted, &joints)?;
    let last_ball = last_ball(posted)?;
    let mci = last_ball.properties.mci.unwrap_or_default();
    let reach =
        joints.iter().filter_map(|it| it.properties.latest_included_mc_index).max().unwrap_or_default();
    ensure(
        reach >= mci,
        format!("last ball unit {} is not included in parents, unit {}", last_ball.facts.hash, posted.name),
    )?;
    let all_from_agents = joints.iter().all(|it| it.properties.is_aa_response);
    ensure(!all_from_agents, "non-AA unit should have at least one non-AA parent")?;
    check_version_four(posted, mci)?;
    check_stable(posted, last_ball, &parents)?;
    check_no_forks_merged(&joints)?;
    let best_parent = check_witnessed_level(posted, &joints, mci)?;
    Ok(Base { parents, best_parent, last_ball, mci, reach })
}

fn check_known(posted: &Posted<'_>) -> Check {
    let names = posted.items("parent_units");
    ensure(names.len() <= MAX_PARENTS, format!("too many parents: {}", names.len()))?;
    let names: Vec<&str> = names.iter().filter_map(|name| name.as_str()).collect();
    let is_sorted = names.windows(2).all(|pair| js::utf16(pair[0]) < js::utf16(pair[1]));
    ensure(is_sorted, "parent units not ordered")?;
    let unknown = |name: &&str| !name.parse().is_ok_and(|parent| posted.dag.joint(&parent).is_some());
    let missing: Vec<&str> = names.into_iter().filter(unknown).collect();
    if missing.is_empty() {
        return Ok(());
    }
    match missing.iter().find_map(|name| posted.dag.bad_unit(name)) {
        Some(error) => Err(Verdict::unit(format!("some of the unit's parents are known bad: {error}"))),
        None => Err(Verdict::transient("unknown parents")),
    }
}

/// Parents may not be younger than their child nor descend from each other.
fn check_apart(posted: &Posted<'_>, parents: &[&Joint]) -> Check {
    let timestamp = posted.number("timestamp");
    for (index, parent) in parents.iter().enumerate() {
        let name = parent.facts.hash;
        ensure(timestamp >= parent.facts.timestamp, format!("timestamp decreased from parent {name}"))?;
        let related = parents[..index].iter().any(|other| {
            posted.dag.is_included(&name, &[other.facts.hash])
                || posted.dag.is_included(&other.facts.hash, &[name])
        });
        ensure(!related, format!("parent unit {name} is related to one of the other parent units"))?;
    }
    Ok(())
}

fn last_ball<'a>(posted: &Posted<'a>) -> Check<&'a Joint> {
    let (ball, name) = (posted.text("last_ball"), posted.text("last_ball_unit"));
    let unit = posted.get("last_ball_unit").and_then(hash).and_then(|unit| posted.dag.joint(&unit));
    let unit = unit.ok_or_else(|| Verdict::unit(format!("last ball unit {name} not found")))?;
    let Properties { is_on_main_chain, ball: known, .. } = &unit.properties;
    ensure(*is_on_main_chain, format!("last ball {ball} is not on MC"))?;
    ensure(
        known.is_none_or(|known| known.to_string() == ball),
        format!("last_ball {ball} and last_ball_unit {name} do not match"),
    )?;
    Ok(unit)
}

/// Since version 4.0 order providers are common to all, and large units pay extra.
fn check_version_four(posted: &Posted<'_>, mci: u64) -> Check {
    ensure(posted.get("witnesses").is_none(), "should have no per-unit witnesses since version 4.0")?;
    ensure(posted.get("witness_list_unit").is_none(), "should have no witness_list_unit since version 4.0")?;
    let expected = oversize_fee(posted, mci);
    let found = posted.get("oversize_fee");
    if expected == 0 && found.is_some() {
        return Err(Verdict::joint("zero oversize fee should be omitted"));
    }
    if expected > 0 && js::nonnegative(found) != Some(expected) {
        let found = js::display(found);
        return Err(Verdict::joint(format!("oversize_fee mismatch: expected {expected}, found {found}")));
    }
    ensure(posted.get("tps_fee").is_some(), "no tps_fee field")
}

fn oversize_fee(posted: &Posted<'_>, mci: u64) -> u64 {
    use coinop_core::obyte::{fees, unit};
    let unit = serde_json::Value::Object(posted.unit.clone());
    let temporary = unit::paid_temp_data_fee(&unit).unwrap_or_default();
    let size =
        (posted.number("headers_commission") + posted.number("payload_commission")).saturating_sub(temporary);
    let threshold = posted.dag.system_vars().at("threshold_size", mci).and_then(crate::dag::whole);
    threshold.map_or(0, |threshold| fees::oversize_fee(size, threshold).map_or(u64::MAX, Bytes::get))
}

/// The last ball may not fall behind the parents', and has to be stable in their view.
fn check_stable(posted: &Posted<'_>, last_ball: &Joint, parents: &[Hash]) -> Check {
    let dag = posted.dag;
    let mci = last_ball.properties.mci.unwrap_or_default();
    let of_parents = parents
        .iter()
        .filter_map(|parent| dag.joint(&dag.joint(parent)?.facts.last_ball_unit?)?.properties.mci);
    let newest = of_parents.max().unwrap_or_default();
    let names = |separator: &str| {
        let names: Vec<String> = parents.iter().map(ToString::to_string).collect();
        names.join(separator)
    };
    ensure(newest <= mci, format!("last ball mci must not retreat, parents: {}", names(", ")))?;
    let is_stable = last_ball.properties.is_stable;
    if is_stable && (mci == 0 || newest == mci) {
        return Ok(());
    }
    ensure(
        dag.is_stable_in(last_ball, parents),
        format!(
            "{}: last ball unit {} is not stable in view of your parents {}",
            posted.name,
            last_ball.facts.hash,
            names(",")
        ),
    )?;
    if is_stable { Ok(()) } else { Err(Verdict::transient("last ball just advanced, try again")) }
}

/// One address on two branches is a fork: nobody may merge it.
fn check_no_forks_merged(parents: &[&Joint]) -> Check {
    let mut seen: BTreeSet<&Address> = BTreeSet::new();
    for parent in parents {
        let mut again = parent.facts.authors.iter().filter(|author| seen.contains(*author));
        if let Some(author) = again.next_back() {
            return Err(Verdict::unit(format!(
                "some addresses found more than once in parents, e.g. {author}"
            )));
        }
        seen.extend(parent.facts.authors.iter());
    }
    Ok(())
}

fn check_witnessed_level(posted: &Posted<'_>, parents: &[&Joint], mci: u64) -> Check<Hash> {
    let order_providers = posted.dag.system_vars().order_providers(mci);
    let hashes: Vec<Hash> = parents.iter().map(|parent| parent.facts.hash).collect();
    let best_parent = posted.dag.best_parent(&hashes, &order_providers);
    let best_parent = best_parent.ok_or_else(|| Verdict::unit("no best parent"))?;
    let level = posted.dag.witnessed_level(&best_parent, &order_providers);
    let of_parents = parents.iter().map(|it| it.properties.witnessed_level).max().unwrap_or_default();
    ensure(level >= of_parents, format!("witnessed level retreats from parent's {of_parents} to {level}"))?;
    Ok(best_parent)
}
