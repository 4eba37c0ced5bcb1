//! What the ledger shows: late, twice, out of order, or not yet for good.

use coinop_core::{
    Bytes, Timestamp,
    channel::{Command, Limits, Phase, Refusal, Sighting},
    obyte::Hash,
};
use serde_json::json;

use crate::table::{BUYER, SELLER, Table};

fn trusting(max: u64) -> Table {
    let limits =
        Limits { max_unconfirmed: Bytes::new(max), min_unconfirmed_age_ms: 3_000, ..Limits::default() };
    Table::with_limits(limits)
}

fn tell(table: &mut Table) {
    while !table.news.is_empty() {
        let (who, news) = table.news.remove(0);
        table.ask(who, news).unwrap();
    }
}

#[test]
fn a_deposit_counts_only_when_it_is_stable() {
    let mut table = Table::new();
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(100_000) }).unwrap();
    tell(&mut table);
    assert_eq!(table.pay("lamp", 1), Err(Refusal::NotOpen));
    let package = table.sign(BUYER, 1, 1, 1);
    assert_eq!(table.offer(&package, "a"), Err(Refusal::NotDefined));

    table.settle_down();

    assert_eq!(table.parties[BUYER].ready, Some((1, Bytes::new(100_000), Bytes::ZERO)));
    assert_eq!(table.parties[SELLER].ready, Some((1, Bytes::ZERO, Bytes::new(100_000))));
    table.pay_through("lamp", 1);
}

#[test]
fn an_unconfirmed_deposit_counts_up_to_the_limit_after_a_while() {
    let mut table = trusting(30_000);
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(100_000) }).unwrap();
    tell(&mut table);
    assert_eq!(table.channel(BUYER).payable(), Bytes::new(30_000));
    let package = table.sign(BUYER, 1, 30_000, 30_000);
    assert_eq!(table.offer(&package, "too soon"), Err(Refusal::NotDefined));

    table.wait(3);

    table.offer(&package, "now").unwrap();
    let beyond = table.sign(BUYER, 1, 1, 30_001);
    let refusal = table.offer(&beyond, "beyond").unwrap_err();
    assert_eq!(refusal.to_string(), "AA not funded enough.");
}

#[test]
fn a_double_spent_deposit_counts_no_more() {
    let mut table = trusting(30_000);
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(100_000) }).unwrap();
    tell(&mut table);
    table.wait(3);
    let unit = table.ledger[0].unit;
    table.ledger.clear();

    table.show(&Sighting::BadSequence { unit });
    tell(&mut table);

    let package = table.sign(BUYER, 1, 1, 1);
    assert_eq!(table.offer(&package, "a"), Err(Refusal::NotDefined));
    assert_eq!(table.parties[BUYER].failed_deposits, ["its coins were spent twice"]);
}

#[test]
fn news_told_twice_or_late_change_nothing() {
    let mut table = Table::new();
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(50_000) }).unwrap();
    let seen = table.news.clone();
    table.stabilise();
    let mut all = table.news.clone();
    tell(&mut table);
    let before = table.channel(SELLER).clone();

    all.extend(seen);
    all.reverse();
    for (who, news) in all {
        table.ask(who, news).unwrap();
    }

    assert_eq!(*table.channel(SELLER), before);
}

#[test]
fn a_response_that_was_missed_is_made_up_for_by_the_next() {
    let mut table = trusting(1_000_000);
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(50_000) }).unwrap();
    tell(&mut table);
    table.stabilise();
    let missed: Vec<_> = table.news.drain(..).collect();
    table.post_by_hand(table.address(BUYER), 60_000, None);
    table.wait(3);
    tell(&mut table);
    table.stabilise();

    tell(&mut table);

    assert_eq!(table.channel(SELLER).receivable(), Bytes::new(110_000));
    let beyond = table.sign(BUYER, 1, 1, 110_001);
    assert!(table.offer(&beyond, "counted twice").is_err());
    for (who, news) in missed {
        table.ask(who, news).unwrap();
    }
    assert_eq!(table.channel(BUYER).payable(), Bytes::new(110_000));
}

#[test]
fn the_response_may_come_before_the_wallets_word() {
    let mut table = Table::new();
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(50_000) }).unwrap();
    let (_, posted) = table.news.pop().unwrap();
    table.stabilise();
    tell(&mut table);

    table.ask(BUYER, posted).unwrap();

    assert_eq!(table.channel(BUYER).payable(), Bytes::new(50_000));
    assert_eq!(table.ask(BUYER, Command::Close).unwrap().len(), 1, "no deposit is under way");
}

#[test]
fn a_bounce_may_come_before_the_wallets_word() {
    let mut table = Table::new();
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(50_000) }).unwrap();
    let (_, posted) = table.news.pop().unwrap();
    let Command::Posted { unit, .. } = posted.clone() else { panic!("{posted:?}") };
    table.news.clear();
    let bounced = Sighting::Response {
        trigger: unit,
        from: table.address(BUYER),
        bounced: Some("out of order".into()),
        payload: None,
        at: Timestamp::from_millis(table.now),
    };
    table.ask(BUYER, Command::Saw(bounced)).unwrap();

    table.ask(BUYER, posted).unwrap();

    assert_eq!(table.parties[BUYER].failed_deposits, ["out of order"]);
}

#[test]
fn a_peers_close_in_sight_stops_payments() {
    let mut table = Table::open(100_000);
    table.ask(SELLER, Command::Close).unwrap();
    tell(&mut table);

    assert_eq!(table.pay("lamp", 1), Err(Refusal::PeerIsClosing));
    let package = table.sign(BUYER, 1, 1, 1);
    assert_eq!(table.offer(&package, "a"), Err(Refusal::ClosedByMe));
    table.stabilise();
    tell(&mut table);
    assert_eq!(table.offer(&package, "a"), Err(Refusal::Closing));
    assert_eq!(table.pay("lamp", 1), Err(Refusal::Closing));
}

#[test]
fn two_closes_at_once_end_in_one() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 20_000);
    table.ask(BUYER, Command::Close).unwrap();
    table.ask(SELLER, Command::Close).unwrap();

    table.settle_down();
    table.wait(1);
    table.settle_down();

    assert!(matches!(table.channel(BUYER).phase(), Phase::Closed));
    assert_eq!(table.parties[SELLER].outcomes[&1].mine, Bytes::new(20_000));
    assert_eq!(table.agent.held, 0);
}

#[test]
fn what_is_no_response_of_the_agent_is_refused() {
    let mut table = Table::new();
    let sighting = Sighting::Response {
        trigger: Hash::of(b"?"),
        from: table.address(BUYER),
        bounced: None,
        payload: Some(json!({ "event_id": 1, "open": 1, "period": 1 })),
        at: Timestamp::from_millis(0),
    };

    let refusal = table.ask(BUYER, Command::Saw(sighting)).unwrap_err();

    assert_eq!(refusal.to_string(), "the agent's response cannot be read: a party's figure is missing");
}
