//! The state a hub had, and what changed in it.

use coinop_core::{
    Bytes,
    obyte::{address::Address, hash::Hash},
};
use coinop_node::dag::{Commission, Dag, Params, Properties, SystemVar, SystemVars};
use serde_json::{Map, Value};

use super::{compare::Report, hash};

/// What a network is distinguished by.
const PARAMS: [&str; 8] = [
    "protocol_version",
    "alt",
    "genesis_unit",
    "constants",
    "node_conf",
    "count_witnesses",
    "majority_of_witnesses",
    "elapsed_seconds_when_zero",
];

/// What is compared once it is loaded.
const COMPARED: [&str; 2] = ["definitions_by_address", "spendable_outputs"];

/// What is applied as a change.
const CHANGES: [&str; 7] = [
    "joints",
    "changes",
    "tps_fees_balances",
    "headers_commission_outputs",
    "witnessing_outputs",
    "system_vars_rows",
    "aa_addresses",
];

/// Fields of the context that are not loaded, each with the reason.
const NOT_LOADED: [(&str, &str); 21] = [
    ("what", "for the reader"),
    ("test_keys_note", "for the reader"),
    ("node_clock", "each case has its own"),
    ("node_clock_note", "for the reader"),
    ("genesis_ball", "the first joint has it"),
    ("order_providers", "system_vars_rows have them"),
    ("witnesses", "system_vars_rows have them"),
    ("system_vars", "the same as system_vars_rows"),
    ("system_vars_note", "for the reader"),
    ("threshold_size", "system_vars_rows have it"),
    ("tps_interval", "system_vars_rows have it"),
    ("base_tps_fee", "system_vars_rows have it"),
    ("tps_fee_multiplier", "system_vars_rows have it"),
    ("hash_algorithms", "for the reader"),
    ("joint_fields", "for the reader"),
    ("keys", "nothing is signed here"),
    ("extra_keys", "nothing is signed here"),
    ("multisig_addresses", "nothing is signed here"),
    ("default_author", "nothing is signed here"),
    ("aa_state", "agents are not run here"),
    ("node_state", "the first case has it too"),
];

/// Fields of a change that the node does not keep, each with the reason.
const NOT_KEPT: [(&str, &str); 7] = [
    ("what", "for the reader"),
    ("node_state", "compared by the caller"),
    ("node_clock", "nothing is posted after the last case"),
    ("aa_balances", "agents are not run here"),
    ("aa_responses", "agents are not run here"),
    ("skiplist_units", "they follow from main chain indexes; balls cover them"),
    ("unit", "which unit it is"),
];

/// Loads everything the hub knew before the first case.
pub(super) fn context(context: &Value) -> Dag {
    let mut dag = Dag::new(params(context), SystemVars::default());
    let mut report = Report::default();
    for (field, value) in context.as_object().expect("a context") {
        match field.as_str() {
            known if PARAMS.contains(&known) || CHANGES.contains(&known) || COMPARED.contains(&known) => {}
            "omitted_payloads" => assert_eq!(value, &Value::Array(Vec::new()), "payloads that are left out"),
            known if NOT_LOADED.iter().any(|(field, _)| *field == known) => {}
            unknown => panic!("the context has a field nobody reads: {unknown}"),
        }
    }
    let known: Map<String, Value> =
        CHANGES.iter().map(|field| ((*field).to_owned(), context[*field].clone())).collect();
    apply(&mut report, &mut dag, &Value::Object(known));
    report.finish();
    dag
}

fn params(context: &Value) -> Params {
    let constants = &context["constants"];
    let number = |value: &Value| value.as_u64().expect("a number");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let count = |value: &Value| usize::try_from(number(value)).expect("a count");
    Params {
        version: text(&context["protocol_version"]),
        supported_versions: constants["supported_versions"]
            .as_array()
            .expect("a list")
            .iter()
            .map(text)
            .collect(),
        alt: text(&context["alt"]),
        genesis: context["genesis_unit"].as_str().expect("a text").parse().expect("a hash"),
        total_bytes: number(&constants["TOTAL_WHITEBYTES"]),
        order_providers: count(&context["count_witnesses"]),
        majority: count(&context["majority_of_witnesses"]),
        paid_witnessing_span: number(&constants["COUNT_MC_BALLS_FOR_PAID_WITNESSING"]),
        max_seconds_ahead: number(&context["node_conf"]["max_seconds_into_the_future_to_accept"]),
        min_tps_fee_multiplier: context["node_conf"]["min_acceptable_tps_fee_multiplier"]
            .as_f64()
            .expect("a number"),
        elapsed_when_zero: number(&context["elapsed_seconds_when_zero"]),
    }
}

/// Applies what happened, as trusted state.
pub(super) fn apply(report: &mut Report, dag: &mut Dag, delta: &Value) {
    let Some(delta) = delta.as_object() else { return };
    let rows = |field: &str| delta.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    for joint in rows("joints") {
        insert(report, dag, &joint);
    }
    for change in rows("changes") {
        let unit = hash(&change).expect("a hash");
        let mut properties = dag.joint(&unit).expect("a known unit").properties.clone();
        set(report, &mut properties, &change);
        assert!(dag.update(&unit, properties));
    }
    for row in rows("tps_fees_balances") {
        dag.set_tps_fees_balance(
            address(&row),
            mci(&row["mci"]),
            row["tps_fees_balance"].as_i64().expect("a number"),
        );
    }
    for (field, kind) in [
        ("headers_commission_outputs", Commission::HeadersCommission),
        ("witnessing_outputs", Commission::Witnessing),
    ] {
        for row in rows(field) {
            let amount = Bytes::try_from(row["amount"].as_u64().expect("an amount")).expect("an amount");
            dag.set_commission(kind, address(&row), mci(&row["main_chain_index"]), amount);
        }
    }
    for row in rows("system_vars_rows") {
        dag.set_system_var(SystemVar {
            subject: row["subject"].as_str().expect("a subject").to_owned(),
            value: row["value"].clone(),
            vote_count_mci: row["vote_count_mci"].as_i64().expect("an index"),
        });
    }
    for row in rows("aa_addresses") {
        let agent = dag.agent(&address(&row), mci(&row["mci"]));
        report.equal(
            "aa_addresses",
            &agent.map_or(Value::Null, |it| it.definition.clone()),
            &row["definition"],
        );
    }
    for field in delta.keys() {
        match field.as_str() {
            known if CHANGES.contains(&known) => {}
            known if NOT_KEPT.iter().any(|(field, _)| *field == known) => {}
            unknown => report.fail(unknown, "a change nobody reads"),
        }
    }
}

/// Inserts a unit that the hub accepted where the hub put it.
pub(super) fn insert_accepted(report: &mut Report, dag: &mut Dag, joint: &Value, after: &Value) {
    insert(report, dag, &serde_json::json!({"unit": joint["unit"]}));
    apply(report, dag, after);
}

fn insert(report: &mut Report, dag: &mut Dag, joint: &Value) {
    let mut unit = joint["unit"].clone();
    let fields = unit.as_object_mut().expect("a unit");
    fields.remove("main_chain_index");
    fields.remove("actual_tps_fee");
    let mut properties = Properties::default();
    set(report, &mut properties, joint);
    dag.insert(unit, properties).expect("a unit of the recorded network");
}

/// Sets the properties that are named.
fn set(report: &mut Report, properties: &mut Properties, row: &Value) {
    for (field, value) in row.as_object().expect("a row") {
        let is = || value.as_u64() == Some(1) || value.as_bool() == Some(true);
        match field.as_str() {
            "mci" => properties.mci = value.as_u64(),
            "is_stable" => properties.is_stable = is(),
            "is_on_main_chain" => properties.is_on_main_chain = is(),
            "level" => properties.level = value.as_u64().expect("a level"),
            "witnessed_level" => properties.witnessed_level = value.as_u64().expect("a level"),
            "latest_included_mc_index" => properties.latest_included_mc_index = value.as_u64(),
            "best_parent_unit" => properties.best_parent_unit = optional_hash(value),
            "sequence" => properties.sequence = serde_json::from_value(value.clone()).expect("a sequence"),
            "is_free" => properties.is_free = is(),
            "ball" => properties.ball = optional_hash(value),
            "is_aa_response" => properties.is_aa_response = is(),
            "count_primary_aa_triggers" => {
                properties.count_primary_aa_triggers = value.as_u64().unwrap_or_default();
            }
            "count_aa_responses" => properties.count_aa_responses = value.as_u64(),
            "actual_tps_fee" => properties.actual_tps_fee = value.as_u64(),
            known if NOT_KEPT.iter().any(|(field, _)| *field == known) => {}
            unknown => report.fail(unknown, "a property nobody reads"),
        }
    }
}

fn optional_hash(value: &Value) -> Option<Hash> {
    value.as_str().map(|text| text.parse().expect("a hash"))
}

fn address(row: &Value) -> Address {
    row["address"].as_str().expect("an address").parse().expect("an address")
}

fn mci(value: &Value) -> u64 {
    value.as_u64().expect("a main chain index")
}
