//! What a hub's words mean to one who watches an address.

use coinop_core::{Bytes, Timestamp, obyte::address::Address};
use coinop_node::ledger::Notice;
use serde_json::Value;

use super::News;

/// What a push says to one who watches `address`.
pub(crate) fn of_push(address: Address, notice: &Notice) -> Vec<News> {
    match notice {
        Notice::Joint(unit) => trigger(address, unit).into_iter().chain([News::Coins]).collect(),
        Notice::Stable(_) => vec![News::Coins],
        Notice::Response(body) => {
            let about = body["aa_address"] == address.as_str();
            response(body).filter(|_| about).into_iter().chain([News::Coins]).collect()
        }
    }
}

pub(crate) fn trigger(agent: Address, unit: &Value) -> Option<News> {
    let messages = unit["messages"].as_array()?;
    let outputs = messages
        .iter()
        .filter(|message| message["app"] == "payment")
        .flat_map(|message| message["payload"]["outputs"].as_array().into_iter().flatten());
    let amount: u64 = outputs
        .filter(|output| output["address"] == agent.as_str())
        .filter_map(|output| output["amount"].as_u64())
        .sum();
    let data =
        messages.iter().find(|message| message["app"] == "data").map(|message| message["payload"].clone());
    (amount > 0).then_some(())?;
    Some(News::Trigger {
        unit: unit["unit"].as_str()?.parse().ok()?,
        from: unit["authors"][0]["address"].as_str()?.parse().ok()?,
        amount: Bytes::try_from(amount).ok()?,
        data,
    })
}

pub(crate) fn response(body: &Value) -> Option<News> {
    let messages = body["objResponseUnit"]["messages"].as_array();
    let payload = messages
        .into_iter()
        .flatten()
        .find(|message| message["app"] == "data")
        .map(|message| message["payload"].clone());
    let error = &body["response"]["error"];
    let bounced = body["bounced"]
        .as_bool()
        .unwrap_or(false)
        .then(|| error["message"].as_str().or_else(|| error.as_str()).unwrap_or("bounced").to_owned());
    Some(News::Response {
        trigger: body["trigger_unit"].as_str()?.parse().ok()?,
        from: body["trigger_address"].as_str()?.parse().ok()?,
        bounced,
        payload,
        at: Timestamp::from_millis(body["timestamp"].as_u64()?.saturating_mul(1000)),
    })
}
