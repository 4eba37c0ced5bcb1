//! What the notices add up to.

mod board;
mod fold;
mod hand;
mod parts;
mod rate;
mod story;
mod table;

use std::collections::VecDeque;

use crate::{notice::SessionState, run::Pace};

use super::words::{self, NAME_MAX, clip};
use hand::Hand;
use story::Story;
use table::Table;

pub(super) use parts::{Channel, Exposure, Line, Link, Session, Thing, Wallet};
pub(super) use rate::Rate;
pub(super) use story::Tone;
pub(super) use table::Row;

/// The most things that are shown.
const THINGS_MAX: usize = 64;
/// The most sessions that are remembered.
const SESSIONS_MAX: usize = 128;
/// The most channels that are remembered.
const CHANNELS_MAX: usize = 96;
/// The most parties that are shown.
const PARTIES_MAX: usize = 64;
/// The most links that can be cut.
const LINKS_MAX: usize = 128;

/// Everything there is to see, folded from notices; of bounded size however long it runs.
pub struct Model {
    pub(super) title: String,
    /// Scenario time in milliseconds.
    pub(super) now: u64,
    pub(super) pace: Pace,
    pub(super) totals: Totals,
    /// Payments a second.
    pub(super) payments: Rate,
    pub(super) things: Table<Thing>,
    pub(super) sessions: Table<Session>,
    pub(super) channels: Table<Channel>,
    pub(super) wallets: Table<Wallet>,
    pub(super) links: VecDeque<Link>,
    pub(super) story: Story,
    pub(super) hand: Hand,
    /// Whether a new picture is due.
    changed: bool,
}

/// Sums over the whole run.
#[derive(Default)]
pub(super) struct Totals {
    /// Everything credited, in bytes.
    pub(super) paid: u64,
    /// How many payments were credited.
    pub(super) payments: u64,
    /// How many units the ledger accepted.
    pub(super) units: u64,
    pub(super) refusals: u64,
    pub(super) faults: u64,
    /// What the last audit said.
    pub(super) is_conserved: Option<bool>,
    /// Whether anybody ever had more at risk than was agreed.
    pub(super) is_beyond: bool,
}

impl Model {
    /// An empty picture of the scenario `title`.
    pub fn new(title: &str) -> Self {
        Self {
            title: clip(title, NAME_MAX),
            now: 0,
            pace: Pace::Real(1.0),
            totals: Totals::default(),
            payments: Rate::default(),
            things: Table::new(THINGS_MAX),
            sessions: Table::new(SESSIONS_MAX),
            channels: Table::new(CHANNELS_MAX),
            wallets: Table::new(PARTIES_MAX),
            links: VecDeque::new(),
            story: Story::default(),
            hand: Hand::default(),
            changed: true,
        }
    }

    /// Lets one frame pass: it is now `now` milliseconds of scenario time, running at `pace`.
    ///
    /// Payments travel by frames, not by scenario time, so that they can be followed at any speed.
    pub fn tick(&mut self, now: u64, pace: Pace) {
        // The clock is shown in tenths of a second.
        self.changed |= now / 100 != self.now / 100 || pace != self.pace;
        let is_moving = now != self.now;
        self.now = now;
        self.pace = pace;
        if is_moving {
            for channel in self.channels.rows_mut() {
                self.changed |= channel.travel();
            }
        }
    }

    /// Whether the picture has changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Asks for a new picture, whatever has changed.
    pub(super) fn touch(&mut self) {
        self.changed = true;
    }

    /// The sessions at `thing`: those that pay, or else the newest that paid.
    pub(super) fn sessions_at(&self, thing: &str) -> Vec<(&str, &Session)> {
        let here = || self.sessions.iter().filter(move |(_, session)| session.thing == thing);
        let paying: Vec<_> = here().filter(|(_, session)| session.is_paying()).collect();
        if paying.is_empty() {
            here().rfind(|(_, session)| session.paid > 0).into_iter().collect()
        } else {
            paying
        }
    }

    /// The sessions whose exposure is worth a look: the running ones, then the newest that are over.
    pub(super) fn exposed(&self) -> Vec<(&str, &Session)> {
        let runs = |session: &Session| session.is_paying() || session.state == Some(SessionState::Stopped);
        let running = self.sessions.iter().filter(|(_, session)| runs(session));
        let over =
            self.sessions.iter().rev().filter(|(_, session)| !runs(session) && session.buyers.most > 0);
        running.chain(over).collect()
    }

    /// The link between the two ends of a channel.
    pub(super) fn link_of(&self, channel: &Channel) -> Option<&Link> {
        let owner = self.things.find(&channel.thing).map_or("", |thing| &thing.owner);
        self.links
            .iter()
            .find(|link| link.joins(&channel.buyer, &channel.thing) || link.joins(&channel.buyer, owner))
    }

    /// The line whose meter runs without a lease, and its thing.
    pub(super) fn alarmed(&self) -> Option<(&str, &Line)> {
        let mut lines =
            self.things.iter().flat_map(|(name, thing)| thing.lines.iter().map(move |line| (name, line)));
        lines.find(|(_, line)| line.leaked.is_some())
    }

    /// The name of whoever has this address.
    fn name_of(&self, address: &str) -> Option<String> {
        let mut wallets = self.wallets.iter();
        wallets.find(|(_, wallet)| wallet.address == address).map(|(name, _)| name.to_owned())
    }

    /// A party or thing as it is shown.
    fn name(&self, who: &str) -> String {
        words::name(who, |word| self.name_of(word))
    }

    /// A text from elsewhere as it is shown.
    fn sentence(&self, text: &str) -> String {
        words::sentence(text, |word| self.name_of(word))
    }
}
