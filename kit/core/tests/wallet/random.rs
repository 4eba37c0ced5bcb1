//! Random days at the counter: answers are lost, late and repeated; processes die.

use coinop_core::wallet::Command;
use proptest::prelude::*;

use crate::bank::{Bank, shop};

#[derive(Clone, Copy, Debug)]
enum Step {
    Compose(u8, u64),
    Answer,
    LoseRequest,
    LoseAnswer,
    Refuse,
    Repeat,
    Wait,
    Stabilise(usize),
    Show,
    OldNews(usize),
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..12_u8, 1..20_000_u64).prop_map(|(name, amount)| Step::Compose(name, amount)),
        6 => Just(Step::Answer),
        1 => Just(Step::LoseRequest),
        2 => Just(Step::LoseAnswer),
        1 => Just(Step::Refuse),
        2 => Just(Step::Repeat),
        3 => Just(Step::Wait),
        3 => (0..8_usize).prop_map(Step::Stabilise),
        2 => Just(Step::Show),
        2 => (0..8_usize).prop_map(Step::OldNews),
        2 => Just(Step::Restart),
    ];
    prop::collection::vec(step, 0..80)
}

fn take(bank: &mut Bank, step: Step, old: &mut Vec<Command>) {
    match step {
        Step::Compose(name, amount) => drop(bank.compose(&name.to_string(), shop(), amount)),
        Step::Answer if !bank.posts.is_empty() => drop(bank.answer()),
        Step::LoseRequest if !bank.posts.is_empty() => {
            let (reference, _) = bank.posts.remove(0);
            bank.ask(Command::Unanswered { reference }).unwrap();
        }
        Step::LoseAnswer if !bank.posts.is_empty() => {
            let (reference, unit) = bank.posts.remove(0);
            if bank.take(&reference, &unit).is_ok() {
                bank.ask(Command::Unanswered { reference }).unwrap();
            }
        }
        Step::Refuse if !bank.posts.is_empty() => {
            let (reference, unit) = bank.posts.pop().unwrap();
            // A ledger refuses only what it does not have, and forgets it.
            if !bank.units.contains_key(&unit.unit) {
                bank.posts.retain(|(_, other)| other.unit != unit.unit);
                bank.ask(Command::Rejected { reference, error: "not now".into() }).unwrap();
            }
        }
        Step::Repeat if !bank.posts.is_empty() => {
            let again = bank.posts[0].clone();
            bank.posts.push(again);
        }
        Step::Answer | Step::LoseRequest | Step::LoseAnswer | Step::Refuse | Step::Repeat => {}
        Step::Wait => {
            bank.now += 5_000;
            bank.ask(Command::Wake).unwrap();
        }
        Step::Stabilise(index) => {
            if let Some(unit) = bank.units.keys().nth(index).copied() {
                bank.stabilise(unit);
            }
        }
        Step::Show => {
            let coins = bank.coins_on_the_ledger();
            old.push(Command::CoinsSeen { coins });
            bank.show();
        }
        Step::OldNews(index) => {
            if let Some(news) = old.get(index).cloned() {
                bank.ask(news).unwrap();
            }
        }
        Step::Restart => bank.restart(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_reference_is_paid_once_and_nothing_is_lost(day in steps()) {
        let coins = [30_000, 20_000, 10_000, 5_000];
        let mut bank = Bank::with(&coins);
        let mut old = Vec::new();

        for step in day {
            take(&mut bank, step, &mut old);
        }
        bank.restart();
        while !bank.posts.is_empty() {
            let _ = bank.answer();
        }

        let fees: u64 = bank.units.values().map(|unit| unit.fees().unwrap().get()).sum();
        let outputs: u64 = bank.outputs.values().map(|(output, _)| output.amount.get()).sum();
        prop_assert_eq!(outputs + fees, coins.iter().sum::<u64>());
        let owned: u64 = bank.coins_on_the_ledger().iter().map(|coin| coin.amount.get()).sum();
        let balance = bank.wallet.balance();
        prop_assert_eq!(balance.stable.get() + balance.pending.get(), owned);
        prop_assert!(balance.reserved.is_zero());
    }
}
