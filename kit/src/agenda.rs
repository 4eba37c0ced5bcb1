//! What is to be done, in the order (time, rank, sequence): the one queue that both virtual and real
//! time work off, so that a run is the same whatever its pace.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    pin::Pin,
    rc::Rc,
};

use coinop_core::Timestamp;

/// A piece of work; polled to its end before the next one begins.
pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Who a task belongs to: parties have ranks, so that simultaneous work has an order, and a killed
/// party's work can be dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(pub u16);

/// The name of a task in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    at: Timestamp,
    rank: Rank,
    sequence: u64,
}

/// The queue, and the present moment; cheap to clone.
#[derive(Clone)]
pub struct Agenda(Rc<Inner>);

struct Inner {
    now: Cell<Timestamp>,
    sequence: Cell<u64>,
    tasks: RefCell<BTreeMap<Ticket, Task>>,
}

impl Agenda {
    /// An empty agenda that begins at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Rc::new(Inner { now: Cell::new(now), sequence: Cell::new(0), tasks: RefCell::default() }))
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        self.0.now.get()
    }

    /// Moves the present moment on; it never moves back.
    pub fn advance(&self, to: Timestamp) {
        self.0.now.set(self.now().max(to));
    }

    /// Puts `task` on the queue for `at`, or for now when that is past.
    pub fn at(&self, at: Timestamp, rank: Rank, task: impl Future<Output = ()> + 'static) -> Ticket {
        let sequence = self.0.sequence.get();
        self.0.sequence.set(sequence + 1);
        let ticket = Ticket { at: at.max(self.now()), rank, sequence };
        self.0.tasks.borrow_mut().insert(ticket, Box::pin(task));
        ticket
    }

    /// Puts `task` on the queue for now.
    pub fn soon(&self, rank: Rank, task: impl Future<Output = ()> + 'static) -> Ticket {
        self.at(self.now(), rank, task)
    }

    /// Takes a task off the queue; silently fine when it has begun.
    pub fn cancel(&self, ticket: Ticket) {
        let task = self.0.tasks.borrow_mut().remove(&ticket);
        // Dropped outside the borrow: what a task owns may want the agenda.
        drop(task);
    }

    /// Takes all tasks of `rank` off the queue.
    pub fn drop_rank(&self, rank: Rank) {
        let mut tasks = self.0.tasks.borrow_mut();
        let doomed: Vec<_> = tasks.extract_if(.., |ticket, _| ticket.rank == rank).collect();
        drop(tasks);
        drop(doomed);
    }

    /// Takes every task off the queue. What they own is dropped, and who owned the queue in turn through
    /// them.
    pub fn clear(&self) {
        let tasks = self.0.tasks.take();
        // Outside the borrow, as in `cancel`.
        drop(tasks);
    }

    /// The next task that is due.
    pub fn due(&self) -> Option<Task> {
        let mut tasks = self.0.tasks.borrow_mut();
        let first = tasks.first_entry()?;
        (first.key().at <= self.now()).then(|| first.remove())
    }

    /// When the next task is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.0.tasks.borrow().first_key_value().map(|(ticket, _)| ticket.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simultaneous_work_is_done_in_the_order_of_ranks_then_of_arrival() {
        let agenda = Agenda::new(Timestamp::from_millis(5));
        let log = Rc::new(RefCell::new(Vec::new()));
        for (at, rank, name) in [(9, 2, "c"), (9, 1, "a"), (9, 1, "b"), (7, 9, "first"), (10, 0, "later")] {
            let log = Rc::clone(&log);
            agenda.at(Timestamp::from_millis(at), Rank(rank), async move { log.borrow_mut().push(name) });
        }

        agenda.advance(Timestamp::from_millis(9));
        while let Some(task) = agenda.due() {
            futures_util::FutureExt::now_or_never(task).unwrap();
        }

        assert_eq!(*log.borrow(), ["first", "a", "b", "c"]);
        assert_eq!(agenda.next(), Some(Timestamp::from_millis(10)));
    }

    #[test]
    fn a_cleared_agenda_lets_go_of_what_its_tasks_own() {
        struct Owner(Agenda);
        let owner = Rc::new(Owner(Agenda::new(Timestamp::from_millis(0))));
        let own = Rc::clone(&owner);
        owner.0.soon(Rank(1), async move { drop(own) });
        assert_eq!(Rc::strong_count(&owner), 2);

        owner.0.clear();

        assert_eq!(Rc::strong_count(&owner), 1);
        assert_eq!(owner.0.next(), None);
    }

    #[test]
    fn the_work_of_a_killed_party_is_dropped() {
        let agenda = Agenda::new(Timestamp::from_millis(0));
        agenda.soon(Rank(1), async {});
        agenda.soon(Rank(2), async {});

        agenda.drop_rank(Rank(1));

        assert!(agenda.due().is_some());
        assert!(agenda.due().is_none());
    }
}
