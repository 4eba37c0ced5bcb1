//! Replays the recorded verdicts: loads the state the hub had, applies what else happened, posts, compares.

mod compare;
mod delta;
mod load;
mod order;

use std::collections::BTreeSet;

use coinop_core::{
    Timestamp,
    obyte::{hash::Hash, json},
};
use coinop_node::{
    dag::{Dag, rounded_seconds},
    hub::Request,
    validate::validate,
};
use coinop_tests::vectors;
use serde_json::{Value, json};

use compare::Report;
pub(crate) use order::order;

/// Why the response to some cases cannot be the hub's, and which cases these are. One that is the hub's
/// after all fails the suite.
const CANNOT_APPLY: [(&str, Condition); 1] =
    [("the hub knew the unit from a post that is not in the file", Replay::was_posted_elsewhere)];

type Condition = fn(&Replay, &Value) -> bool;

/// Fields of a case that are not compared, each with the reason.
const NOT_COMPARED: [(&str, &str); 10] = [
    ("name", "what the case is called"),
    ("group", "which cases belong together"),
    ("note", "for the reader"),
    ("answered_after_ms", "how long the recorded hub took"),
    ("node_clock_ms", "input: the clock"),
    ("before", "input: what happened since the case before"),
    ("unit", "input: what is posted"),
    ("post_joint_params", "input: what is posted"),
    ("frame", "input: what is posted"),
    ("lone_surrogate_json_hex", "input: a whole case with half a surrogate pair in it"),
];

/// Fields of the file that are not compared, each with the reason.
const ABOUT: [(&str, &str); 8] = [
    ("kind", "for the reader"),
    ("produced_by", "for the reader"),
    ("count", "what was recorded; the file may hold fewer"),
    ("replay", "for the reader"),
    ("author", "nothing is signed here"),
    ("context", "input: what the hub knew"),
    ("after_last_case", "input: what happened after the last case"),
    ("cases", "the cases"),
];

/// Replays the whole file and gives the number of cases.
pub(crate) fn replay() -> usize {
    let file = vectors::load("post_joint_verdict");
    for field in file.as_object().expect("a file").keys() {
        assert!(ABOUT.iter().any(|(name, _)| name == field), "the file has a field nobody reads: {field}");
    }
    let cases = file["cases"].as_array().expect("cases");
    let mut replay = Replay::of(&file["context"]);
    for case in cases {
        replay.report.start(case["name"].as_str().expect("a name"));
        match case.get("lone_surrogate_json_hex") {
            None => replay.case(case),
            Some(hex) => replay.surrogate(hex),
        }
    }
    replay.end(&file["after_last_case"], cases);
    cases.len()
}

/// The node beside the recording.
pub(crate) struct Replay {
    pub(crate) dag: Dag,
    pub(crate) report: Report,
    quoted: Value,
    posted: BTreeSet<String>,
}

impl Replay {
    pub(crate) fn of(context: &Value) -> Self {
        let dag = delta::context(context);
        let mut report = Report::default();
        compare::spendable_outputs(&mut report, &dag, context);
        compare::definitions(&mut report, &dag, context);
        Self { dag, report, quoted: Value::Null, posted: BTreeSet::new() }
    }

    /// What happened by itself.
    pub(crate) fn apply(&mut self, delta: &Value) {
        delta::apply(&mut self.report, &mut self.dag, delta);
    }

    /// Where a unit lies now.
    pub(crate) fn compare_place(&mut self, field: &str, unit: &Value, expected: &Value) {
        let joint = hash(unit).and_then(|unit| self.dag.joint(&unit));
        compare::place(&mut self.report, field, joint.map(|joint| &joint.properties), expected);
    }

    /// Everything a case says, in the order it happened.
    pub(crate) fn case(&mut self, case: &Value) {
        delta::apply(&mut self.report, &mut self.dag, &case["before"]);
        let request = posted(case);
        let now = Timestamp::from_millis(case["node_clock_ms"].as_u64().expect("a clock"));
        for (field, expected) in case.as_object().expect("a case") {
            match field.as_str() {
                "node_clock" => self.report.equal(field, &json!(rounded_seconds(now)), expected),
                "node_state" => compare::node_state(&mut self.report, &self.dag, expected),
                "hub_quote" => self.quote(case, &request.joint["unit"]),
                // These follow from posting, below.
                "response" | "after" | "state_after" => {}
                known if NOT_COMPARED.iter().any(|(field, _)| *field == known) => {}
                unknown => self.report.fail(unknown, "a field nobody reads"),
            }
        }
        for (reason, applies) in CANNOT_APPLY {
            if applies(self, case) {
                self.report.excuse("response", reason);
            }
        }
        self.post(now, &request, case);
        self.posted.extend(request.joint["unit"]["unit"].as_str().map(str::to_owned));
    }

    fn post(&mut self, now: Timestamp, request: &Request, case: &Value) {
        let Self { dag, report, .. } = self;
        let verdict = request.validate(dag, now);
        let answer = request.answer(verdict.as_ref().map(|_| ()));
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        report.equal("response", &answer[1]["response"], &case["response"]);
        report.equal("the tag", &answer[1]["tag"], &request.tag);
        assert_eq!(validate(dag, now, &request.joint), verdict, "the same without a frame");
        let (accepts, is_accepted) = (verdict.is_ok(), case["response"] == "accepted");
        match verdict {
            Ok(valid) if is_accepted => {
                let places = valid.places(dag);
                compare::changes(report, dag, &places, &case["after"]);
                let own = places[&valid.facts.hash].clone();
                dag.insert(valid.unit, own).expect("a valid unit");
                dag.apply_places(&places);
            }
            // The cases to come build on what the hub did.
            Err(_) if is_accepted => delta::insert_accepted(report, dag, &request.joint, &case["after"]),
            Ok(_) => {}
            Err(verdict) => {
                dag.remember(&request.joint, &verdict);
                report.equal("after", &case.get("after").cloned().unwrap_or_default(), &Value::Null);
            }
        }
        compare::state_after(report, dag, &request.joint, accepts, &case["state_after"]);
    }

    /// The hub read text with half a surrogate pair and turned it down later; this node does not read it.
    /// The rest of the case is compared nevertheless.
    fn surrogate(&mut self, hex: &Value) {
        let text = load::unhex(hex.as_str().expect("hex"));
        let text = String::from_utf8(text).expect("the case itself is UTF-8");
        let case: Value = serde_json::from_str(&load::mended(&text)).expect("JSON once it is mended");
        delta::apply(&mut self.report, &mut self.dag, &case["before"]);
        compare::node_state(&mut self.report, &self.dag, &case["node_state"]);
        self.quote(&case, &posted(&case).joint["unit"]);
        assert!(case["response"].get("error").is_some(), "the hub turned it down, too");
        match case.get("frame").and_then(Value::as_str) {
            Some(frame) => assert!(Request::read(frame).is_err(), "{frame}"),
            None => assert!(json::parse(&text).is_err(), "{text}"),
        }
    }

    /// The quote the unit was made with. It may be the one of the case before, used again.
    fn quote(&mut self, case: &Value, unit: &Value) {
        let expected = &case["hub_quote"];
        if self.quoted != *expected {
            let is_accepted = case["response"] == "accepted";
            compare::quote(&mut self.report, &self.dag, unit, is_accepted, expected);
            self.quoted = expected.clone();
        }
    }

    pub(crate) fn end(mut self, after: &Value, cases: &[Value]) {
        self.report.start("after the last case");
        delta::apply(&mut self.report, &mut self.dag, after);
        compare::node_state(&mut self.report, &self.dag, &after["node_state"]);
        for case in cases {
            self.report.start(case["name"].as_str().expect("a name"));
            compare::at_end(&mut self.report, &self.dag, case);
        }
        self.report.finish();
    }

    fn was_posted_elsewhere(&self, case: &Value) -> bool {
        let unit = posted(case).joint["unit"]["unit"].as_str().unwrap_or_default().to_owned();
        case["response"]["error"] == "known bad" && !self.posted.contains(&unit)
    }
}

/// What the case posts, read from a frame in any case.
fn posted(case: &Value) -> Request {
    if let Some(frame) = case.get("frame").and_then(Value::as_str) {
        return Request::read(&load::mended(frame)).expect("a request");
    }
    let params = case.get("post_joint_params").cloned().unwrap_or_else(|| json!({"unit": case["unit"]}));
    let frame = json!(["request", {"command": "post_joint", "params": params, "tag": "a tag"}]);
    Request::read(&frame.to_string()).unwrap_or_else(|_| Request { tag: json!("a tag"), joint: params })
}

/// The hash a unit goes by.
fn hash(unit: &Value) -> Option<Hash> {
    unit["unit"].as_str()?.parse().ok()
}

/// Whether a verdict can be seen in what the hub remembers.
fn remembered(dag: &Dag, joint: &Value) -> Option<&'static str> {
    let unit = joint["unit"]["unit"].as_str().unwrap_or_default();
    if dag.bad_unit(unit).is_some() { Some("unit") } else { dag.bad_joint(joint).map(|_: &str| "joint") }
}
