//! What a light client may believe of a history.

use coinop_core::obyte::{
    address::Address,
    hash::Hash,
    proof::{ProofError, Proven, proven},
};
use coinop_node::{
    hub::{Hub, Reaction},
    ledger::{Config, Purse},
};
use serde_json::{Value, json};

use crate::world::{CONFIG, Wallet, World};

const FOR_LIGHT_CLIENTS: Config = Config { proves: true, ..CONFIG };

/// A ledger on which Alice paid Bob so many times, all of it final.
fn paid(times: usize) -> (World, Wallet) {
    let (mut world, alice, bob) = (World::of(FOR_LIGHT_CLIENTS), Wallet::of("alice"), Wallet::of("bob"));
    world.fund(&alice, 5_000_000);
    for _ in 0..times {
        let unit = alice.pay(&world, bob.address, 1_000, &[]);
        world.post(&unit).unwrap();
        world.settle();
    }
    (world, alice)
}

fn providers(world: &World) -> Vec<Address> {
    vec![world.ledger.address_of(Purse::Provider)]
}

/// Asks as a client does.
fn ask(world: &World, command: &str, params: &Value) -> Value {
    let mut hub = Hub::new("0");
    let (client, _) = hub.connected(&world.ledger, world.now).unwrap();
    let request = json!(["request", { "command": command, "params": params, "tag": "t" }]).to_string();
    let reactions = hub.heard(&world.ledger, client, &request, world.now);
    let [Reaction::Send { frame, .. }] = &reactions[..] else { panic!("{reactions:?}") };
    serde_json::from_str::<Value>(frame).unwrap()[1]["response"].clone()
}

fn history(world: &World, address: Address) -> Value {
    let params = json!({ "witnesses": providers(world), "addresses": [address] });
    ask(world, "light/get_history", &params)
}

fn units(history: &Value) -> Vec<Hash> {
    let joints = history["joints"].as_array().unwrap();
    joints.iter().map(|joint| joint["unit"]["unit"].as_str().unwrap().parse().unwrap()).collect()
}

/// What a history proves after somebody tampered with it.
fn tampered(tamper: impl FnOnce(&mut Value)) -> Result<Proven, ProofError> {
    let (world, alice) = paid(3);
    let mut history = history(&world, alice.address);
    tamper(&mut history);
    proven(&providers(&world), &history)
}

#[test]
fn every_final_unit_of_a_history_is_proven() {
    for times in [1, 2, 40] {
        let (world, alice) = paid(times);

        let history = history(&world, alice.address);

        let proof = proven(&providers(&world), &history).unwrap();
        let units = units(&history);
        assert_eq!(units.len(), times + 1, "the gift and the payments");
        assert!(units.iter().all(|unit| proof.is_final(unit)), "{times}: {history}");
        assert!(!units.iter().any(|unit| proof.is_void(unit)));
    }
}

#[test]
fn the_proof_of_an_old_unit_leaps_along_the_skiplist() {
    let (world, _) = paid(60);
    let (alice, chain) =
        (Wallet::of("alice"), world.ledger.dag().last_stable().unwrap().properties.mci.unwrap());
    let first = *units(&history(&world, alice.address)).last().unwrap();

    let params = json!({ "witnesses": providers(&world), "requested_joints": [first] });
    let history = ask(&world, "light/get_history", &params);

    assert!(proven(&providers(&world), &history).unwrap().is_final(&first));
    let balls = history["proofchain_balls"].as_array().unwrap().len();
    assert!(u64::try_from(balls).unwrap() < chain / 2, "{balls} balls for {chain} indexes");
}

#[test]
fn a_unit_that_is_not_final_is_not_proven() {
    let (mut world, alice) = paid(1);
    let unit = alice.pay(&world, Wallet::of("bob").address, 1_000, &[]);
    let hash = world.post(&unit).unwrap();

    let history = history(&world, alice.address);

    assert!(units(&history).contains(&hash));
    assert!(!proven(&providers(&world), &history).unwrap().is_final(&hash));
}

#[test]
fn every_unit_is_proven_by_itself_also_beside_the_main_chain() {
    let (mut world, alice) = paid(1);
    let bob = Wallet::of("bob");
    world.fund(&bob, 1_000_000);
    for _ in 0..12 {
        // Side by side, so that one of them is not on the main chain.
        let units = [alice.pay(&world, bob.address, 5_000, &[]), bob.pay(&world, alice.address, 5_000, &[])];
        for unit in &units {
            world.post(unit).unwrap();
        }
        world.settle();
    }
    let stable = world.ledger.dag().last_stable().unwrap().properties.mci.unwrap();
    let places = world.ledger.dag().joints().map(|joint| (joint.facts.hash, &joint.properties));
    let old = places.filter(|(_, place)| place.mci.is_some_and(|mci| mci + 3 < stable));
    let old: Vec<(Hash, bool)> = old.map(|(unit, place)| (unit, place.is_on_main_chain)).collect();

    for (unit, _) in &old {
        let params = json!({ "witnesses": providers(&world), "requested_joints": [unit] });
        let history = ask(&world, "light/get_history", &params);
        assert!(proven(&providers(&world), &history).unwrap().is_final(unit), "{unit}");
    }

    assert!(old.iter().filter(|(_, is_on_main_chain)| !is_on_main_chain).count() >= 10);
}

#[test]
fn what_is_known_is_not_sent_again() {
    let (world, alice) = paid(2);
    let known = units(&history(&world, alice.address));

    let params =
        json!({ "witnesses": providers(&world), "addresses": [alice.address], "known_stable_units": known });

    assert_eq!(ask(&world, "light/get_history", &params), json!({}));
}

#[test]
fn a_unit_of_the_chain_that_was_changed_is_noticed() {
    let result = tampered(|history| history["unstable_mc_joints"][0]["unit"]["timestamp"] = json!(1));

    assert!(matches!(result, Err(ProofError::Unit(_))), "{result:?}");
}

#[test]
fn a_signature_of_somebody_else_is_noticed() {
    let mallory = Wallet::of("mallory");
    let result = tampered(|history| {
        let unit = history["unstable_mc_joints"][0]["unit"].clone();
        // Its hash is right again; who signed it is not the order provider.
        history["unstable_mc_joints"][0]["unit"] = mallory.seal(unit);
    });

    assert!(matches!(result, Err(ProofError::Signature { .. })), "{result:?}");
}

#[test]
fn an_order_provider_of_the_hubs_own_proves_nothing() {
    let (world, alice) = paid(1);
    let stranger = Wallet::of("mallory").address;

    let result = proven(&[stranger], &history(&world, alice.address));

    assert_eq!(result, Err(ProofError::Minority { met: 0, wanted: 1 }));
}

#[test]
fn a_forged_ball_is_noticed() {
    let result = tampered(|history| {
        history["proofchain_balls"][1]["unit"] = json!(Hash::of(b"never posted"));
    });

    assert!(matches!(result, Err(ProofError::Ball(_))), "{result:?}");
}

#[test]
fn a_ball_that_nothing_leads_to_is_noticed() {
    let result = tampered(|history| {
        history["proofchain_balls"].as_array_mut().unwrap().remove(0);
    });

    assert!(matches!(result, Err(ProofError::Loose(_))), "{result:?}");
}

#[test]
fn a_unit_cannot_be_made_void() {
    let result = tampered(|history| history["proofchain_balls"][1]["is_nonserial"] = json!(true));

    assert!(matches!(result, Err(ProofError::Ball(_))), "{result:?}");
}

#[test]
fn without_the_unstable_chain_nothing_is_final() {
    let result = tampered(|history| history["unstable_mc_joints"] = json!([]));

    assert_eq!(result, Err(ProofError::Minority { met: 0, wanted: 1 }));
}

#[test]
fn without_the_definition_of_the_order_provider_nothing_is_final() {
    let result = tampered(|history| history["witness_change_and_definition_joints"] = json!([]));

    assert!(matches!(result, Err(ProofError::Definition(_))), "{result:?}");
}
