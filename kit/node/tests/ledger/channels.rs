use std::time::Duration;

use coinop_core::{Bytes, obyte::address::Address};
use coinop_node::{agent::channel::BASE, ledger::Refusal};
use serde_json::{Value, json};

use crate::world::{Wallet, World, message};

const TIMEOUT: u64 = 60;

/// Alice buys from Bob; Mallory looks on.
struct Scene {
    world: World,
    alice: Wallet,
    bob: Wallet,
    mallory: Wallet,
    definition: Value,
    channel: Address,
}

impl Scene {
    /// Everybody has money; Alice has opened the channel with a deposit.
    fn opened(deposit: u64) -> Self {
        let (mut world, alice, bob, mallory) =
            (World::new(), Wallet::of("alice"), Wallet::of("bob"), Wallet::of("mallory"));
        for wallet in [&alice, &bob, &mallory] {
            world.fund(wallet, 5_000_000);
        }
        let params = json!({
            "addressA": bob.address, "addressB": alice.address, "asset": "base", "salt": "s", "timeout": TIMEOUT,
        });
        let definition = json!(["autonomous agent", {"base_aa": BASE, "params": params}]);
        let channel = Address::of_definition(&definition).unwrap();
        let mut scene = Self { world, alice, bob, mallory, definition, channel };
        let defined = message("definition", &json!({"address": channel, "definition": scene.definition}));
        let unit = scene.alice.pay(&scene.world, channel, deposit, &[defined]);
        scene.world.post(&unit).unwrap();
        scene.world.settle();
        scene
    }

    fn trigger(&mut self, by: fn(&Self) -> &Wallet, amount: u64, data: Option<Value>) {
        let data: Vec<Value> = data.map(|payload| message("data", &payload)).into_iter().collect();
        let unit = by(self).pay(&self.world, self.channel, amount, &data);
        self.world.post(&unit).unwrap();
        self.world.settle();
    }

    fn vars(&self) -> Value {
        serde_json::to_value(self.world.ledger.state_vars(&self.channel).unwrap()).unwrap()
    }

    fn last_error(&self) -> Value {
        self.world.responses().last().unwrap()["response"]["error"].clone()
    }

    fn alices_balance(&self) -> u64 {
        self.world.balance(&self.alice)
    }
}

#[test]
fn a_channel_is_opened_by_the_unit_that_defines_it() {
    let scene = Scene::opened(1_000_000);

    assert_eq!(scene.vars(), json!({"balanceB": 1_000_000, "event_id": 2, "period": 1}));
    assert_eq!(scene.world.ledger.aa_definition(&scene.channel), Some(&scene.definition));
    let told = scene.world.responses();
    assert_eq!(told.len(), 1);
    let payload = &told[0]["objResponseUnit"]["messages"][0]["payload"];
    assert_eq!((&payload["open"], &payload["period"]), (&json!(1), &json!(1)));
    let audit = scene.world.check();
    assert_eq!(audit.agents, Bytes::new(1_000_000 - 819), "a response costs what it costs on a real node");
}

#[test]
fn an_honest_close_pays_both_what_is_theirs() {
    let mut scene = Scene::opened(1_000_000);
    let package = scene.alice.package(scene.channel, 1, 300_000);
    let before = scene.world.balance(&scene.bob);

    scene.trigger(|scene| &scene.bob, 10_000, Some(json!({"close": 1, "period": 1, "sentByPeer": package})));
    assert_eq!(scene.vars()["close_initiated_by"], "A");
    let left = scene.alices_balance();
    scene.trigger(|scene| &scene.alice, 10_000, Some(json!({"confirm": 1, "period": 1})));

    assert_eq!(scene.vars(), json!({"event_id": 4, "period": 2}));
    let bobs = scene.world.balance(&scene.bob) - before;
    assert!((290_000..=310_000).contains(&bobs), "{bobs}");
    assert!(scene.alices_balance() > left + 690_000);
    scene.world.check();
}

#[test]
fn a_lie_costs_the_liar_everything() {
    let mut scene = Scene::opened(1_000_000);
    let package = scene.alice.package(scene.channel, 1, 300_000);

    scene.trigger(
        |scene| &scene.alice,
        10_000,
        Some(json!({"close": 1, "period": 1, "transferredFromMe": 5})),
    );
    let before = scene.world.balance(&scene.bob);
    let proof = json!({"fraud_proof": 1, "period": 1, "sentByPeer": package});
    scene.trigger(|scene| &scene.bob, 10_000, Some(proof));

    assert_eq!(scene.vars(), json!({"event_id": 4, "period": 2}));
    assert!(scene.world.balance(&scene.bob) > before + 980_000);
    scene.world.check();
}

#[test]
fn whoever_closes_may_confirm_after_the_timeout_only() {
    let mut scene = Scene::opened(1_000_000);
    scene.trigger(|scene| &scene.alice, 10_000, Some(json!({"close": 1, "period": 1})));

    scene.trigger(|scene| &scene.alice, 10_000, Some(json!({"confirm": 1, "period": 1})));
    assert_eq!(scene.last_error()["message"], "too early");
    scene.world.pass(Duration::from_secs(TIMEOUT));
    scene.trigger(|scene| &scene.alice, 10_000, Some(json!({"confirm": 1, "period": 1})));

    assert_eq!(scene.vars(), json!({"event_id": 4, "period": 2}));
    scene.world.check();
}

#[test]
fn a_strangers_deposit_comes_back_less_the_fee() {
    let mut scene = Scene::opened(1_000_000);
    let before = scene.world.balance(&scene.mallory);

    scene.trigger(|scene| &scene.mallory, 500_000, None);

    assert_eq!(
        scene.last_error(),
        json!({"message": "neither case is true in messages", "xpath": "/messages/cases"})
    );
    let lost = before - scene.world.balance(&scene.mallory);
    assert!((10_000..12_000).contains(&lost), "{lost}");
    scene.world.check();
}

#[test]
fn a_deposit_while_closing_comes_back() {
    let mut scene = Scene::opened(1_000_000);
    scene.trigger(|scene| &scene.bob, 10_000, Some(json!({"close": 1, "period": 1})));
    let before = scene.alices_balance();

    scene.trigger(|scene| &scene.alice, 400_000, None);

    let lost = before - scene.alices_balance();
    assert!((10_000..12_000).contains(&lost), "{lost}");
    assert_eq!(scene.vars()["balanceB"], 1_000_000);
    scene.world.check();
}

#[test]
fn triggers_of_one_moment_are_answered_one_after_the_other() {
    let mut scene = Scene::opened(1_000_000);
    let close = [message("data", &json!({"close": 1, "period": 1}))];
    let deposit = scene.alice.pay(&scene.world, scene.channel, 200_000, &[]);
    scene.world.post(&deposit).unwrap();
    let close = scene.bob.pay(&scene.world, scene.channel, 10_000, &close);
    scene.world.post(&close).unwrap();

    scene.world.settle();

    let vars = scene.vars();
    assert_eq!((&vars["balanceB"], &vars["close_initiated_by"]), (&json!(1_200_000), &json!("A")));
    assert_eq!(scene.world.ledger.responses(&scene.channel).len(), 3);
    scene.world.check();
}

#[test]
fn a_closed_channel_opens_again_in_the_next_period() {
    let mut scene = Scene::opened(1_000_000);
    scene.trigger(|scene| &scene.bob, 10_000, Some(json!({"close": 1, "period": 1})));
    scene.trigger(|scene| &scene.alice, 10_000, Some(json!({"confirm": 1, "period": 1})));

    scene.trigger(|scene| &scene.alice, 70_000, None);

    assert_eq!(scene.vars(), json!({"balanceB": 70_000, "event_id": 5, "period": 2}));
    scene.world.check();
}

#[test]
fn another_agent_is_refused_by_name() {
    let (mut world, alice) = (World::new(), Wallet::of("alice"));
    world.fund(&alice, 1_000_000);
    let definition = json!(["autonomous agent", {"base_aa": alice.address, "params": {"x": 1}}]);
    let address = Address::of_definition(&definition).unwrap();
    let defined = message("definition", &json!({"address": address, "definition": definition}));

    let refused = world.post(&alice.pay(&world, alice.address, 20_000, &[defined]));

    assert!(matches!(refused, Err(Refusal::Agent(_) | Refusal::Verdict(_))));
}

#[test]
fn those_who_are_concerned_are_told() {
    let scene = Scene::opened(1_000_000);

    let concerned =
        |address: Address| scene.world.pushes.iter().filter(|push| push.to.contains(&address)).count();

    // The gift and the deposit as new and as stable, the change, the response and what it says.
    assert!(concerned(scene.alice.address) >= 5);
    assert!(concerned(scene.channel) >= 4);
    assert_eq!(concerned(scene.mallory.address), 2, "her gift, new and stable");
}
