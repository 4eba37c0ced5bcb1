use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use coinop_core::{Timestamp, obyte::hash::sha256};
use redb::{
    Builder, Database, DatabaseError, ReadableDatabase, ReadableTable, StorageBackend, StorageError, Table,
    TableDefinition,
};

use super::{Entry, Journal, JournalError, Stamp};

const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
const SEAL: TableDefinition<'_, &str, u128> = TableDefinition::new("seal");
/// The version of the layout of an entry; a store of another version is refused.
const FORMAT: u128 = 1;
/// Room for the pages redb keeps in memory, in bytes.
const CACHE: usize = 32 << 20;
/// The mark of a store that a process has open, and of one that was closed.
const IN_USE: u128 = 1;
const CLOSED: u128 = 0;
const DIGEST: usize = 16;

/// A journal in one file that survives a kill at any instruction.
///
/// Every entry carries a digest of itself, and the number and the sum of all digests are written in
/// the same transaction, so an entry that was altered or taken away by hand is noticed at the next
/// start, on top of the checksums that redb keeps a page.
pub struct RedbJournal {
    database: Database,
    path: String,
    waiting: Vec<Entry>,
    next: u64,
    seal: Seal,
    /// The keys of each stream's entries, so that a new state can replace them.
    streams: BTreeMap<String, Vec<u64>>,
}

/// A journal that was opened, and in what condition it was found.
pub struct Opened {
    /// The journal.
    pub journal: RedbJournal,
    /// Whether the last process did not close it: what it had committed is all there.
    pub repaired: bool,
}

/// The number and the sum of the digests of all entries.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Seal {
    count: u128,
    sum: u128,
}

impl RedbJournal {
    /// Opens the journal at `path`, or begins one there.
    ///
    /// # Errors
    ///
    /// [`JournalError::InUse`] when another process has it, [`JournalError::Altered`] when it is not
    /// what was written, [`JournalError::Storage`] when the disk says no.
    pub fn open(path: &Path) -> Result<Opened, JournalError> {
        if !path.exists() {
            begin(path)?;
        }
        let name = path.display().to_string();
        if fs::metadata(path).map_err(storage(&name, "read"))?.len() == 0 {
            return Err(JournalError::Altered { path: name, what: "it is empty".into() });
        }
        Self::build(name, |builder| builder.open(path))
    }

    /// Opens or begins a journal on any storage: for tests of what a power cut leaves behind.
    ///
    /// # Errors
    ///
    /// As [`RedbJournal::open`].
    pub fn on(backend: impl StorageBackend) -> Result<Opened, JournalError> {
        Self::build("the store".into(), |builder| builder.create_with_backend(backend))
    }

    fn build(
        path: String,
        open: impl FnOnce(&Builder) -> Result<Database, DatabaseError>,
    ) -> Result<Opened, JournalError> {
        let mut builder = Builder::new();
        builder.set_cache_size(CACHE).set_check_integrity_on_open(true);
        let database = open(&builder).map_err(|error| opening(&path, error))?;
        let mut journal = Self {
            database,
            path,
            waiting: Vec::new(),
            next: 0,
            seal: Seal::default(),
            streams: BTreeMap::new(),
        };
        let repaired = journal.load()?;
        Ok(Opened { journal, repaired })
    }

    /// Reads and checks everything; says whether the last process did not close the store.
    fn load(&mut self) -> Result<bool, JournalError> {
        let (written, in_use) = self.begin_tables()?;
        let mut found = Seal::default();
        let mut streams = BTreeMap::<String, Vec<u64>>::new();
        let mut next = 0;
        self.each(|key, bytes, entry| {
            found = found.with(bytes);
            streams.entry(entry.stream).or_default().push(key);
            next = key + 1;
        })?;
        if found != written {
            return Err(self.altered(format!("{} entries, {} expected", found.count, written.count)));
        }
        (self.next, self.seal, self.streams) = (next, written, streams);
        self.mark(IN_USE).map_err(storage(&self.path, "written"))?;
        Ok(in_use == IN_USE)
    }

    /// Makes sure that the tables exist and are of our format, and reads the seal and the mark.
    fn begin_tables(&self) -> Result<(Seal, u128), JournalError> {
        let result = (|| -> Result<(u128, Seal, u128), redb::Error> {
            let transaction = self.database.begin_write()?;
            let found = {
                transaction.open_table(ENTRIES)?;
                let mut seal = transaction.open_table(SEAL)?;
                if seal.get("format")?.is_none() {
                    seal.insert("format", FORMAT)?;
                }
                let read = |key| -> Result<u128, redb::Error> { Ok(seal.get(key)?.map_or(0, |v| v.value())) };
                let sealed = Seal { count: read("count")?, sum: read("sum")? };
                (read("format")?, sealed, read("in use")?)
            };
            transaction.commit()?;
            Ok(found)
        })();
        let (format, seal, in_use) = result.map_err(storage(&self.path, "read"))?;
        if format == FORMAT {
            Ok((seal, in_use))
        } else {
            Err(self.altered(format!("its format is {format}, this program reads {FORMAT}")))
        }
    }

    /// Writes down whether a process has the store open.
    fn mark(&self, in_use: u128) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(SEAL)?.insert("in use", in_use)?;
        transaction.commit()?;
        Ok(())
    }

    fn each(&self, mut look: impl FnMut(u64, &[u8], Entry)) -> Result<(), JournalError> {
        let failed = |error: redb::Error| storage(&self.path, "read")(error);
        let reading = self.database.begin_read().map_err(|error| failed(error.into()))?;
        let table = reading.open_table(ENTRIES).map_err(|error| failed(error.into()))?;
        for row in table.iter().map_err(|error| failed(error.into()))? {
            let (key, value) = row.map_err(|error| failed(error.into()))?;
            let (key, bytes) = (key.value(), value.value());
            let entry =
                decode(key, bytes).ok_or_else(|| self.altered(format!("entry {key} is not as written")))?;
            look(key, bytes, entry);
        }
        Ok(())
    }

    fn altered(&self, what: String) -> JournalError {
        JournalError::Altered { path: self.path.clone(), what }
    }

    fn write(&mut self, entries: &[Entry]) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        let (mut seal, mut next) = (self.seal, self.next);
        let mut streams = Vec::new();
        {
            let mut table = transaction.open_table(ENTRIES)?;
            for entry in entries {
                if entry.stamp == Stamp::State {
                    let old = self.streams.remove(&entry.stream).unwrap_or_default();
                    let new = take(&mut streams, &entry.stream);
                    for key in old.into_iter().chain(new) {
                        seal = without(&mut table, seal, key)?;
                    }
                }
                let bytes = encode(next, entry);
                table.insert(next, bytes.as_slice())?;
                seal = seal.with(&bytes);
                streams.push((entry.stream.clone(), next));
                next += 1;
            }
            let mut table = transaction.open_table(SEAL)?;
            table.insert("count", seal.count)?;
            table.insert("sum", seal.sum)?;
        }
        transaction.commit()?;
        (self.seal, self.next) = (seal, next);
        for (stream, key) in streams {
            self.streams.entry(stream).or_default().push(key);
        }
        Ok(())
    }
}

impl Journal for RedbJournal {
    fn append(&mut self, entry: Entry) {
        self.waiting.push(entry);
    }

    fn commit(&mut self) -> Result<(), JournalError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let entries = std::mem::take(&mut self.waiting);
        self.write(&entries).map_err(storage(&self.path, "written"))
    }

    fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn discard(&mut self, prefix: &str) {
        self.waiting.retain(|entry| !entry.stream.starts_with(prefix));
    }

    fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        let mut entries = Vec::new();
        self.each(|_, _, entry| entries.push(entry))?;
        Ok(entries)
    }
}

impl Drop for RedbJournal {
    fn drop(&mut self) {
        // A store that cannot be marked is reported as not closed, which is true.
        let _ = self.mark(CLOSED);
    }
}

impl Seal {
    fn with(self, bytes: &[u8]) -> Self {
        Self { count: self.count + 1, sum: self.sum.wrapping_add(digest_of(bytes)) }
    }

    fn without(self, bytes: &[u8]) -> Self {
        Self { count: self.count.saturating_sub(1), sum: self.sum.wrapping_sub(digest_of(bytes)) }
    }
}

/// Takes the entry `key` out of the table and out of the seal.
fn without(table: &mut Table<'_, u64, &'static [u8]>, seal: Seal, key: u64) -> Result<Seal, redb::Error> {
    Ok(match table.remove(key)? {
        Some(old) => seal.without(old.value()),
        None => seal,
    })
}

/// Takes the keys of `stream` out of the list.
fn take(list: &mut Vec<(String, u64)>, stream: &str) -> Vec<u64> {
    let taken = list.iter().filter(|(name, _)| name == stream).map(|(_, key)| *key).collect();
    list.retain(|(name, _)| name != stream);
    taken
}

/// Begins an empty store under another name and then gives it its own, so that a half-made file is
/// never mistaken for a store that was cut short.
fn begin(path: &Path) -> Result<(), JournalError> {
    let mut new = PathBuf::from(path);
    new.add_extension("new");
    let name = new.display().to_string();
    match fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(storage(&name, "replaced")(error));
        }
        _ => {}
    }
    let database = Database::create(&new).map_err(|error| opening(&name, error))?;
    database.close().map_err(|error| opening(&name, error))?;
    fs::rename(&new, path).map_err(storage(&name, "renamed"))?;
    keep_name(path).map_err(storage(&name, "renamed"))
}

/// Makes the name of a file as durable as what is in it.
#[cfg(unix)]
fn keep_name(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Only Unix opens folders; elsewhere the file system keeps its names by itself.
#[cfg(not(unix))]
fn keep_name(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// The layout: digest of the rest (16 bytes), key, time, stamp, length of the stream's name, name, body.
fn encode(key: u64, entry: &Entry) -> Vec<u8> {
    let stream = entry.stream.as_bytes();
    let mut bytes = vec![0; DIGEST];
    bytes.extend(key.to_be_bytes());
    bytes.extend(entry.at.millis().to_be_bytes());
    bytes.push(match entry.stamp {
        Stamp::State => b's',
        Stamp::Event => b'e',
    });
    // Names of streams are made by this program, from names that scenarios bound to 64 characters.
    bytes.extend(u16::try_from(stream.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend(stream);
    bytes.extend(&entry.body);
    let digest = sha256(&bytes[DIGEST..]);
    bytes[..DIGEST].copy_from_slice(&digest[..DIGEST]);
    bytes
}

fn decode(key: u64, bytes: &[u8]) -> Option<Entry> {
    let (digest, rest) = bytes.split_at_checked(DIGEST)?;
    if sha256(rest)[..DIGEST] != *digest {
        return None;
    }
    let (written, rest) = rest.split_first_chunk::<8>()?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (stamp, rest) = rest.split_first()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (stream, body) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    let stamp = match stamp {
        b's' => Stamp::State,
        b'e' => Stamp::Event,
        _ => return None,
    };
    (u64::from_be_bytes(*written) == key).then_some(())?;
    Some(Entry {
        stream: std::str::from_utf8(stream).ok()?.to_owned(),
        stamp,
        at: Timestamp::from_millis(u64::from_be_bytes(*at)),
        body: body.to_vec(),
    })
}

fn digest_of(bytes: &[u8]) -> u128 {
    bytes.first_chunk::<DIGEST>().map_or(0, |digest| u128::from_be_bytes(*digest))
}

fn opening(path: &str, error: DatabaseError) -> JournalError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => JournalError::InUse { path: path.into() },
        DatabaseError::Storage(StorageError::Corrupted(what)) => {
            JournalError::Altered { path: path.into(), what }
        }
        DatabaseError::Storage(StorageError::Io(error))
            if matches!(
                error.kind(),
                std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData
            ) =>
        {
            JournalError::Altered { path: path.into(), what: error.to_string() }
        }
        other => storage(path, "opened")(other),
    }
}

fn storage<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
    path: &str,
    doing: &'static str,
) -> impl Fn(E) -> JournalError {
    let path = path.to_owned();
    move |error| JournalError::Storage { path: path.clone(), doing, source: error.into() }
}
