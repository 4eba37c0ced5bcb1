//! Making what happened part of the state.

use alloc::collections::VecDeque;

use super::{
    Channel, Event, Phase, SessionId, SignedPackage, Trigger,
    state::{Cached, Closing, Evidence, Posting, Sent, Side, Stage, Tally},
};
use crate::{Bytes, Timestamp, obyte::hash::Hash};

/// How many ended triggers are remembered.
const MAX_REMEMBERED: usize = 32;

impl Channel {
    pub(super) fn record(&mut self, event: &Event) {
        match event {
            Event::Requested { reference, number, trigger } => {
                self.postings_made = *number;
                let posting = Posting { trigger: *trigger, stage: Stage::Requested };
                self.postings.insert(reference.clone(), posting);
            }
            Event::Posted { reference, unit } => self.stage(reference, Stage::Posted(*unit)),
            Event::Postponed { reference, error, until } => {
                self.stage(reference, Stage::Postponed { error: error.clone(), until: *until });
            }
            Event::Retried { reference } => self.stage(reference, Stage::Requested),
            Event::Failed { reference, error: _, until } => self.drop_posting(reference, *until),
            Event::Done { reference } => drop(self.postings.remove(reference)),
            Event::Unclaimed { unit, error } => {
                remember(&mut self.unclaimed, (*unit, error.clone()));
            }
            Event::Paid { session, total, package } => {
                self.mine.spent = package.amount_spent;
                self.touch(session).paid = *total;
                self.sent = Some(Sent { package: package.clone(), session: session.clone(), total: *total });
            }
            Event::Received { session, total, overpayment, package } => {
                self.record_payment(session.as_ref(), *total, *overpayment, package);
            }
            Event::Owed { session, total, owed } => {
                self.touch(session).owed = *total;
                self.owed = *owed;
            }
            Event::TriggerSeen { unit, trigger } => drop(self.peer_triggers.insert(*unit, *trigger)),
            Event::TriggerGone { unit } => self.forget_peer_trigger(*unit),
            Event::Opened { .. }
            | Event::Refused { .. }
            | Event::ClosingBegan { .. }
            | Event::Closed { .. } => {
                self.record_response(event);
            }
        }
    }

    fn record_payment(
        &mut self,
        session: Option<&SessionId>,
        total: Bytes,
        overpayment: Bytes,
        package: &SignedPackage,
    ) {
        if let Some(session) = session {
            self.touch(session).credited = total;
        }
        if self.peer_key.0.is_none() {
            self.peer_key = Cached(package.known_key());
        }
        let previous = self.evidence.take();
        if package.message.amount_spent > self.peer.spent {
            self.same_total.clear();
        } else if let Some(previous) = previous {
            self.same_total.push(previous.package.message);
        }
        self.peer.spent = package.message.amount_spent;
        self.overpayment = overpayment;
        self.evidence = Some(Evidence { package: package.clone(), session: session.cloned(), total });
    }

    fn record_response(&mut self, event: &Event) {
        match event {
            Event::Opened { period, event_id, mine, peer, trigger } => {
                self.answered_by_agent(*event_id, *trigger);
                if *period != self.current_period() {
                    self.begin_anew();
                }
                self.period = *period;
                self.phase = Phase::Open;
                self.mine.deposited = *mine;
                self.peer.deposited = *peer;
            }
            Event::Refused { event_id, trigger } => self.answered_by_agent(*event_id, *trigger),
            Event::ClosingBegan { period, event_id, by, spent_mine, spent_peer, act_at, trigger } => {
                self.answered_by_agent(*event_id, *trigger);
                if *period != self.current_period() {
                    self.begin_anew();
                }
                self.period = *period;
                self.phase = Phase::Closing(Closing {
                    by: *by,
                    spent_mine: *spent_mine,
                    spent_peer: *spent_peer,
                    act_at: *act_at,
                });
                self.postings.retain(|_, posting| !matches!(posting.trigger, Trigger::Close { .. }));
            }
            Event::Closed { period, event_id, outcome, trigger } => {
                self.answered_by_agent(*event_id, *trigger);
                self.begin_anew();
                self.period = *period;
                self.phase = Phase::Closed;
                self.last = Some((*period, *outcome));
                self.postings.retain(|_, posting| matches!(posting.trigger, Trigger::Deposit { .. }));
                // A session that ended before this period is not asked for again.
                self.sessions.retain(|_, tally| tally.period >= *period);
            }
            Event::Requested { .. }
            | Event::Posted { .. }
            | Event::Postponed { .. }
            | Event::Retried { .. }
            | Event::Failed { .. }
            | Event::Done { .. }
            | Event::Unclaimed { .. }
            | Event::Paid { .. }
            | Event::Received { .. }
            | Event::Owed { .. }
            | Event::TriggerSeen { .. }
            | Event::TriggerGone { .. } => {}
        }
    }

    fn answered_by_agent(&mut self, event_id: u64, trigger: Hash) {
        self.event_id = event_id;
        self.forget_peer_trigger(trigger);
    }

    /// Another period: nothing is spent, owed or proven yet.
    fn begin_anew(&mut self) {
        self.mine = Side::default();
        self.peer = Side::default();
        self.overpayment = Bytes::ZERO;
        self.owed = Bytes::ZERO;
        self.sent = None;
        self.evidence = None;
        self.same_total.clear();
    }

    fn touch(&mut self, session: &SessionId) -> &mut Tally {
        let period = self.current_period();
        let tally = self.sessions.entry(session.clone()).or_default();
        tally.period = period;
        tally
    }

    fn stage(&mut self, reference: &str, stage: Stage) {
        if let Some(posting) = self.postings.get_mut(reference) {
            posting.stage = stage;
        }
    }

    fn drop_posting(&mut self, reference: &str, until: Timestamp) {
        let Some(posting) = self.postings.remove(reference) else { return };
        if let Stage::Posted(unit) = posting.stage {
            self.unclaimed.retain(|(bounced, _)| *bounced != unit);
        }
        match (&mut self.phase, posting.trigger) {
            (Phase::Closing(closing), Trigger::Confirm { .. } | Trigger::FraudProof { .. }) => {
                closing.act_at = until;
            }
            (
                Phase::Closing(_) | Phase::Open | Phase::Closed,
                Trigger::Deposit { .. }
                | Trigger::Close { .. }
                | Trigger::Confirm { .. }
                | Trigger::FraudProof { .. },
            ) => {}
        }
    }

    fn forget_peer_trigger(&mut self, unit: Hash) {
        self.peer_triggers.remove(&unit);
        if !self.answered.contains(&unit) {
            remember(&mut self.answered, unit);
        }
    }
}

fn remember<T>(list: &mut VecDeque<T>, item: T) {
    list.push_back(item);
    while list.len() > MAX_REMEMBERED {
        list.pop_front();
    }
}
