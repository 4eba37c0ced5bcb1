//! What the node says, beside what the hub said.

use std::collections::{BTreeMap, BTreeSet};

use coinop_core::{
    Timestamp,
    obyte::{address::Address, hash::Hash},
};
use coinop_node::{
    dag::{Dag, Places, Properties},
    quote::Intent,
};
use serde_json::{Value, json};

use super::{hash, remembered};

/// All differences, by case.
#[derive(Default)]
pub(crate) struct Report {
    case: String,
    differences: BTreeMap<String, Vec<String>>,
    excuses: BTreeMap<(String, String), (String, bool)>,
}

impl Report {
    pub(crate) fn start(&mut self, case: &str) {
        case.clone_into(&mut self.case);
    }

    pub(super) fn fail(&mut self, field: &str, why: &str) {
        self.differences.entry(self.case.clone()).or_default().push(format!("{field}: {why}"));
    }

    /// Says why a field of this case cannot be the hub's.
    pub(super) fn excuse(&mut self, field: &str, reason: &str) {
        self.excuses.insert((self.case.clone(), field.to_owned()), (reason.to_owned(), false));
    }

    pub(super) fn equal(&mut self, field: &str, ours: &Value, theirs: &Value) {
        if ours == theirs {
            return;
        }
        match self.excuses.get_mut(&(self.case.clone(), field.to_owned())) {
            Some((_, is_used)) => *is_used = true,
            None => self.fail(field, &format!("\n    ours   {ours}\n    theirs {theirs}")),
        }
    }

    /// Compares every field of an object, and that there are no others.
    pub(super) fn object(&mut self, name: &str, ours: &Value, theirs: &Value) {
        let fields = |value: &Value| -> BTreeSet<String> {
            value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
        };
        for field in fields(ours).union(&fields(theirs)) {
            self.equal(&format!("{name}.{field}"), &ours[field], &theirs[field]);
        }
    }

    /// Fails when something differs that should not, or agrees although it cannot apply.
    pub(super) fn finish(self) {
        for ((case, field), (reason, is_used)) in &self.excuses {
            assert!(is_used, "{case}: {field} agrees although it should not: {reason}");
        }
        let texts: Vec<String> = self
            .differences
            .iter()
            .map(|(case, differences)| format!("{case}\n  {}", differences.join("\n  ")))
            .collect();
        assert!(texts.is_empty(), "{} cases differ:\n{}", texts.len(), texts.join("\n"));
    }
}

/// Where the hub stood.
pub(super) fn node_state(report: &mut Report, dag: &Dag, expected: &Value) {
    let stable = dag.last_stable();
    let retrievable = stable.and_then(|it| dag.joint(&it.facts.last_ball_unit?)?.properties.mci);
    let known = dag.joints().filter_map(|joint| joint.properties.mci).max();
    let free: Vec<Hash> = dag.free_units().map(|joint| joint.facts.hash).collect();
    let ours = json!({
        "last_stable_mci": stable.and_then(|it| it.properties.mci),
        "max_known_mci": known,
        "min_retrievable_mci": retrievable,
        "free_units": free,
    });
    report.object("node_state", &ours, expected);
}

/// What a hub quoted for the unit. The number of responses that was asked for is not recorded: it is the
/// unit's own, unless the unit was made wrong on purpose.
pub(super) fn quote(report: &mut Report, dag: &Dag, unit: &Value, is_accepted: bool, expected: &Value) {
    let Some(seconds) = expected["timestamp"].as_u64() else {
        return report.fail("hub_quote", "not a quote");
    };
    let now = Timestamp::from_millis(seconds * 1000);
    let authors = unit["authors"].as_array().into_iter().flatten();
    let from = addresses(authors.map(|author| &author["address"]));
    let messages = unit["messages"].as_array().into_iter().flatten();
    let outputs = messages.filter_map(|message| message["payload"]["outputs"].as_array()).flatten();
    let to = addresses(outputs.map(|output| &output["address"]));
    let ask = |max_aa_responses: u64| {
        let quote = dag.quote(now, Intent { from: &from, to: &to, max_aa_responses });
        quote.map_or_else(|error| json!(error.to_string()), |quote| json!(quote))
    };
    let own = ask(unit["max_aa_responses"].as_u64().unwrap_or(10));
    let is_other = own != *expected && !is_accepted;
    let other = (0..=10).map(ask).find(|quote| is_other && quote == expected);
    report.object("hub_quote", &other.unwrap_or(own), expected);
}

fn addresses<'a>(names: impl Iterator<Item = &'a Value>) -> Vec<Address> {
    names.filter_map(|name| name.as_str()?.parse().ok()).collect()
}

/// The definitions that were disclosed before the first case.
pub(super) fn definitions(report: &mut Report, dag: &Dag, context: &Value) {
    for (address, expected) in context["definitions_by_address"].as_object().expect("definitions") {
        let known = dag.disclosed_definition(&address.parse().expect("an address"));
        let ours = known.map(|(known, is_stable)| {
            json!({
                "definition": known.definition,
                "disclosed_in_unit": known.unit,
                "mci": dag.joint(&known.unit).and_then(|joint| joint.properties.mci),
                "is_stable": u64::from(is_stable),
            })
        });
        report.object("definitions_by_address", &json!(ours), expected);
    }
}

/// What changed at once when the unit was accepted.
pub(super) fn changes(report: &mut Report, dag: &Dag, places: &Places, after: &Value) {
    let rows = after["changes"].as_array().cloned().unwrap_or_default();
    let theirs: BTreeSet<Hash> = rows.iter().filter_map(hash).collect();
    let ours: BTreeSet<Hash> = places.keys().copied().collect();
    report.equal("the units that changed", &json!(ours), &json!(theirs));
    report.equal(
        "after",
        &json!(after.as_object().map(|it| it.keys().collect::<Vec<_>>())),
        &json!(["changes"]),
    );
    for row in rows {
        let unit = hash(&row).expect("a hash");
        let Some(place) = places.get(&unit) else { continue };
        let before = dag.joint(&unit).map(|joint| &joint.properties);
        for (field, expected) in row.as_object().expect("a row").iter().filter(|(field, _)| *field != "unit")
        {
            report.equal(&format!("after.{field}"), &property(place, field), expected);
            let has_changed = before.is_none_or(|before| property(before, field) != *expected);
            report.equal(&format!("after.{field} is new"), &json!(has_changed), &json!(true));
        }
    }
}

/// What is left of the unit.
pub(super) fn state_after(
    report: &mut Report,
    dag: &Dag,
    joint: &Value,
    is_accepted: bool,
    expected: &Value,
) {
    let unit = hash(&joint["unit"]);
    let known = unit.and_then(|unit| dag.joint(&unit));
    for (field, expected) in expected.as_object().expect("a state") {
        match field.as_str() {
            "accepted" => report.equal(field, &json!(is_accepted), expected),
            "unit_in_dag" => report.equal(field, &json!(known.is_some()), expected),
            "remembered_as_bad" => report.equal(field, &json!(remembered(dag, joint)), expected),
            "at_once" => place(report, field, known.map(|joint| &joint.properties), expected),
            // Compared when all is over.
            "at_end" => {}
            unknown => report.fail(unknown, "a state nobody reads"),
        }
    }
    if expected.get("remembered_as_bad").is_none() {
        report.equal("remembered_as_bad", &json!(remembered(dag, joint)), &Value::Null);
    }
}

/// Where the unit lay in the end.
pub(super) fn at_end(report: &mut Report, dag: &Dag, case: &Value) {
    let Some(expected) = case["state_after"].get("at_end") else { return };
    let changes = case["after"]["changes"].as_array().expect("changes");
    let own = changes.iter().find(|row| row.get("level").is_some()).and_then(hash);
    place(report, "at_end", own.and_then(|unit| dag.joint(&unit)).map(|joint| &joint.properties), expected);
}

/// The coins that could be spent before the first case.
pub(super) fn spendable_outputs(report: &mut Report, dag: &Dag, context: &Value) {
    let rows = context["spendable_outputs"].as_array().expect("outputs");
    let addresses: BTreeSet<&str> = rows.iter().filter_map(|row| row["address"].as_str()).collect();
    let unspent = addresses.iter().flat_map(|address| dag.unspent(&address.parse().expect("an address")));
    let mut ours: Vec<Value> = unspent
        .map(|it| {
            json!({
                "unit": it.id.unit,
                "message_index": it.id.message_index,
                "output_index": it.id.output_index,
                "address": it.coin.address,
                "amount": it.coin.amount,
                "is_stable": u64::from(it.is_stable),
                "mci": it.mci,
                "sequence": "good",
            })
        })
        .collect();
    let mut theirs = rows.clone();
    ours.sort_by_key(ToString::to_string);
    theirs.sort_by_key(ToString::to_string);
    report.equal("spendable_outputs", &json!(ours), &json!(theirs));
}

pub(super) fn place(report: &mut Report, name: &str, place: Option<&Properties>, expected: &Value) {
    let Some(place) = place else { return report.fail(name, "the unit is not there") };
    for (field, expected) in expected.as_object().expect("a place") {
        report.equal(&format!("{name}.{field}"), &property(place, field), expected);
    }
}

fn property(place: &Properties, field: &str) -> Value {
    match field {
        "mci" => json!(place.mci),
        "is_stable" => json!(u64::from(place.is_stable)),
        "is_on_main_chain" => json!(u64::from(place.is_on_main_chain)),
        "level" => json!(place.level),
        "witnessed_level" => json!(place.witnessed_level),
        "latest_included_mc_index" => json!(place.latest_included_mc_index),
        "best_parent_unit" => json!(place.best_parent_unit),
        "sequence" => json!(place.sequence),
        "is_free" => json!(u64::from(place.is_free)),
        "ball" => json!(place.ball),
        "count_primary_aa_triggers" => json!(place.count_primary_aa_triggers),
        "count_aa_responses" => json!(place.count_aa_responses),
        "actual_tps_fee" => json!(place.actual_tps_fee),
        unknown => panic!("a property nobody reads: {unknown}"),
    }
}
