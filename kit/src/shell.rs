//! Record, then tell: what every actor of a process shares.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use coinop_core::{Timestamp, obyte::hash::sha256};

use crate::{
    agenda::{Agenda, Rank, Task},
    journal::{Entry, Journal, JournalError, MemoryJournal, Stamp},
    notice::{Bus, Fact, Notice},
};

/// The most entries that wait for one commit, so that nobody waits long.
pub const GROUP: usize = 256;
/// The fewest entries worth a commit beside other work.
pub const SHARE: usize = 32;

/// The journal, the queue and the bus of one process; cheap to clone.
///
/// Effects and notices are held here until the entries that explain them are durable.
#[derive(Clone)]
pub struct Shell(Rc<Inner>);

struct Inner {
    agenda: Agenda,
    bus: Bus,
    journal: RefCell<Box<dyn Journal>>,
    held: RefCell<Vec<(Rank, Held)>>,
    /// What waits for the commit that is under way.
    under_way: RefCell<Option<Vec<(Rank, Held)>>>,
    start: Timestamp,
    seed: [u8; 32],
    draws: Cell<u64>,
    scribe: RefCell<Option<(String, Scribe)>>,
}

/// Turns a notice into an entry of the journal, or into nothing.
pub type Scribe = Box<dyn FnMut(&Notice) -> Option<(Stamp, Vec<u8>)>>;

enum Held {
    Notice(Notice),
    Task(Task),
}

impl Shell {
    /// A shell whose scenario began at `start`; all chance in it comes from `seed`.
    pub fn new(
        agenda: Agenda,
        bus: Bus,
        journal: Box<dyn Journal>,
        start: Timestamp,
        seed: [u8; 32],
    ) -> Self {
        Self(Rc::new(Inner {
            agenda,
            bus,
            journal: RefCell::new(journal),
            held: RefCell::default(),
            under_way: RefCell::default(),
            start,
            seed,
            draws: Cell::new(0),
            scribe: RefCell::default(),
        }))
    }

    /// The queue.
    pub fn agenda(&self) -> &Agenda {
        &self.0.agenda
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.0.agenda.now()
    }

    /// When the scenario began.
    pub fn start(&self) -> Timestamp {
        self.0.start
    }

    /// Fresh chance: a digest of the seed, the moment and a counter, so that a seed gives one run.
    pub fn random(&self) -> [u8; 32] {
        let draw = self.0.draws.get();
        self.0.draws.set(draw + 1);
        let mut input = [0; 48];
        input[..32].copy_from_slice(&self.0.seed);
        input[32..40].copy_from_slice(&self.now().millis().to_be_bytes());
        input[40..].copy_from_slice(&draw.to_be_bytes());
        sha256(&input)
    }

    /// Adds an entry to the next commit.
    pub fn record(&self, stream: &str, stamp: Stamp, body: Vec<u8>) {
        let entry = Entry { stream: stream.to_owned(), stamp, at: self.now(), body };
        self.0.journal.borrow_mut().append(entry);
    }

    /// Tells the bus, once everything recorded so far is durable.
    pub fn tell(&self, rank: Rank, who: &str, fact: Fact) {
        self.tell_at(rank, self.now(), who, fact);
    }

    /// As [`Shell::tell`], of something that happened at `at`.
    pub fn tell_at(&self, rank: Rank, at: Timestamp, who: &str, fact: Fact) {
        let notice = Notice::new(self.0.start, at, who, fact);
        self.write_down(&notice);
        self.0.held.borrow_mut().push((rank, Held::Notice(notice)));
    }

    /// Lets `scribe` keep a stream of its own about what is told, in the same commits.
    pub fn keep(&self, stream: &str, scribe: Scribe) {
        *self.0.scribe.borrow_mut() = Some((stream.to_owned(), scribe));
    }

    fn write_down(&self, notice: &Notice) {
        let mut scribe = self.0.scribe.borrow_mut();
        if let Some((stream, scribe)) = scribe.as_mut()
            && let Some((stamp, body)) = scribe(notice)
        {
            self.record(stream, stamp, body);
        }
    }

    /// Carries out `task`, once everything recorded so far is durable.
    pub fn hold(&self, rank: Rank, task: impl Future<Output = ()> + 'static) {
        self.0.held.borrow_mut().push((rank, Held::Task(Box::pin(task))));
    }

    /// Whether a commit should not wait any longer.
    pub fn is_full(&self) -> bool {
        self.0.journal.borrow().waiting() >= GROUP
    }

    /// Makes everything recorded durable, then lets go of what was held. Says whether anything was.
    ///
    /// # Errors
    ///
    /// [`JournalError`]: nothing was let go, and the process must stop.
    pub fn settle(&self) -> Result<bool, JournalError> {
        self.0.journal.borrow_mut().commit()?;
        let first = self.0.under_way.take().unwrap_or_default();
        let then = self.0.held.take();
        let any = !first.is_empty() || !then.is_empty();
        self.release(first);
        self.release(then);
        Ok(any)
    }

    /// Lets the journal commit beside other work, if it can: lets go of what has become durable, and
    /// begins the next commit when it is worth one.
    ///
    /// # Errors
    ///
    /// As [`Shell::settle`].
    pub fn overlap(&self) -> Result<(), JournalError> {
        if self.0.journal.borrow().waiting() < SHARE && !self.is_committing() {
            return Ok(());
        }
        if self.finish(Duration::ZERO)? {
            let mut journal = self.0.journal.borrow_mut();
            if journal.waiting() >= SHARE && journal.begin()? {
                self.0.under_way.replace(Some(self.0.held.take()));
            }
        }
        Ok(())
    }

    /// Whether a commit is under way beside other work.
    pub fn is_committing(&self) -> bool {
        self.0.under_way.borrow().is_some()
    }

    /// Waits, for `patience` at most, for the commit under way, then lets go of what was held for it.
    /// Says whether none is under way any more.
    ///
    /// # Errors
    ///
    /// As [`Shell::settle`].
    pub fn finish(&self, patience: Duration) -> Result<bool, JournalError> {
        if !self.is_committing() {
            return Ok(true);
        }
        let done = self.0.journal.borrow_mut().finish(patience)?;
        if done {
            self.release(self.0.under_way.take().unwrap_or_default());
        }
        Ok(done)
    }

    fn release(&self, held: Vec<(Rank, Held)>) {
        for (rank, held) in held {
            match held {
                Held::Notice(notice) => self.0.bus.publish(&notice),
                Held::Task(task) => {
                    self.0.agenda.soon(rank, task);
                }
            }
        }
    }

    /// Forgets what a killed party has decided and not made durable, and everything it was to do.
    ///
    /// `streams` is the beginning of the names of its streams.
    pub fn forget(&self, rank: Rank, streams: &str) {
        self.0.journal.borrow_mut().discard(streams);
        let mut doomed = Vec::new();
        let mut under_way = self.0.under_way.borrow_mut();
        for held in [Some(&mut *self.0.held.borrow_mut()), under_way.as_mut()].into_iter().flatten() {
            doomed.extend(held.extract_if(.., |(of, _)| *of == rank));
        }
        drop(under_way);
        drop(doomed);
        self.0.agenda.drop_rank(rank);
    }

    /// Closes the journal properly; what is recorded from now on is forgotten.
    pub fn close(&self) {
        let journal = self.0.journal.replace(Box::<MemoryJournal>::default());
        drop(journal);
    }

    /// Every durable entry.
    ///
    /// # Errors
    ///
    /// As [`Journal::entries`].
    pub fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        self.0.journal.borrow().entries()
    }
}
