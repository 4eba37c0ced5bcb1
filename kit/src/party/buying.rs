//! Buying: find, ask for offers, take the best, pay as it is delivered.

use std::{rc::Rc, time::Duration};

use coinop_core::{
    Bytes, Timestamp,
    channel::{self, Phase, Role, Terms},
    market,
    obyte::address::Address,
    session::{
        ChannelTerms, End, Offer, Opened, Order, Purchase, PurchaseCommand, PurchaseEffect, SessionId,
        Signed, Statement,
    },
    tariff::{Quantity, Unit},
};
use serde_json::Value;

use super::{Party, narrate, wire::Request};
use crate::{
    actors::{self, Birth, Handle, Wiring},
    agenda::Task,
};

/// How long offers are gathered before the best is taken.
const GATHER: Duration = Duration::from_millis(200);
/// How long until somebody who found nothing looks again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How many sellers are asked for an offer at a time.
const ASKED: usize = 4;

/// What somebody wants to buy.
#[derive(Clone, Debug)]
pub struct Want {
    /// Its place in the plan; what was bought for a place is not bought again after a restart.
    pub plan: u32,
    /// The kind of service.
    pub kind: String,
    /// What is counted.
    pub unit: Unit,
    /// How much, for how much at most.
    pub order: Order,
    /// The one thing it is to be, if not any of the kind.
    pub from: Option<String>,
}

/// Somebody who looks for an offer.
pub(super) struct Shopper {
    want: Want,
    offers: Vec<(Offer, Signed)>,
}

/// A purchase under way.
#[derive(Clone)]
pub(super) struct Slot {
    pub(super) handle: Handle<Purchase>,
    pub(super) plan: u32,
    pub(super) agent: Address,
}

impl Want {
    fn fits(&self, listing: &market::Listing) -> bool {
        let from = self.from.as_ref().is_none_or(|thing| thing == listing.thing.as_str());
        from && listing.kind.as_str() == self.kind
    }
}

impl Slot {
    /// Whether it was over before anything was paid: somebody else was faster, or the channel was just
    /// being closed.
    fn came_to_nothing(&self) -> bool {
        let purchase = self.handle.state();
        let lost = matches!(purchase.ended(), Some(End::Expired | End::ChannelLost));
        purchase.is_over() && purchase.paid().is_zero() && lost
    }
}

impl Party {
    /// Buys: finds a seller on the market, takes the best offer within the limit and pays as it is
    /// delivered. What is wanted for a place in the plan is bought once.
    pub fn buy(self: &Rc<Self>, want: Want) {
        self.wants.borrow_mut().insert(want.plan, want.clone());
        let bought = |slot: &Slot| slot.plan == want.plan && !slot.came_to_nothing();
        if self.purchases.borrow().values().any(bought) || self.shoppers.borrow().contains_key(&want.plan) {
            return;
        }
        let (plan, kind) = (want.plan, want.kind.clone());
        self.purchases.borrow_mut().retain(|_, slot| slot.plan != plan);
        self.shoppers.borrow_mut().insert(plan, Shopper { want, offers: Vec::new() });
        self.call(
            self.market,
            Request::Find { kind },
            Box::new(move |party, answer| Box::pin(async move { party.found(plan, answer) })),
        );
        self.later(LOOK_AGAIN, move |party| Box::pin(async move { party.look_again(plan) }));
    }

    fn look_again(self: &Rc<Self>, plan: u32) {
        let shopper = self.shoppers.borrow_mut().remove(&plan);
        if let Some(Shopper { want, .. }) = shopper {
            self.buy(want);
        }
    }

    fn found(self: &Rc<Self>, plan: u32, answer: Result<Value, String>) {
        let Some(want) = self.shoppers.borrow().get(&plan).map(|shopper| shopper.want.clone()) else {
            return;
        };
        let found: Vec<Signed> = match answer.map(serde_json::from_value) {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => return self.refuse(format!("the market's answer makes no sense: {error}")),
            Err(error) => return self.refuse(format!("the market does not answer: {error}")),
        };
        let mut good = Vec::new();
        for package in &found {
            match self.listing(package) {
                Ok(listing) if want.fits(&listing) => good.push(listing),
                Ok(_) => {}
                Err(error) => self.refuse(format!("a listing is not worth its paper: {error}")),
            }
        }
        while good.len() > ASKED {
            good.pop();
        }
        for listing in good.iter().filter(|listing| listing.tariff.within(want.order.limit)) {
            let request = Request::Quote { thing: listing.thing.to_string(), buyer: self.address };
            self.call(listing.seller, request, Box::new(|_, _| Box::pin(async {})));
        }
        self.later(GATHER, move |party| Box::pin(async move { party.choose(plan).await }));
    }

    /// A listing that is signed by its seller and holds.
    fn listing(&self, package: &Signed) -> Result<market::Listing, String> {
        let listing = package.open().and_then(Opened::listing).map_err(|error| error.to_string())?;
        let now = self.shell.now();
        if listing.expires_at <= now {
            return Err(format!("it expired at {}, and it is {now}", listing.expires_at));
        }
        Ok(listing)
    }

    /// An offer comes in.
    pub(super) fn offered(&self, offer: Offer, package: Signed) {
        let mut shoppers = self.shoppers.borrow_mut();
        let fits =
            |shopper: &&mut Shopper| shopper.want.kind == offer.kind.as_str() && shopper.offers.len() < ASKED;
        if let Some(shopper) = shoppers.values_mut().find(fits) {
            shopper.offers.push((offer, package));
        }
    }

    async fn choose(self: &Rc<Self>, plan: u32) {
        let Some((want, best)) = self.best(plan) else { return };
        let (offer, package) = best;
        self.shoppers.borrow_mut().remove(&plan);
        let Some(agent) = self.agent_of(offer.seller, &offer.terms) else { return };
        let wiring = self.purchase_wiring(plan, offer.session);
        let purchase = Purchase::new(offer.session);
        let Ok(handle) = actors::spawn(&self.shell, purchase, Birth::New, wiring) else { return };
        let slot = Slot { handle: handle.clone(), plan, agent };
        self.purchases.borrow_mut().insert(offer.session, slot);
        let order = Box::new(want.order);
        self.ask(&handle, PurchaseCommand::Buy { offer: package, buyer: self.address, order }).await;
    }

    fn best(&self, plan: u32) -> Option<(Want, (Offer, Signed))> {
        let shoppers = self.shoppers.borrow();
        let shopper = shoppers.get(&plan)?;
        let offers: Vec<Offer> = shopper.offers.iter().map(|(offer, _)| offer.clone()).collect();
        let best = market::choose(&offers, shopper.want.unit, shopper.want.order.limit)?;
        let found = shopper.offers.iter().find(|(offer, _)| offer.session == best.session)?;
        Some((shopper.want.clone(), found.clone()))
    }

    fn purchase_wiring(self: &Rc<Self>, plan: u32, _session: SessionId) -> Wiring<Purchase> {
        Wiring {
            stream: format!("{}/purchase/{plan}", self.name),
            who: self.name.clone(),
            rank: self.rank,
            outlet: self.outlet(|party, effect| party.purchase_effect(effect)),
            narrate: narrate::purchase(),
        }
    }

    /// Brings a purchase back from the journal.
    pub(super) fn restore_purchase(self: &Rc<Self>, plan: u32, purchase: Purchase) {
        let Some(offer) = purchase.offer().cloned() else { return };
        let Some(agent) = self.agent_of(offer.seller, &offer.terms) else { return };
        let wiring = self.purchase_wiring(plan, offer.session);
        if let Ok(handle) = actors::spawn(&self.shell, purchase, Birth::Restored, wiring) {
            self.purchases.borrow_mut().insert(offer.session, Slot { handle, plan, agent });
        }
    }

    pub(super) fn purchase_effect(self: &Rc<Self>, effect: PurchaseEffect) -> Task {
        let party = Rc::clone(self);
        Box::pin(async move {
            match effect {
                PurchaseEffect::Tell { to, statement } => party.tell_statement(to, &statement),
                PurchaseEffect::OpenChannel { session, seller, terms, deposit } => {
                    party.open_channel(session, seller, &terms, deposit);
                }
                PurchaseEffect::Pay { session, to, up_to } => party.pay(session, to, up_to).await,
                PurchaseEffect::Done { session } => party.done(session).await,
            }
        })
    }

    /// A purchase is over; one that another buyer was faster with is tried again.
    async fn done(self: &Rc<Self>, session: SessionId) {
        let slot = self.purchases.borrow().get(&session).cloned();
        let Some(slot) = slot else { return };
        self.close_when_done(slot.agent).await;
        let want = self.wants.borrow().get(&slot.plan).cloned();
        if let Some(want) = want.filter(|_| slot.came_to_nothing()) {
            self.later(LOOK_AGAIN, move |party| Box::pin(async move { party.buy(want) }));
        }
    }

    fn terms_with(&self, seller: Address, terms: &ChannelTerms) -> Terms {
        Terms {
            address_a: seller,
            address_b: self.address,
            timeout_seconds: terms.timeout,
            salt: terms.salt.clone(),
        }
    }

    fn agent_of(&self, seller: Address, terms: &ChannelTerms) -> Option<Address> {
        self.terms_with(seller, terms).aa_address().ok()
    }

    /// Asks the seller for the channel, checks that both mean the same agent, and deposits.
    fn open_channel(
        self: &Rc<Self>,
        session: SessionId,
        seller: Address,
        terms: &ChannelTerms,
        deposit: Bytes,
    ) {
        let terms = self.terms_with(seller, terms);
        let request = Request::CreateChannel {
            address: self.address,
            timeout: terms.timeout_seconds,
            asset: "base".into(),
            version: channel::AGENT_VERSION.into(),
            salt: terms.salt.clone(),
        };
        self.call(
            seller,
            request,
            Box::new(move |party, answer| {
                Box::pin(async move {
                    let Ok(agent) = terms.aa_address() else { return };
                    match answer {
                        Ok(answer) if answer["aa_address"] == agent.as_str() => {
                            party.deposit_for(session, terms, deposit).await;
                        }
                        Ok(_) => party.lose_channel(session, "the seller means another channel".into()).await,
                        Err(error) => party.lose_channel(session, error).await,
                    }
                })
            }),
        );
    }

    /// Deposits for a session that still waits for it, once: a restart asks again.
    async fn deposit_for(self: &Rc<Self>, session: SessionId, terms: Terms, amount: coinop_core::Bytes) {
        let waits =
            self.purchases.borrow().get(&session).is_some_and(|slot| slot.handle.state().awaits_channel());
        let Some(slot) = self.channel(terms, Role::Buyer).filter(|_| waits) else { return };
        let on_its_way = slot.handle.state().deposit_under_way().is_some();
        if !on_its_way {
            self.ask(&slot.handle, channel::Command::Deposit { amount }).await;
        }
    }

    async fn lose_channel(self: &Rc<Self>, session: SessionId, why: String) {
        self.refuse(format!("no channel: {why}"));
        self.ask_purchase(session, PurchaseCommand::ChannelLost).await;
    }

    async fn pay(self: &Rc<Self>, session: SessionId, _to: Address, up_to: Bytes) {
        let agent = self.purchases.borrow().get(&session).map(|slot| slot.agent);
        let handle =
            agent.and_then(|agent| self.channels.borrow().get(&agent).map(|slot| slot.handle.clone()));
        let Some(handle) = handle else { return };
        let command = channel::Command::Pay { session: channel::SessionId(session.to_string()), up_to };
        self.ask(&handle, command).await;
    }

    /// Our own meter's word, for a purchase that runs.
    pub async fn observed(self: &Rc<Self>, session: SessionId, units: Quantity) {
        self.ask_purchase(session, PurchaseCommand::Observed { units }).await;
    }

    /// Asks the thing of the running purchase `plan` to do something.
    pub async fn control(self: &Rc<Self>, plan: u32, action: &str) {
        let Ok(action) = action.parse() else { return };
        if let Some(session) = self.session_of(plan) {
            self.ask_purchase(session, PurchaseCommand::Control { action }).await;
        }
    }

    /// Stops the purchase `plan`.
    pub async fn stop(self: &Rc<Self>, plan: u32) {
        if let Some(session) = self.session_of(plan) {
            self.ask_purchase(session, PurchaseCommand::Stop).await;
        }
    }

    /// The session that was bought for this place in the plan.
    pub fn session_of(&self, plan: u32) -> Option<SessionId> {
        self.purchases.borrow().iter().find(|(_, slot)| slot.plan == plan).map(|(id, _)| *id)
    }

    /// The session that was bought for this place in the plan, and with whom.
    pub fn session_with(&self, plan: u32) -> Option<(SessionId, Address)> {
        let session = self.session_of(plan)?;
        let seller = self.purchases.borrow().get(&session)?.handle.state().offer()?.seller;
        Some((session, seller))
    }

    /// Whether what was bought for this place in the plan is being delivered.
    pub fn is_running(&self, plan: u32) -> bool {
        self.purchases
            .borrow()
            .values()
            .any(|slot| slot.plan == plan && slot.handle.state().state() == "running")
    }

    /// What this party's own meter has seen of a session.
    pub fn has_observed(&self, session: SessionId) -> Quantity {
        self.purchases.borrow().get(&session).map(|slot| slot.handle.state().observed()).unwrap_or_default()
    }

    /// Everything this party has signed for a session.
    pub fn has_signed(&self, session: SessionId) -> Bytes {
        self.purchases.borrow().get(&session).map(|slot| slot.handle.state().paid()).unwrap_or_default()
    }

    /// Whether this session is a purchase of this party.
    pub fn bought(&self, session: SessionId) -> bool {
        self.purchases.borrow().contains_key(&session)
    }

    pub(super) async fn ask_purchase(self: &Rc<Self>, id: SessionId, command: PurchaseCommand) {
        let handle = self.purchases.borrow().get(&id).map(|slot| slot.handle.clone());
        if let Some(handle) = handle {
            self.ask(&handle, command).await;
        }
    }

    /// The purchases paid through a channel; those that are over only wait for what comes back.
    pub(super) fn purchases_in(&self, agent: Address) -> Vec<SessionId> {
        let purchases = self.purchases.borrow();
        purchases.iter().filter(|(_, slot)| slot.agent == agent).map(|(id, _)| *id).collect()
    }

    /// The purchases that a channel is needed for.
    pub(super) fn open_purchases_in(&self, agent: Address) -> Vec<SessionId> {
        let purchases = self.purchases.borrow();
        let open = purchases.iter().filter(|(_, slot)| slot.agent == agent && !slot.handle.state().is_over());
        open.map(|(id, _)| *id).collect()
    }

    /// Closes the channel once no purchase needs it any more.
    pub(super) async fn close_when_done(self: &Rc<Self>, agent: Address) {
        let done = {
            let purchases = self.purchases.borrow();
            let mut ours = purchases.values().filter(|slot| slot.agent == agent).peekable();
            ours.peek().is_some() && ours.all(|slot| slot.handle.state().is_over())
        };
        let open =
            self.channels.borrow().get(&agent).is_some_and(|slot| slot.handle.state().phase() == Phase::Open);
        if done && open {
            self.ask_channel(agent, channel::Command::Close).await;
        }
    }

    pub(super) fn tell_statement(self: &Rc<Self>, to: Address, statement: &Statement) {
        match self.sign(statement) {
            Ok(package) => self.say(to, Request::Statement { package }),
            Err(error) => self.refuse(format!("a statement cannot be signed: {error}")),
        }
    }

    fn later(self: &Rc<Self>, span: Duration, task: impl FnOnce(Rc<Self>) -> Task + 'static) {
        let party = Rc::downgrade(self);
        let at: Timestamp = self.shell.now().after(span);
        self.shell.agenda().at(at, self.rank, async move {
            if let Some(party) = party.upgrade() {
                task(party).await;
            }
        });
    }
}
