//! One test for each attack on a channel that is known from somewhere.

use coinop_core::{
    Bytes,
    channel::{ChannelParameters, Command, Effect, Limits, Package, Refusal, SignedPackage, Terms},
    obyte::Signature,
};
use serde_json::json;

use crate::table::{BUYER, SELLER, Table, signer, terms};

const REPEAT: &str = "Payment amount is over your available credit.";

fn close_by_hand(table: &mut Table, who: usize, transferred: u64) {
    let data = json!({ "close": 1, "period": 1, "transferredFromMe": transferred });
    table.post_by_hand(table.address(who), 10_000, Some(data));
}

#[test]
fn closing_with_an_old_state_costs_the_cheater_everything() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 500);
    table.pay_through("lamp", 30_000);

    close_by_hand(&mut table, BUYER, 500);
    table.settle_down();

    let outcome = table.parties[SELLER].outcomes[&1];
    assert_eq!(outcome.mine, Bytes::new(100_000));
    assert_eq!(outcome.fraud_proven_by, Some(table.address(SELLER)));
    assert_eq!(table.agent.paid_to(table.address(BUYER)), 0);
    assert_eq!(table.agent.paid_to(table.address(SELLER)), 120_000);
}

#[test]
fn a_seller_who_closes_with_an_old_state_loses_everything_too() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 30_000);
    table.ask(SELLER, Command::Pay { session: "back".into(), up_to: Bytes::new(10_000) }).unwrap();
    table.settle_down();

    close_by_hand(&mut table, SELLER, 0);
    table.settle_down();

    assert_eq!(table.agent.paid_to(table.address(SELLER)), 0);
}

#[test]
fn evidence_is_never_downgraded() {
    let mut table = Table::open(100_000);
    let old = table.pay_through("lamp", 500);
    let newest = table.pay_through("lamp", 30_000);
    let overpaid = table.sign(BUYER, 1, 1, 40_000);
    table.offer(&overpaid, "a").unwrap();

    // There is credit that an old package could be paid from.
    for older in [&old, &newest] {
        assert_eq!(table.offer(older, "b").unwrap_err().to_string(), REPEAT);
    }

    assert_eq!(table.channel(SELLER).evidence(), Some(&overpaid));
}

#[test]
fn a_replay_pays_nothing_while_a_deposit_is_unconfirmed() {
    let limits =
        Limits { max_unconfirmed: Bytes::new(1_000_000), min_unconfirmed_age_ms: 0, ..Limits::default() };
    let mut table = Table::with_limits(limits);
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(100_000) }).unwrap();
    table.settle_down();
    let old = table.pay_through("lamp", 500);
    let newest = table.pay_through("lamp", 900);
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(200_000) }).unwrap();
    while let Some((who, news)) = table.news.pop() {
        table.ask(who, news).unwrap();
    }

    assert_eq!(table.offer(&old, "a").unwrap_err().to_string(), REPEAT);
    let again = table.offer(&newest, "b").unwrap();

    assert_eq!(
        again,
        [Effect::Answer { tag: "b".into(), answer: json!({ "response": { "paid": 400, "total": 900 } }) }]
    );
    assert_eq!(table.parties[SELLER].credited[&"lamp".into()], Bytes::new(900));
    assert_eq!(table.channel(SELLER).overpayment(), Bytes::ZERO);
}

#[test]
fn a_package_for_another_channel_direction_period_or_network_pays_nothing() {
    let mut table = Table::open(100_000);
    let own = || Package::new(table.channel(BUYER).agent(), 1, Bytes::new(5), Bytes::new(5));
    let elsewhere = terms(&[signer(1), signer(2)], "another").aa_address().unwrap();
    let another_channel = Package { aa_address: elsewhere, ..own() };
    let another_period = Package { period: 2, ..own() };
    let buyer = signer(2);
    let another_network = SignedPackage { version: "4.0".into(), ..buyer.sign(own()).unwrap() };
    let expected = format!("package signed by wrong address expected : {}", table.address(BUYER));
    let cases = [
        (buyer.sign(another_channel).unwrap(), "unknown channel"),
        (buyer.sign(another_period).unwrap(), "wrong period"),
        (another_network, "unsupported version: \"4.0\""),
        (signer(1).sign(own()).unwrap(), expected.as_str()),
        (signer(9).sign(own()).unwrap(), expected.as_str()),
    ];

    for (package, text) in cases {
        assert_eq!(table.offer(&package, "a").unwrap_err().to_string(), text);
    }
}

#[test]
fn one_package_delivered_many_times_pays_once() {
    let mut table = Table::open(100_000);
    let package = table.sign(BUYER, 1, 70, 70);

    for tag in 0..50 {
        table.offer(&package, &tag.to_string()).unwrap();
    }

    assert_eq!(table.parties[SELLER].credited[&"session".into()], Bytes::new(70));
    assert_eq!(table.answers.len(), 50);
    assert!(table.answers.values().all(|answer| *answer == table.answers["0"]));
}

#[test]
fn no_answer_is_not_a_failure_and_nothing_is_paid_twice() {
    let mut table = Table::open(100_000);
    table.pay("lamp", 70).unwrap();
    table.deliver(0).unwrap();
    // The answer is lost; the session asks again, and so does the restarted process.
    table.pay("lamp", 70).unwrap();
    table.restart(BUYER);
    table.settle_down();

    assert_eq!(table.channel(BUYER).mine().spent, Bytes::new(70));
    assert_eq!(table.parties[SELLER].credited[&"lamp".into()], Bytes::new(70));
}

#[test]
fn a_crash_never_makes_two_packages_of_one_total() {
    let mut table = Table::open(100_000);
    for step in 1..=20 {
        table.pay("lamp", step * 10).unwrap();
        table.restart(BUYER);
        if step % 3 == 0 {
            table.settle_down();
        }
    }

    for package in &table.every_package {
        for other in &table.every_package {
            let same_total = package.message.amount_spent == other.message.amount_spent;
            assert!(!same_total || package == other);
        }
    }
}

#[test]
fn amounts_at_the_edge_do_not_wrap() {
    let mut table = Table::open(100_000);
    for (payment, spent) in
        [(Bytes::MAX.get(), Bytes::MAX.get()), (1, Bytes::MAX.get()), (Bytes::MAX.get(), 1)]
    {
        let package = table.sign(BUYER, 1, payment, spent);
        assert!(table.offer(&package, "a").is_err());
    }
    assert!(matches!(table.pay("lamp", Bytes::MAX.get()), Err(Refusal::Short { .. })));
}

#[test]
fn a_thousand_payments_leave_no_more_state_than_one() {
    let mut table = Table::open(100_000);
    let size = |table: &Table| serde_json::to_string(table.channel(SELLER)).unwrap().len();
    table.pay_through("lamp", 1_000);
    let after_one = size(&table);

    for step in 1..=1_000 {
        table.pay_through("lamp", 1_000 + step);
    }

    assert!(size(&table) <= after_one + 8, "only digits were added");
}

#[test]
fn a_stranger_who_posts_the_proof_is_named() {
    let mut table = Table::open(100_000);
    let package = table.pay_through("lamp", 30_000);
    close_by_hand(&mut table, BUYER, 0);
    table.news.clear();
    table.stabilise();
    let stranger = signer(9).address();
    let proof = json!({ "fraud_proof": 1, "sentByPeer": package });
    table.post_by_hand(stranger, 10_000, Some(proof));
    table.settle_down();

    let outcome = table.parties[SELLER].outcomes[&1];
    assert_eq!((outcome.mine, outcome.peer), (Bytes::ZERO, Bytes::ZERO));
    assert_eq!(outcome.fraud_proven_by, Some(stranger));
}

/// The agent pays whoever proves a fraud, also the cheater: he closes with nothing and proves it
/// himself in the next unit. No answer can be faster; only closing first, and often, keeps what is
/// at stake small.
#[test]
fn a_cheater_who_proves_his_own_fraud_first_takes_all_and_it_shows() {
    let mut table = Table::open(100_000);
    let package = table.pay_through("lamp", 30_000);
    let buyer = table.address(BUYER);
    close_by_hand(&mut table, BUYER, 0);
    let proof = json!({ "fraud_proof": 1, "sentByPeer": package });
    table.post_by_hand(buyer, 10_000, Some(proof));
    table.settle_down();

    let outcome = table.parties[SELLER].outcomes[&1];
    assert_eq!((outcome.mine, outcome.fraud_proven_by), (Bytes::ZERO, Some(buyer)));
}

#[test]
fn no_more_is_taken_than_may_be_at_stake() {
    let limits = Limits { max_at_stake: Bytes::new(5_000), ..Limits::default() };
    let mut table = Table::with_limits(limits);
    table.ask(BUYER, Command::Deposit { amount: Bytes::new(100_000) }).unwrap();
    table.settle_down();
    table.pay_through("lamp", 5_000);

    let package = table.sign(BUYER, 1, 1, 5_001);

    assert_eq!(table.channel(SELLER).receivable(), Bytes::ZERO);
    assert_eq!(table.offer(&package, "a").unwrap_err().to_string(), "AA not funded enough.");
}

#[test]
fn nobody_can_prove_anything_against_a_seller_who_closed_first() {
    let mut table = Table::open(100_000);
    let package = table.pay_through("lamp", 30_000);
    let buyer = table.address(BUYER);
    table.ask(SELLER, Command::Close).unwrap();
    close_by_hand(&mut table, BUYER, 0);
    let proof = json!({ "fraud_proof": 1, "sentByPeer": package });
    table.post_by_hand(buyer, 10_000, Some(proof));
    table.settle_down();
    table.wait(1);
    table.settle_down();

    assert_eq!(table.parties[SELLER].outcomes[&1].mine, Bytes::new(30_000));
}

#[test]
fn a_dishonest_close_is_answered_at_once_and_before_anything_else() {
    let mut table = Table::open(100_000);
    table.pay_through("lamp", 30_000);
    close_by_hand(&mut table, BUYER, 0);
    table.stabilise();
    let (_, closing) = table.news.iter().rev().find(|(who, _)| *who == SELLER).unwrap().clone();

    let effects = table.ask(SELLER, closing).unwrap();

    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Post { reference, .. } if reference.contains("/fraud/")))
    );
}

#[test]
fn a_dust_deposit_opens_nothing() {
    let mut table = Table::new();
    table.post_by_hand(table.address(BUYER), 10_001, None);
    table.settle_down();

    let package = table.sign(BUYER, 1, 1, 1);

    assert_eq!(table.offer(&package, "a").unwrap_err().to_string(), "AA not funded enough.");
    assert_eq!(table.channel(SELLER).receivable(), Bytes::ZERO);
}

#[test]
fn evidence_that_would_cost_more_than_it_proves_is_refused() {
    let mut table = Table::open(100_000);
    let mut package = Package::new(table.channel(BUYER).agent(), 1, Bytes::new(5), Bytes::new(5));
    package.extra.insert("note".into(), json!("x".repeat(1_000)));
    let package = signer(2).sign(package).unwrap();

    assert!(matches!(table.offer(&package, "a"), Err(Refusal::TooLong { .. })));
}

#[test]
fn a_second_signature_of_the_newest_payment_pays_nothing() {
    let mut table = Table::open(100_000);
    let package = table.sign(BUYER, 1, 70, 70);
    table.offer(&package, "a").unwrap();
    let mut s_negated = *package.signature.as_bytes();
    negate(&mut s_negated[32..]);

    let high_s = SignedPackage { signature: Signature::from_bytes(s_negated), ..package };

    assert_eq!(table.offer(&high_s, "b").unwrap_err().to_string(), "bad signature at path r");
}

/// The order of the curve minus `s`, big-endian.
fn negate(s: &mut [u8]) {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let mut borrow = 0;
    for index in (0..32).rev() {
        let digit = i32::from(u8::from_str_radix(&order[2 * index..2 * index + 2], 16).unwrap());
        let difference = digit - i32::from(s[index]) - borrow;
        borrow = i32::from(difference < 0);
        s[index] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
}

#[test]
fn a_channel_announced_in_the_name_of_another_is_refused() {
    let own = signer(1).address();
    let truth = terms(&[signer(1), signer(2)], "announced");
    let announce = |address, salt: &str| {
        let parameters = ChannelParameters {
            address,
            asset: "base".into(),
            salt: salt.into(),
            timeout: truth.timeout_seconds,
            version: "1.1".into(),
        };
        let package = Package::new(truth.aa_address().unwrap(), 1, Bytes::new(7), Bytes::new(7));
        let package = Package { channel_parameters: Some(parameters), ..package };
        Terms::announced(&signer(2).sign(package).unwrap(), own).map_err(|refusal| refusal.to_string())
    };

    assert_eq!(announce(signer(2).address(), "announced"), Ok(truth.clone()));
    let by_another = "address in channel_parameters mismatches with signing address";
    assert_eq!(announce(own, "announced"), Err(by_another.to_owned()));
    let otherwise = "channel_parameters doesn't correspond to aa_address";
    assert_eq!(announce(signer(2).address(), "other"), Err(otherwise.to_owned()));
}
