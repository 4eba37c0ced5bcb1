//! Which agents a unit triggers.

use std::collections::BTreeMap;

use coinop_core::obyte::address::Address;
use serde_json::Value;

use super::{parents::Base, posted::Posted};
use crate::verdict::{Check, Verdict, ensure};

/// Counts the agents among the addresses paid; there may be one at most.
///
/// An agent defined after the last ball does not count yet.
pub(super) fn count(posted: &Posted<'_>, base: &Base<'_>) -> Check<u64> {
    if base.mci == 0 {
        let is_absent = posted.get("max_aa_responses").is_none();
        ensure(is_absent, "max_aa_responses should not be there")?;
        return Ok(0);
    }
    let outputs = count_outputs(posted.items("messages"));
    ensure(!outputs.is_empty(), "no output addresses found in payment messages")?;
    let agents: Vec<Address> =
        outputs.keys().filter(|address| posted.dag.agent(address, base.mci).is_some()).copied().collect();
    match agents.as_slice() {
        [] => {
            let is_absent = posted.get("max_aa_responses").is_none();
            ensure(is_absent, "no outputs to AAs, max_aa_responses should not be there")?;
            Ok(0)
        }
        [agent] => {
            check_one_output_per_asset(agent, &outputs)?;
            Ok(1)
        }
        several => Err(Verdict::unit(format!("more than 1 primary AA trigger ({})", several.len()))),
    }
}

type Outputs<'a> = BTreeMap<Address, Vec<(&'a str, u64)>>;

fn check_one_output_per_asset(agent: &Address, outputs: &Outputs<'_>) -> Check {
    let repeated = outputs.get(agent).into_iter().flatten().find(|(_, count)| *count > 1);
    match repeated {
        None => Ok(()),
        Some((asset, _)) => {
            Err(Verdict::unit(format!("more than 1 output to the same AA {agent} for asset {asset}")))
        }
    }
}

/// How many outputs go to each address in each asset, assets in the order they appear.
fn count_outputs(messages: &[Value]) -> Outputs<'_> {
    let mut counts = Outputs::new();
    for message in messages.iter().filter(|it| it.get("app").and_then(Value::as_str) == Some("payment")) {
        let Some(payload) = message.get("payload") else { continue };
        let asset = payload.get("asset").and_then(Value::as_str).unwrap_or("base");
        let outputs = payload.get("outputs").and_then(Value::as_array).into_iter().flatten();
        let names = outputs.filter_map(|output| output.get("address")?.as_str()?.parse().ok());
        for address in names {
            let assets: &mut Vec<(&str, u64)> = counts.entry(address).or_default();
            match assets.iter_mut().find(|(known, _)| *known == asset) {
                Some((_, count)) => *count += 1,
                None => assets.push((asset, 1)),
            }
        }
    }
    counts
}
