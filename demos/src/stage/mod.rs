//! The stage: builds the world of a scenario and lets it play.

mod build;
mod faults;
mod hang;
mod intervene;
mod intervention;
mod leak;
mod money;
#[cfg(test)]
mod tests;
mod thing;
mod tick;

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    time::Duration,
};

use coinop::{
    agenda::Rank,
    core::Timestamp,
    network::{Link, Network},
    notice::{Fact, LinkState},
    party::{Demand, Desk, Party},
    shell::Shell,
};

pub(crate) use self::build::{Begin, MIN_DEPOSIT, Worlds, before, funds, lines, tariff, worlds};
pub(crate) use self::intervention::{By, Intervention, LONGEST_MS, MAX_PULSES, SHORTEST_PULSE_MS};
use self::money::Money;
use self::thing::Thing;
pub(crate) use self::tick::TICK;
use crate::{
    rig::{Rig, RigError},
    scenario::Scenario,
};

/// The hub acts first, then the hardware, the market, the things, the buyers.
const HUB: Rank = Rank(0);
const HARDWARE: Rank = Rank(1);
const MARKET: Rank = Rank(2);
const FIRST_PARTY: u16 = 3;
/// The director's hand comes last.
const DIRECTOR: Rank = Rank(u16::MAX);

/// How often the books are checked, of scenario time.
const AUDIT_EVERY: Duration = Duration::from_secs(5);

/// A scenario on stage.
pub(crate) struct Stage {
    pub(crate) shell: Shell,
    pub(crate) scenario: Scenario,
    network: Network,
    money: Money,
    #[expect(dead_code, reason = "the desk lives as long as the stage")]
    desk: Rc<Desk>,
    market: coinop::core::obyte::address::Address,
    book: coinop::party::AddressBook,
    seed: u64,
    cast: RefCell<BTreeMap<String, Role>>,
    things: RefCell<Vec<Thing>>,
    rig: RefCell<Rig>,
    trouble: RefCell<Option<RigError>>,
    next_words: Cell<Timestamp>,
    /// The outputs whose end in the world is not as driven, as was told.
    deviations: RefCell<BTreeMap<String, Option<coinop::core::board::Level>>>,
}

/// A party of the scenario, there or killed.
struct Role {
    rank: Rank,
    party: Option<Rc<Party>>,
    /// When it was killed, if it was.
    killed: Option<Timestamp>,
}

impl Stage {
    /// What broke the hardware, if anything did: the run has to stop.
    pub(crate) fn take_trouble(&self) -> Option<RigError> {
        self.trouble.borrow_mut().take()
    }

    /// Whether the hardware broke.
    pub(crate) fn is_in_trouble(&self) -> bool {
        self.trouble.borrow().is_some()
    }

    /// How long outputs were on without a lease.
    pub(crate) fn unleased_on(&self) -> Duration {
        self.rig.borrow().unleased_on()
    }

    /// Checks the books and tells the result.
    pub(crate) fn audit(&self) {
        let Some(books) = self.money.audit() else { return };
        if let Err(discrepancy) = &books {
            self.tell("hub", Fact::Fault { what: format!("the books are wrong: {discrepancy}") });
        }
        self.tell("hub", Fact::Audit { money_conserved: books.is_ok() });
    }

    /// Cuts or mends a link between two parties.
    pub(crate) fn set_link(&self, one: &str, other: &str, link: Link) {
        let (Some(a), Some(b)) = (self.address(one), self.address(other)) else { return };
        self.network.set_link(a.as_str(), b.as_str(), link);
        let state = match link {
            Link::Whole => LinkState::Up,
            Link::Cut => LinkState::Cut,
        };
        self.tell("director", Fact::Link { one: one.to_owned(), other: other.to_owned(), state });
    }

    /// Cuts a whole link, mends a cut one.
    pub(crate) fn toggle_link(self: &Rc<Self>, one: &str, other: &str) {
        let (Some(a), Some(b)) = (self.address(one), self.address(other)) else { return };
        let (one, other) = (one.to_owned(), other.to_owned());
        let what = match self.network.link(a.as_str(), b.as_str()) {
            Link::Whole => Intervention::Cut { one, other, for_ms: None },
            Link::Cut => Intervention::Join { one, other },
        };
        self.intervene_soon(By::Hand, what);
    }

    /// Tells that something that was asked for is not done.
    pub(crate) fn refuse(&self, reason: &str) {
        self.tell("director", Fact::Refusal { reason: reason.to_owned() });
    }

    fn party(&self, name: &str) -> Option<Rc<Party>> {
        self.cast.borrow().get(name).and_then(|role| role.party.clone())
    }

    fn address(&self, name: &str) -> Option<coinop::core::obyte::address::Address> {
        self.book.borrow().iter().find(|(_, known)| *known == name).map(|(address, _)| *address)
    }

    fn tell(&self, who: &str, fact: Fact) {
        self.shell.tell(DIRECTOR, who, fact);
    }

    fn at(&self, at: Duration) -> Timestamp {
        self.shell.start().after(at)
    }
}
