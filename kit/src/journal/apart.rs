use std::{
    cell::RefCell,
    mem, panic,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{Entry, Journal, JournalError};

/// A journal that commits on a thread of its own while others go on deciding, signing and verifying.
///
/// The journal itself travels: it is here, or with its thread for the length of one commit. So there
/// is never more than one commit under way, and they keep their order. Virtual time wants the plain
/// journal, because when a thread is done is chance.
pub struct Apart<J> {
    here: RefCell<Option<J>>,
    waiting: Vec<Entry>,
    work: Option<Sender<(J, Vec<Entry>)>>,
    done: Receiver<(J, Result<(), JournalError>)>,
    thread: Option<JoinHandle<()>>,
}

impl<J: Journal + Send + 'static> Apart<J> {
    /// Gives a journal its thread.
    ///
    /// # Errors
    ///
    /// [`std::io::Error`] when there can be no more threads.
    pub fn new(journal: J) -> std::io::Result<Self> {
        let (work, orders) = channel::<(J, Vec<Entry>)>();
        let (results, done) = channel();
        let thread = thread::Builder::new().name("journal".into()).spawn(move || {
            for (mut journal, entries) in orders {
                let result = commit(&mut journal, entries);
                if results.send((journal, result)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self {
            here: RefCell::new(Some(journal)),
            waiting: Vec::new(),
            work: Some(work),
            done,
            thread: Some(thread),
        })
    }

    /// Takes the journal back from its thread; says whether it is here after `patience` at most.
    fn fetch(&self, patience: Option<Duration>) -> Result<bool, JournalError> {
        let mut here = self.here.borrow_mut();
        if here.is_some() {
            return Ok(true);
        }
        let done = match patience {
            Some(patience) => self.done.recv_timeout(patience),
            None => self.done.recv().map_err(RecvTimeoutError::from),
        };
        match done {
            Ok((journal, result)) => {
                *here = Some(journal);
                result.map(|()| true)
            }
            Err(RecvTimeoutError::Timeout) => Ok(false),
            Err(RecvTimeoutError::Disconnected) => Err(gone()),
        }
    }
}

impl<J: Journal + Send + 'static> Journal for Apart<J> {
    fn append(&mut self, entry: Entry) {
        self.waiting.push(entry);
    }

    fn commit(&mut self) -> Result<(), JournalError> {
        self.fetch(None)?;
        let entries = mem::take(&mut self.waiting);
        commit(self.here.get_mut().as_mut().ok_or_else(gone)?, entries)
    }

    fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn begin(&mut self) -> Result<bool, JournalError> {
        if self.waiting.is_empty() || !self.fetch(Some(Duration::ZERO))? {
            return Ok(false);
        }
        let journal = self.here.get_mut().take().ok_or_else(gone)?;
        let work = self.work.as_ref().ok_or_else(gone)?;
        work.send((journal, mem::take(&mut self.waiting))).map_err(|_thread_ended| gone())?;
        Ok(true)
    }

    fn finish(&mut self, patience: Duration) -> Result<bool, JournalError> {
        self.fetch(Some(patience))
    }

    fn discard(&mut self, prefix: &str) {
        self.waiting.retain(|entry| !entry.stream.starts_with(prefix));
    }

    fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        self.fetch(None)?;
        self.here.borrow().as_ref().ok_or_else(gone)?.entries()
    }
}

impl<J> Drop for Apart<J> {
    /// Waits for the commit under way, so that the journal is closed as it should be.
    fn drop(&mut self) {
        drop(self.work.take());
        if let Some(Err(panicked)) = self.thread.take().map(JoinHandle::join)
            && !thread::panicking()
        {
            panic::resume_unwind(panicked);
        }
    }
}

fn commit<J: Journal>(journal: &mut J, entries: Vec<Entry>) -> Result<(), JournalError> {
    for entry in entries {
        journal.append(entry);
    }
    journal.commit()
}

fn gone() -> JournalError {
    JournalError::Storage {
        path: "the journal".into(),
        doing: "written",
        source: "its thread has ended".into(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use coinop_core::Timestamp;

    use super::*;
    use crate::journal::{MemoryJournal, Stamp};

    fn entry(stream: &str, body: u8) -> Entry {
        Entry { stream: stream.into(), stamp: Stamp::Event, at: Timestamp::from_millis(0), body: vec![body] }
    }

    fn bodies(journal: &impl Journal) -> Vec<u8> {
        journal.entries().unwrap().into_iter().map(|entry| entry.body[0]).collect()
    }

    /// Commits only while the gate is open.
    struct Gated {
        inner: MemoryJournal,
        gate: Arc<Mutex<()>>,
        broken: bool,
    }

    impl Journal for Gated {
        fn append(&mut self, entry: Entry) {
            self.inner.append(entry);
        }

        fn commit(&mut self) -> Result<(), JournalError> {
            let _open = self.gate.lock().unwrap();
            if self.broken { Err(gone()) } else { self.inner.commit() }
        }

        fn waiting(&self) -> usize {
            self.inner.waiting()
        }

        fn discard(&mut self, prefix: &str) {
            self.inner.discard(prefix);
        }

        fn entries(&self) -> Result<Vec<Entry>, JournalError> {
            self.inner.entries()
        }
    }

    fn gated(broken: bool) -> (Apart<Gated>, Arc<Mutex<()>>) {
        let gate = Arc::<Mutex<()>>::default();
        let inner = Gated { inner: MemoryJournal::default(), gate: Arc::clone(&gate), broken };
        (Apart::new(inner).unwrap(), gate)
    }

    #[test]
    fn entries_are_taken_while_a_commit_is_under_way() {
        let (mut journal, gate) = gated(false);
        let shut = gate.lock().unwrap();
        journal.append(entry("a", 1));
        assert!(journal.begin().unwrap());
        journal.append(entry("a", 2));
        journal.append(entry("b", 3));

        assert!(!journal.finish(Duration::ZERO).unwrap(), "the gate is shut");
        assert!(!journal.begin().unwrap(), "one commit at a time");
        assert_eq!(journal.waiting(), 2);
        journal.discard("b");
        drop(shut);

        assert!(journal.finish(Duration::from_mins(1)).unwrap());
        assert_eq!(bodies(&journal), [1]);
        journal.commit().unwrap();
        assert_eq!(bodies(&journal), [1, 2]);
    }

    #[test]
    fn a_commit_waits_for_the_one_under_way() {
        let (mut journal, _) = gated(false);
        journal.append(entry("a", 1));
        assert!(journal.begin().unwrap());
        journal.append(entry("a", 2));

        journal.commit().unwrap();

        assert_eq!(bodies(&journal), [1, 2]);
        assert!(!journal.begin().unwrap(), "nothing waits");
    }

    #[test]
    fn what_could_not_be_committed_is_an_error() {
        let (mut journal, _) = gated(true);
        journal.append(entry("a", 1));
        assert!(journal.begin().unwrap());

        assert!(journal.finish(Duration::from_mins(1)).is_err());
    }
}
