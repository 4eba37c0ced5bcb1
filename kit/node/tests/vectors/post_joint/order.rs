//! The node puts units into order by itself, beside the recorded order.

use coinop_core::{Timestamp, obyte::hash::Hash};
use coinop_node::{
    dag::{Charged, Commission, Dag, Facts, Properties, Stabilized},
    hub::Request,
};
use coinop_tests::vectors;
use serde_json::Value;

use super::{compare::Report, delta, hash, load, posted};

/// Lets one node be told everything and another one find out by itself; they have to agree before every
/// case. Gives the number of times they did.
pub(crate) fn order() -> usize {
    let file = vectors::load("post_joint_verdict");
    let mut told = delta::context(&file["context"]);
    let mut own = told.clone();
    let mut agreed = 0;
    for case in file["cases"].as_array().expect("cases") {
        let case = whole(case);
        follow(&mut told, &mut own, &case["before"]);
        assert_same(&told, &own, &case["name"]);
        agreed += 1;
        if case["response"] == "accepted" {
            post(&mut told, &mut own, &case);
        }
    }
    follow(&mut told, &mut own, &file["after_last_case"]);
    assert_same(&told, &own, &file["after_last_case"]["what"]);
    let kept = serde_json::to_string(&own).expect("JSON");
    assert_eq!(serde_json::from_str::<Dag>(&kept).expect("what was kept"), own, "kept and read again");
    agreed
}

/// The case itself, also when it is hidden in hexadecimal.
fn whole(case: &Value) -> Value {
    let Some(hex) = case["lone_surrogate_json_hex"].as_str() else { return case.clone() };
    let text = String::from_utf8(load::unhex(hex)).expect("UTF-8");
    serde_json::from_str(&load::mended(&text)).expect("JSON once it is mended")
}

fn post(told: &mut Dag, own: &mut Dag, case: &Value) {
    let Request { joint, .. } = posted(case);
    let now = Timestamp::from_millis(case["node_clock_ms"].as_u64().expect("a clock"));
    let valid = coinop_node::validate::validate(own, now, &joint).expect("the hub accepted it");
    let mut report = Report::default();
    delta::insert_accepted(&mut report, told, &joint, &case["after"]);
    report.finish();
    let places = valid.places(own);
    own.insert(valid.unit, places[&valid.facts.hash].clone()).expect("a valid unit");
    own.apply_places(&places);
    stabilize(told, own);
}

/// Tells one node what happened; gives the other one only the units, and what agents did.
fn follow(told: &mut Dag, own: &mut Dag, delta: &Value) {
    let mut report = Report::default();
    delta::apply(&mut report, told, delta);
    report.finish();
    for row in delta["system_vars_rows"].as_array().into_iter().flatten() {
        own.set_system_var(serde_json::from_value(without_emergency(row)).expect("a vote"));
    }
    for joint in delta["joints"].as_array().into_iter().flatten() {
        let unit = hash(&joint["unit"]).expect("a hash");
        let known = told.joint(&unit).expect("a unit that was just told");
        insert(own, &known.unit, known.properties.is_aa_response);
        stabilize(told, own);
    }
}

fn without_emergency(row: &Value) -> Value {
    let mut row = row.clone();
    row.as_object_mut().expect("a row").remove("is_emergency");
    row
}

fn insert(own: &mut Dag, unit: &Value, is_aa_response: bool) {
    let facts = Facts::read(unit).expect("a unit");
    let places = own.place(&facts, &Properties { is_aa_response, ..Properties::default() });
    own.insert(unit.clone(), places[&facts.hash].clone()).expect("a unit");
    own.apply_places(&places);
}

/// Makes final what has become final. How many responses a trigger caused is taken from the recording:
/// agents are not run here.
fn stabilize(told: &Dag, own: &mut Dag) {
    while let Some(mci) = own.next_stable() {
        let mut stabilized: Stabilized = own.stabilized(mci);
        for (unit, place) in &mut stabilized.places {
            place.count_aa_responses = told.joint(unit).and_then(|joint| joint.properties.count_aa_responses);
        }
        own.apply_stabilized(&stabilized);
        let charged: Charged = own.charged(mci);
        own.apply_charged(&charged);
    }
}

fn assert_same(told: &Dag, own: &Dag, name: &Value) {
    let units: Vec<Hash> = told.joints().map(|joint| joint.facts.hash).collect();
    for unit in units {
        let place = |dag: &Dag| dag.joint(&unit).map(|joint| joint.properties.clone());
        assert_eq!(place(own), place(told), "{name}: {unit}");
    }
    assert_eq!(own.last_stable(), told.last_stable(), "{name}");
    for joint in told.joints() {
        for author in &joint.facts.authors {
            for kind in [Commission::HeadersCommission, Commission::Witnessing] {
                assert_eq!(own.commissions(kind, author), told.commissions(kind, author), "{name}: {author}");
            }
            let balance = |dag: &Dag| dag.tps_fees_balance(author, u64::MAX);
            assert_eq!(balance(own), balance(told), "{name}: tps fees of {author}");
        }
    }
}
