//! Which coins are spent, and what a reference is worth.

use coinop_core::{
    Bytes,
    obyte::{Hash, unit::Output},
    wallet::{Balance, Command, Effect, Refusal, Request},
};

use crate::bank::{Bank, shop};

fn balance(stable: u64, pending: u64, reserved: u64) -> Balance {
    Balance { stable: Bytes::new(stable), pending: Bytes::new(pending), reserved: Bytes::new(reserved) }
}

#[test]
fn a_payment_reserves_spends_and_brings_change() {
    let mut bank = Bank::with(&[10_000, 5_000]);
    bank.compose("a", shop(), 1_000).unwrap();
    assert_eq!(bank.wallet.balance(), balance(5_000, 0, 10_000));

    let unit = bank.answer().unwrap();
    // 408 and 311 bytes of unit, 10 of load.
    assert_eq!(bank.wallet.balance(), balance(5_000, 10_000 - 1_000 - 408 - 311 - 10, 0));

    bank.stabilise(unit);
    assert_eq!(bank.wallet.balance(), balance(5_000 + 8_271, 0, 0));
    assert_eq!(bank.told, [Effect::Posted { reference: "a".into(), unit }]);
}

#[test]
fn the_same_reference_gives_the_same_unit() {
    let mut bank = Bank::with(&[10_000, 5_000]);
    let first = bank.compose("a", shop(), 1_000).unwrap();
    bank.now += 60_000;

    assert_eq!(bank.compose("a", shop(), 1_000).unwrap(), first);
    let unit = bank.answer().unwrap();
    let later = bank.compose("a", shop(), 1_000).unwrap();

    assert_eq!(later, [Effect::Posted { reference: "a".into(), unit }]);
}

#[test]
fn one_unit_at_a_time() {
    let mut bank = Bank::with(&[10_000, 5_000]);
    bank.compose("a", shop(), 1_000).unwrap();

    let refusal = bank.compose("b", shop(), 1_000).unwrap_err();

    assert_eq!(refusal.to_string(), "the ledger has not answered a yet");
}

#[test]
fn no_answer_is_not_a_failure_the_same_unit_goes_again() {
    let mut bank = Bank::with(&[10_000]);
    bank.compose("a", shop(), 1_000).unwrap();
    let (reference, lost) = bank.posts.remove(0);
    // The ledger took it, but the answer is lost.
    let unit = bank.take(&reference, &lost).unwrap();
    bank.ask(Command::Unanswered { reference }).unwrap();
    assert_eq!(bank.ask(Command::Wake).unwrap(), [], "not yet");

    bank.now += 5_000;
    bank.ask(Command::Wake).unwrap();

    assert_eq!(bank.posts[0].1, lost);
    assert_eq!(bank.answer(), Ok(unit));
    assert_eq!(bank.wallet.balance(), balance(0, 8_271, 0));
}

#[test]
fn a_restart_posts_the_same_unit_again() {
    let mut bank = Bank::with(&[10_000]);
    bank.compose("a", shop(), 1_000).unwrap();
    let lost = bank.posts.remove(0);

    bank.restart();

    assert_eq!(bank.posts, [lost]);
}

#[test]
fn a_rejected_unit_frees_its_coins_and_its_reference() {
    let mut bank = Bank::with(&[10_000]);
    bank.compose("a", shop(), 1_000).unwrap();
    let error = "parents are too old".to_owned();
    bank.ask(Command::Rejected { reference: "a".into(), error: error.clone() }).unwrap();

    assert_eq!(bank.wallet.balance(), balance(10_000, 0, 0));
    assert_eq!(bank.told, [Effect::PostFailed { reference: "a".into(), error }]);
    bank.now += 1_000;
    bank.compose("a", shop(), 1_000).unwrap();
    bank.answer().unwrap();
}

#[test]
fn too_little_is_refused_with_both_numbers() {
    let mut bank = Bank::with(&[700, 500]);

    let refusal = bank.compose("a", shop(), 1_000).unwrap_err();
    assert_eq!(refusal.to_string(), "1765 B needed with fees but only 1200 B can be spent");

    let refusal = bank.compose("a", shop(), 2_000).unwrap_err();
    assert_eq!(refusal.to_string(), "2729 B needed with fees but only 1200 B can be spent");

    let refusal = Bank::with(&[]).compose("a", shop(), 5).unwrap_err();
    assert_eq!(refusal.to_string(), "5 B needed with fees but only 0 B can be spent");
}

#[test]
fn more_coins_than_a_unit_holds_are_refused() {
    let mut bank = Bank::with(&[500; 200]);

    let refusal = bank.compose("a", shop(), 60_000).unwrap_err();

    assert!(
        matches!(refusal, Refusal::TooManyCoins { most: 128, available, .. } if available.get() == 64_000)
    );
}

#[test]
fn an_output_of_nothing_is_refused() {
    let mut bank = Bank::with(&[10_000]);

    assert_eq!(bank.compose("a", shop(), 0), Err(Refusal::ZeroOutput));
    let request = Request { max_aa_responses: Some(0), ..Request::default() };
    assert_eq!(bank.request("a", request), Err(Refusal::ZeroResponses));
}

#[test]
fn stable_coins_go_first_and_large_before_small() {
    let mut bank = Bank::with(&[3_000, 50_000, 4_000]);
    bank.compose("a", shop(), 1_000).unwrap();
    bank.answer().unwrap();

    // The change of the first is larger, but still pending.
    bank.compose("b", shop(), 1_000).unwrap();

    assert_eq!(bank.wallet.balance(), balance(3_000, 48_271, 4_000));
}

#[test]
fn the_wallets_own_change_may_be_spent_at_once_but_not_what_others_send() {
    let mut bank = Bank::with(&[10_000]);
    bank.compose("a", shop(), 1_000).unwrap();
    let unit = bank.answer().unwrap();
    bank.compose("b", shop(), 1_000).unwrap();
    bank.answer().unwrap();
    assert_ne!(bank.wallet.balance().pending, Bytes::ZERO);

    let mut other = Bank::with(&[]);
    let mut coin = *bank.coins_on_the_ledger().first().unwrap();
    coin.id.unit = unit;
    other.ask(Command::CoinsSeen { coins: vec![coin] }).unwrap();

    let refusal = other.compose("c", shop(), 1_000).unwrap_err();
    assert!(matches!(refusal, Refusal::Short { available: Bytes::ZERO, .. }));
}

#[test]
fn old_news_bring_no_spent_coin_back() {
    let mut bank = Bank::with(&[10_000]);
    let old = bank.coins_on_the_ledger();
    bank.compose("a", shop(), 1_000).unwrap();
    bank.ask(Command::CoinsSeen { coins: old.clone() }).unwrap();
    assert_eq!(bank.wallet.balance(), balance(0, 0, 10_000));
    bank.answer().unwrap();

    bank.ask(Command::CoinsSeen { coins: old }).unwrap();

    assert_eq!(bank.wallet.balance(), balance(0, 8_271, 0));
}

#[test]
fn a_double_spent_unit_takes_its_change_with_it() {
    let mut bank = Bank::with(&[10_000]);
    bank.compose("a", shop(), 1_000).unwrap();
    let unit = bank.answer().unwrap();

    bank.ask(Command::BadSequence { unit }).unwrap();
    assert_eq!(bank.wallet.balance(), Balance::default());
    assert_eq!(bank.ask(Command::BadSequence { unit: Hash::of(b"never heard of") }).unwrap(), []);
}

#[test]
fn coins_spent_elsewhere_are_gone_even_when_bound() {
    let mut bank = Bank::with(&[10_000, 20_000]);
    bank.compose("a", shop(), 1_000).unwrap();
    let coins = bank.coins_on_the_ledger().into_iter().map(|coin| coin.id).collect();
    bank.ask(Command::CoinsGone { coins }).unwrap();
    bank.ask(Command::Rejected { reference: "a".into(), error: "double spend".into() }).unwrap();

    assert_eq!(bank.wallet.balance(), Balance::default());
}

#[test]
fn two_copies_of_a_wallet_pay_once() {
    let mut bank = Bank::with(&[10_000]);
    let copy = bank.wallet.clone();
    bank.compose("a", shop(), 1_000).unwrap();
    let original = bank.posts.pop().unwrap().1;

    bank.wallet = copy;
    bank.compose("a", shop(), 1_000).unwrap();
    let copied = bank.posts.pop().unwrap().1;

    assert_eq!(original, copied, "the same coins, the same quote, the same unit");
    bank.take("a", &original).unwrap();
    assert_eq!(bank.take("a", &copied), Ok(original.unit), "known already");
}

#[test]
fn money_to_oneself_comes_back_whole() {
    let mut bank = Bank::with(&[10_000]);
    let own = bank.wallet.address();
    let outputs = vec![Output { address: own, amount: Bytes::new(4_000) }];
    bank.request("a", Request { outputs, ..Request::default() }).unwrap();
    bank.answer().unwrap();

    assert_eq!(bank.wallet.balance(), balance(0, 9_271, 0));
    assert_eq!(bank.wallet.coins().count(), 2);
}
