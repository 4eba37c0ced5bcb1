//! The buyer's rules, one by one.

use super::{
    party::{self, Keys},
    stage::*,
};
use crate::{
    Bytes, Context, Machine, Timestamp,
    session::{
        End, Offer, Order, Purchase, PurchaseCommand, PurchaseEffect, Reading, Receipt, SessionId, Statement,
        Witness,
    },
    tariff::{Price, Quantity, Tariff, Unit},
};

#[test]
fn an_expired_or_dear_or_foreign_offer_is_not_taken() {
    let purchase = Purchase::new(party::session());
    let expired = Offer { expires_at: NOW.now, ..offer() };
    let dear = Order { limit: Price { bytes: Bytes::new(999), per: Quantity::new(1_000) }, ..party::order() };
    let foreign = Offer { buyer: Keys::new().seller_address(), ..offer() };
    let other = Offer { session: SessionId::from_random(&[1; 32]), ..offer() };

    assert_eq!(
        refused_purchase(&purchase, buy(expired, party::order())),
        "expired at 1.000, and it is 1.000"
    );
    assert_eq!(
        refused_purchase(&purchase, buy(offer(), dear)),
        "1000 B per 1000 ms is above the limit of 999 B per 1000"
    );
    assert!(refused_purchase(&purchase, buy(foreign, party::order())).starts_with("the offer is for "));
    assert!(refused_purchase(&purchase, buy(other, party::order())).starts_with("about session 0101"));
}

#[test]
fn an_offer_that_asks_for_three_steps_first_is_not_taken() {
    let greedy = Offer { first: Bytes::new(1_500), ..offer() };

    let text = refused_purchase(&Purchase::new(party::session()), buy(greedy, party::order()));

    assert_eq!(text, "a first payment of 1500 B is not two steps, which are 1000 B");
}

#[test]
fn a_budget_below_the_first_payment_is_refused_with_both_numbers() {
    let poor = Order { budget: Bytes::new(999), ..party::order() };

    let text = refused_purchase(&Purchase::new(party::session()), buy(offer(), poor));

    assert_eq!(text, "budget for the first payment: 1000 B needed but only 999 B available");
}

#[test]
fn an_offer_in_another_unit_is_not_taken() {
    let tariff =
        Tariff::new(Unit::Call, Bytes::new(1_000), Quantity::new(1_000), Quantity::new(500)).unwrap();

    let text =
        refused_purchase(&Purchase::new(party::session()), buy(Offer { tariff, ..offer() }, party::order()));

    assert_eq!(text, "sold by calls and not by ms");
}

#[test]
fn a_step_is_paid_only_when_a_step_was_seen() {
    let mut purchase = running_purchase();
    let session = purchase.id();
    assert_eq!(purchase.paid(), Bytes::new(1_000));
    tell(&mut purchase, PurchaseCommand::Read(Reading { session, delivered: Quantity::new(499) })).unwrap();

    tell(&mut purchase, PurchaseCommand::Observed { units: Quantity::new(500) }).unwrap();
    assert_eq!(purchase.paid(), Bytes::new(1_000));
    tell(&mut purchase, PurchaseCommand::Read(Reading { session, delivered: Quantity::new(500) })).unwrap();

    assert_eq!(purchase.paid(), Bytes::new(1_500));
}

#[test]
fn a_receipt_must_add_up() {
    let purchase = running_purchase();
    let receipt = |delivered, value, paid| {
        let (delivered, value, paid) = (Quantity::new(delivered), Bytes::new(value), Bytes::new(paid));
        let why = End::Unpaid;
        PurchaseCommand::Receipt(by_seller(&Statement::Receipt(Receipt {
            session: party::session(),
            delivered,
            value,
            paid,
            why,
        })))
    };

    let padded = refused_purchase(&purchase, receipt(300, 400, 1_000));
    let invented = refused_purchase(&purchase, receipt(300, 300, 1_001));
    let settled = purchase.decide(&NOW, receipt(300, 300, 1_000)).unwrap();

    assert_eq!(padded, "a receipt over 400 B for 300 units that are worth 300 B of 1000 B paid");
    assert_eq!(invented, "paid: 1001 B is above 1000 B");
    assert_eq!(settled.events.len(), 1);
}

fn with_no_meter() -> Purchase {
    let mut purchase = Purchase::new(party::session());
    let order = Order { witness: Witness::Seller, ..party::order() };
    let session = purchase.id();
    tell(&mut purchase, buy(offer(), order)).unwrap();
    tell(&mut purchase, PurchaseCommand::Read(Reading { session, delivered: Quantity::ZERO })).unwrap();
    tell(&mut purchase, PurchaseCommand::Ready { available: Bytes::new(10_000) }).unwrap();
    purchase
}

#[test]
fn without_a_meter_a_reading_is_believed_no_faster_than_the_rated_power() {
    let mut purchase = with_no_meter();
    let reading = PurchaseCommand::Read(Reading { session: purchase.id(), delivered: Quantity::new(1_000) });
    let at = |millis: u64| Context { now: Timestamp::from_millis(1_000 + millis), ..NOW };

    let too_soon = purchase.decide(&at(499), reading.clone()).unwrap();
    for event in &too_soon.events {
        purchase.apply(event);
    }
    let in_time = purchase.decide(&at(500), reading).unwrap();

    assert_eq!(too_soon.effects, []);
    let (session, to) = (purchase.id(), offer().seller);
    assert_eq!(in_time.effects, [PurchaseEffect::Pay { session, to, up_to: Bytes::new(1_500) }]);
}

#[test]
fn a_reading_a_step_beyond_the_payments_ends_it() {
    let mut purchase = with_no_meter();
    let session = purchase.id();

    tell(&mut purchase, PurchaseCommand::Read(Reading { session, delivered: Quantity::new(1_501) })).unwrap();

    assert_eq!(purchase.ended(), Some(End::Overclaimed));
}

#[test]
fn the_longest_duration_ends_it() {
    let mut purchase = Purchase::new(party::session());
    let order = Order { longest_ms: Some(700), ..party::order() };
    let session = purchase.id();
    tell(&mut purchase, buy(offer(), order)).unwrap();
    tell(&mut purchase, PurchaseCommand::Read(Reading { session, delivered: Quantity::ZERO })).unwrap();
    tell(&mut purchase, PurchaseCommand::Ready { available: Bytes::new(10_000) }).unwrap();
    let deadline = purchase.deadline().unwrap();
    assert_eq!((deadline.at.millis(), deadline.reason), (1_700, "the longest duration is over"));

    let decision = purchase.decide(&Context { now: deadline.at, ..NOW }, PurchaseCommand::Wake).unwrap();
    for event in &decision.events {
        purchase.apply(event);
    }

    assert_eq!(purchase.ended(), Some(End::TimeUp));
}

#[test]
fn the_budget_is_never_passed() {
    let mut purchase = Purchase::new(party::session());
    let order = Order { wanted: None, budget: Bytes::new(1_200), ..party::order() };
    let session = purchase.id();
    tell(&mut purchase, buy(offer(), order)).unwrap();
    tell(&mut purchase, PurchaseCommand::Read(Reading { session, delivered: Quantity::ZERO })).unwrap();
    tell(&mut purchase, PurchaseCommand::Ready { available: Bytes::new(10_000) }).unwrap();

    for units in [900, 1_000, 1_150, 1_200] {
        let delivered = Quantity::new(units);
        tell(&mut purchase, PurchaseCommand::Observed { units: delivered }).unwrap();
        tell(&mut purchase, PurchaseCommand::Read(Reading { session, delivered })).unwrap();
    }

    assert_eq!(purchase.paid(), Bytes::new(1_200));
    assert_eq!(purchase.ended(), Some(End::BudgetSpent));
}
