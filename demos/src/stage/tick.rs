//! The hardware's beat: the guard, the world, the meters.

use std::{rc::Rc, time::Duration};

use coinop::{
    core::{
        Bytes, Timestamp,
        board::Level,
        session::{SessionId, buyer_exposure, seller_exposure},
        tariff::Quantity,
    },
    notice::{AlarmState, Fact},
    party::{Demand, Party},
};
use coinop_hardware::guard::Report;

use super::{
    HARDWARE, RigError, Stage,
    leak::News,
    thing::{Power, Right, Telling, Word},
};

/// How often the hardware is looked at, when nothing happens by itself.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// How often the meters are read for the sessions.
const READ_EVERY: Duration = Duration::from_millis(100);

impl Stage {
    /// One beat, and the next one on the agenda.
    pub(super) async fn tick(self: Rc<Self>) {
        let now = self.shell.now();
        let stepped = self.rig.borrow_mut().step(now);
        self.hear_or_stop(stepped);
        if self.is_in_trouble() {
            return;
        }
        self.count(now);
        self.watch_for_leaks(now).await;
        if self.words_are_due(now) {
            self.spread_the_words(now).await;
        }
        let wake = self.rig.borrow().next_wake().unwrap_or(Timestamp::from_millis(u64::MAX));
        let next = now.after(TICK).min(wake.max(now.after(Duration::from_millis(1))));
        let stage = Rc::downgrade(&self);
        self.shell.agenda().at(next, HARDWARE, async move {
            if let Some(stage) = stage.upgrade() {
                stage.tick().await;
            }
        });
    }

    /// What the guard has to say; when the hardware broke, the run is over.
    pub(super) fn hear_or_stop(&self, reports: Result<Vec<Report>, RigError>) {
        match reports {
            Ok(reports) => {
                self.hear(reports);
                self.tell_the_world(self.shell.now());
            }
            Err(error) => {
                self.tell("guard", Fact::Fault { what: error.to_string() });
                *self.trouble.borrow_mut() = Some(error);
            }
        }
    }

    /// What the guard has to say.
    fn hear(&self, reports: Vec<Report>) {
        // What has no moment of its own happened with what was told before it: after a hang that was long ago.
        let mut latest = None;
        let guard = |latest: Option<Timestamp>, what: String| {
            let at = latest.unwrap_or_else(|| self.shell.now());
            self.shell.tell_at(HARDWARE, at, "guard", Fact::Fault { what });
        };
        for report in reports {
            match report {
                Report::Line { line, level, at } => {
                    latest = Some(at);
                    self.moved(&line, level, at);
                }
                Report::Edge(edge) => {
                    latest = Some(edge.at);
                    self.moved(&edge.line, edge.level, edge.at);
                }
                Report::Granted { lease, at } => {
                    let until = lease.until.since(self.shell.start());
                    let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
                    self.tell_of(at, &lease.line, Fact::Lease { line: lease.line.clone(), until });
                }
                Report::Refused { lease, refusal } => {
                    self.tell_of(
                        self.shell.now(),
                        &lease.line,
                        Fact::Refusal { reason: refusal.to_string() },
                    );
                }
                // A stage asks for no look: it hears what was driven, and what changed.
                Report::Seen { .. } => {}
                Report::Fault(error) => guard(latest, error.to_string()),
                Report::Tripped(trip) => {
                    guard(latest, trip.to_string());
                    self.things.borrow_mut().iter_mut().for_each(super::Thing::lose_lease);
                }
                Report::Mended => guard(latest, "leases are granted again".to_owned()),
            }
        }
    }

    fn moved(&self, line: &str, level: Level, at: Timestamp) {
        for thing in self.things.borrow_mut().iter_mut() {
            thing.edge(line, level, at);
        }
        self.tell_of(at, line, Fact::Line { line: line.to_owned(), level });
    }

    /// Tells something about a line in the name of its thing.
    pub(super) fn tell_of(&self, at: Timestamp, line: &str, fact: Fact) {
        let things = self.things.borrow();
        let owner = self
            .scenario
            .thing
            .iter()
            .zip(things.iter())
            .find(|(entry, thing)| thing.device.lines.iter().any(|own| entry.line(own.name) == line));
        let who = owner.map_or("board", |(_, thing)| thing.name.as_str());
        self.shell.tell_at(HARDWARE, at, who, fact);
    }

    pub(super) fn count(&self, now: Timestamp) {
        let rig = self.rig.borrow();
        for thing in self.things.borrow_mut().iter_mut() {
            thing.count(now, rig.truth(thing.plant));
            if let Some(what) = thing.take_doubt(now) {
                self.shell.tell(HARDWARE, &thing.name, Fact::Fault { what });
            }
        }
    }

    /// Raises the alarm where a meter runs without a lease: nothing is sold there until it is mended.
    async fn watch_for_leaks(self: &Rc<Self>, now: Timestamp) {
        let mut leaks = Vec::new();
        for thing in self.things.borrow_mut().iter_mut() {
            if let Some(news) = thing.leak.news(now) {
                let units = thing.leak.units();
                leaks.push((thing.name.clone(), thing.power.clone(), news, units, thing.tariff.value(units)));
            }
        }
        for (name, line, news, units, value) in leaks {
            let state = AlarmState::Raised;
            self.tell_of(now, &line, Fact::Alarm { line: line.clone(), state, units: units.get(), value });
            if let (News::Noticed, Some(party)) = (news, self.party(&name)) {
                self.tell_if_broken(&name, &party).await;
            }
        }
    }

    /// A party whose thing has an alarm sells nothing.
    pub(super) async fn tell_if_broken(&self, name: &str, party: &Rc<Party>) {
        let line = self
            .things
            .borrow()
            .iter()
            .find(|thing| thing.name == name && thing.leak.is_alarmed())
            .map(|thing| thing.power.clone());
        if let Some(line) = line {
            let why = format!("{line} is driven off, and its meter runs; mend it first");
            party.out_of_order(Some(&why)).await;
        }
    }

    fn words_are_due(&self, now: Timestamp) -> bool {
        if now >= self.next_words.get() {
            self.next_words.set(now.after(READ_EVERY));
            return true;
        }
        self.things.borrow().iter().any(super::Thing::is_anyone_done)
    }

    /// Tells the sessions what was delivered: the truth first, then each side by its own meter.
    async fn spread_the_words(self: &Rc<Self>, now: Timestamp) {
        let mut all = Vec::new();
        for thing in self.things.borrow_mut().iter_mut() {
            let power = if thing.is_on() { Power::On } else { Power::Off };
            for word in thing.words(power) {
                all.push((thing.name.clone(), thing.tariff, word));
            }
        }
        for (name, tariff, word) in all {
            let Word { session, metered, truth, kind } = word;
            let fact = Fact::Delivered {
                session: session.to_string(),
                value: tariff.value(truth),
                units: truth.get(),
            };
            self.shell.tell(HARDWARE, &name, fact);
            if let Some(seller) = self.party(&name) {
                match kind {
                    Telling::Meanwhile => seller.metered(session, metered, now).await,
                    Telling::Last => seller.metered_finally(session, metered).await,
                }
            }
            if let Some(buyer) = self.buyer_of(session) {
                buyer.observed(session, self.as_seen_by(&buyer, session, truth)).await;
            }
            self.tell_exposure(&name, session, tariff.value(truth));
        }
    }

    /// What a buyer's own meter shows of what it truly got.
    fn as_seen_by(&self, buyer: &Party, session: SessionId, truth: Quantity) -> Quantity {
        let place = self.scenario.buy.iter().enumerate().find(|(plan, buy)| {
            buy.buyer.get_ref() == buyer.name()
                && u32::try_from(*plan).ok().and_then(|plan| buyer.session_of(plan)) == Some(session)
        });
        let drift = place.and_then(|(_, buy)| buy.meter_error);
        drift.map_or(truth, |drift| Quantity::new(drift.shown(truth.get())))
    }

    /// What both sides stand to lose in a session, at this moment.
    fn tell_exposure(&self, seller: &str, session: SessionId, delivered: Bytes) {
        let (Some(seller), Some(buyer)) = (self.party(seller), self.buyer_of(session)) else { return };
        let fact = Fact::Exposure {
            session: session.to_string(),
            buyer: buyer_exposure(buyer.has_signed(session), delivered),
            seller: seller_exposure(delivered, seller.was_paid(session)),
        };
        self.shell.tell(HARDWARE, seller.name(), fact);
    }

    fn buyer_of(&self, session: SessionId) -> Option<Rc<Party>> {
        let cast = self.cast.borrow();
        cast.values().filter_map(|role| role.party.clone()).find(|party| party.bought(session))
    }

    /// What a session wants of the thing at `index`.
    pub(super) fn demand(self: &Rc<Self>, index: usize, demand: Demand) {
        let now = self.shell.now();
        let seen =
            |session| self.buyer_of(session).map(|buyer| buyer.has_observed(session)).unwrap_or_default();
        let mut things = self.things.borrow_mut();
        let Some(thing) = things.get_mut(index) else { return };
        match demand {
            Demand::Entitle { session, units_left, up_to } => {
                thing.entitle(now, session, (units_left, up_to), seen(session));
            }
            Demand::ReadLast { session } => thing.read_last(session),
            Demand::Act { session, action, counter: _ } => {
                let known = thing.device.actions.iter().find(|known| known.name == action.as_str());
                let until = known.and_then(|known| thing.act_until(now, session, known.lasts));
                let line = known.map(|known| self.line_of(&thing.name, known.line));
                drop(things);
                if let (Some(line), Some(until)) = (line, until) {
                    self.lease(now, &line, until);
                }
                return;
            }
        }
        let news = thing.new_lease(now);
        let power = thing.power.clone();
        let idle = !thing.is_served(now);
        let others: Vec<_> =
            thing.device.actions.iter().map(|action| self.line_of(&thing.name, action.line)).collect();
        drop(things);
        if idle {
            for line in &others {
                self.release(now, line);
            }
        }
        match news {
            Right::AsBefore => {}
            Right::Until(until) => self.lease(now, &power, until),
            Right::Over => self.release(now, &power),
        }
    }

    fn lease(self: &Rc<Self>, now: Timestamp, line: &str, until: Timestamp) {
        let reports = self.rig.borrow_mut().lease(now, line, until);
        self.hear_or_stop(reports);
        // The next beat may come after a short lease has ended; the guard does not wait for it.
        let stage = Rc::downgrade(self);
        self.shell.agenda().at(until, HARDWARE, async move {
            if let Some(stage) = stage.upgrade() {
                let reports = stage.rig.borrow_mut().step(stage.shell.now());
                stage.hear_or_stop(reports);
            }
        });
    }

    /// Ends the lease of a line, and says so.
    pub(super) fn release(&self, now: Timestamp, line: &str) {
        let reports = self.rig.borrow_mut().release(now, line);
        self.hear_or_stop(reports);
        let until = u64::try_from(now.since(self.shell.start()).as_millis()).unwrap_or(u64::MAX);
        self.tell_of(now, line, Fact::Lease { line: line.to_owned(), until });
    }
}
