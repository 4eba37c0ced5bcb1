//! Makes SML telegrams as a smart meter sends them, for simulated meters and tests.

use crc::{CRC_16_IBM_SDLC, Crc};
use sml_rs::transport;

/// An optional field that is left out, or an empty text.
const NONE: u8 = 0x01;
/// What identifies the simulated meter.
const SERVER: &[u8] = b"coinop";
/// The numbers of the messages' bodies.
const OPEN: u16 = 0x0101;
const LIST: u16 = 0x0701;
const CLOSE: u16 = 0x0201;

/// One value of a telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is, as six numbers: `1-0:1.8.0*255` is the total energy taken.
    pub obis: [u8; 6],
    /// Its unit: 30 is watt-hours, 27 is watts.
    pub unit: u8,
    /// The power of ten that it is multiplied with.
    pub scaler: i8,
    /// The number.
    pub value: i64,
}

impl Entry {
    /// The total energy in **milliwatt-hours**, told in tenths of a watt-hour as many meters do.
    pub const fn energy(milliwatt_hours: u64) -> Self {
        let tenths = milliwatt_hours / 100;
        let value = if tenths > i64::MAX as u64 { i64::MAX } else { tenths.cast_signed() };
        Self { obis: super::sml::TOTAL_ENERGY, unit: super::sml::WATT_HOURS, scaler: -1, value }
    }
}

/// A telegram with these values, the `number`th of this meter, ready for the wire.
pub fn compose(number: u32, entries: &[Entry]) -> Vec<u8> {
    let mut open = vec![0x76, NONE, NONE];
    open.extend(text(&number.to_be_bytes()));
    open.extend(text(SERVER));
    open.extend([NONE, NONE]);
    let mut list = vec![0x77, NONE];
    list.extend(text(SERVER));
    list.extend([NONE, NONE]);
    list.extend(list_of(entries.len()));
    for entry in entries {
        list.extend(entry_bytes(entry));
    }
    list.extend([NONE, NONE]);
    let mut file = message(number, OPEN, &open);
    file.extend(message(number, LIST, &list));
    file.extend(message(number, CLOSE, &[0x71, NONE]));
    // A vector has room for everything.
    transport::encode::<Vec<u8>>(file).unwrap_or_default()
}

fn message(number: u32, kind: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x76];
    bytes.extend(text(&number.to_be_bytes()));
    bytes.extend([0x62, 0, 0x62, 0, 0x72, 0x63]);
    bytes.extend(kind.to_be_bytes());
    bytes.extend(body);
    let sum = Crc::<u16>::new(&CRC_16_IBM_SDLC).checksum(&bytes);
    bytes.push(0x63);
    bytes.extend(sum.to_le_bytes());
    bytes.push(0);
    bytes
}

fn entry_bytes(entry: &Entry) -> Vec<u8> {
    let mut bytes = vec![0x77];
    bytes.extend(text(&entry.obis));
    bytes.extend([NONE, NONE, 0x62, entry.unit, 0x52]);
    bytes.extend(entry.scaler.to_be_bytes());
    bytes.push(0x59);
    bytes.extend(entry.value.to_be_bytes());
    bytes.push(NONE);
    bytes
}

/// A short text with its length, which counts the byte that says it.
fn text(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len() + 1).unwrap_or(0x0f).min(0x0f);
    std::iter::once(length).chain(bytes.iter().copied().take(usize::from(length) - 1)).collect()
}

/// The head of a list.
fn list_of(length: usize) -> Vec<u8> {
    let length = u8::try_from(length).unwrap_or(u8::MAX);
    let (high, low) = (length >> 4, length & 0x0f);
    if high == 0 { vec![0x70 | low] } else { vec![0xf0 | high, low] }
}
