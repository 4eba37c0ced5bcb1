//! The buyer's side of a session.

mod decide;
mod pay;
mod settle;
mod types;

use alloc::{boxed::Box, vec, vec::Vec};

use serde::{Deserialize, Serialize};

pub use types::{Command, Effect, Event, Order, Patience, Witness};

use super::{Accept, End, Offer, Receipt, Refusal, SessionId, Signed, Statement, Stop};
use crate::{
    Bytes, Context, Deadline, Machine, Timestamp, machine::Settled, obyte::Address, tariff::Quantity,
};

/// One session as the buyer keeps it.
///
/// It pays the next step only when what it saw delivered is worth so much that after paying at most two
/// steps are ahead of it: that, and no more, is what it can lose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    id: SessionId,
    phase: Phase,
    deal: Option<Box<Deal>>,
    ceiling: Bytes,
    started: Timestamp,
    paid: Bytes,
    observed: Quantity,
    read: Quantity,
    counter: u64,
    owed: Bytes,
    returned: Bytes,
    overclaimed: Bytes,
    receipt: Option<Signed>,
    settled: Option<Receipt>,
}

/// What was agreed, with the seller's signature as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Deal {
    package: Signed,
    offer: Offer,
    buyer: Address,
    order: Order,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "kebab-case")]
enum Phase {
    New,
    Taken { retry_at: Timestamp },
    Held { ready_by: Timestamp },
    Running { stalls_at: Timestamp },
    Stopping { why: End, retry_at: Timestamp, until: Timestamp },
    Settled { why: End, until: Timestamp },
    Released { why: End },
}

impl Phase {
    const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Taken { .. } => "accepted",
            Self::Held { .. } => "waiting for the channel",
            Self::Running { .. } => "running",
            Self::Stopping { .. } => "stopping",
            Self::Settled { .. } => "settled",
            Self::Released { .. } => "over",
        }
    }
}

impl Purchase {
    /// A session whose offer is not taken yet.
    pub const fn new(id: SessionId) -> Self {
        Self {
            id,
            phase: Phase::New,
            deal: None,
            ceiling: Bytes::ZERO,
            started: Timestamp::from_millis(0),
            paid: Bytes::ZERO,
            observed: Quantity::ZERO,
            read: Quantity::ZERO,
            counter: 0,
            owed: Bytes::ZERO,
            returned: Bytes::ZERO,
            overclaimed: Bytes::ZERO,
            receipt: None,
            settled: None,
        }
    }

    /// Which session.
    pub const fn id(&self) -> SessionId {
        self.id
    }

    /// The offer, once taken.
    pub fn offer(&self) -> Option<&Offer> {
        self.deal.as_deref().map(|deal| &deal.offer)
    }

    /// All that was paid.
    pub const fn paid(&self) -> Bytes {
        self.paid
    }

    /// All that our own meter saw.
    pub const fn observed(&self) -> Quantity {
        self.observed
    }

    /// What has to come back, once settled.
    pub const fn owed(&self) -> Bytes {
        self.owed
    }

    /// What came back.
    pub const fn returned(&self) -> Bytes {
        self.returned
    }

    /// The value the receipt claims beyond a step more than our own meter saw.
    pub const fn overclaimed(&self) -> Bytes {
        self.overclaimed
    }

    /// The newest receipt, as signed.
    pub const fn receipt(&self) -> Option<&Signed> {
        self.receipt.as_ref()
    }

    /// Where the session is, as a word for a log or a screen.
    pub const fn state(&self) -> &'static str {
        self.phase.name()
    }

    /// Whether the first payment waits for the channel.
    pub const fn awaits_channel(&self) -> bool {
        matches!(self.phase, Phase::Held { .. })
    }

    /// Why it ended, once it is ending.
    pub const fn ended(&self) -> Option<End> {
        match self.phase {
            Phase::Stopping { why, .. } | Phase::Settled { why, .. } | Phase::Released { why } => Some(why),
            Phase::New | Phase::Taken { .. } | Phase::Held { .. } | Phase::Running { .. } => None,
        }
    }

    /// Whether nothing more is to be done, so that the session may be forgotten.
    pub const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Released { .. })
    }
}

impl Machine for Purchase {
    type Command = Command;
    type Event = Event;
    type Effect = Effect;
    type Refusal = Refusal;

    fn decide(&self, context: &Context, command: Command) -> Result<Settled<Self>, Refusal> {
        let now = context.now;
        match command {
            Command::Buy { offer, buyer, order } => self.buy(now, offer, buyer, *order),
            Command::Read(reading) => self.read_by_seller(now, reading),
            Command::Ready { available } => self.ready(now, available),
            Command::Observed { units } => self.saw(now, units),
            Command::Control { action } => self.control(action),
            Command::Resumed => Ok(self.resumed(now)),
            Command::Stop => self.stop_asked(now, End::Stopped),
            Command::ChannelLost => self.stop_asked(now, End::ChannelLost),
            Command::Receipt(package) => self.receive(now, package),
            Command::Returned { total } => self.returned_to(total),
            Command::Wake => Ok(self.woken(now)),
        }
    }

    fn apply(&mut self, event: &Event) {
        match event {
            Event::Taken { package, offer, buyer, order, retry_at } => {
                self.phase = Phase::Taken { retry_at: *retry_at };
                self.deal = Some(Box::new(Deal {
                    package: package.clone(),
                    offer: (**offer).clone(),
                    buyer: *buyer,
                    order: (**order).clone(),
                }));
            }
            Event::Retried { retry_at } => self.phase = Phase::Taken { retry_at: *retry_at },
            Event::Held { ready_by } => self.phase = Phase::Held { ready_by: *ready_by },
            Event::Funded { ceiling, started } => (self.ceiling, self.started) = (*ceiling, *started),
            Event::Paid { total, stalls_at } => {
                (self.phase, self.paid) = (Phase::Running { stalls_at: *stalls_at }, *total);
            }
            Event::Observed { units, stalls_at } => {
                (self.phase, self.observed) = (Phase::Running { stalls_at: *stalls_at }, *units);
            }
            Event::Read { units, stalls_at } => {
                (self.phase, self.read) = (Phase::Running { stalls_at: *stalls_at }, *units);
            }
            Event::SeenLate { units } => self.observed = *units,
            Event::Resumed { stalls_at } => self.phase = Phase::Running { stalls_at: *stalls_at },
            Event::Controlled { counter, action: _ } => self.counter = *counter,
            Event::Stopped { why, counter, retry_at, until } => {
                self.phase = Phase::Stopping { why: *why, retry_at: *retry_at, until: *until };
                self.counter = *counter;
            }
            Event::Settled { package, receipt, owed, overclaimed, why, until } => {
                self.phase = Phase::Settled { why: *why, until: *until };
                (self.owed, self.overclaimed) = (*owed, *overclaimed);
                (self.receipt, self.settled) = (Some(package.clone()), Some(*receipt));
            }
            Event::Returned { total } => self.returned = *total,
            Event::Released { why } => self.phase = Phase::Released { why: *why },
        }
    }

    fn pending(&self) -> Vec<Effect> {
        let Some(deal) = self.deal.as_deref() else { return Vec::new() };
        match self.phase {
            Phase::New => Vec::new(),
            Phase::Taken { .. } => deal.acceptance().into_iter().collect(),
            Phase::Held { .. } => vec![deal.open_channel()],
            Phase::Running { .. } => vec![deal.pay(self.paid)],
            Phase::Stopping { .. } if self.paid.is_zero() => vec![self.say_stop(deal, self.counter)],
            Phase::Stopping { .. } => vec![deal.pay(self.paid), self.say_stop(deal, self.counter)],
            Phase::Settled { .. } | Phase::Released { .. } => {
                let late = self.settled.is_some_and(|receipt| receipt.paid < self.paid);
                let pay = late.then(|| deal.pay(self.paid));
                pay.into_iter().chain([Effect::Done { session: self.id }]).collect()
            }
        }
    }

    fn deadline(&self) -> Option<Deadline> {
        self.next_deadline()
    }

    fn wake(&self) -> Option<Command> {
        Some(Command::Wake)
    }
}

/// The effects that follow from the deal alone.
impl Deal {
    /// Nothing when the offer has no hash, which was checked when it was taken.
    fn acceptance(&self) -> Option<Effect> {
        let session = self.offer.session;
        let offer = self.offer.hash().ok()?;
        Some(self.tell(Statement::Accept(Accept { session, offer })))
    }

    fn open_channel(&self) -> Effect {
        Effect::OpenChannel {
            session: self.offer.session,
            seller: self.offer.seller,
            terms: self.offer.terms.clone(),
            deposit: self.order.deposit,
        }
    }

    const fn pay(&self, up_to: Bytes) -> Effect {
        Effect::Pay { session: self.offer.session, to: self.offer.seller, up_to }
    }

    const fn stop(&self, counter: u64, observed: Quantity) -> Effect {
        let seen = match self.order.witness {
            Witness::Own => Some(observed),
            Witness::Seller => None,
        };
        self.tell(Statement::Stop(Stop { session: self.offer.session, counter, seen }))
    }

    const fn tell(&self, statement: Statement) -> Effect {
        Effect::Tell { to: self.offer.seller, statement }
    }
}

impl Purchase {
    fn not_now(&self, asked: &'static str) -> Refusal {
        Refusal::NotNow { asked, phase: self.phase.name() }
    }

    /// Said again, it tells what was seen meanwhile.
    const fn say_stop(&self, deal: &Deal, counter: u64) -> Effect {
        deal.stop(counter, self.observed)
    }

    fn deal(&self, asked: &'static str) -> Result<&Deal, Refusal> {
        self.deal.as_deref().ok_or_else(|| self.not_now(asked))
    }
}
