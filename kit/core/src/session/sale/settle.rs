//! The end of a session, and the account.

use alloc::{vec, vec::Vec};

use super::{Effect, Event, Phase, Sale, tell};
use crate::{
    Bytes, Decision, Timestamp,
    machine::Settled,
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
            | Phase::Unpaid { .. } => Ok(self.ended_by(now, offer, why, self.counter)),
        }
    }

    pub(super) fn ended_by(&self, now: Timestamp, offer: &Offer, why: End, counter: u64) -> Settled<Self> {
        let ended = |until| Decision::event(Event::Ended { why, counter, until });
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
        // What was delivered beyond the payments is the seller's loss: nobody owes it.
        let value = offer.tariff.value(delivered).min(paid);
        let receipt = Receipt { session: self.id, delivered, value, paid, why };
        let owed = paid.less(value);
        let mut decision = Decision::event(Event::Settled { receipt, owed });
        decision.effects = self.account(offer, &receipt, owed);
        decision
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
