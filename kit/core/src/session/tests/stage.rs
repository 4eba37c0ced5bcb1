//! Machines brought to where a rule is tried.

use std::{
    string::{String, ToString},
    vec::Vec,
};

use super::party::{self, Keys};
use crate::{
    Bytes, Context, Machine, Timestamp,
    session::{
        Accept, Control, Offer, Order, Purchase, PurchaseCommand, Quote, Reading, Sale, SaleCommand, Signed,
        Statement,
    },
    tariff::Quantity,
};

pub(super) const NOW: Context = Context { now: Timestamp::from_millis(1_000), random: [0; 32] };

pub(super) fn quote() -> Quote {
    party::quote(&Keys::new(), 10)
}

pub(super) fn offer() -> Offer {
    let mut sale = Sale::new(party::session());
    tell(&mut sale, SaleCommand::Quote(quote().into())).unwrap();
    sale.offer().unwrap().clone()
}

pub(super) fn by_seller(statement: &Statement) -> Signed {
    Signed::sign(statement, &Keys::new().seller).unwrap()
}

pub(super) fn by_buyer(statement: &Statement) -> Signed {
    Signed::sign(statement, &Keys::new().buyer).unwrap()
}

pub(super) fn tell<M: Machine>(machine: &mut M, command: M::Command) -> Result<Vec<M::Effect>, M::Refusal> {
    let decision = machine.decide(&NOW, command)?;
    for event in &decision.events {
        machine.apply(event);
    }
    Ok(decision.effects)
}

/// A sale that was accepted and funded; nothing is paid yet.
pub(super) fn funded_sale() -> Sale {
    let mut sale = Sale::new(party::session());
    tell(&mut sale, SaleCommand::Quote(quote().into())).unwrap();
    let accept = Accept { session: sale.id(), offer: offer().hash().unwrap() };
    tell(&mut sale, SaleCommand::Accept(by_buyer(&Statement::Accept(accept)))).unwrap();
    tell(&mut sale, SaleCommand::Ready { deposit: Bytes::new(10_000) }).unwrap();
    sale
}

pub(super) fn running_sale() -> Sale {
    let mut sale = funded_sale();
    tell(&mut sale, SaleCommand::Paid { total: Bytes::new(1_000) }).unwrap();
    sale
}

pub(super) fn taken_purchase() -> Purchase {
    let mut purchase = Purchase::new(party::session());
    tell(&mut purchase, buy(offer(), party::order())).unwrap();
    purchase
}

pub(super) fn running_purchase() -> Purchase {
    let mut purchase = taken_purchase();
    let session = purchase.id();
    tell(&mut purchase, PurchaseCommand::Read(Reading { session, delivered: Quantity::ZERO })).unwrap();
    tell(&mut purchase, PurchaseCommand::Ready { available: Bytes::new(10_000) }).unwrap();
    purchase
}

pub(super) fn buy(offer: Offer, order: Order) -> PurchaseCommand {
    let offer = by_seller(&Statement::Offer(offer));
    PurchaseCommand::Buy { offer, buyer: Keys::new().buyer_address(), order: order.into() }
}

pub(super) fn refused_sale(sale: &Sale, command: SaleCommand) -> String {
    sale.decide(&NOW, command).unwrap_err().to_string()
}

pub(super) fn refused_purchase(purchase: &Purchase, command: PurchaseCommand) -> String {
    purchase.decide(&NOW, command).unwrap_err().to_string()
}

pub(super) fn open(counter: u64) -> Signed {
    by_buyer(&control(counter))
}

pub(super) fn control(counter: u64) -> Statement {
    Statement::Control(Control { session: party::session(), action: "open".parse().unwrap(), counter })
}
