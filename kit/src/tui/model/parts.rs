//! What stands in the tables of the model.

use std::collections::VecDeque;

use coinop_core::{
    Bytes,
    session::{buyer_exposure, seller_exposure},
};

use crate::notice::{ChannelState, LinkState, SessionState};

use super::{rate::Rate, table::Row};

/// The most payments that are drawn on their way in one channel.
pub(super) const DOTS_MAX: usize = 16;
/// The most lines of one thing.
pub(super) const LINES_MAX: usize = 16;
/// How far a payment travels before it waits to be credited, in thousandths of the way.
pub(super) const WAITS_AT: u16 = 850;
/// How far a payment travels in one frame, in thousandths of the way.
const STRIDE: u16 = 45;
/// How many frames the arrow shines after a payment has arrived.
const SHINE: u8 = 5;
/// How long a line may be on after its lease before it is called unpaid, in milliseconds: the guard
/// drives first and tells then.
const GRACE: u64 = 250;

#[derive(Default)]
pub(in crate::tui) struct Thing {
    pub(in crate::tui) owner: String,
    pub(in crate::tui) service: String,
    pub(in crate::tui) step: u64,
    pub(in crate::tui) lines: Vec<Line>,
    /// Everything it was ever paid.
    pub(in crate::tui) earned: u64,
}

pub(in crate::tui) struct Line {
    pub(in crate::tui) name: String,
    pub(in crate::tui) is_output: bool,
    pub(in crate::tui) is_high: bool,
    /// When it last changed.
    pub(in crate::tui) since: u64,
    /// When its lease ends, an output's.
    pub(in crate::tui) leased_until: u64,
    /// The level of an output out there, where it is not as driven.
    pub(in crate::tui) world: Option<bool>,
    /// What is wrong with it, in words.
    pub(in crate::tui) fault: Option<String>,
    /// What leaked through it, in bytes, while it has an alarm.
    pub(in crate::tui) leaked: Option<u64>,
}

impl Line {
    pub(super) fn new(name: String, is_output: bool) -> Self {
        Self {
            name,
            is_output,
            is_high: false,
            since: 0,
            leased_until: 0,
            world: None,
            fault: None,
            leaked: None,
        }
    }

    /// Whether it is on although nobody's payment covers it.
    pub(in crate::tui) fn is_unpaid(&self, now: u64) -> bool {
        let over = self.leased_until.max(self.since).saturating_add(GRACE);
        self.is_output && self.is_high && self.leased_until < now && over < now
    }
}

#[derive(Default)]
pub(in crate::tui) struct Session {
    pub(in crate::tui) thing: String,
    pub(in crate::tui) buyer: String,
    /// The channel it is paid through, empty as long as that is not known.
    pub(super) channel: String,
    pub(in crate::tui) step: u64,
    pub(in crate::tui) state: Option<SessionState>,
    pub(in crate::tui) paid: u64,
    pub(in crate::tui) delivered: u64,
    pub(in crate::tui) units: u64,
    pub(in crate::tui) buyers: Exposure,
    pub(in crate::tui) sellers: Exposure,
    /// What was signed for it, as far as it was told.
    pub(super) signed: u64,
    /// Whether the log has said that it costs somebody more than was agreed.
    pub(super) is_beyond: bool,
}

/// What one side has at risk.
#[derive(Clone, Copy, Default)]
pub(in crate::tui) struct Exposure {
    pub(in crate::tui) now: u64,
    pub(in crate::tui) most: u64,
}

impl Exposure {
    pub(super) fn set(&mut self, now: u64) {
        *self = Self { now, most: self.most.max(now) };
    }
}

/// A figure as an amount; a sum beyond the cap stays there, for it is only looked at.
fn bytes(figure: u64) -> Bytes {
    Bytes::try_from(figure).unwrap_or(Bytes::MAX)
}

impl Session {
    /// Reckons both exposures from what was signed, credited and truly delivered.
    pub(super) fn weigh(&mut self) {
        if !self.is_over() {
            let [signed, paid, delivered] =
                [self.signed.max(self.paid), self.paid, self.delivered].map(bytes);
            self.buyers.set(buyer_exposure(signed, delivered).get());
            self.sellers.set(seller_exposure(delivered, paid).get());
        }
    }

    /// Whether somebody is paying, or about to.
    pub(in crate::tui) fn is_paying(&self) -> bool {
        matches!(self.state, Some(SessionState::Accepted | SessionState::Running))
    }

    /// What the buyer may have at risk: the first payment is double.
    pub(in crate::tui) fn buyers_bound(&self) -> u64 {
        self.step.saturating_mul(2)
    }

    /// What the seller may have at risk.
    pub(in crate::tui) fn sellers_bound(&self) -> u64 {
        self.step
    }
}

#[derive(Default)]
pub(in crate::tui) struct Channel {
    pub(in crate::tui) buyer: String,
    pub(in crate::tui) thing: String,
    pub(in crate::tui) state: Option<ChannelState>,
    pub(in crate::tui) period: u64,
    pub(in crate::tui) deposited: u64,
    pub(in crate::tui) spent: u64,
    /// The period that `spent` counts.
    pub(super) spent_in: u64,
    pub(in crate::tui) rate: Rate,
    /// Payments on their way, the foremost first.
    pub(in crate::tui) dots: VecDeque<Dot>,
    /// For how many frames the arrow still shines.
    pub(in crate::tui) shine: u8,
    /// When it ended.
    pub(in crate::tui) ended: u64,
}

/// A payment on its way.
pub(in crate::tui) struct Dot {
    pub(super) session: String,
    /// The session's total with this payment.
    pub(super) total: u64,
    is_credited: bool,
    /// How far it is, in thousandths of the way.
    pub(in crate::tui) place: u16,
}

impl Dot {
    /// Whether it has arrived, as far as money goes.
    pub(in crate::tui) fn is_credited(&self) -> bool {
        self.is_credited
    }

    /// Whether it waits to be credited.
    pub(in crate::tui) fn is_waiting(&self) -> bool {
        !self.is_credited && self.place >= WAITS_AT
    }
}

impl Channel {
    pub(super) fn send(&mut self, session: &str, total: u64) {
        if self.dots.len() >= DOTS_MAX {
            self.dots.pop_front();
        }
        self.dots.push_back(Dot { session: session.to_owned(), total, is_credited: false, place: 0 });
    }

    pub(super) fn credit(&mut self, session: &str, value: u64) {
        for dot in self.dots.iter_mut().filter(|dot| dot.session == session && dot.total <= value) {
            dot.is_credited = true;
        }
    }

    /// Moves the payments one frame on, and says whether anything moved.
    pub(super) fn travel(&mut self) -> bool {
        let mut moved = self.shine > 0;
        self.shine = self.shine.saturating_sub(1);
        for dot in &mut self.dots {
            let end = if dot.is_credited { 1_000 } else { WAITS_AT };
            let place = (dot.place + STRIDE).min(end).max(dot.place);
            moved |= place != dot.place;
            dot.place = place;
        }
        let on_its_way = self.dots.len();
        self.dots.retain(|dot| dot.place < 1_000);
        if self.dots.len() < on_its_way {
            self.shine = SHINE;
            moved = true;
        }
        moved
    }
}

#[derive(Default)]
pub(in crate::tui) struct Wallet {
    pub(in crate::tui) address: String,
    pub(in crate::tui) role: String,
    pub(in crate::tui) holds: Option<(u64, u64)>,
}

#[derive(Clone)]
pub(in crate::tui) struct Link {
    pub(in crate::tui) one: String,
    pub(in crate::tui) other: String,
    pub(in crate::tui) state: LinkState,
}

impl Link {
    /// Whether it runs between `a` and `b`.
    pub(in crate::tui) fn joins(&self, a: &str, b: &str) -> bool {
        (self.one == a && self.other == b) || (self.one == b && self.other == a)
    }
}

impl Row for Thing {
    fn is_over(&self) -> bool {
        false
    }
}

impl Row for Session {
    fn is_over(&self) -> bool {
        match self.state {
            Some(SessionState::Settled | SessionState::Cancelled | SessionState::Disputed) => true,
            Some(
                SessionState::Offered
                | SessionState::Accepted
                | SessionState::Running
                | SessionState::Stopped,
            )
            | None => false,
        }
    }
}

impl Row for Channel {
    fn is_over(&self) -> bool {
        match self.state {
            Some(ChannelState::Closed | ChannelState::Punished) => true,
            Some(ChannelState::Opening | ChannelState::Open | ChannelState::Closing) | None => false,
        }
    }
}

impl Row for Wallet {
    fn is_over(&self) -> bool {
        false
    }
}
