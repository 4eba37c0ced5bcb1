//! From the first question to the first payment, and what the buyer may instruct.

use alloc::boxed::Box;

use super::{Effect, Event, Phase, Quote, Sale, Stopped, settle::agreed, tell};
use crate::{
    Bytes, Decision, Timestamp,
    machine::Settled,
    session::{Control, End, Offer, Refusal, Signed, Statement, Stop, statement::same_session},
};

impl Sale {
    pub(super) fn quote(&self, now: Timestamp, quote: Quote) -> Result<Settled<Self>, Refusal> {
        let offer = quote.into_offer(self.id)?;
        match (self.phase, self.offer()) {
            (Phase::Offered, Some(made)) if *made == offer => {
                Ok(Decision::effect(tell(made, Statement::Offer(offer))))
            }
            (Phase::New, _) => {
                offer.not_expired(now)?;
                let effect = tell(&offer, Statement::Offer(offer.clone()));
                Ok(Decision::event(Event::Quoted { offer: Box::new(offer) }).then(effect))
            }
            (
                Phase::Offered
                | Phase::Accepted
                | Phase::Funded { .. }
                | Phase::Running
                | Phase::Unpaid { .. }
                | Phase::Ending { .. }
                | Phase::Settled { .. },
                _,
            ) => Err(self.not_now("another quote")),
        }
    }

    pub(super) fn accept(&self, now: Timestamp, package: Signed) -> Result<Settled<Self>, Refusal> {
        let offer = self.made("an acceptance")?;
        let accept = package.open()?.by(offer.buyer)?.accept()?;
        same_session(accept.session, self.id)?;
        if accept.offer != offer.hash()? {
            return Err(Refusal::OtherOffer);
        }
        match self.phase {
            Phase::Offered => {
                offer.not_expired(now)?;
                Ok(Decision::event(Event::Accepted { accept: package })
                    .then(self.expect(offer))
                    .then(self.read(offer, self.delivered)))
            }
            // The buyer says it again because our answer was lost.
            Phase::Accepted => {
                Ok(Decision::effect(self.expect(offer)).then(self.read(offer, self.delivered)))
            }
            Phase::Funded { .. } | Phase::Running | Phase::Unpaid { .. } => {
                Ok(Decision::effect(self.read(offer, self.delivered)))
            }
            Phase::New | Phase::Ending { .. } | Phase::Settled { .. } => Err(self.not_now("an acceptance")),
        }
    }

    pub(super) fn ready(&self, now: Timestamp, deposit: Bytes) -> Result<Settled<Self>, Refusal> {
        let offer = self.made("a deposit")?;
        let needed = offer.terms.min_deposit;
        if deposit < needed {
            return Err(Refusal::Short { what: "deposit", needed, available: deposit });
        }
        match self.phase {
            Phase::Accepted => {
                let pay_by = offer.expires_at.max(now.after(offer.grace()));
                let funded = Decision::event(Event::Funded { deposit, pay_by });
                Ok(if self.paid >= offer.first {
                    self.power_on(funded, offer, now, self.paid)
                } else {
                    funded
                })
            }
            Phase::Funded { .. } | Phase::Running | Phase::Unpaid { .. } => Ok(Decision::nothing()),
            Phase::New | Phase::Offered | Phase::Ending { .. } | Phase::Settled { .. } => {
                Err(self.not_now("a deposit"))
            }
        }
    }

    pub(super) fn instruct(&self, now: Timestamp, package: &Signed) -> Result<Settled<Self>, Refusal> {
        let offer = self.made("an instruction")?;
        match package.open()?.by(offer.buyer)? {
            Statement::Stop(stop) => self.stopped_by_buyer(now, offer, stop, package),
            Statement::Control(control) => self.control(offer, control),
            other @ (Statement::Offer(_)
            | Statement::Accept(_)
            | Statement::Receipt(_)
            | Statement::Listing(_)
            | Statement::Withdrawal(_)) => Err(other.instead_of("stop or control")),
        }
    }

    fn stopped_by_buyer(
        &self,
        now: Timestamp,
        offer: &Offer,
        stop: Stop,
        package: &Signed,
    ) -> Result<Settled<Self>, Refusal> {
        same_session(stop.session, self.id)?;
        match self.phase {
            // Said again because the receipt was lost, or is not there yet.
            Phase::Settled { .. } => {
                Ok(Decision::effect(tell(offer, Statement::Receipt(self.receipt(offer)))))
            }
            Phase::Ending { .. } => Ok(Decision::nothing()),
            Phase::New => Err(self.not_now("a stop")),
            Phase::Offered
            | Phase::Accepted
            | Phase::Funded { .. }
            | Phase::Running
            | Phase::Unpaid { .. } => {
                self.check_counter(stop.counter)?;
                let why = match stop.seen.map(|seen| agreed(offer, self.delivered, seen)) {
                    Some(Err(_)) => End::MetersDisagree,
                    Some(Ok(_)) | None => End::Stopped,
                };
                let stopped = Stopped { seen: stop.seen, shown: self.delivered, package: package.clone() };
                Ok(self.ended_by(now, offer, why, stop.counter, Some(stopped)))
            }
        }
    }

    fn control(&self, offer: &Offer, control: Control) -> Result<Settled<Self>, Refusal> {
        same_session(control.session, self.id)?;
        self.check_counter(control.counter)?;
        let Control { session, action, counter } = control;
        match self.phase {
            Phase::Running if self.covered(offer) > self.delivered => Ok(Decision::event(Event::Acted {
                action: action.clone(),
                counter,
            })
            .then(Effect::Act { session, action, counter })),
            Phase::Running | Phase::Unpaid { .. } | Phase::Funded { .. } => {
                Err(Refusal::NoCredit { action, paid: self.paid, value: offer.tariff.value(self.delivered) })
            }
            Phase::New | Phase::Offered | Phase::Accepted | Phase::Ending { .. } | Phase::Settled { .. } => {
                Err(self.not_now("a control"))
            }
        }
    }

    pub(super) fn made(&self, asked: &'static str) -> Result<&Offer, Refusal> {
        self.offer().ok_or_else(|| self.not_now(asked))
    }

    const fn check_counter(&self, found: u64) -> Result<(), Refusal> {
        if found > self.counter { Ok(()) } else { Err(Refusal::Replay { found, last: self.counter }) }
    }
}
