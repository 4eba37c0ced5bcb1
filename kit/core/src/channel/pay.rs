//! Paying, and owing back.

use super::{Channel, Effect, Event, Package, Phase, Refusal, SessionId, state::Sent};
use crate::{Bytes, Decision};

impl Channel {
    pub(super) fn pay(&self, session: SessionId, up_to: Bytes) -> Result<Decision<Event, Effect>, Refusal> {
        let known = self.sessions.get(&session);
        let paid = known.map_or(Bytes::ZERO, |tally| tally.paid);
        if up_to <= paid {
            return Ok(self.repeat_payment());
        }
        self.may_spend()?;
        let amount = up_to.minus(paid)?;
        let available = self.payable();
        if available.is_zero() && self.phase == Phase::Closed {
            return Err(Refusal::NotOpen);
        }
        if amount > available {
            return Err(Refusal::Short { wanted: amount, available });
        }
        if known.is_none() {
            self.room_for_a_session()?;
        }
        let spent = self.mine.spent.plus(amount)?;
        let package = Package::new(self.agent, self.current_period(), amount, spent);
        let send = Effect::Send { package: package.clone(), session: session.clone(), total: up_to };
        Ok(Decision::event(Event::Paid { session, total: up_to, package }).then(send))
    }

    pub(super) fn owe(&self, session: SessionId, amount: Bytes) -> Result<Decision<Event, Effect>, Refusal> {
        let tally = self.tally(&session);
        if amount <= tally.owed {
            return Ok(Decision::nothing());
        }
        match self.phase {
            Phase::Closed => return Err(Refusal::NotOpen),
            Phase::Closing(closing) if closing.by == self.role || self.asked_to_settle() => {
                return Err(Refusal::Closing);
            }
            Phase::Open if self.asked_to_close() => return Err(Refusal::ClosedByMe),
            Phase::Open | Phase::Closing(_) => {}
        }
        if amount > tally.credited {
            return Err(Refusal::OwesTooMuch { wanted: amount, received: tally.credited });
        }
        let owed = self.owed.plus(amount.minus(tally.owed)?)?;
        Ok(Decision::event(Event::Owed { session, total: amount, owed }))
    }

    /// Once a close is on its way, a payment would buy nothing.
    pub(super) fn may_spend(&self) -> Result<(), Refusal> {
        if matches!(self.phase, Phase::Closing(_)) {
            return Err(Refusal::Closing);
        }
        if self.asked_to_close() {
            return Err(Refusal::ClosedByMe);
        }
        if self.peer_is_closing() {
            return Err(Refusal::PeerIsClosing);
        }
        Ok(())
    }

    pub(super) fn room_for_a_session(&self) -> Result<(), Refusal> {
        let most = self.limits.max_sessions;
        if self.sessions.len() < most { Ok(()) } else { Err(Refusal::TooManySessions(most)) }
    }

    fn repeat_payment(&self) -> Decision<Event, Effect> {
        match (&self.sent, self.may_spend()) {
            (Some(sent), Ok(())) => Decision::effect(sent.effect()),
            (Some(_), Err(_)) | (None, _) => Decision::nothing(),
        }
    }
}

impl Sent {
    pub(super) fn effect(&self) -> Effect {
        Effect::Send { package: self.package.clone(), session: self.session.clone(), total: self.total }
    }
}
