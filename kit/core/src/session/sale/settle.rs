//! The end of a session, and the account.

use alloc::{vec, vec::Vec};

use super::{Effect, Event, Phase, Sale, Stopped, tell};
use crate::{
    Bytes, Decision, Timestamp,
    machine::Settled,
    meter::{Apart, reconcile},
    session::{End, Offer, Receipt, Refusal, Statement},
    tariff::Quantity,
};

impl Sale {
    pub(super) fn end(&self, now: Timestamp, why: End) -> Result<Settled<Self>, Refusal> {
        let offer = self.made("an end")?;
        match self.phase {
            Phase::Ending { .. } | Phase::Settled { .. } => Ok(Decision::nothing()),
            Phase::New => Err(self.not_now("an end")),
            Phase::Offered
            | Phase::Accepted
            | Phase::Funded { .. }
            | Phase::Running
            | Phase::Unpaid { .. } => Ok(self.ended_by(now, offer, why, self.counter, None)),
        }
    }

    pub(super) fn ended_by(
        &self,
        now: Timestamp,
        offer: &Offer,
        why: End,
        counter: u64,
        stop: Option<Stopped>,
    ) -> Settled<Self> {
        let ended = |until| Decision::event(Event::Ended { why, counter, until, stop });
        match self.phase {
            Phase::Running | Phase::Unpaid { .. } => ended(now.after(offer.metering.gap()))
                .then(self.power_off())
                .then(Effect::ReadLast { session: self.id }),
            // The power was never on: there is nothing to read.
            Phase::New
            | Phase::Offered
            | Phase::Accepted
            | Phase::Funded { .. }
            | Phase::Ending { .. }
            | Phase::Settled { .. } => {
                let Decision { events, effects } = self.settled(offer, why, self.delivered, self.paid);
                let mut decision = ended(now);
                decision.events.extend(events);
                decision.effects.extend(effects);
                decision
            }
        }
    }

    pub(super) fn last_reading(&self, units: Quantity) -> Result<Settled<Self>, Refusal> {
        let offer = self.made("a last reading")?;
        if units < self.delivered {
            return Err(Refusal::MeterBackwards { units, before: self.delivered });
        }
        match self.phase {
            Phase::Ending { why, .. } => Ok(self.settled(offer, why, units, self.paid)),
            Phase::Settled { .. } if units == self.delivered => Ok(Decision::nothing()),
            Phase::New
            | Phase::Offered
            | Phase::Accepted
            | Phase::Funded { .. }
            | Phase::Running
            | Phase::Unpaid { .. }
            | Phase::Settled { .. } => Err(self.not_now("a last reading")),
        }
    }

    pub(super) fn settled(&self, offer: &Offer, why: End, delivered: Quantity, paid: Bytes) -> Settled<Self> {
        let (delivered, reconciled) = self.reconciled(offer, delivered, why);
        let ended = self.ends_otherwise(why, reconciled);
        let why = reconciled;
        // What was delivered beyond the payments is the seller's loss: nobody owes it.
        let value = offer.tariff.value(delivered).min(paid);
        let receipt = Receipt { session: self.id, delivered, value, paid, why };
        let owed = paid.less(value);
        let settled = Event::Settled { receipt, owed };
        let mut decision =
            Decision { events: ended.into_iter().chain([settled]).collect(), effects: Vec::new() };
        decision.effects = self.account(offer, &receipt, owed);
        decision
    }

    /// What counts of our meter's last word and the buyer's. Beyond what was agreed it is ours, and the
    /// session is in dispute.
    fn reconciled(&self, offer: &Offer, delivered: Quantity, why: End) -> (Quantity, End) {
        // What our meter counted after the stop, the buyer's had not counted yet.
        let seen = self.stop.as_ref().and_then(|stop| Some(stop.seen?.plus(delivered.less(stop.shown))));
        match seen.map(|seen| agreed(offer, delivered, seen)) {
            None => (delivered, why),
            Some(_) if why == End::MetersDisagree => (delivered, why),
            Some(Ok(lower)) => (lower, why),
            Some(Err(_)) => (delivered, End::MetersDisagree),
        }
    }

    /// The last reading may show what the stop did not: that the meters disagree.
    fn ends_otherwise(&self, why: End, reconciled: End) -> Option<Event> {
        match self.phase {
            Phase::Ending { until, .. } if reconciled != why => {
                let (counter, stop) = (self.counter, self.stop.clone());
                Some(Event::Ended { why: reconciled, counter, until, stop })
            }
            Phase::New
            | Phase::Offered
            | Phase::Accepted
            | Phase::Funded { .. }
            | Phase::Running
            | Phase::Unpaid { .. }
            | Phase::Ending { .. }
            | Phase::Settled { .. } => None,
        }
    }

    pub(super) fn account(&self, offer: &Offer, receipt: &Receipt, owed: Bytes) -> Vec<Effect> {
        let mut effects = vec![tell(offer, Statement::Receipt(*receipt))];
        if owed > self.returned {
            effects.push(Effect::Owe { session: self.id, to: offer.buyer, amount: owed });
        }
        effects
    }

    pub(super) fn receipt(&self, offer: &Offer) -> Receipt {
        Receipt {
            session: self.id,
            delivered: self.delivered,
            value: offer.tariff.value(self.delivered).min(self.paid),
            paid: self.paid,
            why: self.ended().unwrap_or(End::Stopped),
        }
    }

    pub(super) fn returned_to(&self, total: Bytes) -> Result<Settled<Self>, Refusal> {
        match self.phase {
            Phase::Settled { .. } => {
                if total > self.owed {
                    return Err(Refusal::MoreMoney { what: "given back", total, most: self.owed });
                }
                if total < self.returned {
                    return Err(Refusal::LessMoney { what: "given back", total, before: self.returned });
                }
                if total == self.returned {
                    return Ok(Decision::nothing());
                }
                Ok(Decision::event(Event::Returned { total }))
            }
            Phase::New
            | Phase::Offered
            | Phase::Accepted
            | Phase::Funded { .. }
            | Phase::Running
            | Phase::Unpaid { .. }
            | Phase::Ending { .. } => Err(self.not_now("giving back")),
        }
    }
}

/// What counts of the seller's figure and the buyer's, by what they agreed on.
pub(super) fn agreed(offer: &Offer, delivered: Quantity, seen: Quantity) -> Result<Quantity, Apart> {
    reconcile(delivered, seen, offer.metering.tolerance(&offer.tariff, delivered.min(seen)))
}
