//! Simulated measuring devices: what a plant wires to its power, and what is read at the other end.

use std::{
    io::Write,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use coinop_core::Timestamp;
use embedded_hal::i2c::{self, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};

use super::{
    ina219::{MILLIVOLTS, Wiring},
    sml::Wire,
    telegram::{self, Entry},
};

/// What the register of voltages counts in, in millivolts; its three lowest bits are flags.
const VOLTAGE_STEP: u64 = 4;
/// A measurement is ready.
const READY: u16 = 0b10;
/// The configuration after a reset, and the bit that asks for one.
const CONFIGURED: u16 = 0x399f;
const RESET: u16 = 0x8000;
/// What a meter's register shows before anything is delivered, in milliwatt-hours.
const SHOWN_BEFORE: u64 = 1_234_567_800;

/// A device that sees what goes through a plant's contactor.
pub trait Attached: Send {
    /// So much went through so far, in **millijoules**, and so much flows from now on, in **watts**.
    fn see(&mut self, now: Timestamp, millijoules: u64, watts: u64);

    /// When it wants to see it next, if at a moment of its own.
    fn next_wake(&self) -> Option<Timestamp>;
}

/// A smart meter that sends a telegram at regular times.
#[derive(Debug)]
pub struct SmartMeter {
    wire: Wire,
    every: Duration,
    next: Option<Timestamp>,
    number: u32,
}

impl SmartMeter {
    /// A smart meter that sends into `wire`, once in each `every`.
    pub const fn new(wire: Wire, every: Duration) -> Self {
        Self { wire, every, next: None, number: 0 }
    }
}

impl Attached for SmartMeter {
    fn see(&mut self, now: Timestamp, millijoules: u64, _watts: u64) {
        if self.next.is_some_and(|next| now < next) {
            return;
        }
        self.next = Some(now.after(self.every));
        self.number = self.number.wrapping_add(1);
        let shown = SHOWN_BEFORE.saturating_add(millijoules / 3_600);
        let bytes = telegram::compose(self.number, &[Entry::energy(shown)]);
        // A wire in memory takes everything.
        let _ = self.wire.write_all(&bytes);
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.next
    }
}

/// An INA219 with its registers; clones are the same chip.
#[derive(Clone, Debug)]
pub struct Ina219Chip {
    wiring: Wiring,
    state: Arc<Mutex<Registers>>,
}

#[derive(Debug)]
struct Registers {
    configuration: u16,
    calibration: u16,
    pointer: u8,
    milliwatts: u64,
}

/// Nobody answered at this address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAnswer;

impl Ina219Chip {
    /// A chip through which nothing flows.
    pub fn new(wiring: Wiring) -> Self {
        let registers = Registers { configuration: CONFIGURED, calibration: 0, pointer: 0, milliwatts: 0 };
        Self { wiring, state: Arc::new(Mutex::new(registers)) }
    }

    fn registers(&self) -> MutexGuard<'_, Registers> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registers {
    fn read(&self, wiring: Wiring) -> u16 {
        let low = |number: u64| u16::try_from(number).unwrap_or(u16::MAX);
        match self.pointer {
            0 => self.configuration,
            1 => {
                let microvolts = self.milliwatts * 1_000 * u64::from(wiring.shunt_milliohm) / MILLIVOLTS;
                low((microvolts / 10).min(32_000))
            }
            2 => low(MILLIVOLTS / VOLTAGE_STEP) << 3 | READY,
            5 => self.calibration,
            // Power and current stay at nothing without a calibration.
            _ => 0,
        }
    }

    fn write(&mut self, bytes: &[u8]) {
        let Some((register, value)) = bytes.split_first() else { return };
        self.pointer = *register;
        let &[high, low] = value else { return };
        let value = u16::from_be_bytes([high, low]);
        match register {
            0 if value & RESET != 0 => (self.configuration, self.calibration) = (CONFIGURED, 0),
            0 => self.configuration = value,
            5 => self.calibration = value,
            _ => {}
        }
    }
}

impl Attached for Ina219Chip {
    fn see(&mut self, _now: Timestamp, _millijoules: u64, watts: u64) {
        self.registers().milliwatts = watts.saturating_mul(1_000);
    }

    fn next_wake(&self) -> Option<Timestamp> {
        None
    }
}

impl i2c::Error for NoAnswer {
    fn kind(&self) -> ErrorKind {
        ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address)
    }
}

impl ErrorType for Ina219Chip {
    type Error = NoAnswer;
}

impl I2c for Ina219Chip {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), NoAnswer> {
        if address != self.wiring.address {
            return Err(NoAnswer);
        }
        let wiring = self.wiring;
        let mut registers = self.registers();
        for operation in operations {
            match operation {
                Operation::Write(bytes) => registers.write(bytes),
                Operation::Read(bytes) => {
                    let value = registers.read(wiring).to_be_bytes();
                    bytes.iter_mut().zip(value).for_each(|(byte, value)| *byte = value);
                }
            }
        }
        Ok(())
    }
}
