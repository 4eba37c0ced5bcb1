//! What a light client may ask, and the answers.

use std::collections::BTreeSet;

use coinop_core::{
    Bytes, Timestamp,
    obyte::{address::Address, hash::Hash},
};
use serde_json::{Map, Value, json};

use super::show;
use crate::{agent::compose::Coin, dag::SystemVar, ledger::Ledger};

/// The most addresses whose balances are asked for at once.
const MAX_BALANCES: usize = 100;
/// The most rows of an answer.
const MAX_ROWS: usize = 100;
/// The most state variables.
const MAX_VARS: usize = 2_000;
/// What a hub adds to the amount that coins are picked for: fees.
const RESERVE: u64 = 2_000;
const BAD_ADDRESS: &str = "address not valid";

/// The answer to a request; none to a command that hubs do not know, which they do not answer.
pub(super) fn answer(ledger: &Ledger, command: &str, params: &Value, now: Timestamp) -> Option<Value> {
    let answer = match command {
        "get_witnesses" => Ok(json!(providers(ledger))),
        "get_last_mci" => Ok(json!(last_mci(ledger))),
        "get_peers" | "hub/get_bots" | "light/get_profile_units" => Ok(json!([])),
        "get_last_stable_unit_props" => last_stable(ledger),
        "get_system_vars" => Ok(system_vars(ledger)),
        "get_system_var_votes" => Ok(votes(ledger)),
        "get_joint" => joint(ledger, params),
        "hub/get_asset_metadata" => Err("no metadata".to_owned()),
        "light/get_parents_and_last_ball_and_witness_list_unit" => quote(ledger, params, now),
        "light/pick_divisible_coins_for_amount" => pick(ledger, params),
        "light/get_definition" => address(params).map(|it| definition(ledger, &it)),
        "light/get_definition_chash" => {
            address(&params["address"]).map(|it| json!(ledger.definition_for(&it).definition_chash))
        }
        "light/get_definition_for_address" => {
            address(&params["address"]).map(|it| definition_for(ledger, &it))
        }
        "light/get_balances" => balances(ledger, params),
        "light/get_attestations" => address(&params["address"]).map(|_| json!([])),
        "light/get_attestation" => Ok(Value::Null),
        "light/get_data_feed" => data_feed(ledger, params),
        "light/get_aas_by_base_aas" => by_base(ledger, params),
        "light/get_aa_state_vars" => state_vars(ledger, params),
        "light/get_aa_balances" => agent(ledger, &params["address"]).map(|it| aa_balances(ledger, &it)),
        "light/get_aa_responses" => responses(ledger, params),
        "light/get_aa_response_chain" => chain(ledger, params),
        _ => return None,
    };
    Some(answer.unwrap_or_else(|error| json!({ "error": error })))
}

/// What order providers vote on, as it stands.
pub(super) fn system_vars(ledger: &Ledger) -> Value {
    let mut vars = Map::new();
    for row in newest_first(ledger) {
        let list = vars.entry(row.subject.clone()).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(json!({ "vote_count_mci": row.vote_count_mci, "value": row.value, "is_emergency": 0 }));
        }
    }
    Value::Object(vars)
}

fn newest_first(ledger: &Ledger) -> Vec<&SystemVar> {
    let mut rows: Vec<&SystemVar> = ledger.dag().system_vars().rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.vote_count_mci));
    rows
}

/// Nobody has voted here: the values are those of the beginning.
fn votes(ledger: &Ledger) -> Value {
    let votes: Map<String, Value> =
        ledger.dag().system_vars().rows.iter().map(|row| (row.subject.clone(), json!([]))).collect();
    json!({ "votes": votes, "balances": {} })
}

fn providers(ledger: &Ledger) -> Vec<Address> {
    ledger.dag().system_vars().order_providers(last_mci(ledger))
}

fn last_mci(ledger: &Ledger) -> u64 {
    ledger.dag().joints().filter_map(|joint| joint.properties.mci).max().unwrap_or_default()
}

fn last_stable(ledger: &Ledger) -> Result<Value, String> {
    let last = ledger.dag().last_stable().ok_or("no stable unit")?;
    Ok(json!({
        "unit": last.facts.hash,
        "main_chain_index": last.properties.mci,
        "timestamp": last.facts.timestamp,
    }))
}

fn joint(ledger: &Ledger, params: &Value) -> Result<Value, String> {
    let text = params.as_str().ok_or("invalid unit")?;
    let known = text.parse::<Hash>().ok().and_then(|hash| ledger.joint(&hash));
    Ok(known
        .map_or_else(|| json!({ "joint_not_found": text }), |known| json!({ "joint": show::joint(known) })))
}

fn address(value: &Value) -> Result<Address, String> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| BAD_ADDRESS.to_owned())
}

fn addresses(value: &Value, wrong: &str) -> Result<Vec<Address>, String> {
    let list = value.as_array().filter(|list| !list.is_empty()).ok_or(wrong)?;
    let read = list.iter().map(|element| element.as_str()?.parse().ok()).collect::<Option<_>>();
    read.ok_or_else(|| wrong.to_owned())
}

fn quote(ledger: &Ledger, params: &Value, now: Timestamp) -> Result<Value, String> {
    let named = addresses(&params["witnesses"], "bad witness addresses")?;
    if named.len() != ledger.dag().params().order_providers {
        return Err("bad witness addresses".to_owned());
    }
    let from = addresses(&params["from_addresses"], "bad from addresses")?;
    let to = addresses(&params["output_addresses"], "bad output addresses")?;
    let most = match &params["max_aa_responses"] {
        Value::Null => None,
        most => Some(most.as_u64().and_then(|most| u32::try_from(most).ok()).ok_or("bad max_aa_responses")?),
    };
    let quote = ledger.quote(&from[0], &to, most, now).map_err(|error| error.to_string())?;
    Ok(json!({
        "timestamp": quote.timestamp,
        "parent_units": quote.parent_units,
        "last_stable_mc_ball": quote.last_ball,
        "last_stable_mc_ball_unit": quote.last_ball_unit,
        "last_stable_mc_ball_mci": quote.last_ball_mci,
        "tps_fee": quote.tps_fee,
        "count_primary_aa_triggers": quote.count_primary_aa_triggers,
    }))
}

fn pick(ledger: &Ledger, params: &Value) -> Result<Value, String> {
    let from = addresses(&params["addresses"], "bad addresses")?;
    params["last_ball_mci"].as_u64().filter(|mci| *mci > 0).ok_or("bad last_ball_mci")?;
    let amount = params["amount"].as_u64().filter(|amount| *amount > 0).ok_or("bad amount")?;
    let amount = Bytes::try_from(amount.saturating_add(RESERVE)).map_err(|error| error.to_string())?;
    let unconfirmed = params["spend_unconfirmed"].as_str().unwrap_or("own");
    let mut coins: Vec<Coin> = from.iter().flat_map(|address| ledger.coins(address)).collect();
    coins.retain(|coin| {
        let is_own =
            || ledger.joint(&coin.unit).is_some_and(|it| it.facts.authors.iter().any(|by| from.contains(by)));
        ledger.is_stable(&coin.unit) || unconfirmed == "all" || (unconfirmed == "own" && is_own())
    });
    // The smallest coin that is enough by itself, or else the largest first.
    coins.sort_by_key(|coin| (!ledger.is_stable(&coin.unit), coin.amount, coin.unit));
    let single = coins.iter().find(|coin| coin.amount > amount).copied();
    let picked = if let Some(single) = single {
        vec![single]
    } else {
        coins.reverse();
        let enough = (1..=coins.len()).find(|count| Coin::sum(&coins[..*count]) >= amount);
        coins.truncate(enough.unwrap_or(0));
        coins
    };
    let inputs = picked.iter().map(|coin| {
        let input = json!({ "unit": coin.unit, "message_index": coin.message_index, "output_index": coin.output_index });
        json!({ "input": input })
    });
    Ok(json!({ "inputs_with_proofs": inputs.collect::<Vec<_>>(), "total_amount": Coin::sum(&picked) }))
}

fn definition(ledger: &Ledger, address: &Address) -> Value {
    let agent = ledger.aa_definition(address).cloned();
    agent.or_else(|| ledger.definition_for(address).definition).unwrap_or_default()
}

fn definition_for(ledger: &Ledger, address: &Address) -> Value {
    let known = ledger.definition_for(address);
    let mut answer = json!({ "definition_chash": known.definition_chash, "is_stable": known.is_stable });
    if let Some(definition) = known.definition {
        answer["definition"] = definition;
    }
    answer
}

fn balances(ledger: &Ledger, params: &Value) -> Result<Value, String> {
    let list = params.as_array().filter(|list| !list.is_empty()).ok_or("no params in get_balances")?;
    if list.len() > MAX_BALANCES {
        return Err(format!("too many addresses, max {MAX_BALANCES}"));
    }
    let mut answer = Map::new();
    for address in addresses(params, BAD_ADDRESS)? {
        let coins = ledger.coins(&address);
        if coins.is_empty() {
            continue;
        }
        let (stable, pending): (Vec<Coin>, Vec<Coin>) =
            coins.into_iter().partition(|coin| ledger.is_stable(&coin.unit));
        let sums = [Coin::sum(&stable), Coin::sum(&pending)];
        let base = json!({
            "stable": sums[0],
            "pending": sums[1],
            "stable_outputs_count": stable.len(),
            "pending_outputs_count": pending.len(),
            "total": sums[0].get() + sums[1].get(),
        });
        answer.insert(address.to_string(), json!({ "base": base }));
    }
    Ok(Value::Object(answer))
}

/// The newest value that one of these oracles posted under this name.
fn data_feed(ledger: &Ledger, params: &Value) -> Result<Value, String> {
    let oracles = addresses(&params["oracles"], "oracles must be non-empty array")?;
    let name = params["feed_name"].as_str().ok_or("no feed name")?;
    let posted = oracles.iter().flat_map(|oracle| ledger.dag().units_of(oracle));
    let values = posted.filter(|joint| joint.properties.is_stable).flat_map(|joint| {
        let messages = joint.unit["messages"].as_array().into_iter().flatten();
        let feeds = messages.filter(|message| message["app"] == "data_feed");
        feeds.filter_map(move |feed| Some((joint.properties.mci, feed["payload"].get(name)?)))
    });
    let newest = values.max_by_key(|(mci, _)| *mci).map(|(_, value)| value.clone());
    newest.or_else(|| params.get("ifnone").cloned()).ok_or_else(|| format!("data feed {name} not found"))
}

fn by_base(ledger: &Ledger, params: &Value) -> Result<Value, String> {
    let bases: BTreeSet<Address> = match (&params["base_aa"], &params["base_aas"]) {
        (Value::Null, Value::Null) => return Err("no base_aa or base_aas".to_owned()),
        (Value::Null, list) => addresses(list, "invalid base_aas")?.into_iter().collect(),
        (one, _) => [address(one).ok().ok_or("invalid base_aa")?].into(),
    };
    let wanted = &params["params"];
    let fits = |definition: &Value| {
        let given = wanted.as_object().into_iter().flatten();
        given.into_iter().all(|(name, value)| definition[1]["params"][name] == *value)
    };
    let mut found = Vec::new();
    for joint in ledger.dag().joints().filter(|joint| joint.properties.is_stable) {
        for (address, definition) in ledger.definitions_in(&joint.unit) {
            let base = definition[1]["base_aa"].as_str().and_then(|base| base.parse().ok());
            if base.is_some_and(|base| bases.contains(&base)) && fits(definition) {
                found.push(json!({ "address": address, "definition": definition, "unit": joint.facts.hash }));
            }
        }
    }
    Ok(json!(found))
}

/// An address that an agent lives at.
fn agent(ledger: &Ledger, value: &Value) -> Result<Address, String> {
    let address = address(value)?;
    ledger.state_vars(&address).map(|_| address).ok_or_else(|| "not an AA".to_owned())
}

fn state_vars(ledger: &Ledger, params: &Value) -> Result<Value, String> {
    let agent = agent(ledger, &params["address"])?;
    let limit = params["limit"].as_u64().map_or(MAX_VARS, |limit| usize::try_from(limit).unwrap_or(MAX_VARS));
    let text = |name: &str| params[name].as_str();
    let (from, to) = (text("var_prefix_from").or(text("var_prefix")), text("var_prefix_to"));
    let fits = |name: &str| match (from, to) {
        (Some(prefix), None) => name.starts_with(prefix),
        (from, to) => from.is_none_or(|from| name >= from) && to.is_none_or(|to| name <= to),
    };
    let vars = ledger.state_vars(&agent).map(|vars| json!(vars)).unwrap_or_default();
    let vars = vars.as_object().into_iter().flatten().filter(|(name, _)| fits(name));
    Ok(Value::Object(
        vars.take(limit.min(MAX_VARS)).map(|(name, value)| (name.clone(), value.clone())).collect(),
    ))
}

fn aa_balances(ledger: &Ledger, agent: &Address) -> Value {
    let balance = ledger.balance(agent);
    match balance.stable.get() + balance.pending.get() {
        0 => json!({ "balances": {} }),
        total => json!({ "balances": { "base": total } }),
    }
}

fn responses(ledger: &Ledger, params: &Value) -> Result<Value, String> {
    let agents = match (&params["aa"], &params["aas"]) {
        (Value::Null, list) => addresses(list, "no aa or aas")?,
        (one, _) => vec![address(one).ok().ok_or("aa address not valid")?],
    };
    let bound = |name: &str| params[name].as_u64();
    let fits = |mci: u64| {
        bound("min_mci").is_none_or(|least| mci >= least) && bound("max_mci").is_none_or(|most| mci <= most)
    };
    let records = agents.iter().flat_map(|agent| ledger.responses(agent)).filter(|record| fits(record.mci));
    let mut rows: Vec<Value> =
        records.map(|record| record.row(response_unit(ledger, record.response_unit).as_ref())).collect();
    rows.sort_by_key(|row| row["mci"].as_u64());
    if params["order"] != "ASC" {
        rows.reverse();
    }
    rows.truncate(MAX_ROWS);
    Ok(json!(rows))
}

fn chain(ledger: &Ledger, params: &Value) -> Result<Value, String> {
    let unit: Hash =
        params["trigger_unit"].as_str().and_then(|text| text.parse().ok()).ok_or("no trigger unit")?;
    let records = ledger.records().filter(|record| record.trigger_unit == unit);
    Ok(json!(
        records
            .map(|record| record.row(response_unit(ledger, record.response_unit).as_ref()))
            .collect::<Vec<_>>()
    ))
}

fn response_unit(ledger: &Ledger, unit: Option<Hash>) -> Option<Value> {
    unit.and_then(|unit| ledger.joint(&unit)).map(show::unit)
}
