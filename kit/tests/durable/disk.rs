//! A disk that remembers every write and every sync, so that the power can be cut afterwards.

use std::{
    io,
    sync::{Arc, Mutex},
};

use redb::StorageBackend;

/// The smallest piece a disk writes whole.
const SECTOR: usize = 512;

/// What was done to a disk.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Write { offset: usize, bytes: Vec<u8> },
    SetLength(usize),
    Sync,
}

/// A disk in memory; clones are the same disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    bytes: Vec<u8>,
    log: Vec<Operation>,
}

impl Disk {
    /// A disk with something on it.
    pub(crate) fn holding(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Platter { bytes, log: Vec::new() })))
    }

    /// How many things were done to it so far.
    pub(crate) fn operations(&self) -> usize {
        self.0.lock().unwrap().log.len()
    }

    /// Everything that was done to it.
    pub(crate) fn log(&self) -> Vec<Operation> {
        self.0.lock().unwrap().log.clone()
    }

    fn act(&self, operation: Operation) {
        let mut platter = self.0.lock().unwrap();
        operation.apply(&mut platter.bytes);
        platter.log.push(operation);
    }
}

impl Operation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes: new } => write(bytes, *offset, new),
            Self::SetLength(length) => bytes.resize(*length, 0),
            Self::Sync => {}
        }
    }

    /// As the power fails: done, not done, or half done.
    fn apply_perhaps(&self, bytes: &mut Vec<u8>, chance: &mut Chance) {
        match (self, chance.below(4)) {
            (_, 0) => {}
            (Self::Write { offset, bytes: new }, 1) => {
                for (number, sector) in new.chunks(SECTOR).enumerate() {
                    if chance.below(2) == 0 {
                        write(bytes, offset + number * SECTOR, sector);
                    }
                }
            }
            (operation, _) => operation.apply(bytes),
        }
    }
}

fn write(bytes: &mut Vec<u8>, offset: usize, new: &[u8]) {
    let end = offset + new.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(new);
}

/// Cuts the power at moments that only move on, over the log of a run.
pub(crate) struct Cutter<'a> {
    log: &'a [Operation],
    synced: Vec<u8>,
    next: usize,
}

impl<'a> Cutter<'a> {
    pub(crate) fn new(log: &'a [Operation]) -> Self {
        Self { log, synced: Vec::new(), next: 0 }
    }

    /// What is on the disk when the power is cut after so many operations: all that was synced, and of
    /// the rest what chance leaves.
    pub(crate) fn cut(&mut self, after: usize, chance: &mut Chance) -> Vec<u8> {
        let last_sync = self.log[..after].iter().rposition(|done| matches!(done, Operation::Sync));
        let synced = last_sync.map_or(0, |at| at + 1).max(self.next);
        self.log[self.next..synced].iter().for_each(|done| done.apply(&mut self.synced));
        self.next = synced;
        let mut bytes = self.synced.clone();
        self.log[synced..after].iter().for_each(|done| done.apply_perhaps(&mut bytes, chance));
        bytes
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.0.lock().unwrap().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let platter = self.0.lock().unwrap();
        let offset = usize::try_from(offset).unwrap();
        let Some(bytes) = platter.bytes.get(offset..offset + out.len()) else {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        };
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<(), io::Error> {
        self.act(Operation::SetLength(usize::try_from(length).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        self.act(Operation::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), io::Error> {
        self.act(Operation::Write { offset: usize::try_from(offset).unwrap(), bytes: bytes.to_vec() });
        Ok(())
    }
}

/// A small generator of chance: the same seed gives the same cuts.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }
}
