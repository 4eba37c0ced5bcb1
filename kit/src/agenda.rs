//! What is to be done, in the order (time, rank, sequence): the one queue that both virtual and real
//! time work off, so that a run is the same whatever its pace.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    future::poll_fn,
    pin::{Pin, pin},
    rc::Rc,
    task::{Context, Poll, Waker},
};

use coinop_core::Timestamp;

/// A piece of work; polled to its end before the next one begins, but for what it waits for
/// [outside](Agenda::outside).
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
    /// What waits for something outside.
    away: RefCell<VecDeque<(Rank, Task)>>,
    /// Whether the task that was polled last waits for something outside.
    is_outside: Cell<bool>,
    /// Wakes whoever waits for work.
    sleeper: Cell<Option<Waker>>,
}

/// What became of a task that was worked on.
enum Step {
    Done,
    Outside,
}

impl Agenda {
    /// An empty agenda that begins at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self(Rc::new(Inner {
            now: Cell::new(now),
            sequence: Cell::new(0),
            tasks: RefCell::default(),
            away: RefCell::default(),
            is_outside: Cell::new(false),
            sleeper: Cell::default(),
        }))
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
        if let Some(sleeper) = self.0.sleeper.take() {
            sleeper.wake();
        }
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
        let away = self.0.away.take();
        let (doomed, rest): (VecDeque<_>, _) = away.into_iter().partition(|(of, _)| *of == rank);
        self.0.away.replace(rest);
        drop(doomed);
    }

    /// Takes every task off the queue. What they own is dropped, and who owned the queue in turn through
    /// them.
    pub fn clear(&self) {
        let (tasks, away) = (self.0.tasks.take(), self.0.away.take());
        // Outside the borrow, as in `cancel`.
        drop((tasks, away));
    }

    /// The next task that is due.
    pub fn due(&self) -> Option<(Rank, Task)> {
        let mut tasks = self.0.tasks.borrow_mut();
        let first = tasks.first_entry()?;
        (first.key().at <= self.now()).then(|| (first.key().rank, first.remove()))
    }

    /// Waits, within a task, for something outside of this process. Meanwhile other tasks have their turn;
    /// what follows is done as if it had just become due.
    pub async fn outside<T>(&self, outside: impl Future<Output = T>) -> T {
        let mut outside = pin!(outside);
        poll_fn(|context| {
            let polled = outside.as_mut().poll(context);
            self.0.is_outside.set(polled.is_pending());
            polled
        })
        .await
    }

    /// Works on a task until it is done, or waits for something outside.
    pub async fn work_on(&self, rank: Rank, mut task: Task) {
        match poll_fn(|context| self.step(&mut task, context)).await {
            Step::Done => {}
            Step::Outside => self.0.away.borrow_mut().push_back((rank, task)),
        }
    }

    fn step(&self, task: &mut Task, context: &mut Context<'_>) -> Poll<Step> {
        self.0.is_outside.set(false);
        match task.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Step::Done),
            Poll::Pending if self.0.is_outside.get() => Poll::Ready(Step::Outside),
            Poll::Pending => Poll::Pending,
        }
    }

    /// How many tasks wait for something outside.
    pub fn away(&self) -> usize {
        self.0.away.borrow().len()
    }

    /// Goes on with every task whose wait outside is over.
    pub async fn look_outside(&self) {
        for _ in 0..self.away() {
            // One at a time: what is done now may drop others.
            let next = self.0.away.borrow_mut().pop_front();
            if let Some((rank, task)) = next {
                self.work_on(rank, task).await;
            }
        }
    }

    /// Waits until there is another task, or something outside that a task waits for may have happened, or
    /// `pause` is over.
    pub async fn rest(&self, pause: impl Future<Output = ()>) {
        let mut pause = pin!(pause);
        let mut is_first = true;
        let before = self.0.sequence.get();
        poll_fn(|context| {
            // Any other waker than the pause's: the tasks that are away were polled with this one.
            let is_woken = !is_first || self.0.sequence.get() != before;
            is_first = false;
            self.0.sleeper.set(Some(context.waker().clone()));
            if pause.as_mut().poll(context).is_ready() || is_woken { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.0.sleeper.set(None);
    }

    /// When the next task is due.
    pub fn next(&self) -> Option<Timestamp> {
        self.0.tasks.borrow().first_key_value().map(|(ticket, _)| ticket.at)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

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
        while let Some((_, task)) = agenda.due() {
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

    /// A task that waits outside for `answer`, then writes it down.
    fn asks(agenda: &Agenda, answer: oneshot::Receiver<&'static str>, log: &Rc<RefCell<Vec<&'static str>>>) {
        let (own, log) = (agenda.clone(), Rc::clone(log));
        agenda.soon(Rank(1), async move {
            let answer = own.outside(answer).await.unwrap();
            log.borrow_mut().push(answer);
        });
    }

    async fn work(agenda: &Agenda) {
        agenda.look_outside().await;
        while let Some((rank, task)) = agenda.due() {
            agenda.work_on(rank, task).await;
        }
    }

    #[tokio::test]
    async fn while_one_waits_outside_the_others_have_their_turn() {
        let agenda = Agenda::new(Timestamp::from_millis(0));
        let log = Rc::new(RefCell::new(Vec::new()));
        let (answer, asked) = oneshot::channel();
        asks(&agenda, asked, &log);
        let other = Rc::clone(&log);
        agenda.soon(Rank(2), async move { other.borrow_mut().push("other") });

        work(&agenda).await;
        assert_eq!((log.borrow().clone(), agenda.away()), (vec!["other"], 1));
        answer.send("answer").unwrap();
        work(&agenda).await;

        assert_eq!((log.borrow().clone(), agenda.away()), (vec!["other", "answer"], 0));
    }

    #[tokio::test]
    async fn a_rest_ends_with_an_answer_from_outside_and_with_new_work() {
        let agenda = Agenda::new(Timestamp::from_millis(0));
        let (answer, asked) = oneshot::channel();
        asks(&agenda, asked, &Rc::default());
        work(&agenda).await;

        tokio::join!(agenda.rest(std::future::pending()), async { answer.send("answer").unwrap() });
        work(&agenda).await;
        assert_eq!(agenda.away(), 0);

        tokio::join!(agenda.rest(std::future::pending()), async { agenda.soon(Rank(1), async {}) });
        assert!(agenda.due().is_some());
    }

    #[tokio::test]
    async fn a_killed_party_waits_for_nothing_any_more() {
        let agenda = Agenda::new(Timestamp::from_millis(0));
        let log = Rc::new(RefCell::new(Vec::new()));
        let (answer, asked) = oneshot::channel();
        asks(&agenda, asked, &log);
        work(&agenda).await;

        agenda.drop_rank(Rank(1));

        assert_eq!(agenda.away(), 0);
        assert!(answer.send("too late").is_err());
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
