//! Where decisions become durable before anyone hears of them.
//!
//! One sequence for the whole process, each entry with its stream. A stream begins with the state of
//! its machine, then come the events since; a newer state replaces everything before it.

mod apart;
mod memory;
mod redb;

pub use self::{
    apart::Apart,
    memory::MemoryJournal,
    redb::{Opened, RedbJournal},
};
use std::time::Duration;

use coinop_core::Timestamp;
use serde::{Deserialize, Serialize};

/// What kind of entry this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stamp {
    /// The whole state of the stream's machine; replaces all earlier entries of the stream.
    State,
    /// An event since that state.
    Event,
}

/// One record of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The machine it belongs to, `party/kind/id`.
    pub stream: String,
    /// State or event.
    pub stamp: Stamp,
    /// When it was decided, on the scenario's clock.
    pub at: Timestamp,
    /// The state or the event, as JSON.
    pub body: Vec<u8>,
}

/// Where entries become durable, many at a time.
///
/// Every implementation passes the journal contract: what was committed is read back in order, what
/// was discarded or never committed is not.
pub trait Journal {
    /// Adds an entry to the next commit.
    fn append(&mut self, entry: Entry);

    /// Makes everything appended durable, in one transaction.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when it could not be made durable; then nothing of it is.
    fn commit(&mut self) -> Result<(), JournalError>;

    /// The number of entries that wait for a commit.
    fn waiting(&self) -> usize;

    /// Begins to commit what waits, beside other work; says whether it began. Entries that are
    /// appended meanwhile wait for the next commit.
    ///
    /// # Errors
    ///
    /// As [`Journal::commit`], of the commit before.
    fn begin(&mut self) -> Result<bool, JournalError> {
        Ok(false)
    }

    /// Waits, for `patience` at most, for the commit that was begun; says whether none is under way.
    ///
    /// # Errors
    ///
    /// As [`Journal::commit`].
    fn finish(&mut self, patience: Duration) -> Result<bool, JournalError> {
        let _ = patience;
        Ok(true)
    }

    /// Forgets the uncommitted entries of all streams that begin with `prefix`: their party was killed.
    fn discard(&mut self, prefix: &str);

    /// Every durable entry, in the order of their commits.
    ///
    /// # Errors
    ///
    /// [`JournalError`] when the store cannot be read or was altered.
    fn entries(&self) -> Result<Vec<Entry>, JournalError>;
}

/// The journal could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// Another process works with this folder.
    #[error("{path} is in use by another coinop; stop it first or choose another --data-dir")]
    InUse {
        /// The store.
        path: String,
    },
    /// The store was changed by somebody else, or is cut short.
    #[error("{path} was altered or cut short ({what}); nothing was changed, restore it from a copy")]
    Altered {
        /// The store.
        path: String,
        /// Which part gave it away.
        what: String,
    },
    /// The disk said no; the process must stop, what was committed stays.
    #[error("{path} could not be {doing}: is the disk full, the folder writable?")]
    Storage {
        /// The store.
        path: String,
        /// What was being done.
        doing: &'static str,
        /// What the store said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
