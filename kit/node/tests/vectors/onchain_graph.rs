//! `channel_onchain_run.json` once more, as the graph saw it: quotes, verdicts and places of the triggers.

use coinop_tests::Case;
use serde_json::{Map, Value, json};

use crate::post_joint::Replay;

/// What a trigger's case says of the graph.
const OF_THE_GRAPH: [&str; 9] =
    ["name", "before", "unit", "node_clock", "node_clock_ms", "node_state", "hub_quote", "response", "after"];

/// What the context says of agents; the other half of this file's suite reads it.
const OF_AGENTS: [&str; 4] = ["aa_addresses", "aa_execution_note", "channel", "omitted_payloads"];

/// Posts every trigger again; gives how many there were.
pub(crate) fn replay(file: &Case<'_>) -> usize {
    let context = file.input("context");
    let mut known = without(context, &OF_AGENTS);
    known["omitted_payloads"] = json!([]);
    for omitted in context["omitted_payloads"].as_array().unwrap() {
        leave_out(&mut known, omitted);
    }
    let mut replay = Replay::of(&known);
    for omitted in context["omitted_payloads"].as_array().unwrap() {
        // The text of the base agent is not recorded: this node runs it without.
        replay.dag.run_natively(omitted["replaced_by"]["address"].as_str().unwrap().parse().unwrap());
    }
    let cases = file.input("cases").as_array().unwrap();
    let triggers: Vec<&Value> = cases.iter().filter(|case| case["kind"] == "trigger").collect();
    for case in &triggers {
        replay.report.start(case["name"].as_str().unwrap());
        replay.case(&of_the_graph(case));
        replay.apply(&case["then"]);
        if let Some(expected) = case["state_after"].get("after_response") {
            replay.compare_place("after_response", &case["unit"], expected);
        }
    }
    let posted: Vec<Value> = triggers.iter().map(|case| of_the_graph(case)).collect();
    replay.end(file.input("after_last_case"), &posted);
    triggers.len()
}

/// Takes away what is left of a payload that the recording leaves out.
fn leave_out(context: &mut Value, omitted: &Value) {
    let joints = context["joints"].as_array_mut().unwrap();
    let joint = joints.iter_mut().find(|joint| joint["unit"]["unit"] == omitted["unit"]).unwrap();
    let index = usize::try_from(omitted["message_index"].as_u64().unwrap()).unwrap();
    joint["unit"]["messages"][index].as_object_mut().unwrap().remove("payload");
}

fn of_the_graph(case: &Value) -> Value {
    let mut own = Map::new();
    for field in OF_THE_GRAPH {
        own.extend(case.get(field).map(|value| (field.to_owned(), value.clone())));
    }
    own.insert("state_after".into(), without(&case["state_after"], &["after_response"]));
    Value::Object(own)
}

fn without(value: &Value, fields: &[&str]) -> Value {
    let kept = value.as_object().unwrap().iter().filter(|(field, _)| !fields.contains(&field.as_str()));
    Value::Object(kept.map(|(field, value)| (field.clone(), value.clone())).collect())
}
