use std::time::Duration;

use coinop_core::{Bytes, Machine};
use coinop_node::ledger::{Command, Effect, Purse, Refusal};
use serde_json::json;

use crate::world::{Wallet, World, hash, message};

#[test]
fn the_same_configuration_gives_the_same_ledger() {
    assert_eq!(World::new().ledger, World::new().ledger);
    let audit = World::new().check();

    assert_eq!(audit.issued, Bytes::new(1_000_000_000_000_000));
}

#[test]
fn the_faucet_gives_and_the_gift_becomes_stable() {
    let (mut world, alice) = (World::new(), Wallet::of("alice"));

    world.ask(Command::Fund { address: alice.address, amount: Bytes::new(1_000_000) }).unwrap();
    assert_eq!(world.ledger.funded(&alice.address), Bytes::new(1_000_000));
    world.pass(Duration::from_millis(500));
    assert_eq!(world.ledger.balance(&alice.address).pending, Bytes::new(1_000_000));
    world.pass(Duration::from_millis(1_600));

    assert_eq!(world.ledger.balance(&alice.address).stable, Bytes::new(1_000_000));
    world.settle();
    assert_eq!(world.check().wallets, Bytes::new(1_000_000));
}

#[test]
fn gifts_asked_for_together_come_together() {
    let (mut world, alice, bob) = (World::new(), Wallet::of("alice"), Wallet::of("bob"));
    let units = world.ledger.dag().joints().count();

    for wallet in [&alice, &bob, &alice] {
        world.ask(Command::Fund { address: wallet.address, amount: Bytes::new(5_000) }).unwrap();
    }
    world.settle();

    assert_eq!((world.balance(&alice), world.balance(&bob)), (10_000, 5_000));
    assert_eq!(world.ledger.dag().joints().count(), units + 3, "one gift and two heartbeats");
    world.check();
}

#[test]
fn a_payment_costs_its_size_and_arrives() {
    let (mut world, alice, bob) = (World::new(), Wallet::of("alice"), Wallet::of("bob"));
    world.fund(&alice, 1_000_000);

    let unit = alice.pay(&world, bob.address, 250_000, &[]);
    let posted = world.post(&unit).unwrap();
    world.settle();

    let fees = unit["headers_commission"].as_u64().unwrap() + unit["payload_commission"].as_u64().unwrap();
    assert_eq!(fees, 408 + 63 + 311, "a first payment of a devnet, with its definition");
    let fees = fees + unit["tps_fee"].as_u64().unwrap();
    assert_eq!((world.balance(&alice), world.balance(&bob)), (750_000 - fees, 250_000));
    assert!(world.ledger.is_stable(&posted));
    assert!(!world.ledger.definition_for(&alice.address).needed());
    world.check();
}

#[test]
fn change_can_be_spent_before_it_is_stable() {
    let (mut world, alice, bob) = (World::new(), Wallet::of("alice"), Wallet::of("bob"));
    world.fund(&alice, 1_000_000);

    for _ in 0..5 {
        let unit = alice.pay(&world, bob.address, 10_000, &[]);
        world.post(&unit).unwrap();
    }
    world.settle();

    assert_eq!(world.balance(&bob), 50_000);
    world.check();
}

#[test]
fn a_known_unit_is_taken_again_and_nothing_happens() {
    let (mut world, alice, bob) = (World::new(), Wallet::of("alice"), Wallet::of("bob"));
    world.fund(&alice, 1_000_000);
    let unit = alice.pay(&world, bob.address, 10_000, &[]);
    world.post(&unit).unwrap();
    let before = world.ledger.clone();

    world.post(&unit).unwrap();

    assert_eq!(world.ledger, before);
}

#[test]
fn a_double_spend_is_refused_in_the_words_of_the_hubs() {
    let (mut world, alice, bob) = (World::new(), Wallet::of("alice"), Wallet::of("bob"));
    world.fund(&alice, 1_000_000);
    let coins = world.ledger.coins(&alice.address);
    let first = alice.pay_with(&world, &coins, bob.address, 10_000, &[]);
    let second = alice.pay_with(&world, &coins, bob.address, 20_000, &[]);
    world.post(&first).unwrap();
    let before = world.ledger.clone();

    let refusal = world.post(&second).unwrap_err();

    assert_eq!(refusal.to_string(), "The transaction would be non-serial (a double spend)");
    assert_eq!(world.ledger, before, "refused means unchanged");
    assert!(world.ledger.joint(&hash(&second)).is_none());
    world.settle();
    world.check();
}

#[test]
fn a_forged_unit_is_refused() {
    let (mut world, alice, mallory) = (World::new(), Wallet::of("alice"), Wallet::of("mallory"));
    world.fund(&alice, 1_000_000);
    let mut unit = alice.pay(&world, mallory.address, 10_000, &[]);
    unit["messages"][0]["payload"]["outputs"][0]["amount"] = json!(999_999);

    assert!(matches!(world.post(&unit), Err(Refusal::Verdict(_))));
    let stolen = mallory.seal(alice.pay(&world, mallory.address, 20_000, &[]));
    assert!(matches!(world.post(&stolen), Err(Refusal::Verdict(_))));
    world.check();
}

#[test]
fn the_faucet_does_not_give_more_than_it_has() {
    let (world, alice) = (&mut World::new(), Wallet::of("alice"));

    let refusal =
        world.ask(Command::Fund { address: alice.address, amount: Bytes::new(999_999_999_999_999) });

    assert!(refusal.unwrap_err().to_string().starts_with("the faucet cannot give 999999999999999 B: "));
}

#[test]
fn a_draft_that_was_not_signed_before_a_restart_is_pending() {
    let (mut world, alice) = (World::new(), Wallet::of("alice"));
    world.ask(Command::Fund { address: alice.address, amount: Bytes::new(5_000) }).unwrap();
    // The process ends after the event and before the effect.
    let lost = world.ask_without_effects(Command::Wake);

    let restarted = world.ledger.pending();

    assert_eq!(restarted, lost);
    assert!(matches!(restarted.as_slice(), [Effect::Sign { purse: Purse::Faucet, .. }]));
    assert!(world.ledger.deadline().unwrap().at > world.now, "it waits for the signature");
    world.carry_out(restarted[0].clone());
    world.settle();
    assert_eq!(world.balance(&alice), 5_000);
}

#[test]
fn a_quiet_ledger_stays_quiet() {
    let (mut world, alice) = (World::new(), Wallet::of("alice"));
    world.fund(&alice, 5_000);
    let units = world.ledger.dag().joints().count();

    world.pass(Duration::from_hours(1));

    assert_eq!(world.ledger.dag().joints().count(), units);
}

#[test]
fn a_draft_that_nobody_signs_is_composed_anew() {
    let (mut world, alice) = (World::new(), Wallet::of("alice"));
    world.ask(Command::Fund { address: alice.address, amount: Bytes::new(5_000) }).unwrap();
    let lost = world.ask_without_effects(Command::Wake);

    world.settle();

    assert_eq!(world.balance(&alice), 5_000, "given once");
    let [Effect::Sign { purse, draft }] = lost.as_slice() else { panic!("a draft to sign") };
    let late = world.sign(*purse, draft);
    assert!(matches!(world.post(&late), Err(Refusal::NotDrafted(Purse::Faucet))), "the first draft is void");
    world.check();
}

#[test]
fn assets_are_refused_by_name() {
    let (mut world, alice) = (World::new(), Wallet::of("alice"));
    world.fund(&alice, 1_000_000);
    let asset = json!({
        "is_private": false, "is_transferrable": true, "auto_destroy": false, "fixed_denominations": false,
        "issued_by_definer_only": true, "cosigned_by_definer": false, "spender_attested": false,
    });

    let refused = world.post(&alice.pay(&world, alice.address, 20_000, &[message("asset", &asset)]));

    assert_eq!(refused, Err(Refusal::BytesOnly));
}

#[test]
fn two_dozen_wallets_that_asked_in_the_same_moment_are_all_served() {
    let mut world = World::new();
    let wallets: Vec<Wallet> = (0..24).map(|number| Wallet::of(&format!("wallet {number}"))).collect();
    for wallet in &wallets {
        world.ask(Command::Fund { address: wallet.address, amount: Bytes::new(1_000_000) }).unwrap();
    }
    world.settle();
    let next = |index: usize| wallets[(index + 1) % wallets.len()].address;

    for _ in 0..2 {
        // Every unit is composed before the first one is posted.
        let units: Vec<_> = wallets
            .iter()
            .enumerate()
            .map(|(index, wallet)| wallet.pay(&world, next(index), 1_000, &[]))
            .collect();
        for unit in &units {
            world.post(unit).unwrap();
        }
        world.pass(Duration::from_millis(700));
    }
    world.settle();

    let stable = |wallet: &Wallet| world.ledger.balance(&wallet.address).pending.is_zero();
    assert!(wallets.iter().all(stable));
    assert!(wallets.iter().all(|wallet| world.balance(wallet) > 990_000));
    world.check();
}
