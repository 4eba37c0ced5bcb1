//! Two meters on one session: the seller's and the buyer's.

use std::vec::Vec;

use super::{
    party,
    stage::{buy, by_buyer, by_seller, offer, refused_purchase, running_purchase, running_sale, tell},
};
use crate::{
    Bytes,
    session::{
        End, Order, Purchase, PurchaseCommand, PurchaseEffect, Reading, Receipt, Sale, SaleCommand,
        SaleEffect, Statement, Stop,
    },
    tariff::Quantity,
};

/// The gap of the meter at rated power, and one percent of a hundred units.
const TOLERANCE: u64 = 301;

fn read(purchase: &mut Purchase, delivered: u64) -> Vec<PurchaseEffect> {
    let reading = Reading { session: purchase.id(), delivered: Quantity::new(delivered) };
    tell(purchase, PurchaseCommand::Read(reading)).unwrap()
}

fn observe(purchase: &mut Purchase, units: u64) -> Vec<PurchaseEffect> {
    tell(purchase, PurchaseCommand::Observed { units: Quantity::new(units) }).unwrap()
}

/// The seller's meter shows `delivered` to the last, and the buyer stops with `seen`.
fn stopped(delivered: u64, seen: Option<u64>) -> (Sale, Receipt) {
    let (mut sale, units) = (running_sale(), Quantity::new(delivered));
    tell(&mut sale, SaleCommand::Metered { units, at: super::stage::NOW.now }).unwrap();
    let stop = Stop { session: sale.id(), counter: 1, seen: seen.map(Quantity::new) };
    tell(&mut sale, SaleCommand::Instruct(by_buyer(&Statement::Stop(stop)))).unwrap();
    let effects = tell(&mut sale, SaleCommand::Final { units }).unwrap();
    let receipt = effects.into_iter().find_map(|effect| match effect {
        SaleEffect::Tell { statement: Statement::Receipt(receipt), .. } => Some(receipt),
        _ => None,
    });
    (sale, receipt.unwrap())
}

#[test]
fn a_seller_whose_meter_is_too_far_ahead_is_left_with_our_own_figure_signed() {
    let mut purchase = running_purchase();

    read(&mut purchase, 100 + TOLERANCE);
    observe(&mut purchase, 100);
    assert_eq!(purchase.ended(), None);
    read(&mut purchase, 101 + TOLERANCE);
    let effects = observe(&mut purchase, 100);

    assert_eq!(purchase.ended(), Some(End::MetersDisagree));
    let stop = Stop { session: purchase.id(), counter: 1, seen: Some(Quantity::new(100)) };
    assert_eq!(effects, [PurchaseEffect::Tell { to: offer().seller, statement: Statement::Stop(stop) }]);
}

#[test]
fn what_was_still_seen_after_the_stop_is_said_with_it_again() {
    let mut purchase = running_purchase();
    tell(&mut purchase, PurchaseCommand::Stop).unwrap();
    tell(&mut purchase, PurchaseCommand::Observed { units: Quantity::new(70) }).unwrap();

    let again = crate::Machine::pending(&purchase);

    let stop = Stop { session: purchase.id(), counter: 1, seen: Some(Quantity::new(70)) };
    assert_eq!(
        again.last().unwrap(),
        &PurchaseEffect::Tell { to: offer().seller, statement: Statement::Stop(stop) }
    );
}

#[test]
fn within_the_tolerance_the_lower_figure_is_settled() {
    let (_, buyers) = stopped(600, Some(550));
    let (_, sellers) = stopped(600, Some(650));
    let (_, alone) = stopped(600, None);

    assert_eq!(
        (buyers.delivered, buyers.value, buyers.why),
        (Quantity::new(550), Bytes::new(550), End::Stopped)
    );
    assert_eq!((sellers.delivered, sellers.why), (Quantity::new(600), End::Stopped));
    assert_eq!((alone.delivered, alone.why), (Quantity::new(600), End::Stopped));
}

#[test]
fn beyond_it_the_session_is_in_dispute_and_the_buyers_signature_is_kept() {
    for seen in [100, 1_000] {
        let (sale, receipt) = stopped(600, Some(seen));

        assert_eq!((receipt.delivered, receipt.why), (Quantity::new(600), End::MetersDisagree));
        let stop = sale.stop().unwrap();
        assert_eq!(stop.seen, Some(Quantity::new(seen)));
        assert_eq!(stop.package.open().unwrap().signer(), offer().buyer);
    }
}

#[test]
fn money_that_comes_after_the_account_is_settled_by_the_same_figure() {
    let (mut sale, before) = stopped(600, Some(550));

    let effects = tell(&mut sale, SaleCommand::Paid { total: Bytes::new(1_500) }).unwrap();

    let late = Receipt { paid: Bytes::new(1_500), ..before };
    let to = offer().buyer;
    assert!(effects.contains(&SaleEffect::Tell { to, statement: Statement::Receipt(late) }), "{effects:?}");
}

#[test]
fn the_sellers_signed_figure_is_kept_by_the_buyer() {
    let mut purchase = running_purchase();
    let (delivered, paid) = (Quantity::new(600), Bytes::new(1_000));
    let receipt =
        Receipt { session: purchase.id(), delivered, value: Bytes::new(600), paid, why: End::MetersDisagree };

    tell(&mut purchase, PurchaseCommand::Receipt(by_seller(&Statement::Receipt(receipt)))).unwrap();

    assert_eq!(purchase.receipt().unwrap().open().unwrap().signer(), offer().seller);
    assert_eq!(purchase.owed(), Bytes::new(400));
}

#[test]
fn an_offer_that_leaves_no_room_for_the_own_meters_error_is_not_taken() {
    let order = Order { error_permille: 11, ..party::order() };

    let refusal = refused_purchase(&Purchase::new(party::session()), buy(offer(), order));

    assert_eq!(refusal, "our meter may be 11 ‰ off, and the offer leaves room for 10 ‰");
}
