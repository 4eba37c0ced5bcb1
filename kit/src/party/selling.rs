//! Selling: a listing on the market, offers for those who ask, and power for those who pay.

use std::{rc::Rc, time::Duration};

use coinop_core::{
    Bytes, Timestamp,
    channel::{self, Role, Terms},
    market::Listing,
    obyte::address::Address,
    session::{
        ChannelTerms, End, Metering, Name, Quote, Sale, SaleCommand, SaleEffect, SessionId, Signed, Statement,
    },
    tariff::{Quantity, Tariff},
};
use serde_json::{Value, json};

use super::{Party, narrate, wire::Request};
use crate::{
    actors::{self, Birth, Handle, Wiring},
    agenda::Task,
};

/// How long an offer holds: long enough for a deposit to become final.
const OFFER_HOLDS: Duration = Duration::from_secs(30);
/// How long a listing holds.
const LISTING_HOLDS: Duration = Duration::from_hours(24);
/// How many sessions one seller has under way at a time.
const MAX_SALES: usize = 64;

/// What a party sells.
#[derive(Clone)]
pub struct Shop {
    /// The thing.
    pub thing: Name,
    /// The kind of service.
    pub kind: Name,
    /// The price and the step.
    pub tariff: Tariff,
    /// How it is metered.
    pub metering: Metering,
    /// The channel it is paid through.
    pub terms: ChannelTerms,
    /// How long the next step may be missing, with the power off, in milliseconds.
    pub grace_ms: u64,
    /// Whether it serves one buyer at a time.
    pub occupancy: Occupancy,
    /// The device's ear: takes what the sessions want of it.
    pub device: Rc<dyn Fn(Demand)>,
}

/// How many buyers a thing serves at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occupancy {
    /// One.
    One,
    /// As many as pay.
    Many,
}

/// What a session wants of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// From now on this many more units may be delivered to this session; replaces the one before.
    Entitle {
        /// The session.
        session: SessionId,
        /// How many more; nothing is off.
        units_left: Quantity,
        /// The total that may be reached, the same thing counted from the start.
        up_to: Quantity,
    },
    /// The power is off: say the meter's last word.
    ReadLast {
        /// The session.
        session: SessionId,
    },
    /// Do something the buyer is entitled to.
    Act {
        /// The session.
        session: SessionId,
        /// What.
        action: Name,
        /// The number of the wish.
        counter: u64,
    },
}

/// A sale under way.
#[derive(Clone)]
pub(super) struct Slot {
    pub(super) handle: Handle<Sale>,
    pub(super) buyer: Address,
    pub(super) agent: Address,
}

impl Party {
    /// Offers something on the market.
    pub fn sell(self: &Rc<Self>, shop: Shop) {
        let listing = Listing {
            seller: self.address,
            thing: shop.thing.clone(),
            kind: shop.kind.clone(),
            tariff: shop.tariff,
            metering: shop.metering,
            terms: shop.terms.clone(),
            version: self.shell.now().millis(),
            expires_at: self.shell.now().after(LISTING_HOLDS),
        };
        *self.shop.borrow_mut() = Some(shop);
        match self.sign(&Statement::Listing(listing)) {
            Ok(package) => self.call(
                self.market,
                Request::Publish { package },
                Box::new(|party, answer| {
                    Box::pin(async move {
                        if let Err(error) = answer {
                            party.refuse(format!("the market does not take the listing: {error}"));
                        }
                    })
                }),
            ),
            Err(error) => self.refuse(format!("the listing cannot be signed: {error}")),
        }
    }

    /// Somebody asks for an offer.
    pub(super) async fn quote(self: &Rc<Self>, buyer: Address, thing: &str) -> Result<Value, String> {
        let shop = self.shop.borrow().clone().filter(|shop| shop.thing.as_str() == thing);
        let shop = shop.ok_or_else(|| format!("there is no {thing} here"))?;
        self.must_be_in_order(thing)?;
        self.forget_expired_sales();
        let repeated = self.offered_to(buyer);
        if let Some(handle) = repeated {
            for effect in coinop_core::Machine::pending(&*handle.state()) {
                self.shell.hold(self.rank, self.sale_effect(effect));
            }
            return Ok(Value::Bool(true));
        }
        if shop.occupancy == Occupancy::One && self.is_occupied() {
            return Err(format!("{thing} is taken"));
        }
        if self.sales.borrow().len() >= MAX_SALES {
            return Err(format!("{thing} has {MAX_SALES} sessions already"));
        }
        self.make_offer(buyer, &shop).await
    }

    async fn make_offer(self: &Rc<Self>, buyer: Address, shop: &Shop) -> Result<Value, String> {
        let number = self.counter.get();
        self.counter.set(number + 1);
        let session = SessionId::from_random(&self.shell.random());
        let sale = Sale::new(session);
        let wiring = self.sale_wiring(number);
        let handle =
            actors::spawn(&self.shell, sale, Birth::New, wiring).map_err(|error| error.to_string())?;
        let quote = Quote {
            thing: shop.thing.clone(),
            kind: shop.kind.clone(),
            seller: self.address,
            buyer,
            tariff: shop.tariff,
            metering: shop.metering,
            terms: shop.terms.clone(),
            grace_ms: shop.grace_ms,
            expires_at: self.shell.now().after(OFFER_HOLDS),
        };
        let agent = self.sale_terms(buyer, &shop.terms).aa_address().map_err(|error| error.to_string())?;
        self.sales.borrow_mut().insert(session, Slot { handle: handle.clone(), buyer, agent });
        match handle.ask(SaleCommand::Quote(Box::new(quote))).await {
            Ok(()) => Ok(Value::Bool(true)),
            Err(error) => {
                self.sales.borrow_mut().remove(&session);
                Err(error.to_string())
            }
        }
    }

    fn sale_terms(&self, buyer: Address, terms: &ChannelTerms) -> Terms {
        Terms {
            address_a: self.address,
            address_b: buyer,
            timeout_seconds: terms.timeout,
            salt: terms.salt.clone(),
        }
    }

    fn sale_wiring(self: &Rc<Self>, number: u32) -> Wiring<Sale> {
        let book = self.book.clone();
        Wiring {
            stream: format!("{}/sale/{number}", self.name),
            who: self.name.clone(),
            rank: self.rank,
            outlet: self.outlet(|party, effect| party.sale_effect(effect)),
            narrate: narrate::sale(self.address, book),
        }
    }

    /// Brings a sale back from the journal.
    pub(super) fn restore_sale(self: &Rc<Self>, number: u32, sale: Sale) {
        self.counter.set(self.counter.get().max(number + 1));
        let Some(offer) = sale.offer().cloned() else { return };
        let Ok(agent) = self.sale_terms(offer.buyer, &offer.terms).aa_address() else { return };
        let wiring = self.sale_wiring(number);
        if let Ok(handle) = actors::spawn(&self.shell, sale, Birth::Restored, wiring) {
            self.sales.borrow_mut().insert(offer.session, Slot { handle, buyer: offer.buyer, agent });
        }
    }

    fn sale_effect(self: &Rc<Self>, effect: SaleEffect) -> Task {
        let party = Rc::clone(self);
        Box::pin(async move {
            match effect {
                SaleEffect::Tell { to, statement } => party.tell_statement(to, &statement),
                SaleEffect::Read { to, reading } => party.say(to, Request::Reading { reading }),
                SaleEffect::Expect { session: _, buyer, terms } => party.expect_channel(buyer, &terms).await,
                SaleEffect::Entitle { session, units_left, up_to } => {
                    party.demand(Demand::Entitle { session, units_left, up_to });
                }
                SaleEffect::ReadLast { session } => party.demand(Demand::ReadLast { session }),
                SaleEffect::Act { session, action, counter } => {
                    party.demand(Demand::Act { session, action, counter });
                }
                SaleEffect::Owe { session, to: _, amount } => party.owe(session, amount).await,
            }
        })
    }

    fn demand(&self, demand: Demand) {
        let device = self.shop.borrow().as_ref().map(|shop| Rc::clone(&shop.device));
        if let Some(device) = device {
            device(demand);
        }
    }

    /// Makes ready for the buyer's channel, or looks whether it can pay already.
    async fn expect_channel(self: &Rc<Self>, buyer: Address, terms: &ChannelTerms) {
        let Some(slot) = self.channel(self.sale_terms(buyer, terms), Role::Seller) else { return };
        let receivable = slot.handle.state().receivable();
        let Ok(agent) = self.sale_terms(buyer, terms).aa_address() else { return };
        if !receivable.is_zero() {
            for id in self.open_sales_in(agent) {
                self.ask_sale(id, SaleCommand::Ready { deposit: receivable }).await;
            }
        }
    }

    /// The peer asks for a channel by the terms we offered.
    pub(super) fn create_channel(
        self: &Rc<Self>,
        buyer: Address,
        timeout: u64,
        asset: &str,
        salt: &str,
    ) -> Result<Value, String> {
        if asset != "base" {
            return Err(format!("asset {asset} is not accepted here, only base is"));
        }
        let sales = self.sales.borrow();
        let expected = sales.values().any(|slot| {
            slot.buyer == buyer
                && slot
                    .handle
                    .state()
                    .offer()
                    .is_some_and(|offer| offer.terms.timeout == timeout && offer.terms.salt == salt)
        });
        drop(sales);
        if !expected {
            return Err("no offer of ours has these terms".into());
        }
        let terms =
            Terms { address_a: self.address, address_b: buyer, timeout_seconds: timeout, salt: salt.into() };
        let agent = terms.aa_address().map_err(|error| error.to_string())?;
        self.channel(terms, Role::Seller).ok_or("no room for another channel")?;
        Ok(json!({ "address_a": self.address, "aa_address": agent }))
    }

    async fn owe(self: &Rc<Self>, session: SessionId, amount: Bytes) {
        let agent = self.sales.borrow().get(&session).map(|slot| slot.agent);
        if let Some(agent) = agent {
            let session = channel::SessionId(session.to_string());
            self.ask_channel(agent, channel::Command::Owe { session, amount }).await;
        }
    }

    /// The meter's word: this session's share so far, as the meter stood at `at`.
    pub async fn metered(self: &Rc<Self>, session: SessionId, units: Quantity, at: Timestamp) {
        self.ask_sale(session, SaleCommand::Metered { units, at }).await;
    }

    /// The meter's last word of a session whose power is off.
    pub async fn metered_finally(self: &Rc<Self>, session: SessionId, units: Quantity) {
        self.ask_sale(session, SaleCommand::Final { units }).await;
    }

    /// Ends a sale from the seller's side.
    pub async fn end_sale(self: &Rc<Self>, session: SessionId, why: End) {
        self.ask_sale(session, SaleCommand::End { why }).await;
    }

    /// A buyer takes an offer; when another was faster, it hears so at once.
    pub(super) async fn accepted(self: &Rc<Self>, session: SessionId, package: Signed) {
        let single = self.shop.borrow().as_ref().is_some_and(|shop| shop.occupancy == Occupancy::One);
        if self.is_out_of_order() || (single && self.is_occupied_by_other_than(session)) {
            self.ask_sale(session, SaleCommand::End { why: End::Expired }).await;
        } else {
            self.instructed(session, SaleCommand::Accept(package)).await;
        }
    }

    /// Tells spectators about a session that came back from the journal.
    pub(super) fn tell_where_it_stands(&self, session: SessionId) {
        let facts =
            self.sales.borrow().get(&session).map(|slot| narrate::standing(&slot.handle.state(), &self.book));
        for fact in facts.into_iter().flatten() {
            self.shell.tell(self.rank, &self.name, fact);
        }
    }

    /// Everything that was credited for a session.
    pub fn was_paid(&self, session: SessionId) -> Bytes {
        self.sales.borrow().get(&session).map(|slot| slot.handle.state().paid()).unwrap_or_default()
    }

    /// The buyer's signed word on a session.
    pub(super) async fn instructed(self: &Rc<Self>, session: SessionId, command: SaleCommand) {
        if self.sales.borrow().contains_key(&session) {
            self.ask_sale(session, command).await;
        } else {
            self.refuse(format!("there is no session {session}"));
        }
    }

    pub(super) async fn ask_sale(self: &Rc<Self>, id: SessionId, command: SaleCommand) {
        let handle = self.sales.borrow().get(&id).map(|slot| slot.handle.clone());
        if let Some(handle) = handle {
            self.ask(&handle, command).await;
        }
    }

    pub(super) fn sales_in(&self, agent: Address) -> Vec<SessionId> {
        let sales = self.sales.borrow();
        sales.iter().filter(|(_, slot)| slot.agent == agent).map(|(id, _)| *id).collect()
    }

    /// The sales that a channel is needed for.
    pub(super) fn open_sales_in(&self, agent: Address) -> Vec<SessionId> {
        let sales = self.sales.borrow();
        let open =
            sales.iter().filter(|(_, slot)| slot.agent == agent && is_live(slot.handle.state().state()));
        open.map(|(id, _)| *id).collect()
    }

    pub(super) fn live_sales(&self) -> Vec<SessionId> {
        let sales = self.sales.borrow();
        sales.iter().filter(|(_, slot)| is_live(slot.handle.state().state())).map(|(id, _)| *id).collect()
    }

    fn is_occupied(&self) -> bool {
        self.sales.borrow().values().any(|slot| is_live(slot.handle.state().state()))
    }

    fn is_occupied_by_other_than(&self, session: SessionId) -> bool {
        let sales = self.sales.borrow();
        sales.iter().any(|(id, slot)| *id != session && is_live(slot.handle.state().state()))
    }

    fn offered_to(&self, buyer: Address) -> Option<Handle<Sale>> {
        let sales = self.sales.borrow();
        let slot =
            sales.values().find(|slot| slot.buyer == buyer && slot.handle.state().state() == "offered")?;
        Some(slot.handle.clone())
    }

    fn forget_expired_sales(&self) {
        self.sales.borrow_mut().retain(|_, slot| !slot.handle.state().is_over());
    }

    /// A statement of ours, signed.
    pub(super) fn sign(&self, statement: &Statement) -> Result<Signed, String> {
        Signed::sign(statement, &self.secret).map_err(|error| error.to_string())
    }
}

/// Whether a sale in this state has the thing.
fn is_live(state: &str) -> bool {
    matches!(state, "accepted" | "funded" | "running" | "unpaid" | "ending")
}
