//! Paying and being paid.

use coinop_core::{
    Bytes, Machine,
    channel::{Command, Effect, Limits, Refusal, SessionId},
};

use crate::table::{BUYER, SELLER, Table};

#[test]
fn a_payment_is_credited_and_answered() {
    let mut table = Table::open(100_000);

    table.pay_through("lamp", 70);
    table.pay_through("lamp", 100);

    assert_eq!(table.parties[SELLER].credited[&"lamp".into()], Bytes::new(100));
    assert_eq!(table.channel(SELLER).peer().spent, Bytes::new(100));
    assert_eq!(table.answers["2"].to_string(), r#"{"response":{"paid":30,"total":100}}"#);
}

#[test]
fn both_may_pay() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 500);

    table.ask(SELLER, Command::Pay { session: "change".into(), up_to: Bytes::new(400) }).unwrap();
    table.deliver(0).unwrap();

    assert_eq!(table.parties[BUYER].credited[&"change".into()], Bytes::new(400));
    assert_eq!(table.channel(BUYER).payable(), Bytes::new(99_900));
}

#[test]
fn a_total_already_paid_repeats_the_newest_package() {
    let mut table = Table::open(100_000);
    let first = table.pay("lamp", 70).unwrap();

    assert_eq!(table.pay("lamp", 70).unwrap(), first);
    assert_eq!(table.pay("lamp", 10).unwrap(), first);
    assert_eq!(table.channel(BUYER).mine().spent, Bytes::new(70));
}

#[test]
fn more_than_is_available_is_refused_with_both_numbers() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 99_000);

    let refusal = table.pay("lamp", 100_001).unwrap_err();

    assert_eq!(refusal.to_string(), "1001 B to be paid but only 1000 B available in the channel");
}

#[test]
fn before_any_deposit_there_is_nothing_to_pay_with() {
    let mut table = Table::new();

    assert_eq!(table.pay("lamp", 1), Err(Refusal::NotOpen));
}

#[test]
fn a_deposit_that_is_there_is_not_made_twice() {
    let mut table = Table::new();
    let deposit = || Command::Deposit { amount: Bytes::new(50_000) };
    let first = table.ask(BUYER, deposit()).unwrap();
    assert_eq!(table.ask(BUYER, deposit()).unwrap(), first);
    table.settle_down();

    let again = table.ask(BUYER, deposit()).unwrap();

    let ready = Effect::Ready { period: 1, payable: Bytes::new(50_000), receivable: Bytes::ZERO };
    assert_eq!(again, [ready]);
    assert_eq!(table.agent.held, 50_000);
}

#[test]
fn only_the_missing_part_is_deposited_but_never_less_than_the_smallest() {
    let mut table = Table::open(50_000);
    table.pay_through("lamp", 10_000);

    table.ask(BUYER, Command::Deposit { amount: Bytes::new(90_000) }).unwrap();
    table.settle_down();
    assert_eq!(table.channel(BUYER).payable(), Bytes::new(90_000));

    table.ask(BUYER, Command::Deposit { amount: Bytes::new(90_001) }).unwrap();
    table.settle_down();
    assert_eq!(table.channel(BUYER).payable(), Bytes::new(110_000));
}

#[test]
fn the_first_deposit_publishes_the_agent_and_later_ones_do_not() {
    let mut table = Table::new();
    let defines = |effects: &[Effect]| match effects {
        [Effect::Post { definition, .. }] => definition.is_some(),
        _ => panic!("a post expected, not {effects:?}"),
    };

    let first = table.ask(BUYER, Command::Deposit { amount: Bytes::new(50_000) }).unwrap();
    table.settle_down();
    let second = table.ask(BUYER, Command::Deposit { amount: Bytes::new(90_000) }).unwrap();

    assert!(defines(&first));
    assert!(!defines(&second));
}

#[test]
fn what_was_overpaid_can_be_spent_once() {
    let mut table = Table::open(100_000);

    let overpaid = table.sign(BUYER, 1, 10, 250);
    table.offer(&overpaid, "a").unwrap();
    assert_eq!(table.channel(SELLER).overpayment(), Bytes::new(240));
    let from_the_rest = table.sign(BUYER, 1, 100, 250);
    table.offer(&from_the_rest, "b").unwrap();
    let more = table.sign(BUYER, 1, 20, 250);
    table.offer(&more, "c").unwrap();

    for repeat in [&overpaid, &from_the_rest] {
        let refusal = table.offer(repeat, "d").unwrap_err();
        assert_eq!(refusal.to_string(), "Payment amount is over your available credit.");
    }
    let first_answer = table.offer(&more, "e").unwrap();
    assert_eq!(first_answer.len(), 1);
    assert_eq!(table.channel(SELLER).overpayment(), Bytes::new(120));
}

#[test]
fn sessions_are_counted() {
    let mut table = Table::with_limits(Limits { max_sessions: 2, ..Limits::default() });
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(50_000) }).unwrap();
    table.settle_down();
    table.pay_through("a", 1);
    table.pay_through("b", 1);

    assert_eq!(table.pay("c", 1), Err(Refusal::TooManySessions(2)));
    table.pay_through("a", 2);

    let long = SessionId("x".repeat(65));
    let package = table.sign(BUYER, 1, 1, 4);
    let command = Command::Receive { tag: "t".into(), package, session: Some(long) };
    assert_eq!(table.ask(SELLER, command), Err(Refusal::NameTooLong(65)));
}

#[test]
fn after_a_restart_the_newest_package_goes_out_again() {
    let mut table = Table::open(100_000);
    table.pay("lamp", 70).unwrap();
    let lost = table.wire.remove(0);

    table.restart(BUYER);

    assert_eq!(table.wire[0].package, lost.package, "the same bytes");
    table.deliver(0).unwrap();
    assert_eq!(table.parties[SELLER].credited[&"lamp".into()], Bytes::new(70));
    assert!(
        table
            .channel(SELLER)
            .pending()
            .contains(&Effect::Credited { session: "lamp".into(), total: Bytes::new(70) })
    );
}
