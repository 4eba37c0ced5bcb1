//! From the offer to the first payment, and what the buyer may ask for.

use alloc::boxed::Box;

use super::{Event, Order, Phase, Purchase};
use crate::{
    Bytes, Deadline, Decision, Timestamp,
    machine::Settled,
    obyte::Address,
    session::{Control, End, Name, Offer, Refusal, Signed, Statement, statement::same_session},
};

impl Purchase {
    pub(super) fn buy(
        &self,
        now: Timestamp,
        package: Signed,
        buyer: Address,
        order: Order,
    ) -> Result<Settled<Self>, Refusal> {
        match (self.phase, self.deal.as_deref()) {
            (Phase::Taken { .. }, Some(deal)) if deal.package == package => {
                return Ok(Decision { events: [].into(), effects: deal.acceptance().into_iter().collect() });
            }
            (Phase::New, _) => {}
            (
                Phase::Taken { .. }
                | Phase::Held { .. }
                | Phase::Running { .. }
                | Phase::Stopping { .. }
                | Phase::Settled { .. }
                | Phase::Released { .. },
                _,
            ) => return Err(self.not_now("another offer")),
        }
        let offer = package.open()?.offer()?;
        same_session(offer.session, self.id)?;
        if offer.buyer != buyer {
            return Err(Refusal::Buyer { offered: offer.buyer, buyer });
        }
        offer.not_expired(now)?;
        offer.check()?;
        order.check(&offer)?;
        let retry_at = now.after(order.patience.retry());
        let deal =
            super::Deal { package: package.clone(), offer: offer.clone(), buyer, order: order.clone() };
        let taken = Event::Taken { package, offer: Box::new(offer), buyer, order: Box::new(order), retry_at };
        Ok(Decision { events: [taken].into(), effects: deal.acceptance().into_iter().collect() })
    }

    pub(super) fn ready(&self, now: Timestamp, available: Bytes) -> Result<Settled<Self>, Refusal> {
        let deal = self.deal("a deposit")?;
        let order = &deal.order;
        let ceiling = available.min(order.budget).min(order.most(&deal.offer));
        match self.phase {
            Phase::Held { .. } => {
                let first = deal.offer.first;
                if ceiling < first {
                    return Err(Refusal::Short { what: "channel", needed: first, available });
                }
                let stalls_at = now.after(order.patience.stall());
                Ok(Decision::event(Event::Funded { ceiling, started: now })
                    .and(Event::Paid { total: first, stalls_at })
                    .then(deal.pay(first)))
            }
            Phase::Running { .. } if ceiling > self.ceiling => {
                Ok(Decision::event(Event::Funded { ceiling, started: self.started }))
            }
            Phase::Running { .. } => Ok(Decision::nothing()),
            Phase::New
            | Phase::Taken { .. }
            | Phase::Stopping { .. }
            | Phase::Settled { .. }
            | Phase::Released { .. } => Err(self.not_now("a deposit")),
        }
    }

    pub(super) fn control(&self, action: Name) -> Result<Settled<Self>, Refusal> {
        let deal = self.deal("a control")?;
        match self.phase {
            Phase::Running { .. } => {
                let (session, counter) = (self.id, self.counter.saturating_add(1));
                let control = Control { session, action: action.clone(), counter };
                Ok(Decision::event(Event::Controlled { action, counter })
                    .then(deal.tell(Statement::Control(control))))
            }
            Phase::New
            | Phase::Taken { .. }
            | Phase::Held { .. }
            | Phase::Stopping { .. }
            | Phase::Settled { .. }
            | Phase::Released { .. } => Err(self.not_now("a control")),
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Deadline> {
        let deal = self.deal.as_deref()?;
        match self.phase {
            Phase::Taken { retry_at } if retry_at < deal.offer.expires_at => {
                Some(Deadline { at: retry_at, reason: "the seller has not answered" })
            }
            Phase::Taken { .. } => {
                Some(Deadline { at: deal.offer.expires_at, reason: "the offer expires unanswered" })
            }
            Phase::Held { ready_by } => Some(Deadline { at: ready_by, reason: "the channel is not ready" }),
            Phase::Running { stalls_at } => self.running_deadline(&deal.offer, &deal.order, stalls_at),
            Phase::Stopping { retry_at, until, .. } if retry_at < until => {
                Some(Deadline { at: retry_at, reason: "the receipt is not there" })
            }
            Phase::Stopping { until, .. } => {
                Some(Deadline { at: until, reason: "the receipt does not come" })
            }
            Phase::Settled { until, .. } => {
                Some(Deadline { at: until, reason: "the rest was not given back" })
            }
            Phase::New | Phase::Released { .. } => None,
        }
    }

    fn running_deadline(&self, offer: &Offer, order: &Order, stalls_at: Timestamp) -> Option<Deadline> {
        let stall = offer
            .tariff
            .unit()
            .flows()
            .then_some(Deadline { at: stalls_at, reason: "nothing more is delivered" });
        let longest = self.time_up(order).map(|at| Deadline { at, reason: "the longest duration is over" });
        [stall, longest].into_iter().flatten().min_by_key(|deadline| deadline.at)
    }

    pub(super) fn woken(&self, now: Timestamp) -> Settled<Self> {
        let (Some(deal), Some(deadline)) = (self.deal.as_deref(), self.next_deadline()) else {
            return Decision::nothing();
        };
        if now < deadline.at {
            return Decision::nothing();
        }
        match self.phase {
            Phase::Taken { .. } if deal.offer.expires_at <= now => self.released(End::Expired),
            Phase::Taken { .. } => {
                let retried = Event::Retried { retry_at: now.after(deal.order.patience.retry()) };
                Decision { events: [retried].into(), effects: deal.acceptance().into_iter().collect() }
            }
            Phase::Held { .. } => self.stop(deal, now, End::NoDeposit),
            Phase::Running { .. } if self.time_up(&deal.order).is_some_and(|at| at <= now) => {
                self.stop(deal, now, End::TimeUp)
            }
            Phase::Running { .. } => self.stop(deal, now, self.why_it_stalled(deal, now)),
            Phase::Stopping { why, until, .. } if until <= now => self.released(why),
            Phase::Stopping { why, until, .. } => {
                let (counter, retry_at) = (self.counter, now.after(deal.order.patience.retry()));
                Decision::event(Event::Stopped { why, counter, retry_at, until })
                    .then(self.say_stop(deal, counter))
            }
            Phase::Settled { why, .. } => self.released(why),
            Phase::New | Phase::Released { .. } => Decision::nothing(),
        }
    }
}
