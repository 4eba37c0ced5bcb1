//! The seller's side of a session.

mod decide;
mod deliver;
mod settle;
mod types;

use alloc::{boxed::Box, vec, vec::Vec};

use serde::{Deserialize, Serialize};

pub use types::{Command, Effect, Event, Quote, Stopped};

use super::{End, Offer, Reading, Refusal, SessionId, Signed, Statement};
use crate::{Bytes, Context, Deadline, Machine, Timestamp, machine::Settled, tariff::Quantity};

/// One session as the seller keeps it.
///
/// It never entitles to more than was paid: with a meter that is late, what may have been delivered
/// since its last word at rated power is taken as delivered. What the truth can be ahead of the
/// payments is therefore less than the meter's resolution, or its gap when the process was restarted;
/// an offer is refused unless both are within a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    id: SessionId,
    phase: Phase,
    offer: Option<Box<Offer>>,
    accept: Option<Signed>,
    deposit: Bytes,
    paid: Bytes,
    delivered: Quantity,
    /// Since when the meter has to show more, and the moment of its last word.
    metered_at: Timestamp,
    counter: u64,
    stop: Option<Stopped>,
    owed: Bytes,
    returned: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
enum Phase {
    New,
    Offered,
    Accepted,
    Funded { pay_by: Timestamp },
    Running,
    Unpaid { until: Timestamp, remind_at: Timestamp },
    Ending { why: End, until: Timestamp },
    Settled { why: End },
}

impl Phase {
    const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Funded { .. } => "waiting for the first payment",
            Self::Running => "running",
            Self::Unpaid { .. } => "unpaid",
            Self::Ending { .. } => "ending",
            Self::Settled { .. } => "settled",
        }
    }
}

impl Sale {
    /// A session that nobody asked for yet.
    pub const fn new(id: SessionId) -> Self {
        Self {
            id,
            phase: Phase::New,
            offer: None,
            accept: None,
            deposit: Bytes::ZERO,
            paid: Bytes::ZERO,
            delivered: Quantity::ZERO,
            metered_at: Timestamp::from_millis(0),
            counter: 0,
            stop: None,
            owed: Bytes::ZERO,
            returned: Bytes::ZERO,
        }
    }

    /// Which session.
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// The offer, once made.
    pub fn offer(&self) -> Option<&Offer> {
        self.offer.as_deref()
    }

    /// All that was paid.
    pub const fn paid(&self) -> Bytes {
        self.paid
    }

    /// All that was delivered by the meter's last word.
    pub const fn delivered(&self) -> Quantity {
        self.delivered
    }

    /// How the buyer stopped, with its signed figure, once it did.
    pub const fn stop(&self) -> Option<&Stopped> {
        self.stop.as_ref()
    }

    /// What goes back to the buyer, once settled.
    pub const fn owed(&self) -> Bytes {
        self.owed
    }

    /// What went back to the buyer.
    pub const fn returned(&self) -> Bytes {
        self.returned
    }

    /// Where the session is, as a word for a log or a screen.
    pub const fn state(&self) -> &'static str {
        self.phase.name()
    }

    /// Why it ended, once it is ending.
    pub const fn ended(&self) -> Option<End> {
        match self.phase {
            Phase::Ending { why, .. } | Phase::Settled { why } => Some(why),
            Phase::New
            | Phase::Offered
            | Phase::Accepted
            | Phase::Funded { .. }
            | Phase::Running
            | Phase::Unpaid { .. } => None,
        }
    }

    /// Whether everything is settled and given back, so that the session may be forgotten.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Settled { .. }) && self.returned >= self.owed
    }
}

impl Machine for Sale {
    type Command = Command;
    type Event = Event;
    type Effect = Effect;
    type Refusal = Refusal;

    fn decide(&self, context: &Context, command: Command) -> Result<Settled<Self>, Refusal> {
        let now = context.now;
        match command {
            Command::Quote(quote) => self.quote(now, *quote),
            Command::Accept(package) => self.accept(now, package),
            Command::Ready { deposit } => self.ready(now, deposit),
            Command::Paid { total } => self.paid_to(now, total),
            Command::Metered { units, at } => self.metered(now, units, at),
            Command::Final { units } => self.last_reading(units),
            Command::Resumed { until } => Ok(self.resumed(now, until)),
            Command::Instruct(package) => self.instruct(now, &package),
            Command::End { why } => self.end(now, why),
            Command::Returned { total } => self.returned_to(total),
            Command::Wake => Ok(self.woken(now)),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Quoted { offer } => (self.phase, self.offer) = (Phase::Offered, Some(offer.clone())),
            Event::Accepted { accept } => {
                (self.phase, self.accept) = (Phase::Accepted, Some(accept.clone()));
            }
            Event::Funded { deposit, pay_by } => {
                (self.phase, self.deposit) = (Phase::Funded { pay_by: *pay_by }, *deposit);
            }
            Event::Paid { total } => self.paid = *total,
            Event::Powered { at } => (self.phase, self.metered_at) = (Phase::Running, *at),
            Event::Metered { units, at } => (self.delivered, self.metered_at) = (*units, *at),
            Event::UsedUp { until, remind_at } => {
                self.phase = Phase::Unpaid { until: *until, remind_at: *remind_at };
            }
            Event::Acted { counter, action: _ } => self.counter = *counter,
            Event::Ended { why, counter, until, stop } => {
                (self.phase, self.counter) = (Phase::Ending { why: *why, until: *until }, *counter);
                self.stop.clone_from(stop);
            }
            Event::Settled { receipt, owed } => {
                (self.phase, self.owed) = (Phase::Settled { why: receipt.why }, *owed);
                (self.delivered, self.paid) = (receipt.delivered, receipt.paid);
            }
            Event::Returned { total } => self.returned = *total,
        }
    }

    fn pending(&self) -> Vec<Effect> {
        let Some(offer) = self.offer() else { return Vec::new() };
        match self.phase {
            // The power comes back with [`Command::Resumed`], which knows since when it was off.
            Phase::New | Phase::Funded { .. } | Phase::Running => Vec::new(),
            Phase::Offered => vec![tell(offer, Statement::Offer(offer.clone()))],
            Phase::Accepted => vec![self.expect(offer), self.read(offer, self.delivered)],
            Phase::Unpaid { .. } => vec![self.power_off(), self.read(offer, self.delivered)],
            Phase::Ending { .. } => vec![self.power_off(), Effect::ReadLast { session: self.id }],
            Phase::Settled { .. } => self.account(offer, &self.receipt(offer), self.owed),
        }
    }

    fn deadline(&self) -> Option<Deadline> {
        self.next_deadline()
    }

    fn wake(&self) -> Option<Command> {
        Some(Command::Wake)
    }
}

/// Small words shared by the decisions.
impl Sale {
    fn not_now(&self, asked: &'static str) -> Refusal {
        Refusal::NotNow { asked, phase: self.phase.name() }
    }

    fn covered(&self, offer: &Offer) -> Quantity {
        offer.tariff.covers(self.paid)
    }

    const fn entitle(&self, units_left: Quantity, up_to: Quantity) -> Effect {
        Effect::Entitle { session: self.id, units_left, up_to }
    }

    const fn power_off(&self) -> Effect {
        self.entitle(Quantity::ZERO, self.delivered)
    }

    fn expect(&self, offer: &Offer) -> Effect {
        Effect::Expect { session: self.id, buyer: offer.buyer, terms: offer.terms.clone() }
    }

    const fn read(&self, offer: &Offer, delivered: Quantity) -> Effect {
        Effect::Read { to: offer.buyer, reading: Reading { session: self.id, delivered } }
    }
}

const fn tell(offer: &Offer, statement: Statement) -> Effect {
    Effect::Tell { to: offer.buyer, statement }
}
