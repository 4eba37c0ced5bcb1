//! Channels: what they want from the wallet, the peer and the sessions, and what the ledger shows them.

use std::rc::Rc;

use coinop_core::{
    Bytes, Machine as _,
    channel::{
        Channel, Command, Effect, Limits, Outcome, Package, Role, SessionId, Sighting, SignedPackage, Terms,
    },
    obyte::{address::Address, hash::Hash},
    session::{End, PurchaseCommand, SaleCommand},
    wallet,
};
use serde_json::Value;

use super::{
    Party, narrate,
    wire::{PayMessage, Request},
};
use crate::{
    actors::{self, Birth, Handle, Wiring},
    agenda::Task,
    ledger::News,
    notice::Fact,
};

/// A channel of this party.
#[derive(Clone)]
pub(super) struct Slot {
    pub(super) handle: Handle<Channel>,
    pub(super) peer: Address,
}

impl Party {
    /// The channel of these terms, begun when there is none.
    pub(super) fn channel(self: &Rc<Self>, terms: Terms, role: Role) -> Option<Slot> {
        let agent = terms.aa_address().ok()?;
        if let Some(slot) = self.channels.borrow().get(&agent) {
            return Some(slot.clone());
        }
        if self.channels.borrow().len() >= super::MAX_CHANNELS {
            self.refuse(format!("no room for another channel, there are {}", super::MAX_CHANNELS));
            return None;
        }
        let channel =
            Channel::new(terms, role, Limits { min_deposit: super::MIN_DEPOSIT, ..Limits::default() })
                .ok()?;
        self.run_channel(channel, Birth::New)
    }

    pub(super) fn run_channel(self: &Rc<Self>, channel: Channel, birth: Birth) -> Option<Slot> {
        let agent = channel.agent();
        let peer = channel.terms().address(channel.role().peer());
        let wiring = Wiring {
            stream: format!("{}/channel/{agent}", self.name),
            who: self.name.clone(),
            rank: self.rank,
            outlet: self.outlet(move |party, effect| party.channel_effect(agent, effect)),
            narrate: narrate::channel(self.call_it(peer)),
        };
        let handle = actors::spawn(&self.shell, channel, birth, wiring).ok()?;
        let slot = Slot { handle, peer };
        self.channels.borrow_mut().insert(agent, slot.clone());
        let watcher = Rc::downgrade(self);
        self.ledger.watch(
            agent,
            self.rank,
            Rc::new(move |news| {
                let watcher = watcher.clone();
                Box::pin(async move {
                    if let Some(party) = watcher.upgrade() {
                        party.agent_news(agent, news).await;
                    }
                })
            }),
        );
        Some(slot)
    }

    /// Tells a channel again what the ledger has shown of its agent: after a restart.
    pub(super) async fn catch_up(self: &Rc<Self>, agent: Address) {
        match self.ledger.history(agent).await {
            Ok(history) => {
                for news in history {
                    self.agent_news(agent, news).await;
                }
            }
            Err(error) => {
                tracing::warn!(party = self.name, %agent, %error, "what happened meanwhile is not known");
            }
        }
    }

    async fn agent_news(self: &Rc<Self>, agent: Address, news: News) {
        let sighting = match news {
            News::Trigger { unit, from, amount, data } => {
                Sighting::Trigger { unit, from, amount, data, at: self.shell.now() }
            }
            News::Response { trigger, from, bounced, payload, at } => {
                Sighting::Response { trigger, from, bounced, payload, at }
            }
            News::BadSequence { unit } => Sighting::BadSequence { unit },
            News::Coins => return,
        };
        self.ask_channel(agent, Command::Saw(sighting)).await;
    }

    pub(super) async fn ask_channel(self: &Rc<Self>, agent: Address, command: Command) {
        let handle = self.channels.borrow().get(&agent).map(|slot| slot.handle.clone());
        if let Some(handle) = handle {
            self.ask(&handle, command).await;
        }
    }

    /// The wallet's answer to a posting, for the channel that the reference names.
    pub(super) async fn posted(self: &Rc<Self>, reference: &str, result: Result<Hash, String>) {
        let agent = reference.split('/').next().and_then(|agent| agent.parse::<Address>().ok());
        let reference = reference.to_owned();
        let command = match result {
            Ok(unit) => Command::Posted { reference, unit },
            Err(error) => Command::PostFailed { reference, error },
        };
        if let Some(agent) = agent {
            self.ask_channel(agent, command).await;
        }
    }

    fn channel_effect(self: &Rc<Self>, agent: Address, effect: Effect) -> Task {
        let party = Rc::clone(self);
        Box::pin(async move {
            match effect {
                Effect::Post { reference, agent, to_agent, data, definition } => {
                    let request = wallet::Request::to_agent(agent, to_agent, data, definition);
                    party.spend(reference, request).await;
                }
                Effect::Send { package, session, total } => {
                    party.send_package(agent, package, &session, total);
                }
                Effect::Answer { tag, answer } => party.answer_payment(agent, tag, answer),
                Effect::Credited { session, total } => party.credited(&session, total).await,
                Effect::Ready { period: _, payable, receivable } => {
                    party.channel_ready(agent, payable, receivable).await;
                }
                Effect::Closing { .. } => party.channel_lost(agent).await,
                Effect::Closed { period: _, outcome } => party.channel_closed(agent, outcome).await,
                Effect::DepositFailed { amount, error } => {
                    party.refuse(format!("the deposit of {amount} failed: {error}"));
                }
            }
        })
    }

    fn send_package(self: &Rc<Self>, agent: Address, package: Package, session: &SessionId, total: Bytes) {
        let Some(peer) = self.channels.borrow().get(&agent).map(|slot| slot.peer) else { return };
        let signed = match self.signer.sign(package) {
            Ok(signed) => signed,
            Err(error) => return self.refuse(format!("a package cannot be signed: {error}")),
        };
        self.tell_package(&signed, session, total);
        let message = PayMessage { session: session.to_string() };
        self.remember(peer, &signed, session);
        let request = Request::Pay { signed_package: Box::new(signed), message };
        self.call(
            peer,
            request,
            Box::new(|party, answer| {
                Box::pin(async move {
                    if let Err(error) = answer {
                        party.refuse(format!("the payment was turned down: {error}"));
                    }
                })
            }),
        );
    }

    fn tell_package(&self, signed: &SignedPackage, session: &SessionId, session_total: Bytes) {
        let package = &signed.message;
        let fact = Fact::Package {
            channel: package.aa_address.to_string(),
            period: package.period,
            session: session.to_string(),
            amount_spent: package.amount_spent,
            payment_amount: package.payment_amount,
            session_total,
            signed_package: serde_json::to_value(signed).unwrap_or(Value::Null),
        };
        self.shell.tell(self.rank, &self.name, fact);
    }

    /// A payment arrives.
    pub(super) async fn paid(
        self: &Rc<Self>,
        from: Address,
        tag: String,
        package: SignedPackage,
        session: String,
    ) {
        let agent = package.message.aa_address;
        let known = self.channels.borrow().get(&agent).map(|slot| (slot.handle.clone(), slot.peer));
        let Some((handle, peer)) = known.filter(|(_, peer)| *peer == from) else {
            return self.answer(from, tag, Err(format!("there is no channel {agent} between us")));
        };
        let session = (!session.is_empty()).then_some(SessionId(session));
        if let Err(error) = handle.ask(Command::Receive { tag: tag.clone(), package, session }).await {
            self.refuse(format!("a payment of {}: {error}", self.call_it(peer)));
            self.answer(from, tag, Err(error.to_string()));
        }
    }

    fn answer_payment(&self, agent: Address, tag: String, answer: Value) {
        let Some(peer) = self.channels.borrow().get(&agent).map(|slot| slot.peer) else { return };
        let answer = match (answer.get("response"), answer.get("error").and_then(Value::as_str)) {
            (_, Some(error)) => Err(error.to_owned()),
            (Some(response), None) => Ok(response.clone()),
            (None, None) => Ok(answer),
        };
        self.answer(peer, tag, answer);
    }

    async fn credited(self: &Rc<Self>, session: &SessionId, total: Bytes) {
        let Ok(id) = session.0.parse() else { return };
        self.ask_sale(id, SaleCommand::Paid { total }).await;
    }

    async fn channel_ready(self: &Rc<Self>, agent: Address, payable: Bytes, receivable: Bytes) {
        for id in self.open_sales_in(agent) {
            self.ask_sale(id, SaleCommand::Ready { deposit: receivable }).await;
        }
        for id in self.open_purchases_in(agent) {
            self.ask_purchase(id, PurchaseCommand::Ready { available: payable }).await;
        }
        self.close_when_done(agent).await;
    }

    async fn channel_lost(self: &Rc<Self>, agent: Address) {
        for id in self.open_sales_in(agent) {
            self.ask_sale(id, SaleCommand::End { why: End::ChannelLost }).await;
        }
        for id in self.open_purchases_in(agent) {
            self.ask_purchase(id, PurchaseCommand::ChannelLost).await;
        }
    }

    /// As [`Self::channel_lost`], but those who wait for the channel ask for its next period: after a
    /// restart the last settled period is told once more.
    async fn period_lost(self: &Rc<Self>, agent: Address) {
        for id in self.open_sales_in(agent) {
            let paid = self.sales.borrow().get(&id).is_some_and(|slot| !slot.handle.state().paid().is_zero());
            if paid {
                self.ask_sale(id, SaleCommand::End { why: End::ChannelLost }).await;
            }
        }
        for id in self.open_purchases_in(agent) {
            let waiting = self.purchases.borrow().get(&id).map(|slot| slot.handle.clone());
            let waiting = waiting.filter(|handle| handle.state().awaits_channel());
            match waiting.map(|handle| handle.state().pending()) {
                Some(again) => again.into_iter().for_each(|effect| {
                    self.shell.hold(self.rank, self.purchase_effect(effect));
                }),
                None => self.ask_purchase(id, PurchaseCommand::ChannelLost).await,
            }
        }
    }

    /// A period is settled: the sessions of the channel are over, and what was owed has come back.
    async fn channel_closed(self: &Rc<Self>, agent: Address, outcome: Outcome) {
        self.period_lost(agent).await;
        if outcome.fraud_proven_by.is_none() {
            for id in self.sales_in(agent) {
                let owed = self.sales.borrow().get(&id).map(|slot| slot.handle.state().owed());
                self.ask_sale(id, SaleCommand::Returned { total: owed.unwrap_or_default() }).await;
            }
            for id in self.purchases_in(agent) {
                let owed = self.purchases.borrow().get(&id).map(|slot| slot.handle.state().owed());
                self.ask_purchase(id, PurchaseCommand::Returned { total: owed.unwrap_or_default() }).await;
            }
        }
        self.look_at_coins().await;
    }
}
