//! What a machine's events mean to a spectator.

use coinop_core::{
    channel::{self, Channel},
    obyte::address::Address,
    session::{End, Offer, Purchase, PurchaseEvent, Receipt, Sale, SaleEvent, Signed},
    tariff::Quantity,
};

use super::AddressBook;
use crate::{
    actors::Narrator,
    notice::{ChannelState, Fact, SessionState},
};

/// The seller tells the story of a session.
pub(super) fn sale(_seller: Address, book: AddressBook) -> Narrator<Sale> {
    Box::new(move |sale, event| {
        // An offer that nobody took is no story.
        if sale.ended() == Some(End::Expired) {
            return Vec::new();
        }
        let state = match event {
            SaleEvent::Accepted { .. } => SessionState::Accepted,
            SaleEvent::Paid { total } => {
                let session = sale.offer().map(|offer| offer.session.to_string()).unwrap_or_default();
                let paid = Fact::Paid { session, value: *total };
                return vec![paid];
            }
            SaleEvent::Powered { .. } => SessionState::Running,
            SaleEvent::Ended { .. } if sale.paid().is_zero() => SessionState::Cancelled,
            SaleEvent::Ended {
                why: End::MeterSilent | End::Overclaimed | End::Stalled | End::MetersDisagree,
                ..
            } => SessionState::Disputed,
            SaleEvent::Settled { receipt, .. } if receipt.why == End::MetersDisagree => {
                let settled = session(sale, SessionState::Settled, &book);
                return by_seller(sale, receipt).into_iter().chain(settled).chain(account(receipt)).collect();
            }
            SaleEvent::Ended { .. } => SessionState::Stopped,
            SaleEvent::Settled { receipt, .. } => {
                return session(sale, SessionState::Settled, &book)
                    .into_iter()
                    .chain(account(receipt))
                    .collect();
            }
            SaleEvent::Quoted { .. }
            | SaleEvent::Funded { .. }
            | SaleEvent::Metered { .. }
            | SaleEvent::UsedUp { .. }
            | SaleEvent::Acted { .. }
            | SaleEvent::Returned { .. } => return Vec::new(),
        };
        session(sale, state, &book).into_iter().collect()
    })
}

/// Where a sale stands, told after a restart; nothing of one that is over or was never taken.
pub(super) fn standing(sale: &Sale, book: &AddressBook) -> Vec<Fact> {
    let state = match sale.state() {
        "accepted" | "funded" => SessionState::Accepted,
        "running" | "unpaid" => SessionState::Running,
        "ending" => SessionState::Stopped,
        _ => return Vec::new(),
    };
    let paid = Fact::Paid { session: sale.id().to_string(), value: sale.paid() };
    session(sale, state, book).into_iter().chain((!sale.paid().is_zero()).then_some(paid)).collect()
}

fn session(sale: &Sale, state: SessionState, book: &AddressBook) -> Option<Fact> {
    let offer = sale.offer()?;
    let terms = channel::Terms {
        address_a: offer.seller,
        address_b: offer.buyer,
        timeout_seconds: offer.terms.timeout,
        salt: offer.terms.salt.clone(),
    };
    let buyer = book.borrow().get(&offer.buyer).cloned().unwrap_or_else(|| offer.buyer.to_string());
    Some(Fact::Session {
        id: offer.session.to_string(),
        thing: offer.thing.to_string(),
        buyer,
        channel: terms.aa_address().ok()?.to_string(),
        step: offer.tariff.step_price(),
        state,
    })
}

/// The buyer's side of a session is silent but in a dispute: the seller tells the story, the packages tell
/// the money.
pub(super) fn purchase() -> Narrator<Purchase> {
    Box::new(|purchase, event| match event {
        PurchaseEvent::Settled { receipt, package, why, .. }
            if *why == End::MetersDisagree || receipt.why == End::MetersDisagree =>
        {
            by_buyer(purchase, receipt, package).into_iter().collect()
        }
        PurchaseEvent::Taken { .. }
        | PurchaseEvent::Retried { .. }
        | PurchaseEvent::Held { .. }
        | PurchaseEvent::Funded { .. }
        | PurchaseEvent::Paid { .. }
        | PurchaseEvent::Observed { .. }
        | PurchaseEvent::SeenLate { .. }
        | PurchaseEvent::Resumed { .. }
        | PurchaseEvent::Read { .. }
        | PurchaseEvent::Controlled { .. }
        | PurchaseEvent::Stopped { .. }
        | PurchaseEvent::Settled { .. }
        | PurchaseEvent::Returned { .. }
        | PurchaseEvent::Released { .. } => Vec::new(),
    })
}

/// The signed account of a session that was paid for.
fn account(receipt: &Receipt) -> Option<Fact> {
    let Receipt { session, delivered, value, .. } = receipt;
    let fact = Fact::Receipt { session: session.to_string(), units: delivered.get(), value: *value };
    (!receipt.paid.is_zero()).then_some(fact)
}

/// The seller shows what the buyer signed.
fn by_seller(sale: &Sale, receipt: &Receipt) -> Option<Fact> {
    let stop = sale.stop()?;
    Some(dispute(sale.offer()?, receipt.delivered, stop.seen?, &stop.package))
}

/// The buyer shows what the seller signed.
fn by_buyer(purchase: &Purchase, receipt: &Receipt, package: &Signed) -> Option<Fact> {
    Some(dispute(purchase.offer()?, receipt.delivered, purchase.observed(), package))
}

fn dispute(offer: &Offer, seller: Quantity, buyer: Quantity, evidence: &Signed) -> Fact {
    let tolerance = offer.metering.tolerance(&offer.tariff, seller.min(buyer));
    Fact::Dispute {
        session: offer.session.to_string(),
        seller: seller.get(),
        buyer: buyer.get(),
        tolerance: tolerance.get(),
        evidence: evidence.package().clone(),
    }
}

/// Each party tells its own view of a channel.
pub(super) fn channel(peer: String) -> Narrator<Channel> {
    Box::new(move |channel, event| {
        let state = match event {
            channel::Event::Requested { trigger: channel::Trigger::Deposit { .. }, .. } => {
                ChannelState::Opening
            }
            channel::Event::Opened { .. } => ChannelState::Open,
            channel::Event::ClosingBegan { .. } => ChannelState::Closing,
            channel::Event::Closed { outcome, .. } => match outcome.fraud_proven_by {
                Some(_) => ChannelState::Punished,
                None => ChannelState::Closed,
            },
            channel::Event::Requested { .. }
            | channel::Event::Posted { .. }
            | channel::Event::Postponed { .. }
            | channel::Event::Retried { .. }
            | channel::Event::Failed { .. }
            | channel::Event::Unclaimed { .. }
            | channel::Event::Paid { .. }
            | channel::Event::Received { .. }
            | channel::Event::Owed { .. }
            | channel::Event::TriggerSeen { .. }
            | channel::Event::TriggerGone { .. }
            | channel::Event::Refused { .. }
            | channel::Event::Done { .. } => return Vec::new(),
        };
        vec![Fact::Channel {
            channel: channel.agent().to_string(),
            peer: peer.clone(),
            period: period(channel, event),
            state,
            deposited: channel.mine().deposited.plus(channel.peer().deposited).unwrap_or_default(),
        }]
    })
}

/// The period that the event is about.
fn period(channel: &Channel, event: &channel::Event) -> u64 {
    match event {
        channel::Event::Opened { period, .. }
        | channel::Event::ClosingBegan { period, .. }
        | channel::Event::Closed { period, .. } => *period,
        _ => channel.current_period(),
    }
}
