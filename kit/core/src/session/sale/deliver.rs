//! Money in, power on; delivered, power off.

use super::{Event, Phase, Sale};
use crate::{
    Bytes, Deadline, Decision, Timestamp,
    machine::Settled,
    session::{End, Offer, Refusal},
    tariff::Quantity,
};

/// How often within the grace time the reading is sent again, in case it was lost.
const REMINDERS: u32 = 4;

/// A reading is sent each time this part of a step was delivered.
const READINGS_A_STEP: u64 = 4;

impl Sale {
    pub(super) fn paid_to(&self, now: Timestamp, total: Bytes) -> Result<Settled<Self>, Refusal> {
        let offer = self.made("a payment")?;
        if total.is_zero() {
            return Err(Refusal::Zero { what: "payment", least: 1 });
        }
        if total < self.paid {
            return Err(Refusal::LessMoney { what: "payments", total, before: self.paid });
        }
        if total == self.paid {
            return Ok(Decision::nothing());
        }
        let paid = Decision::event(Event::Paid { total });
        match self.phase {
            Phase::Accepted | Phase::Ending { .. } => Ok(paid),
            Phase::Funded { .. } if total < offer.first => Ok(paid),
            Phase::Running => {
                let up_to = offer.tariff.covers(total);
                let left = up_to.less(self.delivered_at_most(offer, now));
                Ok(paid.then(self.entitle(left, up_to)))
            }
            Phase::Unpaid { .. } if offer.tariff.covers(total) <= self.delivered => Ok(paid),
            Phase::Funded { .. } | Phase::Unpaid { .. } => Ok(self.power_on(paid, offer, now, total)),
            Phase::Settled { why } => Ok(self.settled(offer, why, self.delivered, total)),
            Phase::New | Phase::Offered => Err(self.not_now("a payment")),
        }
    }

    pub(super) fn power_on(
        &self,
        decision: Settled<Self>,
        offer: &Offer,
        now: Timestamp,
        paid: Bytes,
    ) -> Settled<Self> {
        let up_to = offer.tariff.covers(paid);
        decision.and(Event::Powered { at: now }).then(self.entitle(up_to.less(self.delivered), up_to))
    }

    pub(super) fn metered(
        &self,
        now: Timestamp,
        units: Quantity,
        at: Timestamp,
    ) -> Result<Settled<Self>, Refusal> {
        let offer = self.made("a reading")?;
        if units < self.delivered {
            return Err(Refusal::MeterBackwards { units, before: self.delivered });
        }
        if units == self.delivered {
            return Ok(Decision::nothing());
        }
        // A word from the future, or from before the last one, is as good as the nearest sensible one.
        let at = at.min(now).max(self.metered_at.min(now));
        let metered = Decision::event(Event::Metered { units, at });
        match self.phase {
            Phase::Running => Ok(self.go_on(metered, offer, now, units, at)),
            Phase::Unpaid { .. } => Ok(metered.then(self.read(offer, units))),
            Phase::Ending { .. } => Ok(metered),
            Phase::New | Phase::Offered | Phase::Accepted | Phase::Funded { .. } | Phase::Settled { .. } => {
                Err(self.not_now("a reading"))
            }
        }
    }

    fn go_on(
        &self,
        metered: Settled<Self>,
        offer: &Offer,
        now: Timestamp,
        units: Quantity,
        at: Timestamp,
    ) -> Settled<Self> {
        let up_to = self.covered(offer);
        if up_to <= units {
            return self.used_up(metered, offer, now, units);
        }
        let meanwhile = possible(offer, at, now);
        let decision = metered.then(self.entitle(up_to.less(units.plus(meanwhile)), up_to));
        if part_of_step(offer, units) == part_of_step(offer, self.delivered) {
            return decision;
        }
        decision.then(self.read(offer, units))
    }

    pub(super) fn used_up(
        &self,
        decision: Settled<Self>,
        offer: &Offer,
        now: Timestamp,
        units: Quantity,
    ) -> Settled<Self> {
        let until = now.after(offer.grace());
        let remind_at = now.after(offer.grace() / REMINDERS);
        decision
            .and(Event::UsedUp { until, remind_at })
            .then(self.entitle(Quantity::ZERO, units))
            .then(self.read(offer, units))
    }

    /// The process was away with the power off: what is paid still counts, and so does the grace time.
    ///
    /// What can have flowed from the meter's last word until the process went is taken as delivered, or
    /// each restart would give some of it away.
    pub(super) fn resumed(&self, now: Timestamp, until: Timestamp) -> Settled<Self> {
        let Some(offer) = self.offer() else { return Decision::nothing() };
        match self.phase {
            Phase::Running => self.power_on_again(offer, now, until),
            Phase::Unpaid { .. } => self.used_up(Decision::nothing(), offer, now, self.delivered),
            Phase::New
            | Phase::Offered
            | Phase::Accepted
            | Phase::Funded { .. }
            | Phase::Ending { .. }
            | Phase::Settled { .. } => Decision::nothing(),
        }
    }

    fn power_on_again(&self, offer: &Offer, now: Timestamp, until: Timestamp) -> Settled<Self> {
        let up_to = self.covered(offer);
        let units = self.delivered.plus(possible(offer, self.metered_at, until)).min(up_to);
        let metered = if units > self.delivered {
            Decision::event(Event::Metered { units, at: now })
        } else {
            Decision::nothing()
        };
        if up_to <= units {
            return self.used_up(metered, offer, now, units);
        }
        metered.and(Event::Powered { at: now }).then(self.entitle(up_to.less(units), up_to))
    }

    pub(super) fn woken(&self, now: Timestamp) -> Settled<Self> {
        let (Some(offer), Some(deadline)) = (self.offer(), self.next_deadline()) else {
            return Decision::nothing();
        };
        if now < deadline.at {
            return Decision::nothing();
        }
        match self.phase {
            Phase::Offered => self.ended_by(now, offer, End::Expired, self.counter, None),
            Phase::Accepted | Phase::Funded { .. } => {
                self.ended_by(now, offer, End::NoDeposit, self.counter, None)
            }
            Phase::Running if self.nothing_to_notice(offer) => {
                self.used_up(Decision::nothing(), offer, now, self.delivered)
            }
            Phase::Running => self.ended_by(now, offer, End::MeterSilent, self.counter, None),
            Phase::Unpaid { until, .. } if until <= now => {
                self.ended_by(now, offer, End::Unpaid, self.counter, None)
            }
            Phase::Unpaid { until, .. } => {
                let remind_at = now.after(offer.grace() / REMINDERS);
                Decision::event(Event::UsedUp { until, remind_at }).then(self.read(offer, self.delivered))
            }
            Phase::Ending { why, .. } => self.settled(offer, why, self.delivered, self.paid),
            Phase::New | Phase::Settled { .. } => Decision::nothing(),
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Deadline> {
        let offer = self.offer()?;
        match self.phase {
            Phase::Offered => Some(Deadline { at: offer.expires_at, reason: "the offer is not accepted" }),
            Phase::Accepted => Some(Deadline { at: offer.expires_at, reason: "the deposit is not there" }),
            Phase::Funded { pay_by } => {
                Some(Deadline { at: pay_by, reason: "the first payment is not there" })
            }
            Phase::Running => self.meter_deadline(offer),
            Phase::Unpaid { until, remind_at } if remind_at < until => {
                Some(Deadline { at: remind_at, reason: "the reading may have been lost" })
            }
            Phase::Unpaid { until, .. } => Some(Deadline { at: until, reason: "the next step is unpaid" }),
            Phase::Ending { until, .. } => {
                Some(Deadline { at: until, reason: "the last reading is not there" })
            }
            Phase::New | Phase::Settled { .. } => None,
        }
    }

    fn meter_deadline(&self, offer: &Offer) -> Option<Deadline> {
        if !offer.tariff.unit().flows() {
            return None;
        }
        if self.nothing_to_notice(offer) {
            let left = self.covered(offer).less(self.delivered);
            let at = self.metered_at.after(offer.metering.rated.least_time_for(left));
            return Some(Deadline { at, reason: "the paid step is used up" });
        }
        Some(Deadline { at: self.metered_at.after(offer.metering.gap()), reason: "the meter is silent" })
    }

    /// Whether what is left is so little that the meter need not notice it.
    fn nothing_to_notice(&self, offer: &Offer) -> bool {
        self.covered(offer).less(self.delivered) <= offer.metering.resolution
    }

    /// What may have been delivered by now, the meter being silent since its last word.
    fn delivered_at_most(&self, offer: &Offer, now: Timestamp) -> Quantity {
        self.delivered.plus(possible(offer, self.metered_at, now)).min(self.covered(offer))
    }
}

/// What can have been delivered unnoticed between two moments.
fn possible(offer: &Offer, from: Timestamp, to: Timestamp) -> Quantity {
    if offer.tariff.unit().flows() {
        offer.metering.rated.most_within(to.since(from))
    } else {
        Quantity::ZERO
    }
}

fn part_of_step(offer: &Offer, units: Quantity) -> u64 {
    units.get().saturating_mul(READINGS_A_STEP) / offer.tariff.step().get()
}
