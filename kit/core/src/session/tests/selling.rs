//! The seller's rules, one by one.

use std::string::ToString;

use serde_json::json;

use super::{
    party::{self, Keys},
    stage::*,
};
use crate::{
    Bytes, Context, Machine, Timestamp,
    session::{
        Accept, End, Reading, Receipt, Refusal, Sale, SaleCommand, SaleEffect, SaleEvent, Signed, Statement,
        Stop,
    },
    tariff::{Quantity, Tariff, Unit},
};

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
        why: End::Stopped,
    };

    let refusal = Signed::sign(&Statement::Receipt(receipt), &Keys::new().seller).unwrap_err();

    assert_eq!(refusal.to_string(), "9007199254740992 is no whole number of at most 9007199254740991");
}

#[test]
fn every_statement_reads_back_as_it_was_signed() {
    let statements = [
        Statement::Offer(offer()),
        Statement::Accept(Accept { session: party::session(), offer: offer().hash().unwrap() }),
        Statement::Stop(Stop { session: party::session(), counter: 1, seen: None }),
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

    assert_eq!(sale.ended(), Some(End::MeterSilent));
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
    tell(&mut sale, SaleCommand::End { why: End::ThingFailed }).unwrap();
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
fn a_stop_before_anything_was_paid_settles_at_once() {
    let mut sale = funded_sale();
    let stop = by_buyer(&Statement::Stop(Stop { session: sale.id(), counter: 1, seen: None }));

    let decision = sale.decide(&NOW, SaleCommand::Instruct(stop)).unwrap();
    for event in &decision.events {
        sale.apply(event);
    }

    assert!(matches!(decision.events.last(), Some(SaleEvent::Settled { .. })));
    assert!(sale.is_over());
}

/// Two openings at 500 B each.
fn door_sale() -> Sale {
    let mut quote = quote();
    quote.tariff = Tariff::new(Unit::Opening, Bytes::new(500), Quantity::new(1), Quantity::new(1)).unwrap();
    quote.metering.resolution = Quantity::new(1);
    let mut sale = Sale::new(party::session());
    tell(&mut sale, SaleCommand::Quote(quote.into())).unwrap();
    let accept = Accept { session: sale.id(), offer: sale.offer().unwrap().hash().unwrap() };
    tell(&mut sale, SaleCommand::Accept(by_buyer(&Statement::Accept(accept)))).unwrap();
    tell(&mut sale, SaleCommand::Ready { deposit: Bytes::new(10_000) }).unwrap();
    tell(&mut sale, SaleCommand::Paid { total: Bytes::new(1_000) }).unwrap();
    sale
}

#[test]
fn openings_wait_for_the_one_who_paid_them() {
    let mut sale = door_sale();
    assert_eq!(sale.deadline(), None);

    tell(&mut sale, SaleCommand::Metered { units: Quantity::new(1), at: NOW.now }).unwrap();
    tell(&mut sale, SaleCommand::Instruct(open(1))).unwrap();
    tell(&mut sale, SaleCommand::Metered { units: Quantity::new(2), at: NOW.now }).unwrap();

    let used_up = refused_sale(&sale, SaleCommand::Instruct(open(2)));
    assert_eq!(used_up, "open needs credit: 1000 B paid and 1000 B used up");
    assert_eq!(sale.state(), "unpaid");
}

#[test]
fn after_a_restart_the_power_comes_back_for_what_is_left() {
    let mut sale = running_sale();
    tell(&mut sale, SaleCommand::Metered { units: Quantity::new(200), at: NOW.now }).unwrap();
    let much_later = Context { now: Timestamp::from_millis(90_000), ..NOW };
    let entitle = SaleEffect::Entitle {
        session: sale.id(),
        units_left: Quantity::new(800),
        up_to: Quantity::new(1_000),
    };

    assert_eq!(sale.pending(), []);
    let decision = sale.decide(&much_later, SaleCommand::Resumed { until: NOW.now }).unwrap();
    for event in &decision.events {
        sale.apply(event);
    }

    assert_eq!(decision.effects, [entitle]);
    assert_eq!(sale.deadline().unwrap().at.millis(), 90_300);
}

#[test]
fn what_may_have_flowed_before_a_crash_is_not_given_again() {
    let mut sale = running_sale();
    tell(&mut sale, SaleCommand::Metered { units: Quantity::new(200), at: NOW.now }).unwrap();
    let until = NOW.now.after(core::time::Duration::from_millis(90));
    let context = Context { now: until, ..NOW };

    let decision = sale.decide(&context, SaleCommand::Resumed { until }).unwrap();

    let (session, up_to) = (sale.id(), Quantity::new(1_000));
    assert_eq!(decision.effects, [SaleEffect::Entitle { session, units_left: Quantity::new(710), up_to }]);
}

#[test]
fn when_all_is_used_up_the_power_goes_off_and_the_buyer_is_told() {
    let sale = running_sale();
    let units = Quantity::new(1_000);

    let decision = sale.decide(&NOW, SaleCommand::Metered { units, at: NOW.now }).unwrap();

    let session = sale.id();
    let off = SaleEffect::Entitle { session, units_left: Quantity::ZERO, up_to: units };
    let told =
        SaleEffect::Read { to: Keys::new().buyer_address(), reading: Reading { session, delivered: units } };
    assert_eq!(decision.effects, [off, told]);
}
