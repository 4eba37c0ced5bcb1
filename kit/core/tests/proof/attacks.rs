//! What a lying hub may try.

use std::sync::LazyLock;

use coinop_core::obyte::{
    Hash, ball, json,
    proof::{Final, ProofError},
    unit,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{LOST, STABLE, World, address, data, definition_of, hash, sign, unit_by};

/// The history of a unit in a world of five order providers.
fn honest() -> (World, Value) {
    static ONE: LazyLock<World> = LazyLock::new(|| World::new(5));
    (ONE.clone(), ONE.history(LOST + 1))
}

/// What is said to a history that was tampered with.
fn refusal(tamper: impl FnOnce(&World, &mut Value)) -> ProofError {
    let (world, mut history) = honest();
    tamper(&world, &mut history);
    world.proven(&history).unwrap_err()
}

fn push(history: &mut Value, list: &str, element: Value) {
    history[list].as_array_mut().unwrap().push(element);
}

fn remove(object: &mut Value, field: &str) {
    object.as_object_mut().unwrap().remove(field).unwrap();
}

/// A ball of a unit that does not exist.
fn made_up() -> (Hash, Hash) {
    let unit = Hash::of(b"a million for mallory");
    (unit, ball::ball_hash(&unit, &[], &[], false))
}

#[test]
fn an_honest_history_proves_what_counts_and_what_is_void() {
    let (world, history) = honest();

    let proven = world.proven(&history).unwrap();

    let of = |unit: &Value| proven[&hash(&unit["unit"])];
    let (good, lost) = (&world.units[LOST + 1], &world.lost);
    assert_eq!(of(good), Final { ball: hash(&world.ball(good)["ball"]), is_void: false });
    assert_eq!(of(lost), Final { ball: hash(&world.ball(lost)["ball"]), is_void: true });
}

#[test]
fn a_proof_may_leap_along_the_skip_list() {
    let world = World::new(5);
    let history = world.history(3);

    let proven = world.proven(&history).unwrap();

    assert!(proven.contains_key(&hash(&world.units[3]["unit"])));
    assert!(!proven.contains_key(&hash(&world.units[15]["unit"])), "it leapt from 20 to 10");
}

#[test]
fn nothing_is_proven_by_nothing() {
    let world = World::new(5);

    assert_eq!(world.proven(&json!({})).unwrap().len(), 0);
    assert_eq!(world.proven(&json!([])), Err(ProofError::Field("form")));
    let without_proof = json!({ "joints": [world.joint(&world.units[1])] });
    assert_eq!(world.proven(&without_proof), Err(ProofError::Minority { met: 0, wanted: 3 }));
}

#[test]
fn a_unit_beyond_the_proof_is_genuine_but_not_final() {
    let (world, mut history) = honest();
    let unit = &world.units[STABLE + 1];
    push(&mut history, "joints", json!({ "unit": unit, "ball": Hash::of(b"stable, honestly") }));

    let proven = world.proven(&history).unwrap();

    assert!(!proven.contains_key(&hash(&unit["unit"])));
}

#[test]
fn a_changed_unit_is_not_what_its_hash_says() {
    let said = refusal(|_, history| history["joints"][0]["unit"]["timestamp"] = json!(1));

    assert!(matches!(said, ProofError::Unit(_)), "{said}");
}

#[test]
fn a_changed_payload_is_not_what_its_hash_says() {
    let said =
        refusal(|_, history| history["joints"][0]["unit"]["messages"][0]["payload"]["number"] = json!(9));

    assert!(matches!(said, ProofError::Payload(_)), "{said}");
}

#[test]
fn a_payload_that_was_left_out_is_missed() {
    let said = refusal(|_, history| remove(&mut history["joints"][0]["unit"]["messages"][0], "payload"));

    assert!(matches!(said, ProofError::Payload(_)), "{said}");
}

#[test]
fn a_unit_that_counts_cannot_be_stripped_of_its_messages() {
    let said = refusal(|_, history| {
        let unit = &mut history["joints"][0]["unit"];
        *unit = unit::stripped(unit).unwrap();
    });

    assert!(matches!(said, ProofError::Stripped(_)), "{said}");
}

#[test]
fn a_unit_that_lost_cannot_be_passed_off_as_good() {
    let said = refusal(|_, history| {
        let balls = history["proofchain_balls"].as_array_mut().unwrap();
        remove(balls.last_mut().unwrap(), "is_nonserial");
    });

    assert!(matches!(said, ProofError::Ball(_)), "{said}");
}

#[test]
fn a_forged_ball_is_not_what_its_hash_says() {
    let said =
        refusal(|world, history| history["proofchain_balls"][3]["unit"] = world.units[0]["unit"].clone());

    assert!(matches!(said, ProofError::Ball(_)), "{said}");
}

#[test]
fn the_ball_of_a_made_up_unit_hangs_in_the_air() {
    let (unit, ball) = made_up();
    let said = refusal(|_, history| push(history, "proofchain_balls", json!({ "unit": unit, "ball": ball })));

    assert_eq!(said, ProofError::Loose(ball));
}

#[test]
fn a_missing_link_of_the_balls_breaks_the_proof() {
    // Far enough down that no last ball names the one below.
    let said = refusal(|_, history| {
        history["proofchain_balls"].as_array_mut().unwrap().remove(9);
    });

    assert!(matches!(said, ProofError::Loose(_)), "{said}");
}

#[test]
fn a_missing_link_of_the_newest_units_breaks_the_proof() {
    let said = refusal(|_, history| {
        history["unstable_mc_joints"].as_array_mut().unwrap().remove(2);
    });

    assert!(matches!(said, ProofError::Chain(_)), "{said}");
}

#[test]
fn a_minority_of_order_providers_proves_nothing() {
    let said = refusal(|_, history| history["unstable_mc_joints"].as_array_mut().unwrap().truncate(2));

    assert_eq!(said, ProofError::Minority { met: 2, wanted: 3 });
}

#[test]
fn the_last_ball_of_a_minority_is_not_believed() {
    // Mallory took over one order provider, which signs for a ball that she made up.
    let (unit, ball) = made_up();
    let said = refusal(|world, history| {
        let newest = world.units.last().unwrap();
        let below = json!({ "parent_units": [newest["unit"]], "last_ball": ball, "last_ball_unit": unit });
        let lie = unit_by(&json!({ "address": address(2) }), 2, data(0), &below);
        history["unstable_mc_joints"].as_array_mut().unwrap().insert(0, json!({ "unit": lie }));
        push(history, "proofchain_balls", json!({ "unit": unit, "ball": ball }));
    });

    assert_eq!(said, ProofError::Loose(ball));
}

#[test]
fn one_order_provider_many_times_is_no_majority() {
    let (unit, ball) = made_up();
    let said = refusal(|world, history| {
        let mut chain: Vec<Value> = Vec::new();
        for number in 0..5 {
            let parent = chain.first().map_or(&world.units[0]["unit"], |joint| &joint["unit"]["unit"]);
            let below = json!({ "parent_units": [parent], "last_ball": ball, "last_ball_unit": unit });
            let lie = unit_by(&json!({ "address": address(2) }), 2, data(number), &below);
            chain.insert(0, json!({ "unit": lie }));
        }
        history["unstable_mc_joints"] = json!(chain);
        history["proofchain_balls"] = json!([{ "unit": unit, "ball": ball }]);
    });

    assert_eq!(said, ProofError::Minority { met: 1, wanted: 3 });
}

#[test]
fn who_signs_for_an_order_provider_has_its_key() {
    // The newest unit, so that no other one names it by its hash.
    let said = refusal(|_, history| sign(&mut history["unstable_mc_joints"][0]["unit"], 66));

    assert!(matches!(said, ProofError::Signature { .. }), "{said}");
}

#[test]
fn a_unit_that_an_order_provider_did_not_sign_is_not_its_own() {
    let said = refusal(|_, history| {
        let unit = &mut history["unstable_mc_joints"][0]["unit"];
        remove(&mut unit["authors"][0], "authentifiers");
        unit["unit"] = json!(unit::unit_hash(unit).unwrap());
    });

    assert!(matches!(said, ProofError::Unsigned(..)), "{said}");
}

#[test]
fn the_wrong_order_providers_prove_nothing() {
    let (mut world, history) = honest();
    world.providers = (20..25).map(address).collect();

    let said = world.proven(&history).unwrap_err();

    assert_eq!(said, ProofError::Minority { met: 0, wanted: 3 });
}

#[test]
fn without_order_providers_nothing_is_proven() {
    let (mut world, mut history) = honest();
    world.providers.clear();
    remove(&mut history, "witness_change_and_definition_joints");

    assert_eq!(world.proven(&history), Err(ProofError::Minority { met: 0, wanted: 1 }));
}

#[test]
fn a_definition_of_ones_own_does_not_speak_for_an_order_provider() {
    let said = refusal(|_, history| {
        let unit = &mut history["witness_change_and_definition_joints"][0]["unit"];
        unit["authors"][0]["definition"] = definition_of(66);
        sign(unit, 66);
    });

    assert!(matches!(said, ProofError::OtherDefinition(..)), "{said}");
}

#[test]
fn without_its_definition_nobody_can_check_an_order_provider() {
    let said = refusal(|_, history| remove(history, "witness_change_and_definition_joints"));

    assert!(matches!(said, ProofError::Definition(_)), "{said}");
}

#[test]
fn the_ball_of_another_unit_is_noticed() {
    let said =
        refusal(|world, history| history["joints"][0]["ball"] = world.joint(&world.units[3])["ball"].clone());

    assert!(matches!(said, ProofError::OtherBall(_)), "{said}");
}

#[test]
fn a_list_without_end_is_not_read() {
    let said = refusal(|_, history| history["proofchain_balls"] = json!(vec![0; 10_001]));

    assert_eq!(said, ProofError::TooLong("proofchain_balls"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_history_with_any_character_changed_proves_nothing_that_is_not_so(
        at: prop::sample::Index,
        bit in 0_u8..7,
    ) {
        let (world, history) = honest();
        let truth = world.proven(&history).unwrap();
        let mut text = history.to_string().into_bytes();
        let at = at.index(text.len());
        text[at] ^= 1 << bit;

        let changed = String::from_utf8(text).ok().and_then(|text| json::parse(&text).ok()).unwrap_or_default();
        let proven = world.proven(&changed).unwrap_or_default();

        for (unit, proof) in &proven {
            prop_assert_eq!(truth.get(unit), Some(proof));
        }
        let joints = changed["joints"].as_array().into_iter().flatten().map(|joint| &joint["unit"]);
        for said in joints.filter(|_| !proven.is_empty()) {
            let real = world.units.iter().chain([&world.lost]).find(|unit| unit["unit"] == said["unit"]);
            prop_assert!(said.get("messages").is_none_or(|messages| real.unwrap()["messages"] == *messages));
        }
    }

    #[test]
    fn whatever_comes_is_answered(
        list in "(unstable_mc_joints|joints|proofchain_balls|witness_change_and_definition_joints)",
        field in "(unit|ball|authors|messages|parent_balls|is_nonserial|parent_units|last_ball|x)",
        value in r#"(null|1|"x"|\[\]|\{\}|\[null\]|\[1\]|\[\{\}\]|true|\[\{"app":"address_definition_change"\}\])"#,
        depth in 0..4_u8,
    ) {
        let (world, mut history) = honest();
        let value: Value = serde_json::from_str(&value).unwrap();
        let first = &mut history[&list][0];
        match depth {
            0 => history[&list] = value,
            1 => *first = value,
            2 => first[&field] = value,
            _ if first["unit"].is_object() => first["unit"][&field] = value,
            _ => first["unit"] = value,
        }

        // Not a panic, that is.
        let _ = world.proven(&history);
    }
}
