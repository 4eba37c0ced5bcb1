//! A smart meter's head: SML telegrams from a byte stream, with the total energy in them.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    sync::{Arc, Mutex, PoisonError},
};

use coinop_core::Timestamp;
use sml_rs::{
    parser::{
        common::{ListEntry, Value},
        streaming::{ParseEvent, Parser},
    },
    transport::{DecodeErr, Decoder},
    util::ArrayBuf,
};

use super::{Feed, Said};

/// The total energy taken, on all tariffs: `1-0:1.8.0*255`.
pub const TOTAL_ENERGY: [u8; 6] = [1, 0, 1, 8, 0, 255];
/// The number of the unit watt-hour.
pub const WATT_HOURS: u8 = 30;

/// The longest telegram that is read, in bytes.
const TELEGRAM: usize = 4_096;
/// The most bytes that are taken at a time; at 9600 baud, four seconds of them.
const AT_A_TIME: usize = 4_096;

/// Why a telegram gives no energy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SmlError {
    /// Its checksum or framing is wrong, or it is too long.
    #[error("a broken telegram is left out: {0}")]
    Broken(String),
    /// It holds something that is no SML.
    #[error("a telegram makes no sense and is left out: {0}")]
    Malformed(String),
    /// The total energy is not in it.
    #[error(
        "a telegram without the total energy 1-0:1.8.0; some meters tell it only after their PIN was entered"
    )]
    NoEnergy,
    /// The total energy is not in watt-hours.
    #[error("the total energy has unit {0}, wanted is 30, the watt-hour")]
    Unit(u8),
    /// The total energy is negative, or beyond 2⁶⁴ mWh.
    #[error("the total energy is {value} × 10^{scaler} Wh, which no meter has counted")]
    Number {
        /// The number.
        value: i128,
        /// The power of ten.
        scaler: i8,
    },
}

/// Reads telegrams from bytes, in memory of a fixed size.
pub struct SmlDecoder(Box<Decoder<ArrayBuf<TELEGRAM>>>);

impl Default for SmlDecoder {
    fn default() -> Self {
        Self(Box::new(Decoder::new()))
    }
}

impl SmlDecoder {
    /// Takes a byte; gives the total energy in **milliwatt-hours** when it was the last one of a telegram.
    ///
    /// # Errors
    ///
    /// [`SmlError`] when it was the last one of a telegram that gives none. The next one is not harmed.
    pub fn push(&mut self, byte: u8) -> Option<Result<u64, SmlError>> {
        match self.0.push_byte(byte) {
            Ok(Some(telegram)) => Some(energy(telegram)),
            // Whoever begins to listen hears the rest of a telegram first.
            Ok(None) | Err(DecodeErr::DiscardedBytes(_)) => None,
            Err(error @ (DecodeErr::InvalidEsc(_) | DecodeErr::OutOfMemory)) => {
                Some(Err(SmlError::Broken(format!("{error:?}"))))
            }
            Err(DecodeErr::InvalidMessage { checksum_mismatch: (wanted, found), .. }) => {
                Some(Err(SmlError::Broken(format!("its checksum is {found:04x}, computed is {wanted:04x}"))))
            }
        }
    }
}

fn energy(telegram: &[u8]) -> Result<u64, SmlError> {
    let mut found = None;
    // To its end, because the checksum of a message comes after its values.
    for event in Parser::new(telegram) {
        match event.map_err(|error| SmlError::Malformed(format!("{error:?}")))? {
            ParseEvent::ListEntry(entry) if entry.obj_name == TOTAL_ENERGY => found = Some(total(&entry)),
            ParseEvent::ListEntry(_) | ParseEvent::MessageStart(_) | ParseEvent::GetListResponseEnd(_) => {}
        }
    }
    found.unwrap_or(Err(SmlError::NoEnergy))
}

fn total(entry: &ListEntry<'_>) -> Result<u64, SmlError> {
    match entry.unit {
        Some(WATT_HOURS) | None => {}
        Some(other) => return Err(SmlError::Unit(other)),
    }
    let value = match entry.value {
        Value::I8(number) => i128::from(number),
        Value::I16(number) => i128::from(number),
        Value::I32(number) => i128::from(number),
        Value::I64(number) => i128::from(number),
        Value::U8(number) => i128::from(number),
        Value::U16(number) => i128::from(number),
        Value::U32(number) => i128::from(number),
        Value::U64(number) => i128::from(number),
        Value::Bool(_) | Value::Bytes(_) | Value::List(_) => {
            return Err(SmlError::Malformed("the total energy is no number".to_owned()));
        }
    };
    let scaler = entry.scaler.unwrap_or(0);
    milliwatt_hours(value, scaler).ok_or(SmlError::Number { value, scaler })
}

/// Watt-hours with a power of ten, in whole milliwatt-hours.
fn milliwatt_hours(value: i128, scaler: i8) -> Option<u64> {
    let power = i32::from(scaler) + 3;
    let ten_to = 10_i128.checked_pow(power.unsigned_abs())?;
    let energy = if power < 0 { value / ten_to } else { value.checked_mul(ten_to)? };
    u64::try_from(energy).ok()
}

/// A smart meter's head at the end of a byte stream that never makes its reader wait.
pub struct SmlHead<R> {
    name: String,
    stream: R,
    decoder: SmlDecoder,
    state: Stream,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Open,
    Gone,
}

impl<R: Read + Send> SmlHead<R> {
    /// A head called `name` that listens to `stream`, whose reads are non-blocking.
    pub fn new(name: &str, stream: R) -> Self {
        Self { name: name.to_owned(), stream, decoder: SmlDecoder::default(), state: Stream::Open }
    }

    fn gone(&mut self, why: &str) -> Said {
        self.state = Stream::Gone;
        Said::Nonsense(format!("{}: the meter's head is gone: {why}; plug it in and start again", self.name))
    }
}

impl<R: Read + Send> Feed for SmlHead<R> {
    fn poll(&mut self, _now: Timestamp) -> Vec<Said> {
        let (mut said, mut taken) = (Vec::new(), 0);
        let mut buffer = [0; 512];
        while self.state == Stream::Open && taken < AT_A_TIME {
            match self.stream.read(&mut buffer) {
                Ok(0) => said.push(self.gone("the line was closed")),
                Ok(length) => {
                    taken += length;
                    let results = buffer[..length].iter().filter_map(|byte| self.decoder.push(*byte));
                    said.extend(results.map(|result| match result {
                        Ok(energy) => Said::Energy(energy),
                        Err(error) => Said::Nonsense(error.to_string()),
                    }));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => said.push(self.gone(&error.to_string())),
            }
        }
        said
    }
}

/// A wire in memory, for a simulated meter: what is written at one end is read at the other.
#[derive(Clone, Debug, Default)]
pub struct Wire(Arc<Mutex<VecDeque<u8>>>);

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        bytes.read(buffer)
    }
}

impl Write for Wire {
    /// Takes what there is room for; the rest is lost, as on a line that nobody listens to.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = (2 * TELEGRAM).saturating_sub(waiting.len());
        waiting.extend(bytes.iter().take(room));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
