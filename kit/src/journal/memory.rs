use super::{Entry, Journal, JournalError, Stamp};

/// A journal that lasts as long as the process: for demos and tests.
#[derive(Debug, Default)]
pub struct MemoryJournal {
    committed: Vec<Entry>,
    waiting: Vec<Entry>,
}

impl Journal for MemoryJournal {
    fn append(&mut self, entry: Entry) {
        self.waiting.push(entry);
    }

    fn commit(&mut self) -> Result<(), JournalError> {
        for entry in self.waiting.drain(..) {
            if entry.stamp == Stamp::State {
                self.committed.retain(|old| old.stream != entry.stream);
            }
            self.committed.push(entry);
        }
        Ok(())
    }

    fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn discard(&mut self, prefix: &str) {
        self.waiting.retain(|entry| !entry.stream.starts_with(prefix));
    }

    fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        Ok(self.committed.clone())
    }
}
