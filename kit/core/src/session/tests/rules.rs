//! One rule, one test.

use std::string::ToString;

use serde_json::json;

use super::party::{self, Keys};
use crate::{
    Bytes, Context, Machine, Timestamp,
    session::{
        Accept, Control, Offer, Order, Purchase, PurchaseCommand, Quote, Reading, Receipt, Refusal, Sale,
        SaleCommand, SaleEffect, SaleEvent, SessionId, Signed, Statement, Stop,
    },
    tariff::{Price, Quantity, Tariff, Unit},
};

const NOW: Context = Context { now: Timestamp::from_millis(1_000), random: [0; 32] };

fn quote() -> Quote {
    party::quote(&Keys::new(), 10)
}

fn offer() -> Offer {
    let mut sale = Sale::new(party::session());
    tell(&mut sale, SaleCommand::Quote(quote().into())).unwrap();
    sale.offer().unwrap().clone()
}

fn by_seller(statement: &Statement) -> Signed {
    Signed::sign(statement, &Keys::new().seller).unwrap()
}

fn by_buyer(statement: &Statement) -> Signed {
    Signed::sign(statement, &Keys::new().buyer).unwrap()
}

fn tell<M: Machine>(machine: &mut M, command: M::Command) -> Result<std::vec::Vec<M::Effect>, M::Refusal> {
    let decision = machine.decide(&NOW, command)?;
    for event in &decision.events {
        machine.apply(event);
    }
    Ok(decision.effects)
}

/// A sale that was accepted and funded; nothing is paid yet.
fn funded_sale() -> Sale {
    let mut sale = Sale::new(party::session());
    tell(&mut sale, SaleCommand::Quote(quote().into())).unwrap();
    let accept = Accept { session: sale.id(), offer: offer().hash().unwrap() };
    tell(&mut sale, SaleCommand::Accept(by_buyer(&Statement::Accept(accept)))).unwrap();
    tell(&mut sale, SaleCommand::Ready { deposit: Bytes::new(10_000) }).unwrap();
    sale
}

fn running_sale() -> Sale {
    let mut sale = funded_sale();
    tell(&mut sale, SaleCommand::Paid { total: Bytes::new(1_000) }).unwrap();
    sale
}

fn taken_purchase() -> Purchase {
    let mut purchase = Purchase::new(party::session());
    tell(&mut purchase, buy(offer(), party::order())).unwrap();
    purchase
}

fn running_purchase() -> Purchase {
    let mut purchase = taken_purchase();
    let session = purchase.id();
    tell(&mut purchase, PurchaseCommand::Read(Reading { session, delivered: Quantity::ZERO })).unwrap();
    tell(&mut purchase, PurchaseCommand::Ready { available: Bytes::new(10_000) }).unwrap();
    purchase
}

fn buy(offer: Offer, order: Order) -> PurchaseCommand {
    let offer = by_seller(&Statement::Offer(offer));
    PurchaseCommand::Buy { offer, buyer: Keys::new().buyer_address(), order: order.into() }
}

fn refused_sale(sale: &Sale, command: SaleCommand) -> std::string::String {
    sale.decide(&NOW, command).unwrap_err().to_string()
}

fn refused_purchase(purchase: &Purchase, command: PurchaseCommand) -> std::string::String {
    purchase.decide(&NOW, command).unwrap_err().to_string()
}

fn open(counter: u64) -> Signed {
    by_buyer(&control(counter))
}

fn control(counter: u64) -> Statement {
    Statement::Control(Control { session: party::session(), action: "open".parse().unwrap(), counter })
}

#[test]
fn an_altered_statement_is_refused() {
    let signed = by_seller(&Statement::Offer(offer()));
    let mut package = signed.package().clone();
    package["signed_message"]["tariff"]["price"] = json!(1);

    let refusal = Signed::new(package).open().unwrap_err();

    assert!(matches!(refusal, Refusal::Signature(_)), "{refusal}");
}

#[test]
fn two_numbers_that_read_alike_have_no_signature() {
    let receipt = Receipt {
        session: party::session(),
        delivered: Quantity::new(1 << 53),
        value: Bytes::ZERO,
        paid: Bytes::ZERO,
        why: super::End::Stopped,
    };

    let refusal = Signed::sign(&Statement::Receipt(receipt), &Keys::new().seller).unwrap_err();

    assert_eq!(refusal.to_string(), "9007199254740992 is no whole number of at most 9007199254740991");
}

#[test]
fn every_statement_reads_back_as_it_was_signed() {
    let statements = [
        Statement::Offer(offer()),
        Statement::Accept(Accept { session: party::session(), offer: offer().hash().unwrap() }),
        Statement::Stop(Stop { session: party::session(), counter: 1 }),
        control(7),
    ];

    for statement in statements {
        let opened = by_buyer(&statement).open().unwrap();
        assert_eq!(opened.by(Keys::new().buyer_address()), Ok(statement));
    }
}

#[test]
fn a_strangers_acceptance_is_refused() {
    let mut sale = Sale::new(party::session());
    tell(&mut sale, SaleCommand::Quote(quote().into())).unwrap();
    let accept = Statement::Accept(Accept { session: sale.id(), offer: offer().hash().unwrap() });

    let refusal = sale.decide(&NOW, SaleCommand::Accept(by_seller(&accept))).unwrap_err();

    let (signer, wanted) = (Keys::new().seller_address(), Keys::new().buyer_address());
    assert_eq!(refusal, Refusal::Signer { signer, wanted });
}

#[test]
fn the_acceptance_of_another_offer_is_refused() {
    let mut sale = Sale::new(party::session());
    tell(&mut sale, SaleCommand::Quote(quote().into())).unwrap();
    let mut other = offer();
    other.grace_ms += 1;
    let accept = Statement::Accept(Accept { session: sale.id(), offer: other.hash().unwrap() });

    let refusal = sale.decide(&NOW, SaleCommand::Accept(by_buyer(&accept))).unwrap_err();

    assert_eq!(refusal, Refusal::OtherOffer);
}

#[test]
fn a_deposit_that_is_too_small_is_refused_with_both_numbers() {
    let mut sale = Sale::new(party::session());
    tell(&mut sale, SaleCommand::Quote(quote().into())).unwrap();

    let text = refused_sale(&sale, SaleCommand::Ready { deposit: Bytes::new(999) });

    assert_eq!(text, "deposit: 1000 B needed but only 999 B available");
}

#[test]
fn half_of_the_double_first_step_starts_nothing() {
    let mut sale = funded_sale();

    let effects = tell(&mut sale, SaleCommand::Paid { total: Bytes::new(999) }).unwrap();

    assert_eq!(effects, []);
    assert_eq!(sale.state(), "waiting for the first payment");
}

#[test]
fn payments_of_nothing_or_less_than_before_are_refused() {
    let sale = running_sale();

    let nothing = refused_sale(&sale, SaleCommand::Paid { total: Bytes::ZERO });
    let less = refused_sale(&sale, SaleCommand::Paid { total: Bytes::new(500) });

    assert_eq!(nothing, "payment of 0 where at least 1 is needed");
    assert_eq!(less, "payments: a total of 500 B after 1000 B");
}

#[test]
fn a_late_payment_entitles_to_what_the_meter_may_have_missed_less() {
    let sale = running_sale();
    let later = Context { now: Timestamp::from_millis(1_400), ..NOW };

    let decision = sale.decide(&later, SaleCommand::Paid { total: Bytes::new(1_500) }).unwrap();

    let entitle = SaleEffect::Entitle {
        session: sale.id(),
        units_left: Quantity::new(1_100),
        up_to: Quantity::new(1_500),
    };
    assert_eq!(decision.effects, [entitle]);
}

#[test]
fn a_meter_that_goes_back_is_refused_with_both_numbers() {
    let mut sale = running_sale();
    tell(&mut sale, SaleCommand::Metered { units: Quantity::new(50), at: NOW.now }).unwrap();

    let text = refused_sale(&sale, SaleCommand::Metered { units: Quantity::new(49), at: NOW.now });

    assert_eq!(text, "the meter shows 49 units after 50");
}

#[test]
fn a_silent_meter_ends_the_session() {
    let mut sale = running_sale();
    let deadline = sale.deadline().unwrap();
    assert_eq!((deadline.at.millis(), deadline.reason), (1_300, "the meter is silent"));

    let decision = sale.decide(&Context { now: deadline.at, ..NOW }, sale.wake().unwrap()).unwrap();
    for event in &decision.events {
        sale.apply(event);
    }

    assert_eq!(sale.ended(), Some(super::End::MeterSilent));
    assert!(decision.effects.iter().any(|effect| matches!(
        effect,
        SaleEffect::Entitle { units_left, .. } if units_left.is_zero()
    )));
}

#[test]
fn only_the_holder_opens_the_door_and_only_once_a_wish() {
    let mut sale = running_sale();

    let stranger = sale.decide(&NOW, SaleCommand::Instruct(by_seller(&control(1)))).unwrap_err();
    let acted = tell(&mut sale, SaleCommand::Instruct(open(1))).unwrap();
    let again = refused_sale(&sale, SaleCommand::Instruct(open(1)));

    assert!(matches!(stranger, Refusal::Signer { .. }), "{stranger}");
    let action = "open".parse().unwrap();
    assert_eq!(acted, [SaleEffect::Act { session: sale.id(), action, counter: 1 }]);
    assert_eq!(again, "counter 1 was used already: the last one was 1");
}

#[test]
fn the_door_stays_shut_before_and_after_the_credit() {
    let mut sale = running_sale();
    let before = refused_sale(&funded_sale(), SaleCommand::Instruct(open(1)));

    tell(&mut sale, SaleCommand::Metered { units: Quantity::new(1_000), at: NOW.now }).unwrap();
    let after = refused_sale(&sale, SaleCommand::Instruct(open(1)));

    assert_eq!(before, "open needs credit: 0 B paid and 0 B used up");
    assert_eq!(after, "open needs credit: 1000 B paid and 1000 B used up");
}

#[test]
fn money_that_comes_after_the_end_goes_back() {
    let mut sale = running_sale();
    tell(&mut sale, SaleCommand::End { why: super::End::ThingFailed }).unwrap();
    tell(&mut sale, SaleCommand::Final { units: Quantity::new(300) }).unwrap();
    assert_eq!(sale.owed(), Bytes::new(700));

    tell(&mut sale, SaleCommand::Paid { total: Bytes::new(1_500) }).unwrap();

    assert_eq!(sale.owed(), Bytes::new(1_200));
    let text = refused_sale(&sale, SaleCommand::Returned { total: Bytes::new(1_201) });
    assert_eq!(text, "given back: 1201 B is above 1200 B");
}

#[test]
fn an_offer_with_a_slow_meter_is_not_made() {
    let mut slow = quote();
    slow.metering.gap_ms = 501;

    let refusal = Sale::new(party::session()).decide(&NOW, SaleCommand::Quote(slow.into())).unwrap_err();

    assert_eq!(refusal.to_string(), "the meter may be silent for: 501 units against 500");
}

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
        let why = super::End::Unpaid;
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

#[test]
fn a_stop_before_anything_was_paid_settles_at_once() {
    let mut sale = funded_sale();
    let stop = by_buyer(&Statement::Stop(Stop { session: sale.id(), counter: 1 }));

    let decision = sale.decide(&NOW, SaleCommand::Instruct(stop)).unwrap();
    for event in &decision.events {
        sale.apply(event);
    }

    assert!(matches!(decision.events.last(), Some(SaleEvent::Settled { .. })));
    assert!(sale.is_over());
}
