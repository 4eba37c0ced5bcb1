//! What the node does by itself, one thing at a time.

use std::collections::BTreeSet;

use coinop_core::{
    Deadline, Decision, Timestamp,
    machine::Settled,
    obyte::{Network, address::Address, hash::Hash},
};

use super::{
    Draft, Due, Effect, Event, Ledger, Notice, Purse, Push, Refusal,
    live::{Live, definitions, paid},
    notice::touched,
};
use crate::{
    agent::{
        Record, Trigger,
        channel::Channel,
        compose::{Coin, Frame, Holdings, execute},
    },
    dag::{Facts, Joint, Places, Properties, Sequence},
};

/// The next thing to do.
enum Task<'a> {
    Answer(&'a Live, Due),
    Charge(u64),
    Stabilize(u64),
    Give,
    Beat,
}

impl Ledger {
    pub(super) fn due(&self) -> Option<Deadline> {
        let at_once = |reason| Deadline { at: self.work.now, reason };
        let deadline = match self.next()? {
            Task::Answer(..) => at_once("an agent has a trigger to answer"),
            Task::Charge(_) => at_once("stable units have not been charged"),
            Task::Stabilize(_) => at_once("units have become stable"),
            Task::Give => Deadline { at: self.gift_due(), reason: "the faucet was asked for money" },
            Task::Beat => Deadline { at: self.beat_due(), reason: "the order provider's heartbeat" },
        };
        Some(deadline)
    }

    pub(super) fn step(&self, now: Timestamp) -> Result<Settled<Self>, Refusal> {
        match self.next() {
            Some(Task::Answer(live, due)) => Ok(self.answer(now, live, due)),
            Some(Task::Charge(mci)) => {
                Ok(Decision::event(Event::Charged { at: now, charged: self.dag.charged(mci) }))
            }
            Some(Task::Stabilize(mci)) => Ok(self.stabilize(now, mci)),
            Some(Task::Give | Task::Beat) if self.due().is_some_and(|due| now < due.at) => {
                Ok(Decision::nothing())
            }
            Some(Task::Give) => Ok(drafted(now, Purse::Faucet, self.draft_gift(now)?)),
            Some(Task::Beat) => Ok(drafted(now, Purse::Provider, self.draft_heartbeat(now)?)),
            None => Ok(Decision::nothing()),
        }
    }

    fn next(&self) -> Option<Task<'_>> {
        let work = &self.work;
        if let Some((live, due)) =
            work.triggers.first().and_then(|due| Some((self.agents.get(&due.agent)?, due)))
        {
            return Some(Task::Answer(live, *due));
        }
        if let Some(mci) = work.uncharged {
            return Some(Task::Charge(mci));
        }
        if let Some(mci) = self.dag.next_stable() {
            return Some(Task::Stabilize(mci));
        }
        let gives = !work.requests.is_empty();
        let beats = self.is_anything_to_order();
        match (gives, beats) {
            // Whichever is earlier, so that an unsigned draft of one purse does not hold up the other.
            (true, true) if self.gift_due() > self.beat_due() => Some(Task::Beat),
            (true, true | false) => Some(Task::Give),
            (false, true) => Some(Task::Beat),
            (false, false) => None,
        }
    }

    fn gift_due(&self) -> Timestamp {
        self.after_draft(Purse::Faucet, self.work.now)
    }

    fn beat_due(&self) -> Timestamp {
        self.after_draft(Purse::Provider, self.next_beat())
    }

    /// What is composed already is composed anew only when nobody has posted it for a while.
    fn after_draft(&self, purse: Purse, otherwise: Timestamp) -> Timestamp {
        self.work.drafts.get(&purse).map_or(otherwise, Draft::expires)
    }

    /// Two heartbeats make a unit stable: one that follows it, and one that follows that.
    fn next_beat(&self) -> Timestamp {
        self.work.last_beat.max(self.work.waiting_since).after(self.until_stable / 2)
    }

    /// Whether a unit waits that is not the order provider's own.
    pub(super) fn is_anything_to_order(&self) -> bool {
        let provider = self.address_of(Purse::Provider);
        let is_others = |joint: &Joint| !joint.facts.authors.contains(&provider);
        self.dag.unstable_units().any(is_others) || self.proves && self.is_anything_to_prove(is_others)
    }

    /// Whether something stable lies above the newest last ball: then light clients cannot know it yet.
    fn is_anything_to_prove(&self, is_others: impl Fn(&Joint) -> bool) -> bool {
        let stable = self.dag.last_stable().and_then(|joint| joint.properties.mci).unwrap_or_default();
        let beats = self.dag.unstable_units().filter(|joint| !is_others(joint));
        let last_balls = beats.filter_map(|beat| self.dag.joint(&beat.facts.last_ball_unit?)?.properties.mci);
        let last_ball = last_balls.max();
        (last_ball.map_or(0, |mci| mci + 1)..=stable).any(|mci| self.dag.units_at(mci).any(&is_others))
    }

    fn stabilize(&self, now: Timestamp, mci: u64) -> Settled<Self> {
        let stabilized = self.dag.stabilized(mci);
        let mut joints: Vec<&Joint> =
            stabilized.places.keys().filter_map(|unit| self.dag.joint(unit)).collect();
        joints.sort_by_key(|joint| (joint.properties.level, joint.facts.hash));
        let good = joints.iter().filter(|joint| joint.properties.sequence == Sequence::Good);
        let born: Vec<Channel> =
            good.clone().flat_map(|joint| definitions(&joint.unit)).filter_map(read).collect();
        let lives = |address: &Address| {
            self.agents.contains_key(address) || born.iter().any(|channel| channel.address == *address)
        };
        let mut triggers = Vec::new();
        for joint in good.filter(|joint| !joint.properties.is_aa_response) {
            let reads = |agent: &Address| Trigger::of_unit(&joint.unit, agent, 0).is_some();
            let agents: BTreeSet<Address> = paid(&joint.unit).filter(lives).filter(reads).collect();
            triggers.extend(agents.into_iter().map(|agent| Due { unit: joint.facts.hash, agent, mci }));
        }
        let pushes = joints.iter().map(|joint| {
            let what = Notice::Stable(joint.facts.hash);
            Effect::Push(Push { to: touched(&joint.unit), what })
        });
        let effects = pushes.collect();
        Decision { events: vec![Event::Stable { at: now, mci, stabilized, born, triggers }], effects }
    }

    fn answer(&self, now: Timestamp, live: &Live, due: Due) -> Settled<Self> {
        let agent = live.channel.address;
        let prepared = self.dag.main_chain_unit(due.mci).and_then(|main| {
            let joint = self.dag.joint(&due.unit)?;
            let trigger = Trigger::of_unit(&joint.unit, &agent, main.facts.timestamp)?;
            Some((joint, trigger, self.frame(main, due.mci)?))
        });
        // A trigger is queued only when all of this is there.
        let Some((joint, trigger, frame)) = prepared else { return Decision::nothing() };
        let holdings = self.holdings(&agent, due.mci);
        let executed = execute(&live.channel, &live.vars, &trigger, &holdings, &frame);
        let record = Record::new(&live.channel, &trigger, due.mci, &holdings, &executed);
        let mut places = Places::new();
        let mut effects = Vec::new();
        if let Some(unit) = &executed.unit
            && let Ok(facts) = Facts::read(unit)
        {
            places = self.dag.place(&facts, &Properties { is_aa_response: true, ..Properties::default() });
            effects.push(Effect::Push(Push { to: touched(unit), what: Notice::Joint(unit.clone()) }));
        }
        let triggering = places.entry(due.unit).or_insert_with(|| joint.properties.clone());
        triggering.count_aa_responses = Some(triggering.count_aa_responses.unwrap_or(0) + 1);
        let mut to = executed.unit.as_ref().map(touched).unwrap_or_default();
        to.extend([agent, trigger.address]);
        let what = Notice::Response(record.event(executed.unit.as_ref()));
        effects.push(Effect::Push(Push { to, what }));
        Decision { events: vec![Event::Responded { at: now, record, unit: executed.unit, places }], effects }
    }

    fn frame(&self, main: &Joint, mci: u64) -> Option<Frame> {
        Some(Frame {
            network: Network::Devnet,
            timestamp: main.facts.timestamp,
            last_ball: main.unit["last_ball"].as_str()?.parse().ok()?,
            last_ball_unit: main.facts.last_ball_unit?,
            parent_units: self.parents_of_response(main, mci),
        })
    }

    /// A response follows the response before it, or else the main chain unit of its trigger.
    fn parents_of_response(&self, main: &Joint, mci: u64) -> Vec<Hash> {
        // What includes this index, or lies above it, cannot be stable before it.
        let responses = || self.dag.unstable_units().filter(|joint| joint.properties.is_aa_response);
        let reach = |joint: &Joint| joint.properties.latest_included_mc_index;
        let here = responses().filter(|joint| reach(joint) == Some(mci));
        if let Some(last) = here.max_by_key(|joint| joint.properties.level) {
            return vec![last.facts.hash];
        }
        let recent = responses().filter(|joint| joint.properties.mci.is_none_or(|own| own > mci));
        let last = recent.max_by_key(|joint| (reach(joint), joint.properties.level));
        let mut parents: Vec<Hash> = last.into_iter().map(|joint| joint.facts.hash).collect();
        parents.push(main.facts.hash);
        parents.sort_unstable();
        parents
    }

    /// What an agent owns when it answers at `mci`: stable coins first, then those that agents sent.
    fn holdings(&self, agent: &Address, mci: u64) -> Holdings {
        let mut coins = Vec::new();
        for unspent in self.dag.unspent(agent) {
            let Some(joint) = self.dag.joint(&unspent.id.unit) else { continue };
            let place = &joint.properties;
            let settled = place.mci.is_some_and(|own| own <= mci);
            // Money that came with a trigger is not touched before that is answered.
            let unanswered = self.work.triggers.iter().skip(1).any(|due| due.unit == joint.facts.hash);
            if unspent.coin.asset.is_some() || unanswered || !(settled || place.is_aa_response) {
                continue;
            }
            let order = if settled {
                (false, place.mci, 0)
            } else {
                (true, place.latest_included_mc_index, place.level)
            };
            coins.push((order, Coin::of(&unspent)));
        }
        coins.sort_by_key(|(order, coin)| (*order, coin.unit, coin.output_index));
        let coins: Vec<Coin> = coins.into_iter().map(|(_, coin)| coin).collect();
        Holdings { balance: Coin::sum(&coins), coins }
    }
}

fn drafted(at: Timestamp, purse: Purse, draft: Draft) -> Settled<Ledger> {
    let effect = Effect::Sign { purse, draft: draft.clone() };
    Decision::event(Event::Drafted { at, purse, draft }).then(effect)
}

fn read((address, definition): (Address, &serde_json::Value)) -> Option<Channel> {
    Channel::of_definition(address, definition).ok()
}
