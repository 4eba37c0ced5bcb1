//! The history of addresses, with the proof that it is final.
//!
//! The proof begins with the unstable units of the main chain, newest first, until a majority of order
//! providers has signed: from there on their last balls are to be believed. Balls lead from the newest of
//! these down to each unit, each named by the one before as a parent or in its skiplist.

use std::collections::BTreeSet;

use coinop_core::obyte::{address::Address, hash::Hash};
use serde_json::{Value, json};

use super::show;
use crate::{
    agent::Record,
    dag::{Dag, Joint, Sequence},
    ledger::Ledger,
};

/// The most units in an answer.
const MAX_ITEMS: usize = 2_000;
const TOO_LARGE: &str = "your history is too large, consider switching to a full client";

pub(super) fn history(ledger: &Ledger, request: &Value) -> Result<Value, String> {
    let addresses = list::<Address>(
        &request["addresses"],
        ["no addresses", "too many addresses", "some addresses are not valid"],
    )?;
    let wanted = list::<Hash>(
        &request["requested_joints"],
        ["no requested joints", "too many requested joints", "invalid requested joints"],
    )?;
    if addresses.is_none() && wanted.is_none() {
        return Err("neither addresses nor joints requested".to_owned());
    }
    let known = list::<Hash>(
        &request["known_stable_units"],
        [
            "known_stable_units must be non-empty array",
            "too many known stable units",
            "invalid known stable units",
        ],
    )?;
    let providers = ledger.dag().params().order_providers;
    if request["witnesses"].as_array().is_none_or(|witnesses| witnesses.len() != providers) {
        return Err("wrong number of witnesses".to_owned());
    }
    let since = match &request["min_mci"] {
        Value::Null => 0,
        mci => mci.as_u64().ok_or("min_mci should be non negative integer")?,
    };
    let (addresses, known) = (addresses.unwrap_or_default(), known.unwrap_or_default());
    let mut joints = joints(ledger, &addresses, &wanted.unwrap_or_default());
    joints.retain(|joint| {
        joint.properties.mci.is_none_or(|mci| mci >= since) && !known.contains(&joint.facts.hash)
    });
    if joints.is_empty() {
        return Ok(json!({}));
    }
    if joints.len() > MAX_ITEMS {
        return Err(TOO_LARGE.to_owned());
    }
    prove(ledger, &joints)
}

fn list<T: std::str::FromStr + Ord>(value: &Value, wrong: [&str; 3]) -> Result<Option<BTreeSet<T>>, String> {
    let elements = match value {
        Value::Null => return Ok(None),
        Value::Array(elements) if !elements.is_empty() => elements,
        _ => return Err(wrong[0].to_owned()),
    };
    if elements.len() > MAX_ITEMS {
        return Err(wrong[1].to_owned());
    }
    let read = elements.iter().map(|element| element.as_str()?.parse().ok()).collect::<Option<_>>();
    read.map(Some).ok_or_else(|| wrong[2].to_owned())
}

/// What touches the addresses, newest first.
fn joints<'a>(ledger: &'a Ledger, addresses: &BTreeSet<Address>, wanted: &BTreeSet<Hash>) -> Vec<&'a Joint> {
    let touching = addresses.iter().flat_map(|address| ledger.history(address));
    let triggers = addresses.iter().flat_map(|agent| ledger.responses(agent));
    let triggers = triggers.filter_map(|record| ledger.joint(&record.trigger_unit));
    let mut joints: Vec<&Joint> =
        touching.chain(triggers).chain(wanted.iter().filter_map(|unit| ledger.joint(unit))).collect();
    joints.retain(|joint| joint.properties.sequence == Sequence::Good || joint.properties.is_stable);
    joints.sort_by_key(|joint| {
        let place = &joint.properties;
        std::cmp::Reverse((place.mci.is_none(), place.mci, place.level, joint.facts.hash))
    });
    joints.dedup_by_key(|joint| joint.facts.hash);
    joints
}

fn prove(ledger: &Ledger, joints: &[&Joint]) -> Result<Value, String> {
    let dag = ledger.dag();
    let (unstable, last_ball) =
        trusted(dag).ok_or("your witness list might be too much off, too few witness authored units")?;
    let last_mci = dag.joint(&last_ball).and_then(|joint| joint.properties.mci).unwrap_or_default();
    let mut balls = Vec::new();
    let mut later = last_mci + 1;
    for joint in joints {
        let Some(mci) = joint.properties.mci.filter(|mci| *mci <= last_mci) else { continue };
        chain(dag, &mut balls, later, mci, joint);
        later = mci;
    }
    let mut answer = json!({
        "unstable_mc_joints": unstable.iter().map(|joint| json!({ "unit": show::unit(joint) })).collect::<Vec<_>>(),
        "joints": joints.iter().map(|joint| show::joint(joint)).collect::<Vec<_>>(),
    });
    let definitions: Vec<Value> = definitions(ledger).into_iter().map(show::joint).collect();
    if !definitions.is_empty() {
        answer["witness_change_and_definition_joints"] = json!(definitions);
    }
    if !balls.is_empty() {
        answer["proofchain_balls"] = json!(balls);
    }
    let units: BTreeSet<Hash> = joints.iter().map(|joint| joint.facts.hash).collect();
    let rows: Vec<Value> =
        ledger.records().filter(|record| units.contains(&record.trigger_unit)).map(row).collect();
    if !rows.is_empty() {
        answer["aa_responses"] = json!(rows);
    }
    Ok(answer)
}

/// The unstable units of the main chain, newest first, and the newest last ball that a majority of order
/// providers vouches for.
fn trusted(dag: &Dag) -> Option<(Vec<&Joint>, Hash)> {
    let mut unstable: Vec<&Joint> =
        dag.unstable_units().filter(|joint| joint.properties.is_on_main_chain).collect();
    unstable.sort_by_key(|joint| std::cmp::Reverse(joint.properties.mci));
    let last = dag.last_stable()?.properties.mci?;
    let providers = dag.system_vars().order_providers(last);
    let mut met: BTreeSet<&Address> = BTreeSet::new();
    let vouched = unstable.iter().filter_map(|joint| {
        met.extend(joint.facts.authors.iter().filter(|author| providers.contains(author)));
        (met.len() >= dag.params().majority).then_some(joint.facts.last_ball_unit?)
    });
    let newest = vouched.max_by_key(|unit| dag.joint(unit).and_then(|joint| joint.properties.mci))?;
    Some((unstable, newest))
}

/// The balls from below `later` down to a unit at `mci`.
fn chain(dag: &Dag, balls: &mut Vec<Value>, later: u64, mci: u64, target: &Joint) {
    let mut at = later;
    while at > mci {
        let Some(next) = at.checked_sub(1) else { return };
        at = leap(at, next, mci, later);
        let Some(joint) = dag.main_chain_unit(at) else { return };
        balls.push(dag.ball_parts(joint));
    }
    // From the unit of the main chain to one beside it.
    let Some(mut joint) = dag.main_chain_unit(mci) else { return };
    while joint.facts.hash != target.facts.hash {
        let parents = joint.facts.parents.iter().filter_map(|parent| dag.joint(parent));
        let mut parents = parents.filter(|parent| parent.properties.mci == Some(mci));
        let towards = parents.find(|parent| dag.is_included(&target.facts.hash, &[parent.facts.hash]));
        let Some(towards) = towards else { return };
        balls.push(dag.ball_parts(towards));
        joint = towards;
    }
}

/// The main chain index that the ball at `at` leads to: the one before, or one of its skiplist's.
fn leap(at: u64, next: u64, target: u64, later: u64) -> u64 {
    // The first one is not in the chain yet, and so leads to the one before only.
    if at == later {
        return next;
    }
    let strides = Dag::strides(at).filter(|reached| *reached >= target);
    strides.min().map_or(next, |reached| reached.min(next))
}

/// The units that say who the order providers are.
fn definitions(ledger: &Ledger) -> Vec<&Joint> {
    let dag = ledger.dag();
    let last = dag.last_stable().and_then(|joint| joint.properties.mci).unwrap_or_default();
    let providers = dag.system_vars().order_providers(last);
    let discloses = |joint: &Joint| {
        let authors = joint.unit["authors"].as_array().into_iter().flatten();
        authors.into_iter().any(|author| {
            author.get("definition").is_some()
                && providers.iter().any(|provider| author["address"] == provider.as_str())
        })
    };
    let mut joints: Vec<&Joint> = providers
        .iter()
        .flat_map(|provider| dag.units_of(provider).take(1))
        .filter(|joint| joint.properties.is_stable && discloses(joint))
        .collect();
    joints.sort_by_key(|joint| joint.properties.level);
    joints
}

/// An answer of an agent, as it is kept.
fn row(record: &Record) -> Value {
    let mut row = record.row(None);
    row["response"] = json!(row["response"].to_string());
    row
}
