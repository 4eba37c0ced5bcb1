//! The pair of machines against bad networks, crashes and cheats.

mod buying;
mod meters;
mod party;
mod replay;
mod selling;
mod stage;
mod world;

use std::vec::Vec;

use proptest::prelude::*;

use super::End;
use crate::Bytes;
use world::{Cheat, Fate, Fault, Gauge, World};

const PERFECT: Fate = Fate { delay: 0, kind: 9 };

/// Reads the whole truth at once.
const PROMPT: Gauge = Gauge { lag: 0, resolution: world::TICK };

fn gauges() -> impl Strategy<Value = Gauge> {
    (0..15_u64, 1..50_u64).prop_map(|(lag, resolution)| Gauge { lag: lag * world::TICK, resolution })
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    prop::collection::vec((0..150_u64, 0..10_u8).prop_map(|(delay, kind)| Fate { delay, kind }), 1..40)
}

fn faults() -> impl Strategy<Value = Vec<(u64, Fault)>> {
    let fault = prop_oneof![
        4 => Just(Fault::CrashSale),
        4 => Just(Fault::CrashPurchase),
        2 => Just(Fault::BuyerControls),
        1 => Just(Fault::BuyerStops),
        1 => Just(Fault::SellerEnds),
    ];
    prop::collection::vec((0..900_u64, fault), 0..10)
}

fn play(cheat: Cheat, fates: Vec<Fate>, gauge: Gauge, faults: Vec<(u64, Fault)>) -> World {
    let mut world = World::new(cheat, fates, gauge);
    for (after, fault) in faults {
        world.pass(after / world::TICK * world::TICK);
        world.strike(fault);
    }
    // Long enough for every patience to run out.
    world.pass(20_000);
    world.assert_replayable();
    world
}

/// The seller's books: everything paid is used up or went back, and nothing else.
fn assert_sellers_books(world: &World) {
    let sale = &world.sale;
    assert!(sale.is_over(), "{}", sale.state());
    let value = world.offer().tariff.value(sale.delivered()).min(sale.paid());
    assert_eq!(sale.paid(), value.plus(sale.owed()).unwrap());
    assert_eq!(sale.returned(), sale.owed());
    assert_eq!(world.given_back, sale.owed());
}

/// Whatever happened, the buyer does not wait for ever, if it ever heard of the offer.
fn assert_buyer_is_done(world: &World) {
    let purchase = &world.purchase;
    assert!(purchase.is_over() || purchase.offer().is_none(), "{}", purchase.state());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn with_honest_parties_money_is_conserved_whatever_breaks(
        fates in fates(), gauge in gauges(), faults in faults(),
    ) {
        let world = play(Cheat::Nobody, fates, gauge, faults);

        prop_assert!(world.exposure.within_the_agreed(), "{:?}", world.exposure);
        assert_sellers_books(&world);
        assert_buyer_is_done(&world);
        prop_assert_eq!(world.sale.paid(), world.purchase.paid());
        if world.purchase.receipt().is_some() {
            prop_assert_eq!(world.purchase.owed(), world.sale.owed());
            prop_assert_eq!(world.purchase.overclaimed(), Bytes::ZERO);
        }
        prop_assert!(world.acts.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", world.acts);
    }

    #[test]
    fn honest_parties_come_to_the_end_when_nothing_is_lost(
        delays in prop::collection::vec((0..150_u64, 1..5_u8), 1..40), gauge in gauges(),
    ) {
        let fates = delays.into_iter().map(|(delay, kind)| Fate { delay, kind }).collect();

        let world = play(Cheat::Nobody, fates, gauge, Vec::new());

        prop_assert_eq!(world.purchase.ended(), Some(End::Complete));
        prop_assert!(world.truth + gauge.resolution >= party::WANTED, "{}", world.truth);
        prop_assert!(world.exposure.within_the_agreed(), "{:?}", world.exposure);
    }

    #[test]
    fn a_cheating_buyer_never_gets_more_than_a_step_unpaid(
        cheat in prop_oneof![
            Just(Cheat::BuyerNeverPays), Just(Cheat::BuyerPaysLate),
            Just(Cheat::BuyerOverpays), Just(Cheat::BuyerReplays),
        ],
        fates in fates(), gauge in gauges(), faults in faults(),
    ) {
        let world = play(cheat, fates, gauge, faults);

        prop_assert!(world.exposure.max_seller() <= world.exposure.step(), "{:?}", world.exposure);
        assert_sellers_books(&world);
        prop_assert!(world.acts.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", world.acts);
    }

    #[test]
    fn a_cheating_seller_never_gets_more_than_two_steps_for_nothing(
        cheat in prop_oneof![
            Just(Cheat::SellerOverReports), Just(Cheat::SellerDeliversNothing),
            Just(Cheat::SellerDeliversUnasked),
        ],
        fates in fates(), gauge in gauges(), faults in faults(),
    ) {
        let world = play(cheat, fates, gauge, faults);

        let two_steps = world.exposure.step().times(2).unwrap();
        prop_assert!(world.exposure.max_buyer() <= two_steps, "{:?}", world.exposure);
        assert_buyer_is_done(&world);
        prop_assert!(world.purchase.paid() <= Bytes::new(party::WANTED));
    }
}

#[test]
fn what_was_wanted_is_delivered_and_paid_to_the_byte() {
    let world = play(Cheat::Nobody, [PERFECT].into(), PROMPT, Vec::new());

    assert_eq!(world.truth, party::WANTED);
    assert_eq!(world.purchase.paid(), Bytes::new(party::WANTED));
    assert_eq!(world.purchase.ended(), Some(End::Complete));
    assert_eq!(world.sale.owed(), Bytes::ZERO);
    assert_sellers_books(&world);
}

#[test]
fn who_stops_half_way_gets_the_unused_rest_back() {
    let world = play(Cheat::Nobody, [PERFECT].into(), PROMPT, [(2_300, Fault::BuyerStops)].into());

    assert_eq!(world.purchase.ended(), Some(End::Stopped));
    assert!(world.sale.owed() > Bytes::ZERO);
    assert_eq!(world.purchase.paid().less(world.value()), world.purchase.returned());
    assert_sellers_books(&world);
}

#[test]
fn who_does_not_pay_the_next_step_sits_in_the_dark() {
    let world = play(Cheat::BuyerNeverPays, [PERFECT].into(), PROMPT, Vec::new());

    assert_eq!(world.truth, 1_000);
    assert_eq!(world.sale.ended(), Some(End::Unpaid));
}

#[test]
fn who_gets_nothing_pays_no_more_and_leaves() {
    let world = play(Cheat::SellerDeliversNothing, [PERFECT].into(), PROMPT, Vec::new());

    assert_eq!(world.purchase.paid(), Bytes::new(1_000));
    assert_eq!(world.purchase.ended(), Some(End::MetersDisagree));
}
