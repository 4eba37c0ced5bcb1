//! Being paid: the checks, in the order of the reference.

use alloc::string::String;

use serde_json::{Value, json};

use super::{
    Channel, Effect, Event, Package, PeerTriggerKind, Phase, Refusal, SessionId, SignedPackage,
    state::Evidence,
};
use crate::{Bytes, Context, Decision, Timestamp};

/// How many payments may be made out of one overpayment.
const MAX_SAME_TOTAL: usize = 16;

impl Channel {
    pub(super) fn receive(
        &self,
        context: &Context,
        tag: String,
        package: SignedPackage,
        session: Option<SessionId>,
    ) -> Result<Decision<Event, Effect>, Refusal> {
        if let Some(newest) = self.evidence.as_ref().filter(|newest| newest.package == package) {
            return Ok(Decision::effect(Effect::Answer { tag, answer: newest.answer() }));
        }
        self.check_author(&package)?;
        let overpayment = self.check_money(context.now, &package.message)?;
        let total = self.check_session(session.as_ref(), package.message.payment_amount)?;

        let answer = answer(&package.message, total);
        let credited = session.clone().map(|session| Effect::Credited { session, total });
        let received = Event::Received { session, total, overpayment, package };
        let decision = Decision::event(received).then(Effect::Answer { tag, answer });
        Ok(match credited {
            Some(credited) => decision.then(credited),
            None => decision,
        })
    }

    fn check_author(&self, package: &SignedPackage) -> Result<(), Refusal> {
        package.verify_with(self.peer_key.0.as_ref())?;
        if package.message.amount_spent.is_zero() {
            return Err(Refusal::BadAmountSpent);
        }
        if package.message.payment_amount.is_zero() {
            return Err(Refusal::BadPaymentAmount);
        }
        if package.message.aa_address != self.agent {
            return Err(Refusal::UnknownChannel);
        }
        let peer = self.peer_address();
        if package.signer != peer {
            return Err(Refusal::WrongSigner(peer));
        }
        Ok(())
    }

    /// What remains of the credit after the payment.
    fn check_money(&self, now: Timestamp, package: &Package) -> Result<Bytes, Refusal> {
        if matches!(self.phase, Phase::Closing(_)) {
            return Err(Refusal::Closing);
        }
        if package.period != self.current_period() {
            return Err(Refusal::WrongPeriod);
        }
        if self.asked_to_close() {
            return Err(Refusal::ClosedByMe);
        }
        let funded = self.funded(self.unconfirmed(now)?);
        if package.amount_spent > funded {
            return Err(Refusal::NotFunded { spent: package.amount_spent, funded });
        }
        let payment = package.payment_amount;
        // Whatever the peer's total does not grow by is a repeat, unless it was overpaid before.
        let credit = match package.amount_spent.minus(self.peer.spent) {
            Ok(grown) if !grown.is_zero() => grown.plus(self.overpayment)?,
            Ok(_) if !self.was_paid_already(package) => self.overpayment,
            Ok(_) | Err(_) => Bytes::ZERO,
        };
        credit.minus(payment).map_err(|_short| Refusal::OverCredit { payment, credit })
    }

    fn was_paid_already(&self, package: &Package) -> bool {
        self.same_total.len() >= MAX_SAME_TOTAL
            || self.same_total.contains(package)
            || self.evidence.as_ref().is_some_and(|newest| newest.package.message == *package)
    }

    /// How much of the peer's deposits that are not yet stable counts.
    fn unconfirmed(&self, now: Timestamp) -> Result<Bytes, Refusal> {
        if self.peer_is_closing() {
            return Err(Refusal::PeerIsClosing);
        }
        let age = u128::from(self.limits.min_unconfirmed_age_ms);
        let mut old_enough = Bytes::ZERO;
        for trigger in self.peer_triggers.values() {
            match trigger.kind {
                PeerTriggerKind::Deposit(amount) if now.since(trigger.seen).as_millis() >= age => {
                    old_enough = old_enough.plus(amount)?;
                }
                PeerTriggerKind::Deposit(_) | PeerTriggerKind::Close | PeerTriggerKind::Confirm(_) => {}
            }
        }
        let counted = old_enough.min(self.limits.max_unconfirmed);
        if self.event_id == 0 && counted.is_zero() && self.deposit_under_way().is_none() {
            return Err(Refusal::NotDefined);
        }
        Ok(counted)
    }

    /// The session's total with this payment.
    fn check_session(&self, session: Option<&SessionId>, payment: Bytes) -> Result<Bytes, Refusal> {
        let Some(session) = session else { return Ok(payment) };
        if session.0.len() > SessionId::MAX {
            return Err(Refusal::NameTooLong(session.0.len()));
        }
        match self.sessions.get(session) {
            Some(tally) => Ok(tally.credited.plus(payment)?),
            None => self.room_for_a_session().map(|()| payment),
        }
    }
}

impl Evidence {
    /// The first answer, again.
    fn answer(&self) -> Value {
        answer(&self.package.message, self.total)
    }
}

fn answer(package: &Package, total: Bytes) -> Value {
    json!({ "response": { "paid": package.payment_amount, "total": total } })
}
