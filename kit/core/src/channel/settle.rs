//! Depositing, closing, and what this party posts to the agent.

use alloc::{
    format,
    string::{String, ToString},
};
use core::time::Duration;

use serde_json::{Value, json};

use super::{
    Channel, Effect, Event, Phase, Refusal, Trigger,
    limits::TRIGGER_BYTES,
    state::{Closing, Posting, Stage},
};
use crate::{Bytes, Context, Deadline, Decision, Timestamp, obyte::hash::Hash};

impl Channel {
    pub(super) fn deposit(&self, amount: Bytes) -> Result<Decision<Event, Effect>, Refusal> {
        if amount.is_zero() {
            return Err(Refusal::DepositTooSmall { wanted: amount, least: Bytes::new(1) });
        }
        self.may_spend()?;
        if let Some(under_way) = self.deposit_under_way() {
            let covered = self.payable_with(under_way) >= amount;
            return if covered { Ok(self.repeat_posts()) } else { Err(Refusal::DepositUnderWay(under_way)) };
        }
        let payable = self.payable_with(Bytes::ZERO);
        if payable >= amount {
            return Ok(Decision::effect(self.ready()));
        }
        let missing = amount.minus(payable)?;
        let least = self.limits.min_deposit.max(TRIGGER_BYTES.plus(Bytes::new(1))?);
        let trigger = Trigger::Deposit {
            period: self.current_period(),
            amount: missing.max(least),
            define: self.event_id == 0,
        };
        Ok(self.request(trigger))
    }

    /// What could be paid if this much more were deposited.
    fn payable_with(&self, deposit: Bytes) -> Bytes {
        let has = self.mine.deposited.get() + self.peer.spent.get() + deposit.get();
        let gone = self.mine.spent.get() + self.owed.get() + self.overpayment.get();
        super::state::clamped(u128::from(has.saturating_sub(gone)))
    }

    pub(super) fn close(&self) -> Result<Decision<Event, Effect>, Refusal> {
        match self.phase {
            Phase::Closed => return Err(Refusal::NotOpen),
            Phase::Closing(_) => return Ok(Decision::nothing()),
            Phase::Open => {}
        }
        if self.asked_to_close() {
            return Ok(self.repeat_posts());
        }
        if self.peer_is_closing() {
            return Ok(Decision::nothing());
        }
        if let Some(amount) = self.deposit_under_way() {
            return Err(Refusal::DepositUnderWay(amount));
        }
        let transferred = self.mine.spent.plus(self.owed)?.plus(self.overpayment)?;
        Ok(self.request(Trigger::Close { period: self.period, transferred }))
    }

    /// Asks for a trigger to be posted under a name of its own.
    pub(super) fn request(&self, trigger: Trigger) -> Decision<Event, Effect> {
        let number = self.postings_made + 1;
        let reference = self.reference(&trigger, number);
        let post = self.post(&reference, &trigger);
        Decision::event(Event::Requested { reference, number, trigger }).then(post)
    }

    fn reference(&self, trigger: &Trigger, number: u64) -> String {
        let (period, kind) = match trigger {
            Trigger::Deposit { period, .. } => (period, "deposit"),
            Trigger::Close { period, .. } => (period, "close"),
            Trigger::Confirm { period, .. } => (period, "confirm"),
            Trigger::FraudProof { period } => (period, "fraud"),
        };
        format!("{}/{period}/{kind}/{number}", self.agent)
    }

    pub(super) fn post(&self, reference: &str, trigger: &Trigger) -> Effect {
        let (to_agent, define) = match trigger {
            Trigger::Deposit { amount, define, .. } => (*amount, *define),
            Trigger::Close { .. } | Trigger::Confirm { .. } | Trigger::FraudProof { .. } => {
                (TRIGGER_BYTES, false)
            }
        };
        Effect::Post {
            reference: reference.to_string(),
            agent: self.agent,
            to_agent,
            data: self.data(trigger),
            definition: define.then(|| self.terms.definition()),
        }
    }

    /// What the trigger tells the agent. The evidence cannot change while one is under way.
    fn data(&self, trigger: &Trigger) -> Option<Value> {
        let mut data = match trigger {
            Trigger::Deposit { .. } => return None,
            Trigger::Close { period, transferred } => {
                json!({ "close": 1, "period": period, "transferredFromMe": transferred })
            }
            Trigger::Confirm { period, additional } if additional.is_zero() => {
                return Some(json!({ "confirm": 1, "period": period }));
            }
            Trigger::Confirm { period, additional } => {
                return Some(
                    json!({ "confirm": 1, "period": period, "additionalTransferredFromMe": additional }),
                );
            }
            Trigger::FraudProof { period } => json!({ "fraud_proof": 1, "period": period }),
        };
        if let Some(evidence) = self.evidence() {
            data["sentByPeer"] = json!(evidence);
        }
        Some(data)
    }

    /// What a party does about a close once its time has come.
    pub(super) fn answer_to(&self, closing: &Closing) -> Decision<Event, Effect> {
        let period = self.period;
        if closing.by == self.role {
            return self.request(Trigger::Confirm { period, additional: Bytes::ZERO });
        }
        if closing.spent_peer < self.peer.spent {
            return self.request(Trigger::FraudProof { period });
        }
        let additional = self.owed.plus(self.overpayment).unwrap_or(Bytes::MAX);
        self.request(Trigger::Confirm { period, additional })
    }

    pub(super) fn posted(&self, context: &Context, reference: String, unit: Hash) -> Decision<Event, Effect> {
        let Some(posting) = self.postings.get(&reference) else { return Decision::nothing() };
        if let Some((_, error)) = self.unclaimed.iter().find(|(bounced, _)| *bounced == unit) {
            return self.failed(context.now, &reference, posting, error.clone());
        }
        match posting.stage {
            Stage::Posted(_) => Decision::nothing(),
            Stage::Requested | Stage::Postponed { .. } => Decision::event(Event::Posted { reference, unit }),
        }
    }

    pub(super) fn post_failed(
        &self,
        context: &Context,
        reference: String,
        error: String,
    ) -> Decision<Event, Effect> {
        let Some(posting) = self.postings.get(&reference) else { return Decision::nothing() };
        match (&posting.stage, posting.trigger) {
            (Stage::Posted(_), _) => Decision::nothing(),
            (Stage::Requested | Stage::Postponed { .. }, Trigger::Deposit { .. }) => {
                self.failed(context.now, &reference, posting, error)
            }
            (
                Stage::Requested | Stage::Postponed { .. },
                Trigger::Close { .. } | Trigger::Confirm { .. } | Trigger::FraudProof { .. },
            ) => {
                let until = context.now.after(self.limits.retry());
                Decision::event(Event::Postponed { reference, error, until })
            }
        }
    }

    /// A trigger came to nothing. A deposit is given up; what settles the period is asked for
    /// again after a while, under a new name.
    pub(super) fn failed(
        &self,
        now: Timestamp,
        reference: &str,
        posting: &Posting,
        error: String,
    ) -> Decision<Event, Effect> {
        let failed = |error: String, wait: Duration| Event::Failed {
            reference: reference.to_string(),
            error,
            until: now.after(wait),
        };
        match posting.trigger {
            Trigger::Deposit { amount, .. } => Decision::event(failed(error.clone(), Duration::ZERO))
                .then(Effect::DepositFailed { amount, error }),
            Trigger::Close { .. } => Decision::event(failed(error, Duration::ZERO)),
            Trigger::Confirm { .. } | Trigger::FraudProof { .. } => {
                Decision::event(failed(error, self.limits.retry()))
            }
        }
    }

    pub(super) fn wake_up(&self, context: &Context) -> Decision<Event, Effect> {
        let mut decision = Decision::nothing();
        for (reference, posting) in &self.postings {
            match &posting.stage {
                Stage::Postponed { until, .. } if *until <= context.now => {
                    decision = decision
                        .and(Event::Retried { reference: reference.clone() })
                        .then(self.post(reference, &posting.trigger));
                }
                Stage::Postponed { .. } | Stage::Requested | Stage::Posted(_) => {}
            }
        }
        match self.phase {
            Phase::Closing(closing) if closing.act_at <= context.now && !self.asked_to_settle() => {
                let answer = self.answer_to(&closing);
                decision.events.extend(answer.events);
                decision.effects.extend(answer.effects);
            }
            Phase::Closing(_) | Phase::Closed | Phase::Open => {}
        }
        decision
    }

    pub(super) fn next_deadline(&self) -> Option<Deadline> {
        let retry = self.postings.values().filter_map(|posting| match &posting.stage {
            Stage::Postponed { until, .. } => {
                Some(Deadline { at: *until, reason: "a trigger could not be posted" })
            }
            Stage::Requested | Stage::Posted(_) => None,
        });
        let settle = match self.phase {
            Phase::Closing(closing) if !self.asked_to_settle() => Some(Deadline {
                at: closing.act_at,
                reason: if closing.by == self.role {
                    "the peer has not confirmed the close"
                } else {
                    "the peer's close wants an answer"
                },
            }),
            Phase::Closing(_) | Phase::Closed | Phase::Open => None,
        };
        retry.chain(settle).min_by_key(|deadline| deadline.at)
    }

    fn repeat_posts(&self) -> Decision<Event, Effect> {
        Decision { events: alloc::vec::Vec::new(), effects: self.unposted().collect() }
    }

    /// The posts nobody has answered for yet.
    pub(super) fn unposted(&self) -> impl Iterator<Item = Effect> {
        self.postings
            .iter()
            .filter(|(_, posting)| posting.stage == Stage::Requested)
            .map(|(reference, posting)| self.post(reference, &posting.trigger))
    }

    pub(super) fn ready(&self) -> Effect {
        Effect::Ready { period: self.period, payable: self.payable(), receivable: self.receivable() }
    }
}
