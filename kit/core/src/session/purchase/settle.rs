//! The end of a purchase, and the seller's account.

use super::{Deal, Effect, Event, Phase, Purchase, Witness};
use crate::{
    Bytes, Decision, Timestamp,
    machine::Settled,
    session::{End, Receipt, Refusal, Signed, statement::same_session},
    tariff::Quantity,
};

impl Purchase {
    pub(super) fn stop_asked(&self, now: Timestamp, why: End) -> Result<Settled<Self>, Refusal> {
        let deal = self.deal("a stop")?;
        match self.phase {
            Phase::Taken { .. } | Phase::Held { .. } | Phase::Running { .. } => Ok(self.stop(deal, now, why)),
            Phase::Stopping { .. } | Phase::Settled { .. } | Phase::Released { .. } => {
                Ok(Decision::nothing())
            }
            Phase::New => Err(self.not_now("a stop")),
        }
    }

    pub(super) fn stop(&self, deal: &Deal, now: Timestamp, why: End) -> Settled<Self> {
        self.stop_having_seen(deal, now, why, self.observed)
    }

    /// Stops with the newest word of our own meter, which may not be recorded yet.
    pub(super) fn stop_having_seen(
        &self,
        deal: &Deal,
        now: Timestamp,
        why: End,
        observed: Quantity,
    ) -> Settled<Self> {
        let counter = self.counter.saturating_add(1);
        let retry_at = now.after(deal.order.patience.retry());
        let until = now.after(deal.order.patience.settle());
        Decision::event(Event::Stopped { why, counter, retry_at, until }).then(deal.stop(counter, observed))
    }

    pub(super) fn receive(&self, now: Timestamp, package: Signed) -> Result<Settled<Self>, Refusal> {
        let deal = self.deal("a receipt")?;
        let receipt = package.open()?.by(deal.offer.seller)?.receipt()?;
        same_session(receipt.session, self.id)?;
        if self.settled == Some(receipt) {
            return Ok(Decision::nothing());
        }
        self.check_receipt(deal, &receipt)?;
        match self.phase {
            Phase::New | Phase::Released { .. } => Err(self.not_now("a receipt")),
            Phase::Taken { .. }
            | Phase::Held { .. }
            | Phase::Running { .. }
            | Phase::Stopping { .. }
            | Phase::Settled { .. } => {
                let why = self.ended().unwrap_or(receipt.why);
                let owed = self.paid.less(receipt.value);
                let until = now.after(deal.order.patience.settle());
                let overclaimed = self.overclaim(deal, &receipt);
                let settled = Event::Settled { package, receipt, owed, overclaimed, why, until };
                let settled = Decision::event(settled).then(Effect::Done { session: self.id });
                Ok(perhaps_released(settled, owed, self.returned, why))
            }
        }
    }

    fn check_receipt(&self, deal: &Deal, receipt: &Receipt) -> Result<(), Refusal> {
        if receipt.paid > self.paid {
            return Err(Refusal::MoreMoney { what: "paid", total: receipt.paid, most: self.paid });
        }
        let worth = deal.offer.tariff.value(receipt.delivered);
        if receipt.value != worth.min(receipt.paid) {
            let Receipt { value, delivered, paid, .. } = *receipt;
            return Err(Refusal::Receipt { value, delivered, worth, paid });
        }
        let Some(before) = self.settled else { return Ok(()) };
        if receipt.paid < before.paid {
            return Err(Refusal::LessMoney { what: "paid", total: receipt.paid, before: before.paid });
        }
        // Only money that came late makes a newer account; what was delivered stands.
        if receipt.delivered != before.delivered {
            return Err(Refusal::Receipt {
                value: receipt.value,
                delivered: receipt.delivered,
                worth: before.value,
                paid: receipt.paid,
            });
        }
        Ok(())
    }

    fn overclaim(&self, deal: &Deal, receipt: &Receipt) -> Bytes {
        let tariff = &deal.offer.tariff;
        match deal.order.witness {
            Witness::Own => receipt.value.less(tariff.value(self.observed)).less(tariff.step_price()),
            Witness::Seller => Bytes::ZERO,
        }
    }

    pub(super) fn returned_to(&self, total: Bytes) -> Result<Settled<Self>, Refusal> {
        if total < self.returned {
            return Err(Refusal::LessMoney { what: "came back", total, before: self.returned });
        }
        if total > self.paid {
            return Err(Refusal::MoreMoney { what: "came back", total, most: self.paid });
        }
        if total == self.returned {
            return Ok(Decision::nothing());
        }
        let returned = Decision::event(Event::Returned { total });
        match self.phase {
            Phase::Settled { why, .. } => Ok(perhaps_released(returned, self.owed, total, why)),
            Phase::Stopping { .. } | Phase::Released { .. } | Phase::Running { .. } => Ok(returned),
            Phase::New | Phase::Taken { .. } | Phase::Held { .. } => Err(self.not_now("giving back")),
        }
    }

    pub(super) fn released(&self, why: End) -> Settled<Self> {
        Decision::event(Event::Released { why }).then(Effect::Done { session: self.id })
    }

    /// The process was away: the stall counts from now on.
    pub(super) fn resumed(&self, now: Timestamp) -> Settled<Self> {
        match (self.phase, self.deal.as_deref()) {
            (Phase::Running { .. }, Some(deal)) => {
                Decision::event(Event::Resumed { stalls_at: now.after(deal.order.patience.stall()) })
            }
            (
                Phase::New
                | Phase::Taken { .. }
                | Phase::Held { .. }
                | Phase::Running { .. }
                | Phase::Stopping { .. }
                | Phase::Settled { .. }
                | Phase::Released { .. },
                _,
            ) => Decision::nothing(),
        }
    }
}

fn perhaps_released(
    decision: Settled<Purchase>,
    owed: Bytes,
    returned: Bytes,
    why: End,
) -> Settled<Purchase> {
    if returned < owed { decision } else { decision.and(Event::Released { why }) }
}
