//! How two parties talk: letters of bytes over links that can be slow, cut or hostile.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use crate::agenda::{Agenda, Rank, Task};

/// The longest letter that is carried, in bytes.
pub const MAX_LETTER: usize = 64 * 1024;

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Who sent it.
    pub from: String,
    /// What it says.
    pub body: Vec<u8>,
}

/// Takes the letters of one party.
pub type Mailbox = Rc<dyn Fn(Letter) -> Task>;

/// The transport inside one process; cheap to clone.
///
/// A letter takes the latency, then arrives, unless the link was cut or nobody lives there: as on
/// any network, the sender is not told.
#[derive(Clone)]
pub struct Network(Rc<Inner>);

struct Inner {
    agenda: Agenda,
    latency: Duration,
    homes: RefCell<BTreeMap<String, (Rank, Mailbox)>>,
    cut: RefCell<BTreeSet<(String, String)>>,
}

impl Network {
    /// A network on which each letter takes `latency`.
    pub fn new(agenda: Agenda, latency: Duration) -> Self {
        Self(Rc::new(Inner { agenda, latency, homes: RefCell::default(), cut: RefCell::default() }))
    }

    /// Delivers the letters to `name` into `mailbox` from now on.
    pub fn move_in(&self, name: &str, rank: Rank, mailbox: Mailbox) {
        self.0.homes.borrow_mut().insert(name.to_owned(), (rank, mailbox));
    }

    /// Delivers nothing to `name` any more.
    pub fn move_out(&self, name: &str) {
        let gone = self.0.homes.borrow_mut().remove(name);
        drop(gone);
    }

    /// Sends a letter; too long a one is refused.
    ///
    /// # Errors
    ///
    /// [`TooLong`] with both sizes.
    pub fn send(&self, from: &str, to: &str, body: Vec<u8>) -> Result<(), TooLong> {
        if body.len() > MAX_LETTER {
            return Err(TooLong(body.len()));
        }
        let rank = self.0.homes.borrow().get(to).map(|(rank, _)| *rank);
        let Some(rank) = rank else { return Ok(()) };
        let (network, to) = (self.clone(), to.to_owned());
        let letter = Letter { from: from.to_owned(), body };
        let arrival = self.0.agenda.now().after(self.0.latency);
        self.0.agenda.at(arrival, rank, async move { network.deliver(&to, letter).await });
        Ok(())
    }

    /// Cuts or mends the link between two parties, in both directions.
    pub fn set_link(&self, one: &str, other: &str, link: Link) {
        let mut cut = self.0.cut.borrow_mut();
        for pair in [(one, other), (other, one)] {
            let pair = (pair.0.to_owned(), pair.1.to_owned());
            match link {
                Link::Cut => cut.insert(pair),
                Link::Whole => cut.remove(&pair),
            };
        }
    }

    /// The state of the link between two parties.
    pub fn link(&self, one: &str, other: &str) -> Link {
        let pair = (one.to_owned(), other.to_owned());
        if self.0.cut.borrow().contains(&pair) { Link::Cut } else { Link::Whole }
    }

    async fn deliver(&self, to: &str, letter: Letter) {
        if self.link(&letter.from, to) == Link::Cut {
            tracing::debug!(from = letter.from, to, "lost a letter");
            return;
        }
        let mailbox = self.0.homes.borrow().get(to).map(|(_, mailbox)| Rc::clone(mailbox));
        if let Some(mailbox) = mailbox {
            mailbox(letter).await;
        }
    }
}

/// Whether letters get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// They do.
    Whole,
    /// They do not.
    Cut,
}

/// A letter was longer than the transport carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a letter of {0} bytes is longer than the {MAX_LETTER} bytes a link carries")]
pub struct TooLong(pub usize);
