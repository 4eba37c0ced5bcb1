//! Meters that are more than a line: a smart meter's head on a serial line, a power monitor on I2C.
//!
//! A [`Feed`] is asked now and then and never makes its caller wait. What it [`Said`] is as the device says
//! it; whether that is believed is for the meters of core.

pub mod chip;
#[cfg(target_os = "linux")]
mod device;
pub mod ina219;
pub mod sml;
pub mod telegram;
#[cfg(test)]
mod tests;

#[cfg(target_os = "linux")]
pub use device::{power_monitor, smart_meter};

/// Something that measures, and is asked what it measured.
pub trait Feed: Send {
    /// What it said since the last time, oldest first; at most a bounded number.
    fn poll(&mut self, now: coinop_core::Timestamp) -> Vec<Said>;
}

/// What a measuring device says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Its register stands at so many **milliwatt-hours**.
    Energy(u64),
    /// So many **milliwatts** flow now.
    Power(u64),
    /// Something that makes no sense, or nothing any more: in words.
    Nonsense(String),
}

/// A measuring device cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{device}: {message}")]
pub struct MeterError {
    /// The device, as the system calls it.
    pub device: String,
    /// What kind of failure.
    pub kind: MeterErrorKind,
    /// What happened and how to mend it.
    pub message: String,
}

/// What went wrong with a measuring device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MeterErrorKind {
    /// There is no such device.
    Missing,
    /// This user may not open it.
    Permission,
    /// It is something else.
    WrongDevice,
    /// Anything else the system said.
    Io,
}

/// A smart meter's head; there are serial lines on Linux only.
///
/// # Errors
///
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn smart_meter(path: &str) -> Result<Box<dyn Feed>, MeterError> {
    Err(elsewhere(path))
}

/// A power monitor; there are I2C buses on Linux only.
///
/// # Errors
///
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn power_monitor(path: &str, _wiring: ina219::Wiring) -> Result<Box<dyn Feed>, MeterError> {
    Err(elsewhere(path))
}

#[cfg(not(target_os = "linux"))]
fn elsewhere(path: &str) -> MeterError {
    MeterError {
        device: path.to_owned(),
        kind: MeterErrorKind::Missing,
        message: "meters are read on Linux only; use a simulated one here".to_owned(),
    }
}
