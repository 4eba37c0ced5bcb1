use std::time::Duration;

use coinop_core::Bytes;
use coinop_node::ledger::Command;
use proptest::prelude::*;

use crate::world::{Wallet, World};

#[derive(Clone, Debug)]
enum Deed {
    Fund { who: usize, amount: u64 },
    Pay { who: usize, to: usize, amount: u64 },
    Steal { who: usize, to: usize, amount: u64 },
    Twice { who: usize, to: usize, amount: u64 },
    Wait { millis: u64 },
}

fn deed() -> impl Strategy<Value = Deed> {
    let (who, to, amount) = (0..4_usize, 0..4_usize, 1..200_000_u64);
    prop_oneof![
        (who.clone(), amount.clone()).prop_map(|(who, amount)| Deed::Fund { who, amount }),
        (who.clone(), to.clone(), amount.clone()).prop_map(|(who, to, amount)| Deed::Pay { who, to, amount }),
        (who.clone(), to.clone(), amount.clone()).prop_map(|(who, to, amount)| Deed::Steal {
            who,
            to,
            amount
        }),
        (who, to, amount).prop_map(|(who, to, amount)| Deed::Twice { who, to, amount }),
        (0..3_000_u64).prop_map(|millis| Deed::Wait { millis }),
    ]
}

/// Carries out a deed; says whether the ledger refused it.
fn act(world: &mut World, wallets: &[Wallet], deed: &Deed) -> bool {
    let affords = |world: &World, who: usize, amount: u64| world.balance(&wallets[who]) > amount + 20_000;
    match *deed {
        Deed::Fund { who, amount } => {
            let command = Command::Fund { address: wallets[who].address, amount: Bytes::new(amount) };
            world.ask(command).is_err()
        }
        Deed::Pay { who, to, amount } if affords(world, who, amount) => {
            let unit = wallets[who].pay(world, wallets[to].address, amount, &[]);
            world.post(&unit).is_err()
        }
        Deed::Steal { who, to, amount } if affords(world, who, amount) => {
            let unit = wallets[to].seal(wallets[who].pay(world, wallets[to].address, amount, &[]));
            who != to && world.post(&unit).is_ok()
        }
        Deed::Twice { who, to, amount } if affords(world, who, amount) => {
            let coins = world.ledger.coins(&wallets[who].address);
            let first = wallets[who].pay_with(world, &coins, wallets[to].address, amount, &[]);
            let second = wallets[who].pay_with(world, &coins, wallets[to].address, amount + 1, &[]);
            world.post(&first).is_err() || world.post(&second).is_ok()
        }
        Deed::Wait { millis } => {
            world.pass(Duration::from_millis(millis));
            false
        }
        Deed::Pay { .. } | Deed::Steal { .. } | Deed::Twice { .. } => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn money_is_conserved_whatever_is_posted(deeds in prop::collection::vec(deed(), 1..40)) {
        let mut world = World::new();
        let wallets: Vec<Wallet> = ["alice", "bob", "carol", "mallory"].iter().map(|name| Wallet::of(name)).collect();
        for deed in &deeds {
            prop_assert!(!act(&mut world, &wallets, deed), "{deed:?} went the wrong way");
            prop_assert!(world.ledger.audit().is_ok());
        }
        world.settle();
        world.check();
        let mut again = World::new();
        for deed in &deeds {
            act(&mut again, &wallets, deed);
        }
        again.settle();
        prop_assert_eq!(again.journal(), world.journal(), "the same deeds gave another journal");
    }
}
