//! What a run came to: a fold of its notices, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use coinop::{
    core::{Bytes, board::Level, session::ExposureMeter},
    notice::{AlarmState, ChannelState, Fact, Notice, SessionState},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::scenario::{Due, Verdict};

/// How many reasons of refusals are kept.
const MAX_REFUSALS: usize = 1_024;

/// The sums of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// How many payments were credited.
    pub(crate) payments: u64,
    things: BTreeSet<String>,
    /// By agent and period.
    channels: BTreeMap<String, ChannelStory>,
    sessions: BTreeMap<String, Story>,
    lines: BTreeMap<String, LineStory>,
    refusals: Vec<String>,
    /// By thing.
    alarms: BTreeMap<String, Alarms>,
    balances: BTreeMap<String, Bytes>,
    /// The sessions whose meters disagreed.
    disputes: BTreeSet<String>,
    /// The last audit, where there was one.
    conserved: Option<Conserved>,
}

/// What became of a channel's period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct ChannelStory {
    opened: Seen,
    closed: Seen,
    punished: Seen,
}

/// Whether something was seen to happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Seen {
    #[default]
    No,
    Yes,
}

/// What the books said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Conserved {
    Always,
    Not,
    Elsewhere,
}

/// One session so far.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Story {
    thing: String,
    buyer: String,
    step: Bytes,
    signed: Bytes,
    paid: Bytes,
    delivered: Bytes,
    /// What the signed account says.
    receipt: Option<Bytes>,
    state: SessionState,
    exposure: ExposureMeter,
}

/// The alarms of one thing so far.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Alarms {
    raised: u64,
    leaked: Bytes,
    now: Option<AlarmState>,
}

/// One line so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineStory {
    /// Whether anything was heard of it.
    pub(crate) known: bool,
    /// Whether it is on now.
    pub(crate) is_on: bool,
    since: u64,
    /// How long it was on so far, in milliseconds.
    pub(crate) on_ms: u64,
}

impl Tally {
    /// Takes note of a notice.
    pub(crate) fn update(&mut self, notice: &Notice) {
        match &notice.fact {
            Fact::Thing { thing, .. } => {
                self.things.insert(thing.clone());
            }
            Fact::Audit { money_conserved } => {
                let broken = !money_conserved || self.conserved == Some(Conserved::Not);
                self.conserved = Some(if broken { Conserved::Not } else { Conserved::Always });
            }
            Fact::Session { id, thing, buyer, step, state, .. } => {
                self.session(id, (thing, buyer), *step, *state);
            }
            Fact::Channel { channel, period, state, .. } => self.channel(channel, *period, *state),
            Fact::Package { session, session_total, .. } => {
                self.with(session, |story| story.signed = story.signed.max(*session_total));
            }
            Fact::Paid { session, value } => {
                let known = self.sessions.get(session).map_or(Bytes::ZERO, |story| story.paid);
                // What is told again after a restart is no new payment.
                if *value > known {
                    self.payments += 1;
                    self.with(session, |story| story.paid = *value);
                }
            }
            Fact::Delivered { session, value, .. } => self.with(session, |story| story.delivered = *value),
            Fact::Receipt { session, value, .. } => {
                self.with(session, |story| story.receipt = Some(*value));
            }
            Fact::Alarm { state, value, .. } => self.alarm(&notice.who, *state, *value),
            Fact::Line { line, level } => self.moved(line, *level, notice.at),
            Fact::Balance { stable, pending } => {
                let total = stable.plus(*pending).unwrap_or(Bytes::MAX);
                self.balances.insert(notice.who.clone(), total);
            }
            Fact::Refusal { reason } if self.refusals.len() < MAX_REFUSALS => {
                self.refusals.push(reason.clone());
            }
            Fact::Refusal { .. }
            | Fact::Party { .. }
            | Fact::Link { .. }
            | Fact::Unit { .. }
            | Fact::Stable { .. }
            | Fact::Listing { .. }
            | Fact::Lease { .. }
            | Fact::World { .. }
            | Fact::LineFault { .. }
            | Fact::Exposure { .. }
            | Fact::Fault { .. }
            | Fact::Intervention { .. } => {}
            Fact::Dispute { session, .. } => {
                self.disputes.insert(session.clone());
            }
        }
    }

    fn session(&mut self, id: &str, (thing, buyer): (&str, &str), step: Bytes, state: SessionState) {
        let story = self.sessions.entry(id.to_owned()).or_insert_with(|| Story {
            thing: thing.to_owned(),
            buyer: buyer.to_owned(),
            step,
            signed: Bytes::ZERO,
            paid: Bytes::ZERO,
            delivered: Bytes::ZERO,
            receipt: None,
            state,
            exposure: ExposureMeter::new(step),
        });
        story.state = state;
    }

    fn with(&mut self, session: &str, change: impl FnOnce(&mut Story)) {
        if let Some(story) = self.sessions.get_mut(session) {
            change(story);
            story.exposure.feed(story.signed, story.paid, story.delivered);
        }
    }

    fn channel(&mut self, channel: &str, period: u64, state: ChannelState) {
        let story = self.channels.entry(format!("{channel}/{period}")).or_default();
        match state {
            ChannelState::Opening | ChannelState::Closing => {}
            ChannelState::Open => story.opened = Seen::Yes,
            ChannelState::Closed => story.closed = Seen::Yes,
            ChannelState::Punished => (story.closed, story.punished) = (Seen::Yes, Seen::Yes),
        }
    }

    fn moved(&mut self, line: &str, level: Level, at: u64) {
        let story = self.lines.entry(line.to_owned()).or_default();
        story.settle(at);
        story.known = true;
        story.is_on = level == Level::High;
    }

    /// Counts the lines that are on up to `at`, in milliseconds of scenario time.
    pub(crate) fn settle(&mut self, at: u64) {
        self.lines.values_mut().for_each(|story| story.settle(at));
    }

    /// How many periods of channels were opened.
    pub(crate) fn channels_opened(&self) -> u64 {
        self.count(|story| story.opened == Seen::Yes)
    }

    /// How many periods of channels were closed.
    pub(crate) fn channels_closed(&self) -> u64 {
        self.count(|story| story.closed == Seen::Yes)
    }

    /// How many cheaters lost everything.
    pub(crate) fn fraud_proofs(&self) -> u64 {
        self.count(|story| story.punished == Seen::Yes)
    }

    fn count(&self, which: impl Fn(&ChannelStory) -> bool) -> u64 {
        self.channels.values().filter(|story| which(story)).count().try_into().unwrap_or(u64::MAX)
    }

    /// How many sessions were settled.
    pub(crate) fn settled(&self) -> u64 {
        let settled = self.sessions.values().filter(|story| story.state == SessionState::Settled);
        settled.count().try_into().unwrap_or(u64::MAX)
    }

    /// How many sessions ended because their meters disagreed.
    pub(crate) fn disputes(&self) -> u64 {
        self.disputes.len().try_into().unwrap_or(u64::MAX)
    }

    /// A refusal that says this.
    pub(crate) fn refusal_with(&self, words: &str) -> Option<&str> {
        self.refusals.iter().map(String::as_str).find(|reason| reason.contains(words))
    }

    /// What is known of a line.
    pub(crate) fn line(&self, name: &str) -> LineStory {
        self.lines.get(name).copied().unwrap_or_default()
    }

    /// What a buyer truly got, all its sessions together.
    pub(crate) fn delivered_to(&self, buyer: &str) -> Bytes {
        let stories = self.sessions.values().filter(|story| story.buyer == buyer);
        sum(stories.map(|story| story.delivered))
    }

    fn alarm(&mut self, thing: &str, state: AlarmState, value: Bytes) {
        let alarms = self.alarms.entry(thing.to_owned()).or_default();
        alarms.leaked = value;
        match state {
            AlarmState::Raised if alarms.now == Some(AlarmState::Raised) => {}
            AlarmState::Raised => alarms.raised += 1,
            AlarmState::Mended => {}
        }
        alarms.now = Some(state);
    }

    /// What leaked at a thing, if it raised an alarm.
    pub(crate) fn leaked_at(&self, thing: &str) -> Option<Bytes> {
        self.alarms.get(thing).map(|alarms| alarms.leaked)
    }

    /// The things that raised alarms: how often, and what leaked.
    pub(crate) fn alarms(&self) -> impl Iterator<Item = (&str, u64, Bytes)> {
        self.alarms.iter().map(|(thing, alarms)| (thing.as_str(), alarms.raised, alarms.leaked))
    }

    /// In how many sessions at a thing the buyer pays for what it truly got, within one step; or where not.
    pub(crate) fn agreement(&self, thing: &str) -> Result<usize, String> {
        let mut agreed = 0;
        for story in self.sessions.values().filter(|story| story.thing == thing && !story.paid.is_zero()) {
            let Some(pays) = story.receipt else {
                return Err(format!("{} paid {} and has no account yet", story.buyer, story.paid));
            };
            let apart = pays.less(story.delivered).max(story.delivered.less(pays));
            if apart > story.step {
                let Story { buyer, delivered, step, .. } = story;
                return Err(format!("{buyer} pays {pays} and got {delivered}, with a step of {step}"));
            }
            agreed += 1;
        }
        Ok(agreed)
    }

    /// What a party's wallet holds, pending included.
    pub(crate) fn balance(&self, party: &str) -> Bytes {
        self.balances.get(party).copied().unwrap_or_default()
    }

    /// Everything that was paid, over all sessions.
    pub(crate) fn paid(&self) -> Bytes {
        sum(self.sessions.values().map(|story| story.paid))
    }

    /// Everything that was truly delivered, over all sessions, at the tariffs' prices.
    pub(crate) fn delivered(&self) -> Bytes {
        sum(self.sessions.values().map(|story| story.delivered))
    }

    /// Whether the books were right at every audit, and there was one; nothing is known of books kept
    /// elsewhere.
    pub(crate) fn money_conserved(&self) -> Option<bool> {
        match self.conserved {
            Some(Conserved::Always) => Some(true),
            Some(Conserved::Elsewhere) => None,
            Some(Conserved::Not) | None => Some(false),
        }
    }

    /// The ledger is elsewhere, and its books are not ours to check.
    pub(crate) const fn books_are_elsewhere(&mut self) {
        self.conserved = Some(Conserved::Elsewhere);
    }

    /// What is wrong with the standing invariants; empty when nothing is.
    pub(crate) fn broken_invariants(&self, unleased_on_ms: u128) -> Vec<String> {
        let mut broken = Vec::new();
        if self.money_conserved() == Some(false) {
            broken.push("money was not conserved".to_owned());
        }
        if unleased_on_ms > 0 {
            broken.push(format!("outputs were on for {unleased_on_ms} ms without a lease"));
        }
        for (id, story) in self.sessions.iter().filter(|(_, story)| !story.exposure.within_the_agreed()) {
            broken.push(format!(
                "session {id}: at risk were {} of the buyer and {} of the seller, with a step of {}",
                story.exposure.max_buyer(),
                story.exposure.max_seller(),
                story.step
            ));
        }
        broken
    }

    /// The summary line of a run.
    pub(crate) fn summary(
        &self,
        scenario: &str,
        seed: u64,
        unleased_on_ms: u128,
        verdicts: &[Verdict],
    ) -> Value {
        let sessions: Vec<_> = self
            .sessions
            .iter()
            .filter(|(_, story)| !story.signed.is_zero())
            .map(|(id, story)| {
                json!({
                    "id": id,
                    "step": story.step,
                    "max_buyer_exposure": story.exposure.max_buyer(),
                    "max_seller_exposure": story.exposure.max_seller(),
                })
            })
            .collect();
        let expectations: Vec<_> = verdicts.iter().map(Verdict::to_json).collect();
        json!({"summary": {
            "scenario": scenario,
            "seed": seed,
            "things": self.things.len(),
            "channels_opened": self.channels_opened(),
            "channels_closed": self.channels_closed(),
            "payments": self.payments,
            "paid": self.paid(),
            "delivered_value": self.delivered(),
            "sessions": sessions,
            "money_conserved": self.money_conserved(),
            "unleased_on_ms": u64::try_from(unleased_on_ms).unwrap_or(u64::MAX),
            "fraud_proofs": self.fraud_proofs(),
            "alarms": self.alarms.values().map(|alarms| alarms.raised).sum::<u64>(),
            "leaked_value": sum(self.alarms.values().map(|alarms| alarms.leaked)),
            "expectations": expectations,
        }})
    }
}

impl LineStory {
    fn settle(&mut self, at: u64) {
        if self.is_on {
            self.on_ms += at.saturating_sub(self.since);
        }
        self.since = at;
    }
}

impl Verdict {
    fn to_json(&self) -> Value {
        match self.state {
            Due::Met => json!({"what": self.what, "ok": true}),
            Due::Failed => json!({"what": self.what, "ok": false}),
            Due::Pending => json!({"what": self.what, "ok": "pending"}),
        }
    }
}

fn sum(amounts: impl Iterator<Item = Bytes>) -> Bytes {
    amounts.fold(Bytes::ZERO, |total, amount| total.plus(amount).unwrap_or(Bytes::MAX))
}

#[cfg(test)]
mod tests;
