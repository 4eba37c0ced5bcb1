//! The INA219 power monitor: voltage and current on I2C, read by its driver.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use coinop_core::Timestamp;
use embedded_hal::i2c::I2c;
use ina219::{SyncIna219, address::Address, calibration::UnCalibrated};

use super::{Feed, MeterError, MeterErrorKind, Said};

/// How often it is asked.
pub const EVERY: Duration = Duration::from_millis(100);
/// The voltage of what it is fit for, in millivolts; it bears 26 V.
pub(super) const MILLIVOLTS: u64 = 24_000;
/// How many measurements may wait to be taken.
const WAITING: usize = 64;

/// How a monitor is wired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// Its address on the bus: 0x40 to 0x4f.
    pub address: u8,
    /// The resistor it measures the current through, in **thousandths of an ohm**.
    pub shunt_milliohm: u32,
}

impl Wiring {
    /// The most it can measure at 24 V, in **milliwatts**: 320 mV at the shunt.
    pub const fn most(self) -> u64 {
        MILLIVOLTS * 320 / if self.shunt_milliohm == 0 { 1 } else { self.shunt_milliohm as u64 }
    }
}

/// A monitor on a bus.
pub struct Monitor<I2C> {
    driver: SyncIna219<I2C, UnCalibrated>,
    wiring: Wiring,
}

impl<I2C: I2c> Monitor<I2C> {
    /// Resets the monitor at `wiring` on the bus called `name`.
    ///
    /// # Errors
    ///
    /// [`MeterError`] when no INA219 answers there.
    pub fn new(name: &str, bus: I2C, wiring: Wiring) -> Result<Self, MeterError> {
        let wrong = |message: String| MeterError {
            device: name.to_owned(),
            kind: MeterErrorKind::WrongDevice,
            message,
        };
        if wiring.shunt_milliohm == 0 {
            return Err(wrong("a shunt of 0 mΩ shows no current; say what is on the board".to_owned()));
        }
        let address = wiring.address;
        let known = Address::from_byte(address)
            .map_err(|_out| wrong(format!("no INA219 has address {address:#04x}; they have 0x40 to 0x4f")))?;
        let driver = SyncIna219::new(bus, known).map_err(|error| {
            wrong(format!(
                "no INA219 answers at {address:#04x} ({:?}); `i2cdetect -y` shows which addresses do",
                error.reason
            ))
        })?;
        Ok(Self { driver, wiring })
    }

    /// The power now, in **milliwatts**; nothing when it flows the other way.
    ///
    /// # Errors
    ///
    /// In words, when the bus fails or the monitor is out of its range.
    pub fn power(&mut self) -> Result<u64, String> {
        let bus = self.driver.bus_voltage().map_err(|error| format!("no voltage: {error:?}"))?;
        let shunt = self.driver.shunt_voltage().map_err(|error| format!("no current: {error:?}"))?;
        let microvolts = u64::try_from(shunt.shunt_voltage_uv()).unwrap_or(0);
        let microwatts = microvolts * u64::from(bus.voltage_mv()) / u64::from(self.wiring.shunt_milliohm);
        Ok(microwatts / 1_000)
    }

    fn measure(&mut self) -> Said {
        match self.power() {
            Ok(milliwatts) => Said::Power(milliwatts),
            Err(what) => Said::Nonsense(what),
        }
    }
}

/// A monitor that is asked inline, on a bus that never waits: a simulated one.
pub struct Inline<I2C> {
    monitor: Monitor<I2C>,
    next: Timestamp,
}

impl<I2C: I2c> Inline<I2C> {
    /// Asks `monitor` each [`EVERY`].
    pub const fn new(monitor: Monitor<I2C>) -> Self {
        Self { monitor, next: Timestamp::from_millis(0) }
    }
}

impl<I2C: I2c + Send> Feed for Inline<I2C> {
    fn poll(&mut self, now: Timestamp) -> Vec<Said> {
        if now < self.next {
            return Vec::new();
        }
        self.next = now.after(EVERY);
        vec![self.monitor.measure()]
    }
}

/// A monitor that is asked on a thread of its own, because a bus may hang; it ends with its owner.
pub struct Apart {
    said: Receiver<Said>,
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Apart {
    /// Asks `monitor` each [`EVERY`] of real time.
    ///
    /// # Errors
    ///
    /// [`MeterError`] when the system gives no thread.
    pub fn new<I2C: I2c + Send + 'static>(name: &str, mut monitor: Monitor<I2C>) -> Result<Self, MeterError> {
        let (sender, said) = sync_channel(WAITING);
        let (stop, stopped) = sync_channel::<()>(0);
        let ask = move || {
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                match sender.try_send(monitor.measure()) {
                    // Whoever does not look for so long has a silent meter.
                    Ok(()) | Err(TrySendError::Full(_)) => {}
                    Err(TrySendError::Disconnected(_)) => return,
                }
            }
        };
        let thread = thread::Builder::new().name("power monitor".to_owned()).spawn(ask).map_err(|error| {
            MeterError { device: name.to_owned(), kind: MeterErrorKind::Io, message: error.to_string() }
        })?;
        Ok(Self { said, stop: Some(stop), thread: Some(thread) })
    }
}

impl Feed for Apart {
    fn poll(&mut self, _now: Timestamp) -> Vec<Said> {
        self.said.try_iter().take(WAITING).collect()
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}
