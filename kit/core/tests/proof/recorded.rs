//! The history that a real hub gave.

use coinop_core::obyte::{
    Address,
    proof::{ProofError, proven},
};
use coinop_tests::vectors;
use serde_json::Value;

use crate::world::{address, hash};

/// Every history of the recorded session, with the order providers it was asked for.
fn histories() -> Vec<(Value, Value)> {
    let session = vectors::load("hub_session");
    let frames: Vec<&Value> = session["cases"].as_array().unwrap().iter().map(|it| &it["message"]).collect();
    let asked = |tag: &Value| frames.iter().find(|it| it[0] == "request" && it[1]["tag"] == *tag);
    let answers = frames.iter().filter(|it| it[0] == "response" && it[1]["command"] == "light/get_history");
    let pairs = answers.map(|answer| (asked(&answer[1]["tag"]).unwrap(), answer));
    pairs.map(|(asked, it)| (asked[1]["params"]["witnesses"].clone(), it[1]["response"].clone())).collect()
}

#[test]
fn the_history_of_a_real_hub_is_proven() {
    let mut counts = Vec::new();
    for (witnesses, history) in histories() {
        let providers: Vec<Address> = serde_json::from_value(witnesses).unwrap();

        let proven = proven(&providers, &history).unwrap();
        let finals = proven.finals();

        for joint in history["joints"].as_array().into_iter().flatten() {
            let unit = finals[&hash(&joint["unit"]["unit"])];
            assert_eq!((unit.ball, unit.is_void), (hash(&joint["ball"]), false));
        }
        counts.push(finals.len());
    }
    assert_eq!(counts, [0, 4]);
}

#[test]
fn a_real_history_proves_nothing_to_who_trusts_others() {
    let (_, history) = histories().pop().unwrap();

    let refusal = proven(&[address(1)], &history);

    assert_eq!(refusal, Err(ProofError::Minority { met: 0, wanted: 1 }));
}
