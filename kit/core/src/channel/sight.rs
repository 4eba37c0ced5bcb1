//! What the ledger showed, and what follows from it.

use alloc::string::{String, ToString};
use core::time::Duration;

use serde_json::Value;

use super::{
    Channel, Effect, Event, Outcome, PeerTrigger, PeerTriggerKind, Phase, Refusal, Role, Sighting, Trigger,
    limits::TRIGGER_BYTES,
    response::{News, Response, number},
    state::{Closing, Posting, Side, Stage, clamped},
};
use crate::{
    Bytes, Context, Decision, Timestamp,
    obyte::{address::Address, hash::Hash, json::truthy},
};

/// How many triggers of the peer are kept in sight; deposits fill half of it at most.
const MAX_PEER_TRIGGERS: usize = 32;

impl Channel {
    pub(super) fn saw(
        &self,
        context: &Context,
        sighting: Sighting,
    ) -> Result<Decision<Event, Effect>, Refusal> {
        match sighting {
            Sighting::Trigger { unit, from, amount, data, at } => {
                Ok(self.saw_trigger(unit, from, amount, data.as_ref(), at))
            }
            Sighting::Response { trigger, from, bounced: Some(error), payload: _, at: _ } => {
                Ok(self.saw_bounce(context.now, trigger, from, error))
            }
            Sighting::Response { trigger, from, bounced: None, payload, at } => {
                self.saw_response(context.now, trigger, from, payload.as_ref(), at)
            }
            Sighting::BadSequence { unit } => Ok(self.saw_bad_sequence(context.now, unit)),
        }
    }

    fn saw_trigger(
        &self,
        unit: Hash,
        from: Address,
        amount: Bytes,
        data: Option<&Value>,
        at: Timestamp,
    ) -> Decision<Event, Effect> {
        let is_news = !self.answered.contains(&unit) && !self.peer_triggers.contains_key(&unit);
        let Some(kind) = kind(amount, data).filter(|_| from == self.peer_address() && is_news) else {
            return Decision::nothing();
        };
        let most = match kind {
            PeerTriggerKind::Deposit(_) => MAX_PEER_TRIGGERS / 2,
            PeerTriggerKind::Close | PeerTriggerKind::Confirm(_) => MAX_PEER_TRIGGERS,
        };
        if self.peer_triggers.len() >= most {
            return Decision::nothing();
        }
        Decision::event(Event::TriggerSeen { unit, trigger: PeerTrigger { kind, seen: at } })
    }

    fn saw_bounce(
        &self,
        now: Timestamp,
        unit: Hash,
        from: Address,
        error: String,
    ) -> Decision<Event, Effect> {
        if let Some((reference, posting)) = self.posting_in(unit) {
            return self.failed(now, reference, posting, error);
        }
        if from == self.own_address() && !self.unclaimed.iter().any(|(known, _)| *known == unit) {
            return Decision::event(Event::Unclaimed { unit, error });
        }
        self.peer_trigger_ended(unit, from)
    }

    fn saw_bad_sequence(&self, now: Timestamp, unit: Hash) -> Decision<Event, Effect> {
        let Some((reference, posting)) = self.posting_in(unit) else {
            return self.peer_trigger_ended(unit, self.peer_address());
        };
        let failed = self.failed(now, reference, posting, "its coins were spent twice".to_string());
        match posting.trigger {
            Trigger::Close { .. } => {
                let again = self.request(posting.trigger);
                Decision {
                    events: failed.events.into_iter().chain(again.events).collect(),
                    effects: failed.effects.into_iter().chain(again.effects).collect(),
                }
            }
            Trigger::Deposit { .. } | Trigger::Confirm { .. } | Trigger::FraudProof { .. } => failed,
        }
    }

    fn peer_trigger_ended(&self, unit: Hash, from: Address) -> Decision<Event, Effect> {
        if from != self.peer_address() || self.answered.contains(&unit) {
            return Decision::nothing();
        }
        Decision::event(Event::TriggerGone { unit })
    }

    fn saw_response(
        &self,
        now: Timestamp,
        trigger: Hash,
        from: Address,
        payload: Option<&Value>,
        at: Timestamp,
    ) -> Result<Decision<Event, Effect>, Refusal> {
        let Response { event_id, news } = Response::read(payload, &self.terms)?;
        let mut decision = self.resolved(now, trigger, from, &news);
        if event_id <= self.event_id {
            // An old response has nothing more to tell than that its trigger is done.
            return Ok(decision);
        }
        if event_id > self.event_id + 1 {
            // Something in between was not seen; the peer's deposits may be counted already.
            let in_sight = self.peer_triggers.keys().filter(|unit| **unit != trigger);
            decision.events.extend(in_sight.map(|unit| Event::TriggerGone { unit: *unit }));
        }
        match news {
            News::Opened { period, balances } => {
                let (mine, peer) = self.mine_then_peer(balances);
                decision.events.push(Event::Opened { period, event_id, mine, peer, trigger });
                decision.effects.push(self.after(&decision.events).ready());
            }
            // That a close was missed shows, but not which: its news must not pass for old.
            News::Refused if event_id > self.event_id + 1 => {}
            News::Refused => decision.events.push(Event::Refused { event_id, trigger }),
            News::Closing { period, by, spent } => {
                let (spent_mine, spent_peer) = self.mine_then_peer(spent);
                let act_at = self.time_to_act(now, at, by);
                let by_address = self.terms.address(by);
                let began =
                    Event::ClosingBegan { period, event_id, by, spent_mine, spent_peer, act_at, trigger };
                decision.events.push(began);
                decision.effects.push(Effect::Closing { period, by: by_address });
                self.after(&decision.events).settle_at_once(now, &mut decision);
            }
            News::Closed { period, by_fraud_proof } => {
                let outcome = if by_fraud_proof { self.taken_by(from) } else { self.settled(trigger, from) };
                decision.events.push(Event::Closed { period, event_id, outcome, trigger });
                decision.effects.push(Effect::Closed { period, outcome });
            }
        }
        Ok(decision)
    }

    /// What a response means for the trigger it answers.
    fn resolved(&self, now: Timestamp, unit: Hash, from: Address, news: &News) -> Decision<Event, Effect> {
        let own = self.posting_in(unit).or_else(|| self.deposit_of_unknown_unit(from, news));
        match (own, news) {
            (Some((reference, posting)), News::Refused) => {
                self.failed(now, reference, posting, "the channel was closing".to_string())
            }
            (Some((reference, _)), News::Opened { .. } | News::Closing { .. } | News::Closed { .. }) => {
                Decision::event(Event::Done { reference: reference.clone() })
            }
            (None, _) => self.peer_trigger_ended(unit, from),
        }
    }

    /// The ledger may show the response before the wallet says what the unit is.
    fn deposit_of_unknown_unit(&self, from: Address, news: &News) -> Option<(&String, &Posting)> {
        let of_a_deposit = matches!(news, News::Opened { .. } | News::Refused);
        self.postings.iter().find(|(_, posting)| {
            of_a_deposit
                && from == self.own_address()
                && matches!(posting.trigger, Trigger::Deposit { .. })
                && !matches!(posting.stage, Stage::Posted(_))
        })
    }

    fn posting_in(&self, unit: Hash) -> Option<(&String, &Posting)> {
        self.postings.iter().find(|(_, posting)| posting.stage == Stage::Posted(unit))
    }

    /// The state these events lead to.
    fn after(&self, events: &[Event]) -> Self {
        let mut after = self.clone();
        for event in events {
            after.record(event);
        }
        after
    }

    fn time_to_act(&self, now: Timestamp, began: Timestamp, by: Role) -> Timestamp {
        if by == self.role {
            began.after(Duration::from_secs(self.terms.timeout_seconds)).after(self.limits.confirm_margin())
        } else {
            now.after(self.limits.owe_grace())
        }
    }

    /// A dishonest close is answered before anyone else can.
    fn settle_at_once(&self, now: Timestamp, decision: &mut Decision<Event, Effect>) {
        let Phase::Closing(closing) = self.phase else { return };
        let lied = closing.by != self.role && closing.spent_peer < self.peer.spent;
        if lied || closing.act_at <= now {
            let answer = self.answer_to(&closing);
            decision.events.extend(answer.events);
            decision.effects.extend(answer.effects);
        }
    }

    const fn mine_then_peer(&self, (seller, buyer): (Bytes, Bytes)) -> (Bytes, Bytes) {
        match self.role {
            Role::Seller => (seller, buyer),
            Role::Buyer => (buyer, seller),
        }
    }

    /// All for the one who proved a fraud, a stranger too.
    fn taken_by(&self, winner: Address) -> Outcome {
        let total = clamped(u128::from(self.mine.deposited.get() + self.peer.deposited.get()));
        let share = |address: Address| if winner == address { total } else { Bytes::ZERO };
        Outcome {
            mine: share(self.own_address()),
            peer: share(self.peer_address()),
            fraud_proven_by: Some(winner),
        }
    }

    /// The shares the agent computes: the smaller one is paid, the larger gets what is left.
    fn settled(&self, trigger: Hash, from: Address) -> Outcome {
        let (spent_mine, spent_peer) = match self.phase {
            Phase::Closing(Closing { spent_mine, spent_peer, .. }) => (spent_mine, spent_peer),
            Phase::Closed | Phase::Open => (self.mine.spent, self.peer.spent),
        };
        let more = |condition: bool, additional: Bytes| if condition { additional } else { Bytes::ZERO };
        let out = spent_mine.get() + more(from == self.own_address(), self.own_additional()).get();
        let into = spent_peer.get() + more(from == self.peer_address(), self.peer_additional(trigger)).get();
        let (mine, peer) = shares(self.mine, self.peer, out, into, self.role);
        Outcome { mine, peer, fraud_proven_by: None }
    }

    fn own_additional(&self) -> Bytes {
        let additional = self.postings.values().find_map(|posting| match posting.trigger {
            Trigger::Confirm { additional, .. } => Some(additional),
            Trigger::Deposit { .. } | Trigger::Close { .. } | Trigger::FraudProof { .. } => None,
        });
        additional.unwrap_or_default()
    }

    fn peer_additional(&self, trigger: Hash) -> Bytes {
        match self.peer_triggers.get(&trigger).map(|trigger| trigger.kind) {
            Some(PeerTriggerKind::Confirm(additional)) => additional,
            Some(PeerTriggerKind::Deposit(_) | PeerTriggerKind::Close) | None => Bytes::ZERO,
        }
    }
}

/// Mine and the peer's, when `out` and `into` changed hands.
fn shares(mine: Side, peer: Side, out: u64, into: u64, role: Role) -> (Bytes, Bytes) {
    let total = mine.deposited.get() + peer.deposited.get();
    let kept = (mine.deposited.get() + into).saturating_sub(out);
    let left = (peer.deposited.get() + out).saturating_sub(into);
    let mine_is_smaller = kept < left || (kept == left && role == Role::Buyer);
    let kept = if mine_is_smaller { kept.min(total) } else { total.saturating_sub(left) };
    (clamped(kept.into()), clamped((total - kept).into()))
}

/// What a unit of the peer would make the agent do.
fn kind(amount: Bytes, data: Option<&Value>) -> Option<PeerTriggerKind> {
    if amount > TRIGGER_BYTES {
        return Some(PeerTriggerKind::Deposit(amount));
    }
    let data = data?;
    let has = |field: &str| truthy(data.get(field));
    if has("close") {
        return Some(PeerTriggerKind::Close);
    }
    let additional = || number(data, "additionalTransferredFromMe").and_then(|it| Bytes::try_from(it).ok());
    has("confirm").then(|| PeerTriggerKind::Confirm(additional().unwrap_or_default()))
}
