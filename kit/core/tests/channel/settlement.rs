//! Closing, owing back, opening again.

use coinop_core::{
    Bytes,
    channel::{Command, Effect, Phase, Refusal},
};
use serde_json::json;

use crate::table::{BUYER, SELLER, TIMEOUT, Table};

#[test]
fn a_close_of_the_buyer_is_confirmed_by_the_seller() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 30_000);

    table.ask(BUYER, Command::Close).unwrap();
    table.settle_down();
    table.wait(1);
    table.settle_down();

    let outcome = table.parties[SELLER].outcomes[&1];
    assert_eq!((outcome.mine, outcome.peer), (Bytes::new(30_000), Bytes::new(70_000)));
    assert_eq!(table.agent.paid_to(table.address(SELLER)), 40_000);
    assert_eq!(table.agent.paid_to(table.address(BUYER)), 80_000);
    assert_eq!(table.agent.held, 0);
}

#[test]
fn an_unused_rest_is_given_back_when_the_buyer_closes() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 30_000);
    table.ask(BUYER, Command::Close).unwrap();
    table.settle_down();

    table.ask(SELLER, Command::Owe { session: "lamp".into(), amount: Bytes::new(1_000) }).unwrap();
    table.wait(1);
    table.settle_down();

    for who in [SELLER, BUYER] {
        let outcome = table.parties[who].outcomes[&1];
        let expected = [Bytes::new(29_000), Bytes::new(71_000)];
        assert_eq!(
            [outcome.mine, outcome.peer],
            if who == SELLER { expected } else { [expected[1], expected[0]] }
        );
    }
    assert_eq!(table.agent.paid_to(table.address(SELLER)), 39_000);
}

#[test]
fn an_unused_rest_is_given_back_when_the_seller_closes() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 30_000);
    let owe = |amount| Command::Owe { session: "lamp".into(), amount: Bytes::new(amount) };
    table.ask(SELLER, owe(400)).unwrap();
    table.ask(SELLER, owe(1_000)).unwrap();
    assert_eq!(table.ask(SELLER, owe(1_000)).unwrap(), []);

    table.ask(SELLER, Command::Close).unwrap();
    assert_eq!(table.ask(SELLER, owe(2_000)), Err(Refusal::ClosedByMe));
    table.settle_down();
    table.wait(1);
    table.settle_down();

    assert_eq!(table.parties[BUYER].outcomes[&1].mine, Bytes::new(71_000));
    assert_eq!(table.agent.paid_to(table.address(SELLER)), 39_000);
}

#[test]
fn no_more_is_given_back_than_was_received() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 100);

    let owe = Command::Owe { session: "lamp".into(), amount: Bytes::new(101) };

    let refusal = table.ask(SELLER, owe).unwrap_err();
    assert_eq!(refusal.to_string(), "101 B to be given back but the session received only 100 B");
}

#[test]
fn an_overpayment_is_given_back() {
    let mut table = Table::open(100_000);
    let package = table.sign(BUYER, 1, 10_000, 30_000);
    table.offer(&package, "a").unwrap();

    table.ask(SELLER, Command::Close).unwrap();
    table.settle_down();
    table.wait(1);
    table.settle_down();

    assert_eq!(table.parties[SELLER].outcomes[&1].mine, Bytes::new(10_000));
}

#[test]
fn a_close_that_nobody_answers_is_confirmed_alone_after_the_timeout() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 30_000);
    table.ask(SELLER, Command::Close).unwrap();
    while !table.news.is_empty() || !table.ledger.is_empty() {
        // The buyer hears nothing.
        table.news.retain(|(who, _)| *who == SELLER);
        match table.news.pop() {
            Some((who, news)) => drop(table.ask(who, news).unwrap()),
            None => table.stabilise(),
        }
    }

    table.wait(TIMEOUT);
    assert!(table.ledger.is_empty(), "not before the margin");
    table.wait(2);
    table.settle_down();

    assert_eq!(table.parties[SELLER].outcomes[&1].mine, Bytes::new(30_000));
}

#[test]
fn a_confirmation_too_early_is_repeated_under_a_new_name() {
    let mut table = Table::open(100_000);
    table.ask(SELLER, Command::Close).unwrap();
    table.stabilise();
    table.news.retain(|(who, _)| *who == SELLER);
    while let Some((who, news)) = table.news.pop() {
        table.ask(who, news).unwrap();
    }
    table.wait(TIMEOUT + 2);
    // The ledger's clock is behind.
    table.now -= 10_000;
    table.stabilise();
    table.now += 10_000;
    table.news.retain(|(who, _)| *who == SELLER);
    table.settle_down();
    assert!(matches!(table.channel(SELLER).phase(), Phase::Closing(_)));

    table.wait(5);
    table.settle_down();

    assert!(table.parties[SELLER].outcomes.contains_key(&1));
    assert_eq!(table.parties[SELLER].posts.len(), 3);
}

#[test]
fn the_next_period_starts_from_nothing() {
    let mut table = Table::open(100_000);
    let old = table.pay_through("lamp", 30_000);
    table.ask(SELLER, Command::Close).unwrap();
    table.settle_down();
    table.wait(1);
    table.settle_down();
    assert_eq!(table.pay("lamp", 40_000), Err(Refusal::NotOpen));
    assert_eq!(table.pay("lamp", 30_000).unwrap(), [], "long paid");

    table.ask(BUYER, Command::Deposit { amount: Bytes::new(50_000) }).unwrap();
    table.settle_down();

    assert_eq!(table.offer(&old, "x"), Err(Refusal::WrongPeriod));
    let package = table.pay_through("fan", 5);
    assert_eq!((package.message.period, package.message.amount_spent), (2, Bytes::new(5)));
    assert_eq!(table.channel(BUYER).payable(), Bytes::new(49_995));
}

#[test]
fn a_post_that_failed_is_tried_again_under_its_name() {
    let mut table = Table::open(100_000);
    let effects = table.ask(SELLER, Command::Close).unwrap();
    let [Effect::Post { reference, data, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*data, Some(json!({ "close": 1, "period": 1, "transferredFromMe": 0 })));
    // Neither posted nor known to the ledger, after all.
    table.news.clear();
    table.ledger.clear();
    let failed = Command::PostFailed { reference: reference.clone(), error: "no coins".into() };
    table.ask(SELLER, failed).unwrap();

    table.now += 5_000;
    let again = table.ask(SELLER, Command::Wake).unwrap();

    assert_eq!(again, effects);
}

#[test]
fn a_deposit_that_failed_is_told_and_may_be_made_anew() {
    let mut table = Table::new();
    let deposit = || Command::Deposit { amount: Bytes::new(50_000) };
    let effects = table.ask(BUYER, deposit()).unwrap();
    let [Effect::Post { reference, .. }] = effects.as_slice() else { panic!("{effects:?}") };
    table.news.clear();
    table.ledger.clear();

    let failed = Command::PostFailed { reference: reference.clone(), error: "no coins".into() };
    table.ask(BUYER, failed).unwrap();
    table.ask(BUYER, deposit()).unwrap();
    table.settle_down();

    assert_eq!(table.parties[BUYER].failed_deposits, ["no coins"]);
    assert_eq!(table.channel(BUYER).payable(), Bytes::new(50_000));
}

#[test]
fn a_deposit_into_a_closing_channel_comes_back() {
    let mut table = Table::open(100_000);
    table.ask(SELLER, Command::Close).unwrap();
    table.news.clear();
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(150_000) }).unwrap();
    table.settle_down();

    assert_eq!(table.parties[BUYER].failed_deposits, ["the channel was closing"]);
    assert_eq!(table.agent.paid_to(table.address(BUYER)), 40_000);
}
