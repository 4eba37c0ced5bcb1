//! `channel_onchain_run.json`: every trigger of a recorded run, answered by our channel agent.

use std::collections::{BTreeMap, BTreeSet};

use coinop_core::{
    Bytes,
    obyte::{Network, address::Address, hash::Hash, signed::hash_to_sign},
};
use coinop_node::agent::{
    Record, Trigger, Vars,
    channel::Channel,
    compose::{Coin, Executed, Frame, Holdings, execute},
};
use coinop_tests::Case;
use serde_json::{Map, Value, json};

/// Fields of a trigger's case that say nothing about what an agent answers.
const NOT_COMPARED: &[(&str, &str)] = &[
    ("name", "a title"),
    ("note", "a remark"),
    ("kind", "says how to play the case"),
    ("node_clock", "an input: the agent's clock is its main chain unit's"),
    ("node_clock_ms", "an input"),
    ("answered_after_ms", "how fast the recorded node was"),
    ("heartbeats_until_response", "how the recorded order provider was paced"),
    ("hub_quote", "compared by the other half of the suite, on the graph"),
    ("node_state", "compared by the other half of the suite, on the graph"),
    ("response", "compared by the other half of the suite, on the graph"),
    ("state_after", "compared by the other half of the suite, on the graph"),
];

/// Parts of the file that are no cases.
const NOT_CASES: &[(&str, &str)] = &[
    ("replay", "says how to play the file"),
    ("after_last_case", "the last heartbeats: no agent has anything to answer in them"),
];

/// Fields that are replayed: what they add is input for the case and for those after it.
const REPLAYED: &[&str] = &["before", "unit", "after", "then"];

/// Fields the node adds to a unit for its readers, when it shows it from its archive.
const ADDED_BY_THE_NODE: [&str; 2] = ["main_chain_index", "actual_tps_fee"];

/// Parts of an error that quote the base agent's source, which this node does not have.
const QUOTED_SOURCE: &str = "formula_omitted";

/// Replays the file; gives the number of cases.
pub(crate) fn channel_onchain_run(file: &Case<'_>) -> usize {
    let cases = file.input("cases").as_array().unwrap();
    file.compare("count", cases.len());
    let mut replay = Replay::of_context(file.input("context"));
    for (index, case) in cases.iter().enumerate() {
        if case["kind"] == "request" {
            // What the graph did before a request is recorded with the next trigger.
            let next = cases[index..].iter().find(|later| later.get("before").is_some());
            replay.add_joints(next.map_or(&Value::Null, |next| &next["before"]));
        }
        replay.play(case);
    }
    let channel = Address::of_definition(file.input("aa_definition")).unwrap();
    file.compare("aa_address", channel.as_str());
    for (field, why) in NOT_CASES {
        assert!(!why.is_empty() && file.optional(field).is_some());
    }
    assert!(replay.responses > 0, "no agent answered anything");
    cases.len()
}

/// The recorded network, as far as agents see it.
struct Replay {
    /// Units with the properties the recorded node gave them, by hash.
    joints: BTreeMap<String, Value>,
    agents: BTreeMap<String, Live>,
    responses: usize,
}

/// An agent with what it remembers and has spent.
struct Live {
    channel: Channel,
    vars: Vars,
    balance: Bytes,
    /// The responses it has made so far.
    sent: BTreeSet<String>,
    spent: BTreeSet<(Hash, u32, u32)>,
}

impl Replay {
    fn of_context(context: &Value) -> Self {
        let mut replay = Self { joints: BTreeMap::new(), agents: BTreeMap::new(), responses: 0 };
        replay.add_joints(context);
        for row in context["aa_addresses"].as_array().unwrap() {
            replay.add_agent(row);
        }
        let states = context["aa_state"].as_array().unwrap();
        for state in states {
            let Some(live) = replay.agents.get_mut(state["aa_address"].as_str().unwrap()) else { continue };
            live.vars = serde_json::from_value(state["state_vars"].clone()).unwrap();
            live.balance = Bytes::new(state["balances"]["base"].as_u64().unwrap_or(0));
        }
        replay
    }

    fn play(&mut self, case: &Value) {
        match case["kind"].as_str().unwrap() {
            "trigger" => self.play_trigger(case),
            "request" => self.play_dry_run(case),
            "off_chain" => check_packages(case),
            "wait" => expect_only(case, &["name", "kind", "node_clock", "seconds", "note"]),
            kind => panic!("{}: cases of kind {kind} are not known", case["name"]),
        }
    }

    fn play_trigger(&mut self, case: &Value) {
        self.add_joints(&case["before"]);
        self.joints.insert(case["unit"]["unit"].as_str().unwrap().to_owned(), json!({"unit": case["unit"]}));
        self.add_joints(&case["after"]);
        self.add_joints(&case["then"]);
        for (field, recorded) in case.as_object().unwrap() {
            match field.as_str() {
                "aa_responses" => self.compare_responses(recorded, &case["name"]),
                "aa_state_after" => {}
                known if REPLAYED.contains(&known) => {}
                known if NOT_COMPARED.iter().any(|(name, _)| *name == known) => {}
                unknown => panic!("{}: nothing compares the field {unknown}", case["name"]),
            }
        }
        if let Some(recorded) = case.get("aa_state_after") {
            self.compare_state(recorded, &case["name"]);
        }
    }

    fn compare_responses(&mut self, recorded: &Value, name: &Value) {
        for response in recorded.as_array().unwrap() {
            expect_only(response, &["light_get_aa_responses_row", "light_aa_response_event"]);
            let event = &response["light_aa_response_event"];
            let row = &response["light_get_aa_responses_row"];
            let (record, unit) = self.respond(event);
            let shown = |unit: &Value| without(unit, &ADDED_BY_THE_NODE);
            same(&record.event(unit.as_ref()), event, &format!("{name}, event"));
            let mut row = without(row, &[]);
            if let Some(unit) = row.get("objResponseUnit") {
                row["objResponseUnit"] = shown(unit);
            }
            same(&record.row(unit.as_ref()), &row, &format!("{name}, row"));
            self.responses += 1;
        }
    }

    /// Lets the agent answer the trigger that `recorded` answers.
    fn respond(&mut self, recorded: &Value) -> (Record, Option<Value>) {
        let trigger_unit = recorded["trigger_unit"].as_str().unwrap();
        let joint = &self.joints[trigger_unit];
        let mci = joint["mci"].as_u64().unwrap();
        let address = recorded["aa_address"].as_str().unwrap();
        let main = self.main_chain_unit(mci);
        let live = &self.agents[address];
        let trigger =
            Trigger::of_unit(&joint["unit"], &live.channel.address, seconds(&main["unit"])).unwrap();
        let frame = frame(&main["unit"], &recorded["objResponseUnit"]["parent_units"]);
        let holdings =
            Holdings { balance: live.balance.plus(trigger.amount).unwrap(), coins: self.coins(address, mci) };
        let executed = execute(&live.channel, &live.vars, &trigger, &holdings, &frame);
        let record = Record::new(&live.channel, &trigger, mci, &holdings, &executed);
        let live = self.agents.get_mut(address).unwrap();
        live.settle(&record, &executed);
        (record, executed.unit)
    }

    fn main_chain_unit(&self, mci: u64) -> &Value {
        let on_chain = |joint: &&Value| joint["mci"] == mci && joint["is_on_main_chain"] == 1;
        self.joints.values().find(on_chain).unwrap()
    }

    /// The agent's unspent outputs that an answer at `mci` may spend, in the order it spends them.
    fn coins(&self, address: &str, mci: u64) -> Vec<Coin> {
        let live = &self.agents[address];
        let mut coins = Vec::new();
        for (hash, joint) in &self.joints {
            let stable = joint["mci"].as_u64().is_some_and(|own| own <= mci);
            let later = joint["is_aa_response"] == 1 && !live.sent.contains(hash);
            if joint["sequence"] != "good" || later || !(stable || live.sent.contains(hash)) {
                continue;
            }
            let place = if stable {
                (0, joint["mci"].as_u64(), None)
            } else {
                (1, joint["latest_included_mc_index"].as_u64(), joint["level"].as_u64())
            };
            for coin in outputs_to(address, &joint["unit"]) {
                if !live.spent.contains(&(coin.unit, coin.message_index, coin.output_index)) {
                    coins.push(((place, hash.clone(), coin.output_index), coin));
                }
            }
        }
        coins.sort_by_key(|(order, _)| order.clone());
        coins.into_iter().map(|(_, coin)| coin).collect()
    }

    fn compare_state(&self, recorded: &Value, name: &Value) {
        let address = recorded["aa_address"].as_str().unwrap();
        let live = &self.agents[address];
        let unspent: BTreeSet<_> = self.coins(address, u64::MAX).iter().map(coin_json).collect();
        let recorded_coins = recorded["unspent_outputs"].as_array().unwrap();
        assert_eq!(unspent, recorded_coins.iter().map(Value::to_string).collect(), "{name}: unspent outputs");
        let ours = json!({
            "aa_address": address,
            "state_vars": live.vars,
            "balances": {"base": live.balance},
            "unspent_outputs": recorded["unspent_outputs"],
            "storage_size": live.vars.storage_size(),
        });
        same(&ours, recorded, &format!("{name}, state"));
    }

    fn add_joints(&mut self, delta: &Value) {
        for joint in delta["joints"].as_array().into_iter().flatten() {
            let hash = joint["unit"]["unit"].as_str().unwrap();
            self.joints.insert(hash.to_owned(), joint.clone());
        }
        for change in delta["changes"].as_array().into_iter().flatten() {
            let joint = self.joints.get_mut(change["unit"].as_str().unwrap()).unwrap();
            for (field, value) in change.as_object().unwrap().iter().filter(|(field, _)| *field != "unit") {
                joint[field] = value.clone();
            }
        }
        for row in delta["aa_addresses"].as_array().into_iter().flatten() {
            self.add_agent(row);
        }
    }

    fn add_agent(&mut self, row: &Value) {
        let address = row["address"].as_str().unwrap();
        // Only channels answer here; the base agent itself is not parameterized.
        if let Ok(channel) = Channel::of_definition(address.parse().unwrap(), &row["definition"]) {
            let new = Live {
                channel,
                vars: Vars::default(),
                balance: Bytes::ZERO,
                spent: BTreeSet::new(),
                sent: BTreeSet::new(),
            };
            self.agents.entry(address.to_owned()).or_insert(new);
        }
    }
}

impl Live {
    fn settle(&mut self, record: &Record, executed: &Executed) {
        self.vars.apply(&executed.changes);
        self.balance = record.balance;
        let Some(unit) = &executed.unit else { return };
        self.sent.insert(unit["unit"].as_str().unwrap().to_owned());
        for message in unit["messages"].as_array().unwrap() {
            for input in message["payload"]["inputs"].as_array().into_iter().flatten() {
                let index = |field: &str| u32::try_from(input[field].as_u64().unwrap()).unwrap();
                let from = input["unit"].as_str().unwrap().parse().unwrap();
                self.spent.insert((from, index("message_index"), index("output_index")));
            }
        }
    }
}

impl Replay {
    fn play_dry_run(&mut self, case: &Value) {
        expect_only(case, &["name", "kind", "node_clock", "request", "response"]);
        assert_eq!(case["request"]["command"], "light/dry_run_aa", "{}", case["name"]);
        let asked = &case["request"]["params"];
        let recorded = case["response"].as_array().unwrap();
        let [recorded] = recorded.as_slice() else { panic!("{}: one response expected", case["name"]) };
        let address = asked["address"].as_str().unwrap();
        // When between two triggers the trial was run shows in its answer only.
        let mci = recorded["mci"].as_u64().unwrap();
        let main = &self.main_chain_unit(mci)["unit"];
        let live = &self.agents[address];
        let trigger = Trigger {
            address: asked["trigger"]["address"].as_str().unwrap().parse().unwrap(),
            // A trial has no unit of its own: the recorded node lent it the first one.
            unit: recorded["trigger_unit"].as_str().unwrap().parse().unwrap(),
            amount: Bytes::new(asked["trigger"]["outputs"]["base"].as_u64().unwrap()),
            data: asked["trigger"].get("data").cloned(),
            sent: seconds(main),
            timestamp: seconds(main),
        };
        let frame = frame(main, &recorded["objResponseUnit"]["parent_units"]);
        let balance = live.balance.plus(trigger.amount).unwrap();
        let mut coins = self.coins(address, mci);
        coins.push(Coin { unit: trigger.unit, message_index: 0, output_index: 0, amount: trigger.amount });
        let holdings = Holdings { balance, coins };
        let executed = execute(&live.channel, &live.vars, &trigger, &holdings, &frame);
        let record = Record::new(&live.channel, &trigger, mci, &holdings, &executed);
        let ours = without(&record.event(executed.unit.as_ref()), &["allBalances"]);
        same(&ours, recorded, &case["name"].to_string());
        self.responses += 1;
    }
}

fn check_packages(case: &Value) {
    expect_only(case, &["name", "kind", "node_clock", "packages", "note"]);
    for signed in case["packages"].as_array().unwrap() {
        expect_only(signed, &["signed_by", "package", "hash_to_sign_hex", "note"]);
        let package = &signed["package"];
        if package["version"].as_str().unwrap().starts_with("1.") {
            // Signed over another hash than this version wants; the agent must refuse it.
            continue;
        }
        let hash = Hash::from_bytes(hash_to_sign(package).unwrap());
        assert_eq!(signed["hash_to_sign_hex"], hex(&hash), "{}", case["name"]);
    }
}

fn hex(hash: &Hash) -> String {
    hash.as_bytes()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|half| char::from_digit(half.into(), 16).unwrap())
        .collect()
}

fn frame(main: &Value, parents: &Value) -> Frame {
    let text = |field: &str| main[field].as_str().unwrap();
    let parents = parents.as_array().into_iter().flatten();
    let networks = [Network::Livenet, Network::Testnet, Network::Devnet];
    Frame {
        network: networks.into_iter().find(|it| it.alt() == text("alt")).unwrap(),
        timestamp: seconds(main),
        last_ball: text("last_ball").parse().unwrap(),
        last_ball_unit: text("last_ball_unit").parse().unwrap(),
        // Which free units a response follows is the graph's choice, not the agent's.
        parent_units: parents.map(|parent| parent.as_str().unwrap().parse().unwrap()).collect(),
    }
}

fn seconds(unit: &Value) -> u64 {
    unit["timestamp"].as_u64().unwrap()
}

fn outputs_to(address: &str, unit: &Value) -> Vec<Coin> {
    let mut coins = Vec::new();
    for (message_index, message) in (0..).zip(unit["messages"].as_array().unwrap()) {
        let bytes = message["app"] == "payment" && message["payload"]["asset"].is_null();
        let outputs = message["payload"]["outputs"].as_array().filter(|_| bytes);
        for (output_index, output) in (0..).zip(outputs.into_iter().flatten()) {
            if output["address"] == address {
                coins.push(Coin {
                    unit: unit["unit"].as_str().unwrap().parse().unwrap(),
                    message_index,
                    output_index,
                    amount: Bytes::new(output["amount"].as_u64().unwrap()),
                });
            }
        }
    }
    coins
}

fn coin_json(coin: &Coin) -> String {
    let mut json = serde_json::to_value(coin).unwrap();
    json["asset"] = Value::Null;
    json.to_string()
}

fn without(value: &Value, fields: &[&str]) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(field, _)| !fields.contains(&field.as_str()));
            Value::Object(kept.map(|(field, value)| (field.clone(), value.clone())).collect::<Map<_, _>>())
        }
        _ => value.clone(),
    }
}

/// What an error quotes of the source of the base agent is left out on both sides.
fn unquoted(value: &Value) -> Value {
    match value {
        Value::Object(_) => {
            let Value::Object(map) = without(value, &[QUOTED_SOURCE]) else { return value.clone() };
            Value::Object(map.into_iter().map(|(field, value)| (field, unquoted(&value))).collect())
        }
        Value::Array(items) => items.iter().map(unquoted).collect(),
        _ => value.clone(),
    }
}

fn same(ours: &Value, recorded: &Value, what: &str) {
    assert_eq!(unquoted(ours), unquoted(recorded), "{what}");
}

fn expect_only(value: &Value, known: &[&str]) {
    for field in value.as_object().unwrap().keys() {
        assert!(known.contains(&field.as_str()), "{}: nothing compares the field {field}", value["name"]);
    }
}
