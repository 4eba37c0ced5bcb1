//! The node as a hub.

use std::time::Duration;

use coinop_core::{Timestamp, obyte::address::Address};
use coinop_node::{
    hub::{Client, Full, Hub, MAX_CLIENTS, Reaction},
    ledger::Config,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{CONFIG, Wallet, World};

/// A hub with two clients.
struct Scene {
    world: World,
    hub: Hub,
    alice: Client,
    bob: Client,
}

impl Scene {
    fn new() -> Self {
        let world = World::of(Config { proves: true, ..CONFIG });
        let mut hub = Hub::new("0");
        let [alice, bob] = [(); 2].map(|()| hub.connected(&world.ledger, world.now).unwrap().0);
        Self { world, hub, alice, bob }
    }

    fn say(&mut self, client: Client, frame: &Value) -> Vec<Reaction> {
        self.hub.heard(&self.world.ledger, client, &frame.to_string(), self.world.now)
    }

    fn ask(&mut self, command: &str, params: &Value) -> Option<Value> {
        let frame = json!(["request", { "command": command, "params": params, "tag": "t" }]);
        let reactions = self.say(self.alice, &frame);
        let answer = frames(&reactions).next().map(|(_, frame)| frame)?;
        assert_eq!((&answer[0], &answer[1]["tag"]), (&json!("response"), &json!("t")));
        Some(answer[1]["response"].clone())
    }

    fn watch(&mut self, client: Client, address: Address) {
        let reactions = self.say(
            client,
            &json!(["justsaying", { "subject": "light/new_address_to_watch", "body": address }]),
        );
        assert_eq!(subjects(&reactions, client), ["info"]);
    }

    /// What the ledger told since, as the clients hear it.
    fn pushed(&mut self, but: Option<Client>) -> Vec<Reaction> {
        let pushes = std::mem::take(&mut self.world.pushes);
        pushes.iter().flat_map(|push| self.hub.pushed(&self.world.ledger, push, but)).collect()
    }
}

fn frames(reactions: &[Reaction]) -> impl Iterator<Item = (Client, Value)> {
    reactions.iter().filter_map(|reaction| match reaction {
        Reaction::Send { to, frame } => Some((*to, serde_json::from_str(frame).unwrap())),
        Reaction::Post { .. } | Reaction::Ask(_) | Reaction::End { .. } => None,
    })
}

fn subjects(reactions: &[Reaction], client: Client) -> Vec<String> {
    let own = frames(reactions).filter(|(to, _)| *to == client);
    own.map(|(_, frame)| frame[1]["subject"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_client_is_told_which_network_this_is() {
    let mut scene = Scene::new();

    let (_, greeting) = scene.hub.connected(&scene.world.ledger, scene.world.now).unwrap();

    let version: Value = serde_json::from_str(&greeting[0]).unwrap();
    assert_eq!(version[1]["subject"], "version");
    assert_eq!(
        (&version[1]["body"]["protocol_version"], &version[1]["body"]["alt"]),
        (&json!("4.0dev"), &json!("3"))
    );
}

#[test]
fn what_a_hub_does_not_know_it_does_not_answer() {
    let mut scene = Scene::new();

    assert_eq!(scene.ask("nonexistent/command", &json!({})), None);
    assert_eq!(scene.ask("get_last_mci", &Value::Null), Some(json!(2)), "and it goes on");
}

#[test]
fn a_posted_unit_is_handed_on_and_answered() {
    let mut scene = Scene::new();
    let post = |params: Value| json!(["request", { "command": "post_joint", "params": params, "tag": "p" }]);

    let reactions = scene.say(scene.alice, &post(json!({ "unit": { "unit": "U" } })));
    let [Reaction::Post { from, tag, unit }] = &reactions[..] else { panic!("{reactions:?}") };
    assert_eq!((*from, tag.as_str(), unit), (scene.alice, "p", &json!({ "unit": "U" })));

    let answer = frames(&[scene.hub.posted(scene.alice, "p", Err("no"))]).next().unwrap();
    assert_eq!(answer.1[1]["response"], json!({ "error": "no" }));
    let answer = frames(&[scene.hub.posted(scene.alice, "p", Ok(()))]).next().unwrap();
    assert_eq!(answer.1[1]["response"], "accepted");
    for (wrong, error) in
        [(json!({}), "no unit"), (json!({ "unit": {}, "ball": "b" }), "no ball via post_joint")]
    {
        let reactions = scene.say(scene.alice, &post(wrong));
        assert_eq!(frames(&reactions).next().unwrap().1[1]["response"], json!({ "error": error }));
    }
}

#[test]
fn who_watches_an_address_hears_of_its_units_but_not_of_what_it_posted_itself() {
    let mut scene = Scene::new();
    let (payer, shop) = (Wallet::of("alice"), Wallet::of("bob"));
    scene.world.fund(&payer, 1_000_000);
    scene.world.pushes.clear();
    let (alice, bob) = (scene.alice, scene.bob);
    scene.watch(alice, payer.address);
    scene.watch(bob, shop.address);

    let unit = payer.pay(&scene.world, shop.address, 1_000, &[]);
    scene.world.post(&unit).unwrap();

    let reactions = scene.pushed(Some(alice));
    assert_eq!(subjects(&reactions, alice), Vec::<String>::new());
    assert_eq!(subjects(&reactions, bob), ["joint"]);
    assert_eq!(frames(&reactions).next().unwrap().1[1]["body"]["unit"], unit);
}

#[test]
fn who_watches_an_address_hears_when_it_can_know_that_something_is_final() {
    let mut scene = Scene::new();
    let payee = Wallet::of("bob");
    let bob = scene.bob;
    scene.watch(bob, payee.address);
    scene.world.fund(&payee, 1_000_000);

    let reactions = scene.pushed(None);

    assert_eq!(subjects(&reactions, bob), ["joint", "light/have_updates"]);
    assert_eq!(subjects(&reactions, scene.alice), Vec::<String>::new());
    let history =
        json!({ "witnesses": scene.ask("get_witnesses", &Value::Null), "addresses": [payee.address] });
    let history = scene.ask("light/get_history", &history).unwrap();
    assert_eq!(history["proofchain_balls"].as_array().map(Vec::is_empty), Some(false));
}

#[test]
fn a_frame_that_makes_no_sense_ends_the_connection() {
    for frame in [
        "",
        "{}",
        "[]",
        "[1,2]",
        r#"["request",{}]"#,
        r#"["request",{"command":"x","tag":""}]"#,
        r#"["shout",{}]"#,
    ] {
        let mut scene = Scene::new();

        let reactions = scene.hub.heard(&scene.world.ledger, scene.alice, frame, scene.world.now);

        assert!(matches!(&reactions[..], [Reaction::End { .. }]), "{frame}: {reactions:?}");
    }
}

#[test]
fn a_client_that_sends_too_much_is_let_go_and_one_that_sends_in_measure_is_not() {
    let mut scene = Scene::new();
    let beat = json!(["request", { "command": "heartbeat", "tag": "t" }]);

    let flood: Vec<Reaction> = (0..500).flat_map(|_| scene.say(scene.alice, &beat)).collect();
    assert!(flood.iter().any(|reaction| matches!(reaction, Reaction::End { .. })));

    for _ in 0..500 {
        scene.world.now = scene.world.now.after(Duration::from_millis(10));
        let reactions = scene.say(scene.bob, &beat);
        assert!(matches!(&reactions[..], [Reaction::Send { .. }]), "{reactions:?}");
    }
}

#[test]
fn a_silent_client_is_asked_for_a_sign_of_life_and_then_let_go() {
    let mut scene = Scene::new();
    let later = |seconds| scene.world.now.after(Duration::from_secs(seconds));
    let times: [Timestamp; 4] = [later(29), later(31), later(32), later(91)];

    assert_eq!(scene.hub.tick(times[0]), []);
    assert_eq!(frames(&scene.hub.tick(times[1])).count(), 2, "both are asked");
    assert_eq!(scene.hub.tick(times[2]), [], "once");
    let reactions = scene.hub.tick(times[3]);
    assert!(
        reactions.iter().all(|reaction| matches!(reaction, Reaction::End { .. })) && reactions.len() == 2
    );
}

#[test]
fn there_is_room_for_so_many_and_then_for_whoever_comes_after_one_has_gone() {
    let mut scene = Scene::new();
    while scene.hub.clients() < MAX_CLIENTS {
        scene.hub.connected(&scene.world.ledger, scene.world.now).unwrap();
    }

    assert_eq!(scene.hub.connected(&scene.world.ledger, scene.world.now).unwrap_err(), Full);
    scene.hub.gone(scene.alice);
    assert!(scene.hub.connected(&scene.world.ledger, scene.world.now).is_ok());
}

#[test]
fn an_address_that_is_none_cannot_be_watched_and_an_agent_that_is_none_neither() {
    let mut scene = Scene::new();
    let stranger = Wallet::of("stranger").address;

    for (subject, body, error) in [
        ("light/new_address_to_watch", json!("BAD"), "address not valid".to_owned()),
        ("light/new_aa_to_watch", json!({ "aa": "BAD" }), "invalid AA".to_owned()),
        ("light/new_aa_to_watch", json!({ "aa": stranger }), format!("not an AA: {stranger}")),
    ] {
        let reactions = scene.say(scene.alice, &json!(["justsaying", { "subject": subject, "body": body }]));
        let (_, frame) = frames(&reactions).next().unwrap();
        assert_eq!((&frame[1]["subject"], &frame[1]["body"]), (&json!("error"), &json!(error)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_asked_is_answered_or_ignored(
        command in prop::sample::select(vec![
            "get_joint", "post_joint", "light/get_history", "light/get_balances", "light/get_definition",
            "light/get_parents_and_last_ball_and_witness_list_unit", "light/pick_divisible_coins_for_amount",
            "light/get_aa_state_vars", "light/get_aa_responses", "light/get_data_feed", "light/get_aas_by_base_aas",
            "light/get_aa_response_chain", "light/get_definition_for_address", "light/get_aa_balances",
        ]),
        field in "(addresses|address|witnesses|amount|last_ball_mci|requested_joints|min_mci|aa|oracles|feed_name|base_aa)",
        value in r#"(null|1|-1|1e300|"x"|""|\[\]|\{\}|\[null\]|\[1\]|\["x"\]|\[\[\]\])"#,
    ) {
        let mut scene = Scene::new();
        let params: Value = serde_json::from_str(&format!("{{\"{field}\":{value}}}")).unwrap();

        // Not a panic, that is.
        let _ = scene.ask(command, &params);
        let _ = scene.ask(command, &params[&field]);
    }
}
