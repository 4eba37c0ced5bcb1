//! What the journal holds, as machines again.

use std::collections::BTreeMap;

use coinop_core::{Machine, Timestamp};
use serde::de::{DeserializeOwned, Error as _};

use crate::journal::{Entry, Stamp};

/// The entries of a journal, by stream.
#[derive(Clone, Debug, Default)]
pub struct Restored {
    streams: BTreeMap<String, Vec<Entry>>,
    latest: Option<Timestamp>,
}

impl Restored {
    /// Sorts entries into their streams.
    pub fn new(entries: Vec<Entry>) -> Self {
        let latest = entries.iter().map(|entry| entry.at).max();
        let mut streams = BTreeMap::<String, Vec<Entry>>::new();
        for entry in entries {
            streams.entry(entry.stream.clone()).or_default().push(entry);
        }
        Self { streams, latest }
    }

    /// When the last entry was made; nothing in an empty journal.
    pub fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// The names of all streams.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.streams.keys().map(String::as_str)
    }

    /// The entries of a stream, oldest first.
    pub fn entries(&self, stream: &str) -> &[Entry] {
        self.streams.get(stream).map_or(&[], Vec::as_slice)
    }

    /// The machine of a stream, if there is one.
    ///
    /// # Errors
    ///
    /// [`serde_json::Error`] when the entries are not of this machine.
    pub fn machine<M: Machine + DeserializeOwned>(
        &self,
        stream: &str,
    ) -> Result<Option<M>, serde_json::Error> {
        self.streams.get(stream).map(|entries| replay(entries)).transpose()
    }

    /// The machines of all streams whose name begins with `prefix`, with the rest of the name.
    ///
    /// # Errors
    ///
    /// As [`Restored::machine`].
    pub fn machines<M: Machine + DeserializeOwned>(
        &self,
        prefix: &str,
    ) -> Result<Vec<(String, M)>, serde_json::Error> {
        let within = self.streams.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        within.map(|(name, entries)| Ok((name[prefix.len()..].to_owned(), replay(entries)?))).collect()
    }
}

/// A stream is a state and the events since.
fn replay<M: Machine + DeserializeOwned>(entries: &[Entry]) -> Result<M, serde_json::Error> {
    let mut machine: Option<M> = None;
    for entry in entries {
        match (entry.stamp, &mut machine) {
            (Stamp::State, _) => machine = Some(serde_json::from_slice(&entry.body)?),
            (Stamp::Event, Some(machine)) => machine.apply(&serde_json::from_slice(&entry.body)?),
            (Stamp::Event, None) => {
                return Err(serde_json::Error::custom(format!("{} begins without a state", entry.stream)));
            }
        }
    }
    machine.ok_or_else(|| serde_json::Error::custom("an empty stream"))
}
