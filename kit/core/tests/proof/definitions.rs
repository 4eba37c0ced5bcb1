//! Order providers whose definitions change.

use coinop_core::obyte::{Address, proof::ProofError, unit};
use serde_json::{Value, json};

use crate::world::{STABLE, World, address, data, definition_of, hash, sign, unit_by};

/// A sole order provider that changed its key from 0 to 7, and whose newest units disclose and are signed
/// by these.
fn changed(definition: u8, signer: u8) -> (World, Value) {
    let mut world = World::new(1);
    let next = Address::of_definition(&definition_of(7)).unwrap();
    let messages = json!([{ "app": "address_definition_change", "payload": { "definition_chash": next } }]);
    let change = unit_by(&json!({ "address": address(0) }), 0, messages, &json!({}));
    for number in STABLE + 1..world.units.len() {
        let mut unit = world.units[number].clone();
        unit["parent_units"] = json!([world.units[number - 1]["unit"]]);
        if number == STABLE + 1 {
            unit["authors"][0]["definition"] = definition_of(definition);
        }
        sign(&mut unit, signer);
        world.units[number] = unit;
    }
    let mut history = world.history(STABLE);
    let definitions = history["witness_change_and_definition_joints"].as_array_mut().unwrap();
    definitions.push(json!({ "unit": change }));
    (world, history)
}

#[test]
fn a_changed_definition_signs_once_it_is_disclosed() {
    let (world, history) = changed(7, 7);

    let proven = world.proven(&history).unwrap();

    assert!(proven.contains_key(&hash(&world.units[STABLE]["unit"])));
}

#[test]
fn the_key_before_a_change_signs_no_more() {
    let (world, history) = changed(7, 0);

    let refusal = world.proven(&history);

    assert!(matches!(refusal, Err(ProofError::Signature { .. })), "{refusal:?}");
}

#[test]
fn a_definition_that_nobody_changed_to_is_refused() {
    let (world, history) = changed(8, 8);

    let refusal = world.proven(&history);

    assert!(matches!(refusal, Err(ProofError::OtherDefinition(who, _)) if who == address(0)), "{refusal:?}");
}

#[test]
fn a_change_is_signed_by_the_definition_before() {
    let (world, mut history) = changed(7, 7);
    sign(&mut history["witness_change_and_definition_joints"][1]["unit"], 7);

    let refusal = world.proven(&history);

    assert!(matches!(refusal, Err(ProofError::Signature { .. })), "{refusal:?}");
}

#[test]
fn nobody_changes_the_definition_of_another() {
    let (world, mut history) = changed(7, 7);
    let change = &mut history["witness_change_and_definition_joints"][1]["unit"];
    change["authors"][0] = json!({ "address": address(9), "definition": definition_of(9) });
    let message = &mut change["messages"][0];
    message["payload"]["address"] = json!(address(0));
    message["payload_hash"] = json!(unit::payload_hash(&message["payload"], "4.0dev").unwrap());
    sign(change, 9);

    let refusal = world.proven(&history);

    // The new definition is nobody's then.
    assert!(matches!(refusal, Err(ProofError::OtherDefinition(..))), "{refusal:?}");
}

#[test]
fn a_change_cannot_be_hidden_by_leaving_out_the_message() {
    let (world, mut history) = changed(7, 7);
    let change = &mut history["witness_change_and_definition_joints"][1]["unit"];
    *change = unit::stripped(change).unwrap();

    let refusal = world.proven(&history);

    assert!(matches!(refusal, Err(ProofError::Stripped(_))), "{refusal:?}");
}

#[test]
fn a_definition_may_be_disclosed_more_than_once_and_amid_others() {
    let world = World::new(1);
    let mut history = world.history(STABLE);
    let again = json!({ "address": address(0), "definition": definition_of(0) });
    let other = json!({ "address": address(9), "definition": definition_of(9) });
    for unit in [unit_by(&again, 0, data(1), &json!({})), unit_by(&other, 9, data(2), &json!({}))] {
        let definitions = history["witness_change_and_definition_joints"].as_array_mut().unwrap();
        definitions.push(json!({ "unit": unit }));
    }

    assert!(world.proven(&history).is_ok());
}
