//! One step at a time, for what was seen.

use super::{Deal, Event, Order, Phase, Purchase, Witness};
use crate::{
    Bytes, Decision, Timestamp,
    machine::Settled,
    meter::reconcile,
    session::{End, Offer, Reading, Refusal, statement::same_session},
    tariff::Quantity,
};

impl Order {
    /// Checks what can be checked before anything is signed.
    pub(super) fn check(&self, offer: &Offer) -> Result<(), Refusal> {
        let (offered, wanted) = (offer.tariff.unit(), self.unit);
        if offered != wanted {
            return Err(Refusal::Unit { offered, wanted });
        }
        if !offer.tariff.within(self.limit) {
            return Err(Refusal::TooDear { tariff: offer.tariff, limit: self.limit });
        }
        let (own, agreed) = (self.error_permille, offer.metering.apart_permille);
        if self.witness == Witness::Own && own > agreed {
            return Err(Refusal::Tolerance { own, agreed });
        }
        if self.wanted.is_some_and(Quantity::is_zero) {
            return Err(Refusal::Zero { what: "amount wanted", least: 1 });
        }
        if self.budget < offer.first {
            let (needed, available) = (offer.first, self.budget);
            return Err(Refusal::Short { what: "budget for the first payment", needed, available });
        }
        if self.deposit < offer.terms.min_deposit {
            let (needed, available) = (offer.terms.min_deposit, self.deposit);
            return Err(Refusal::Short { what: "deposit", needed, available });
        }
        Ok(())
    }

    /// What is wanted costs this; never less than the first payment.
    pub(super) fn most(&self, offer: &Offer) -> Bytes {
        self.wanted.map_or(Bytes::MAX, |wanted| offer.tariff.cost(wanted).max(offer.first))
    }
}

impl Purchase {
    pub(super) fn read_by_seller(&self, now: Timestamp, reading: Reading) -> Result<Settled<Self>, Refusal> {
        let deal = self.deal("a reading")?;
        same_session(reading.session, self.id)?;
        match self.phase {
            Phase::Taken { .. } => {
                let ready_by = now.after(deal.order.patience.deposit());
                Ok(Decision::event(Event::Held { ready_by }).then(deal.open_channel()))
            }
            Phase::Running { .. } if self.overclaims(deal, reading.delivered) => {
                Ok(self.stop(deal, now, End::Overclaimed))
            }
            Phase::Running { stalls_at } => {
                let read = self.read.max(reading.delivered);
                let stalls_at =
                    if read > self.read { now.after(deal.order.patience.stall()) } else { stalls_at };
                let decision = if read > self.read {
                    Decision::event(Event::Read { units: read, stalls_at })
                } else {
                    Decision::nothing()
                };
                Ok(self.go_on(decision, deal, now, self.observed, read))
            }
            // Late ones, or said again: the receipt counts.
            Phase::Held { .. } | Phase::Stopping { .. } | Phase::Settled { .. } | Phase::Released { .. } => {
                Ok(Decision::nothing())
            }
            Phase::New => Err(self.not_now("a reading")),
        }
    }

    pub(super) fn saw(&self, now: Timestamp, units: Quantity) -> Result<Settled<Self>, Refusal> {
        let deal = self.deal("an observation")?;
        if units < self.observed {
            return Err(Refusal::MeterBackwards { units, before: self.observed });
        }
        match self.phase {
            Phase::Running { .. } if self.disagrees(deal, units) => {
                let seen = Event::Observed { units, stalls_at: now.after(deal.order.patience.stall()) };
                let stopped = self.stop_having_seen(deal, now, End::MetersDisagree, units);
                Ok(joined(Decision::event(seen), stopped))
            }
            Phase::Running { .. } if units == self.observed => {
                Ok(self.go_on(Decision::nothing(), deal, now, units, self.read))
            }
            Phase::Running { .. } => {
                let stalls_at = now.after(deal.order.patience.stall());
                let seen = Decision::event(Event::Observed { units, stalls_at });
                Ok(self.go_on(seen, deal, now, units, self.read))
            }
            Phase::Stopping { .. } if units > self.observed => Ok(Decision::event(Event::SeenLate { units })),
            Phase::New
            | Phase::Taken { .. }
            | Phase::Held { .. }
            | Phase::Stopping { .. }
            | Phase::Settled { .. }
            | Phase::Released { .. } => Ok(Decision::nothing()),
        }
    }

    /// Stops when all is there, pays another step when what was seen allows it.
    fn go_on(
        &self,
        decision: Settled<Self>,
        deal: &Deal,
        now: Timestamp,
        observed: Quantity,
        read: Quantity,
    ) -> Settled<Self> {
        let seen = self.believed(deal, now, observed, read);
        let (goal, why) = self.goal(deal);
        // Enough is enough, whatever the seller reads; and as it delivers no more than was paid, its word
        // that all of that is used up is the end too.
        let enough = seen >= goal || observed >= goal;
        if enough || (self.paid >= self.ceiling && read >= goal) {
            return joined(decision, self.stop_having_seen(deal, now, why, observed));
        }
        let Some(total) = self.next_total(deal, seen) else { return decision };
        let stalls_at = now.after(deal.order.patience.stall());
        decision.and(Event::Paid { total, stalls_at }).then(deal.pay(total))
    }

    /// The next total, one step more, if no more than two steps are then ahead of what was seen.
    fn next_total(&self, deal: &Deal, seen: Quantity) -> Option<Bytes> {
        let tariff = &deal.offer.tariff;
        if self.paid >= self.ceiling {
            return None;
        }
        let total = self.paid.plus(tariff.step_price()).unwrap_or(Bytes::MAX).min(self.ceiling);
        let ahead = total.less(tariff.value(seen));
        (ahead <= tariff.first_price()).then_some(total)
    }

    /// What is taken as delivered.
    fn believed(&self, deal: &Deal, now: Timestamp, observed: Quantity, read: Quantity) -> Quantity {
        match deal.order.witness {
            Witness::Own => observed.min(read),
            Witness::Seller => {
                let metering = &deal.offer.metering;
                read.min(metering.rated.most_within(now.since(self.started)))
            }
        }
    }

    /// How much is to be delivered in all, and what that would mean.
    fn goal(&self, deal: &Deal) -> (Quantity, End) {
        let affordable = deal.offer.tariff.covers(self.ceiling);
        match deal.order.wanted {
            Some(wanted) if wanted <= affordable => (wanted, End::Complete),
            Some(_) | None => (affordable, End::BudgetSpent),
        }
    }

    /// Whether the seller claims a step more than was paid.
    fn overclaims(&self, deal: &Deal, delivered: Quantity) -> bool {
        let tariff = &deal.offer.tariff;
        tariff.value(delivered).less(tariff.step_price()) > self.paid
    }

    /// Whether the seller's meter was further ahead of what our own shows now than was agreed. One that is
    /// behind may have been read before ours, and takes nothing from us.
    fn disagrees(&self, deal: &Deal, own: Quantity) -> bool {
        let Offer { metering, tariff, .. } = &deal.offer;
        let tolerance = metering.tolerance(tariff, own);
        let believes_itself = match deal.order.witness {
            Witness::Own => true,
            Witness::Seller => false,
        };
        believes_itself && self.read > own && reconcile(self.read, own, tolerance).is_err()
    }

    /// A meter that notices only whole pulses may miss the end of the last one.
    pub(super) fn why_it_stalled(&self, deal: &Deal, now: Timestamp) -> End {
        let (goal, why) = self.goal(deal);
        let seen = self.believed(deal, now, self.observed, self.read);
        if goal.less(seen) <= deal.offer.metering.resolution { why } else { End::Stalled }
    }

    pub(super) fn time_up(&self, order: &Order) -> Option<Timestamp> {
        order.longest_ms.map(|millis| self.started.after(core::time::Duration::from_millis(millis)))
    }
}

fn joined(mut first: Settled<Purchase>, second: Settled<Purchase>) -> Settled<Purchase> {
    first.events.extend(second.events);
    first.effects.extend(second.effects);
    first
}
