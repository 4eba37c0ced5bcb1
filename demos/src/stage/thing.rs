//! A thing at work: counts what it delivers, shares it among those who pay, and says for how long the
//! power may be on.

use std::{collections::BTreeMap, time::Duration};

use coinop::core::{
    Timestamp,
    board::Level,
    meter::{self, Meter, Milliwatts, Signal, Watch},
    session::{Metering, SessionId},
    tariff::{Quantity, Tariff},
};

use coinop_hardware::meter::Said;

use super::leak::Leak;
use crate::devices::{Behind, Device, Source};

/// How much two ends of a lease may differ before a new one is asked for.
const NEAR: Duration = Duration::from_millis(30);
/// How often a meter's doubts are told: a contact may bounce all day.
const DOUBT_EVERY: Duration = Duration::from_secs(1);

/// A thing, its meter, and the account of each session it serves.
pub(super) struct Thing {
    /// What it is called; its party has the same name.
    pub(super) name: String,
    /// Which device it is.
    pub(super) device: &'static Device,
    /// What it costs.
    pub(super) tariff: Tariff,
    /// How it is metered.
    pub(super) metering: Metering,
    /// The board's name of the output that is on while somebody pays.
    pub(super) power: String,
    /// The lines it has on the board: a meter with a device of its own needs none.
    wired: Vec<String>,
    /// Its place among the plants.
    pub(super) plant: usize,
    meter: Watch<Box<dyn Meter>>,
    source: Source,
    doubt: Option<String>,
    next_doubt: Timestamp,
    accounts: BTreeMap<SessionId, Account>,
    counted: Quantity,
    truth: u64,
    lease: Option<Timestamp>,
    on: Level,
    /// What flows without a lease.
    pub(super) leak: Leak,
    /// What sessions truly got before their party was killed.
    remembered: BTreeMap<SessionId, Quantity>,
}

/// One session's account with the thing.
#[derive(Clone, Copy, Debug)]
struct Account {
    /// How many more units it may get, as of `at`.
    left: Quantity,
    at: Timestamp,
    /// The total it may reach.
    up_to: Quantity,
    /// What it got by the meter.
    metered: Quantity,
    /// What it truly got.
    truth: Quantity,
    told: Option<(Quantity, Quantity)>,
    last_word: LastWord,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastWord {
    Unasked,
    Wanted,
}

/// What a session is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) session: SessionId,
    /// By the meter.
    pub(super) metered: Quantity,
    /// In truth.
    pub(super) truth: Quantity,
    /// Whether this is the last one.
    pub(super) kind: Telling,
}

/// Whether more will follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Telling {
    Meanwhile,
    Last,
}

impl Thing {
    pub(super) fn new(
        name: String,
        device: &'static Device,
        tariff: Tariff,
        power: String,
        plant: usize,
        (meter, source, metering): (Box<dyn Meter>, Source, Metering),
        now: Timestamp,
    ) -> Self {
        Self {
            name,
            device,
            tariff,
            metering,
            power,
            wired: Vec::new(),
            plant,
            counted: meter.delivered(),
            meter: Watch::new(meter, metering.gap()),
            source,
            doubt: None,
            next_doubt: now,
            accounts: BTreeMap::new(),
            truth: 0,
            lease: None,
            on: Level::Low,
            leak: Leak::new(metering.resolution, now),
            remembered: BTreeMap::new(),
        }
    }

    /// The same thing with these lines on the board.
    pub(super) fn wired(self, lines: impl Iterator<Item = String>) -> Self {
        Self { wired: lines.collect(), ..self }
    }

    /// Whether it has this line on the board.
    pub(super) fn has(&self, line: &str) -> bool {
        self.wired.iter().any(|own| own == line)
    }

    /// A session may get so much more from now on.
    ///
    /// `seen` is what its buyer had seen of it before, if this is new here.
    pub(super) fn entitle(
        &mut self,
        now: Timestamp,
        session: SessionId,
        (left, up_to): (Quantity, Quantity),
        seen: Quantity,
    ) {
        let so_far = up_to.less(left);
        let truth = self.remembered.remove(&session).unwrap_or_default().max(so_far).max(seen);
        let account = self.accounts.entry(session).or_insert(Account {
            left,
            at: now,
            up_to,
            metered: so_far,
            truth,
            told: Some((so_far, truth)),
            last_word: LastWord::Unasked,
        });
        (account.left, account.at, account.up_to) = (left, now, up_to);
    }

    /// Until when an action of `lasts` may hold its line: no longer than what is paid.
    pub(super) fn act_until(&self, now: Timestamp, session: SessionId, lasts: Duration) -> Option<Timestamp> {
        self.accounts.get(&session)?;
        let paid = self.lease.filter(|until| *until > now)?;
        Some(paid.min(now.after(lasts)))
    }

    /// Whether anybody is served.
    pub(super) fn is_served(&self, now: Timestamp) -> bool {
        self.lease.is_some_and(|until| until > now)
    }

    /// A session wants the meter's last word.
    pub(super) fn read_last(&mut self, session: SessionId) {
        if let Some(account) = self.accounts.get_mut(&session) {
            account.last_word = LastWord::Wanted;
        }
    }

    /// Tells every session once more where it stands.
    pub(super) fn tell_again(&mut self) {
        self.accounts.values_mut().for_each(|account| account.told = None);
    }

    /// The guard took its lease away; whoever has paid may ask for the rest.
    pub(super) fn lose_lease(&mut self) {
        self.lease = None;
        self.tell_again();
    }

    /// Forgets all sessions: the party behind it is gone.
    pub(super) fn reset(&mut self) {
        let gone = std::mem::take(&mut self.accounts);
        self.remembered.extend(gone.into_iter().map(|(session, account)| (session, account.truth)));
        self.lease = None;
    }

    /// For how long the power may be on, if that is news.
    pub(super) fn new_lease(&mut self, now: Timestamp) -> Right {
        let left = self.accounts.values().fold(Quantity::ZERO, |sum, account| {
            let gone = self.metering.rated.most_within(now.since(account.at));
            sum.plus(account.left.less(gone))
        });
        let wanted = (!left.is_zero()).then(|| now.after(self.metering.rated.least_time_for(left)));
        let held = self.lease.filter(|until| *until > now);
        let same = match (held, wanted) {
            (None, None) => true,
            (Some(held), Some(wanted)) => wanted.since(held) <= NEAR && held.since(wanted) <= NEAR,
            (None, Some(_)) | (Some(_), None) => false,
        };
        if same {
            return Right::AsBefore;
        }
        self.lease = wanted;
        wanted.map_or(Right::Over, Right::Until)
    }

    /// A line of the board changed.
    pub(super) fn edge(&mut self, line: &str, level: Level, at: Timestamp) {
        if line == self.power {
            self.on = level;
            self.leak.driven(level, at);
            self.note(at, if level == Level::High { Signal::On } else { Signal::Off });
        }
        let own = matches!(&self.source, Source::Line(own) if own == line);
        if own {
            self.note(at, Signal::Line(level));
        }
    }

    fn note(&mut self, at: Timestamp, signal: Signal) {
        if let Some(doubt) = self.meter.note(at, signal) {
            self.doubt(doubt.to_string());
        }
    }

    /// The oldest doubt that was not told yet says most.
    fn doubt(&mut self, what: String) {
        self.doubt.get_or_insert(what);
    }

    /// Asks the measuring device, if the meter has one.
    fn listen(&mut self, now: Timestamp) {
        let said = match &mut self.source {
            Source::Line(_) => Vec::new(),
            Source::Device { feed, .. } => feed.poll(now),
        };
        for said in said {
            match said {
                Said::Energy(units) => self.note(now, Signal::Register(Quantity::new(units))),
                Said::Power(milliwatts) => self.note(now, Signal::Power(Milliwatts::new(milliwatts))),
                Said::Nonsense(what) => self.doubt(what),
            }
        }
        self.note(now, Signal::Time);
    }

    /// Whether the meter measures something else than the simulated world.
    fn measures_reality(&self) -> bool {
        matches!(self.source, Source::Device { behind: Behind::Reality, .. })
    }

    /// What is wrong with the meter, if that is to be told now.
    pub(super) fn take_doubt(&mut self, now: Timestamp) -> Option<String> {
        if now < self.next_doubt {
            return None;
        }
        let doubt = self.doubt.take()?;
        self.next_doubt = now.after(DOUBT_EVERY);
        Some(doubt)
    }

    /// Whether the power is on.
    pub(super) fn is_on(&self) -> bool {
        self.on == Level::High
    }

    /// Counts up to `now`, given what the plant truly delivered so far, and shares it.
    pub(super) fn count(&mut self, now: Timestamp, truth: Option<u64>) {
        self.listen(now);
        let counted = self.meter.delivered();
        let metered = counted.less(self.counted);
        self.counted = counted;
        let metered = self.leak.take_metered(metered, now);
        self.share(metered, |account| &mut account.metered);
        match truth.filter(|_| !self.measures_reality()) {
            Some(truth) => {
                let delivered = Quantity::new(truth.saturating_sub(self.truth));
                self.truth = truth;
                let delivered = self.leak.take_truth(delivered);
                self.share(delivered, |account| &mut account.truth);
            }
            None => self.accounts.values_mut().for_each(|account| account.truth = account.metered),
        }
        self.leak.counted();
    }

    fn share(&mut self, delivered: Quantity, which: impl Fn(&mut Account) -> &mut Quantity) {
        if delivered.is_zero() {
            return;
        }
        let credits: Vec<_> = self
            .accounts
            .iter_mut()
            .map(|(id, account)| (*id, account.up_to.less(*which(account))))
            .collect();
        for (id, share) in meter::share(delivered, &credits) {
            if let Some(account) = self.accounts.get_mut(&id) {
                let got = which(account);
                *got = got.plus(share);
            }
        }
    }

    /// What the sessions are to be told; accounts that had their last word are closed.
    pub(super) fn words(&mut self, power: Power) -> Vec<Word> {
        let mut words = Vec::new();
        // While others are served the power stays on, and what it gives is theirs.
        let theirs = self.accounts.values().any(|account| !account.left.is_zero());
        let settled = power == Power::Off || theirs;
        self.accounts.retain(|session, account| {
            let last = account.last_word == LastWord::Wanted && settled;
            let kind = if last { Telling::Last } else { Telling::Meanwhile };
            let now = (account.metered, account.truth);
            if last || account.told != Some(now) {
                account.told = Some(now);
                words.push(Word { session: *session, metered: account.metered, truth: account.truth, kind });
            }
            !last
        });
        words
    }

    /// Whether a session's account is used up: it is told at once.
    pub(super) fn is_anyone_done(&self) -> bool {
        self.accounts.values().any(|account| {
            account.last_word == LastWord::Wanted
                || (account.metered >= account.up_to
                    && account.told.is_none_or(|(metered, _)| metered < account.up_to))
        })
    }
}

/// For how long the power may be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// As was said before.
    AsBefore,
    /// Until then.
    Until(Timestamp),
    /// No longer.
    Over,
}

/// Whether the power output is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    On,
    Off,
}
