//! The journal contract, and what becomes of a store that somebody touched.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use coinop::{
    core::Timestamp,
    journal::{Entry, Journal, JournalError, MemoryJournal, RedbJournal, Stamp},
};
use proptest::prelude::*;
use redb::{Database, TableDefinition, backends::InMemoryBackend};

fn entry(stream: &str, stamp: Stamp, number: u64) -> Entry {
    let at = Timestamp::from_millis(1_000 + number);
    Entry { stream: stream.to_owned(), stamp, at, body: format!("{{\"number\":{number}}}").into_bytes() }
}

fn event(stream: &str, number: u64) -> Entry {
    entry(stream, Stamp::Event, number)
}

fn state(stream: &str, number: u64) -> Entry {
    entry(stream, Stamp::State, number)
}

/// A fresh journal of every kind.
fn every_kind() -> Vec<(&'static str, Box<dyn Journal>)> {
    let redb = RedbJournal::on(InMemoryBackend::new()).unwrap().journal;
    vec![("memory", Box::<MemoryJournal>::default()), ("redb", Box::new(redb))]
}

fn commit(journal: &mut dyn Journal, entries: impl IntoIterator<Item = Entry>) {
    entries.into_iter().for_each(|entry| journal.append(entry));
    journal.commit().unwrap();
}

#[test]
fn what_was_committed_is_read_back_in_order() {
    for (kind, mut journal) in every_kind() {
        let all = [state("a/wallet", 1), state("b/wallet", 2), event("a/wallet", 3), event("b/wallet", 4)];

        commit(&mut *journal, all[..3].to_vec());
        commit(&mut *journal, all[3..].to_vec());

        assert_eq!(journal.entries().unwrap(), all, "{kind}");
    }
}

#[test]
fn what_was_not_committed_is_not_read_back() {
    for (kind, mut journal) in every_kind() {
        journal.append(state("a/wallet", 1));

        assert_eq!(journal.waiting(), 1, "{kind}");
        assert_eq!(journal.entries().unwrap(), [], "{kind}");
    }
}

#[test]
fn a_killed_party_leaves_only_what_was_durable() {
    for (kind, mut journal) in every_kind() {
        commit(&mut *journal, [state("a/wallet", 1), state("b/wallet", 2)]);
        for entry in [event("a/wallet", 3), event("b/wallet", 4), event("a/sale/1", 5)] {
            journal.append(entry);
        }

        journal.discard("a/");
        journal.commit().unwrap();

        let left = [state("a/wallet", 1), state("b/wallet", 2), event("b/wallet", 4)];
        assert_eq!(journal.entries().unwrap(), left, "{kind}");
    }
}

#[test]
fn a_new_state_replaces_everything_before_it() {
    for (kind, mut journal) in every_kind() {
        commit(&mut *journal, [state("a/wallet", 1), event("a/wallet", 2), state("b/wallet", 3)]);

        commit(&mut *journal, [event("a/wallet", 4), state("a/wallet", 5), event("a/wallet", 6)]);

        let left = [state("b/wallet", 3), state("a/wallet", 5), event("a/wallet", 6)];
        assert_eq!(journal.entries().unwrap(), left, "{kind}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append(u8, Stamp),
    Commit,
    Discard(u8),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let stamp = prop_oneof![1 => Just(Stamp::State), 4 => Just(Stamp::Event)];
    prop_oneof![
        6 => (0..3_u8, stamp).prop_map(|(stream, stamp)| Step::Append(stream, stamp)),
        2 => Just(Step::Commit),
        1 => (0..3_u8).prop_map(Step::Discard),
        1 => Just(Step::Reopen),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// The memory journal is the model: a store on disk that is reopened at any time says the same.
    #[test]
    fn a_store_on_disk_says_what_the_one_in_memory_says(steps in prop::collection::vec(step(), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.redb");
        let mut model = MemoryJournal::default();
        let mut store = Some(RedbJournal::open(&path).unwrap().journal);
        for (number, step) in (0..).zip(steps) {
            let journal = store.as_mut().unwrap();
            match step {
                Step::Append(stream, stamp) => {
                    let entry = entry(&format!("{stream}/machine"), stamp, number);
                    model.append(entry.clone());
                    journal.append(entry);
                }
                Step::Commit => {
                    model.commit().unwrap();
                    journal.commit().unwrap();
                }
                Step::Discard(stream) => {
                    model.discard(&format!("{stream}/"));
                    journal.discard(&format!("{stream}/"));
                }
                Step::Reopen => {
                    drop(store.take());
                    store = Some(RedbJournal::open(&path).unwrap().journal);
                    model.discard("");
                }
            }
            let journal = store.as_ref().unwrap();
            prop_assert_eq!(journal.waiting(), model.waiting());
            prop_assert_eq!(journal.entries().unwrap(), model.entries().unwrap());
        }
    }
}

/// A closed store with a hundred entries.
fn store(folder: &Path) -> PathBuf {
    let path = folder.join("journal.redb");
    let mut journal = RedbJournal::open(&path).unwrap().journal;
    for number in 0..100 {
        commit(&mut journal, [event("a/wallet", number)]);
    }
    path
}

fn refusal(path: &Path) -> String {
    match RedbJournal::open(path) {
        Ok(_) => panic!("a store that is not as written was opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_store_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let _first = RedbJournal::open(&path).unwrap();

    let second = RedbJournal::open(&path).map(|_| ()).unwrap_err();

    assert!(matches!(second, JournalError::InUse { .. }), "{second}");
    assert!(second.to_string().contains("journal.redb is in use by another coinop"), "{second}");
}

#[test]
fn a_closed_store_is_opened_without_repair_and_a_left_one_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = store(folder.path());
    assert!(!RedbJournal::open(&path).unwrap().repaired);

    let left = folder.path().join("left.redb");
    let mut opened = RedbJournal::open(&path).unwrap();
    commit(&mut opened.journal, [event("a/wallet", 100)]);
    fs::copy(&path, &left).unwrap();
    drop(opened);

    let found = RedbJournal::open(&left).unwrap();
    assert!(found.repaired);
    assert_eq!(found.journal.entries().unwrap().len(), 101);
}

#[test]
fn an_altered_byte_never_loses_or_changes_an_entry_silently() {
    let folder = tempfile::tempdir().unwrap();
    let path = store(folder.path());
    let entries = RedbJournal::open(&path).unwrap().journal.entries().unwrap();
    let (whole, touched) = (fs::read(&path).unwrap(), folder.path().join("touched.redb"));
    let mut noticed = 0;
    for position in (0..whole.len()).step_by(whole.len() / 400) {
        let mut bytes = whole.clone();
        bytes[position] ^= 0x55;
        fs::write(&touched, bytes).unwrap();

        match RedbJournal::open(&touched) {
            // A byte of a page that is not in use is nobody's.
            Ok(opened) => assert_eq!(opened.journal.entries().unwrap(), entries, "byte {position}"),
            Err(error) => {
                noticed += 1;
                assert!(error.to_string().contains("touched.redb was altered"), "{position}: {error}");
            }
        }
    }
    assert!(noticed > 0);
}

#[test]
fn an_altered_entry_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = store(folder.path());
    let mut bytes = fs::read(&path).unwrap();
    let text = b"{\"number\":42}";
    let places: Vec<_> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(text)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + 10] = b'7';
    }
    fs::write(&path, bytes).unwrap();

    let refusal = refusal(&path);

    assert!(refusal.contains("journal.redb was altered or cut short"), "{refusal}");
}

#[test]
fn a_shortened_or_emptied_store_is_refused_by_name_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read(store(folder.path())).unwrap();
    let path = folder.path().join("short.redb");
    for part in 0..16 {
        let length = whole.len() * part / 16;
        fs::write(&path, &whole[..length]).unwrap();

        let refusal = refusal(&path);

        assert!(refusal.contains("short.redb was altered or cut short"), "{length} bytes: {refusal}");
        assert_eq!(fs::read(&path).unwrap(), whole[..length], "{length} bytes");
    }
}

const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
const SEAL: TableDefinition<'_, &str, u128> = TableDefinition::new("seal");

#[test]
fn a_store_that_lacks_an_entry_is_refused() {
    for taken in [0, 50, 99] {
        let folder = tempfile::tempdir().unwrap();
        let path = store(folder.path());
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(ENTRIES).unwrap().remove(taken).unwrap();
        transaction.commit().unwrap();
        drop(database);

        let refusal = refusal(&path);

        assert!(refusal.contains("99 entries, 100 expected"), "{refusal}");
    }
}

#[test]
fn a_store_of_another_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = store(folder.path());
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(SEAL).unwrap().insert("format", 99).unwrap();
    transaction.commit().unwrap();
    drop(database);

    let refusal = refusal(&path);

    assert!(refusal.contains("its format is 99, this program reads 1"), "{refusal}");
}

#[test]
fn a_file_that_is_no_store_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.redb");
    let foreign = b"these are the holiday pictures of somebody who chose the wrong folder".repeat(200);
    fs::write(&path, &foreign).unwrap();

    let refusal = refusal(&path);

    assert!(refusal.contains("journal.redb was altered or cut short"), "{refusal}");
    assert_eq!(fs::read(&path).unwrap(), foreign);
}
