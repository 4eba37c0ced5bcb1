//! What happens, as one stream: the terminal UI, the `--json` lines and the tests all read these.

use std::{cell::RefCell, rc::Rc};

use coinop_core::{
    Bytes, Timestamp,
    board::{Direction, Level},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Something that happened, when and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The version of this format.
    pub v: u8,
    /// When, in milliseconds of scenario time.
    pub at: u64,
    /// The party or thing it happened to.
    pub who: String,
    /// What happened.
    #[serde(flatten)]
    pub fact: Fact,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fact {
    /// A party takes part; told at the start, `who` is its name.
    Party {
        /// Its address on the ledger.
        address: String,
        /// What it does here, in a word or two: `buyer`, `seller`, `hub`.
        role: String,
    },
    /// A thing stands here; told at the start, `who` is the party that owns it.
    ///
    /// Each of its lines is low until a [`Fact::Line`] says otherwise.
    Thing {
        /// The thing's name, which is `who` of what later happens to its lines.
        thing: String,
        /// What kind of service it sells.
        service: String,
        /// Its lines.
        lines: Vec<ThingLine>,
    },
    /// Two parties can reach each other, or can no longer; told at the start and on each change.
    Link {
        /// One end.
        one: String,
        /// The other end.
        other: String,
        /// Whether messages get through.
        state: LinkState,
    },
    /// The books were checked.
    Audit {
        /// Whether everything that was ever issued is somewhere, once.
        money_conserved: bool,
    },
    /// The ledger accepted a unit, an agent's response included; the whole joint.
    Unit {
        /// The joint, `{"unit": {…}}`, as a hub sends it.
        joint: Value,
    },
    /// A unit became final.
    Stable {
        /// Its hash.
        unit: String,
    },
    /// A thing was offered on the market.
    Listing {
        /// The thing for sale.
        thing: String,
        /// What kind of service it sells.
        service: String,
        /// The price of one step.
        step: Bytes,
    },
    /// A session changed its state.
    Session {
        /// The session.
        id: String,
        /// The thing that serves.
        thing: String,
        /// The party that pays.
        buyer: String,
        /// The channel's agent address.
        channel: String,
        /// The price of one step.
        step: Bytes,
        /// The state it is in now.
        state: SessionState,
    },
    /// A channel changed its state, as its party sees it.
    Channel {
        /// The channel's agent address.
        channel: String,
        /// The other party.
        peer: String,
        /// The period it is in.
        period: u64,
        /// The state it is in now.
        state: ChannelState,
        /// What the buyer has deposited.
        deposited: Bytes,
    },
    /// A payment package was signed and is about to be sent.
    Package {
        /// The channel's agent address.
        channel: String,
        /// The period it is valid in.
        period: u64,
        /// The session it pays for.
        session: String,
        /// The payer's total in this period.
        amount_spent: Bytes,
        /// What this package adds.
        payment_amount: Bytes,
        /// Everything signed for the session, this package included.
        session_total: Bytes,
        /// The package as it goes over the wire.
        signed_package: Value,
    },
    /// The seller has credited a payment.
    Paid {
        /// The session it pays for.
        session: String,
        /// Everything paid for the session so far.
        value: Bytes,
    },
    /// What was truly delivered: the plant's truth where the world is simulated, else the meter's word.
    Delivered {
        /// The session it was delivered to.
        session: String,
        /// Everything delivered so far, at the tariff's price.
        value: Bytes,
        /// The same in the tariff's units.
        units: u64,
    },
    /// The guard granted or ended a lease.
    Lease {
        /// The line it is for.
        line: String,
        /// When it ends, in milliseconds of scenario time; now or earlier means it ended.
        until: u64,
    },
    /// A line changed its level.
    Line {
        /// The line.
        line: String,
        /// Its new level.
        level: Level,
    },
    /// The two meters of a session are further apart than was agreed; told by each side.
    Dispute {
        /// The session.
        session: String,
        /// What the seller's meter shows, in the tariff's units.
        seller: u64,
        /// What the buyer's meter shows.
        buyer: u64,
        /// How far they may be apart.
        tolerance: u64,
        /// The other side's figure as it signed it.
        evidence: Value,
    },
    /// In a simulated world an output is not as it is driven: a stuck relay, a welded contactor. `None`
    /// means that it is as driven again.
    World {
        /// The line, an output.
        line: String,
        /// Its level out there.
        level: Option<Level>,
    },
    /// A line of the simulated board is faulty, or mended.
    LineFault {
        /// The line.
        line: String,
        /// What is wrong with it, in words; nothing when it is mended.
        fault: Option<String>,
    },
    /// A meter runs although no lease holds and the output is driven safe: what it switches is welded or
    /// bridged. Told when it is noticed, while it grows, and when it is mended; the thing sells nothing
    /// meanwhile.
    Alarm {
        /// The output that should be safe.
        line: String,
        /// Whether it goes on.
        state: AlarmState,
        /// Everything that flowed without a lease so far, in the tariff's units: the plant's truth where
        /// the world is simulated, else the meter's word.
        units: u64,
        /// The same at the tariff's price. Nobody owes it: it is the seller's loss.
        value: Bytes,
    },
    /// A session's signed account.
    Receipt {
        /// The session.
        session: String,
        /// What was delivered by the seller's meter, in the tariff's units.
        units: u64,
        /// What the buyer pays for it; anything paid beyond goes back.
        value: Bytes,
    },
    /// Both sides' exposure in a session, now.
    Exposure {
        /// The session.
        session: String,
        /// What the buyer has paid and not yet received.
        buyer: Bytes,
        /// What the seller has delivered and not yet been paid for.
        seller: Bytes,
    },
    /// What a party's wallet holds.
    Balance {
        /// Spendable now.
        stable: Bytes,
        /// On its way.
        pending: Bytes,
    },
    /// Somebody asked for something that the rules do not allow.
    Refusal {
        /// Why it was refused.
        reason: String,
    },
    /// Something went wrong, on purpose or not.
    Fault {
        /// What.
        what: String,
    },
    /// A hand from outside: a poke, a cheat, a pause.
    Intervention {
        /// What was done.
        what: String,
        /// The same as data: an entry `[[fault]]` of a scenario does it again.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        again: Value,
    },
}

/// One line of a thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThingLine {
    /// The line's name on the board.
    pub name: String,
    /// Which way it points, seen from the program.
    pub direction: Direction,
}

/// The states of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LinkState {
    /// Messages get through.
    Up,
    /// Messages are lost.
    Cut,
}

/// Whether an alarm goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlarmState {
    /// It does.
    Raised,
    /// It is mended.
    Mended,
}

/// The states of a session, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// The seller has made an offer.
    Offered,
    /// The buyer has accepted; the channel is being made ready.
    Accepted,
    /// Paid for and being delivered.
    Running,
    /// Over, being settled.
    Stopped,
    /// Over and settled, the receipt is signed.
    Settled,
    /// Ended before anything was paid.
    Cancelled,
    /// Ended because the two sides disagree.
    Disputed,
}

/// The states of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelState {
    /// The deposit is on its way.
    Opening,
    /// The deposit is final, packages flow.
    Open,
    /// One side has asked the agent to close.
    Closing,
    /// The agent has paid out.
    Closed,
    /// The agent has paid everything to one side: the other cheated.
    Punished,
}

/// Tells everyone who listens.
#[derive(Clone, Default)]
pub struct Bus(Rc<RefCell<Vec<Listener>>>);

type Listener = Box<dyn FnMut(&Notice)>;

impl Bus {
    /// Adds a listener, called for each notice in order.
    pub fn listen(&self, listener: impl FnMut(&Notice) + 'static) {
        self.0.borrow_mut().push(Box::new(listener));
    }

    /// Tells everyone who listens; silently fine when no one does.
    pub fn publish(&self, notice: &Notice) {
        for listener in self.0.borrow_mut().iter_mut() {
            listener(notice);
        }
    }
}

impl Notice {
    /// The notice that `fact` happened to `who` at `at` after the scenario's `start`.
    pub fn new(start: Timestamp, at: Timestamp, who: impl Into<String>, fact: Fact) -> Self {
        let at = at.millis().saturating_sub(start.millis());
        Self { v: 1, at, who: who.into(), fact }
    }
}
