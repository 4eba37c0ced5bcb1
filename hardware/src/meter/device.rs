//! The real ones: opened here, and nowhere else.

use std::{fs::File, io, path::Path};

use linux_embedded_hal::I2cdev;
use rustix::{
    fs::{Mode, OFlags},
    termios::{self, ControlModes, OptionalActions},
};

use super::{
    Feed, MeterError, MeterErrorKind,
    ina219::{Apart, Monitor, Wiring},
    sml::SmlHead,
};

/// What the optical heads of smart meters speak: 9600 baud, eight bits, no parity, one stop bit.
const BAUD: u32 = 9_600;

/// The head of a smart meter on the serial line at `path`.
///
/// # Errors
///
/// [`MeterError`] when it is missing, not permitted or no serial line, with how to mend it.
pub fn smart_meter(path: &str) -> Result<Box<dyn Feed>, MeterError> {
    let wrong = |error: rustix::io::Errno| explained(path, &error.into(), "dialout");
    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let line = rustix::fs::open(path, flags, Mode::empty()).map_err(wrong)?;
    let mut mode = termios::tcgetattr(&line).map_err(|error| {
        if error == rustix::io::Errno::NOTTY {
            let message = "is no serial line; the head of a smart meter is often /dev/ttyUSB0".to_owned();
            return MeterError { device: path.to_owned(), kind: MeterErrorKind::WrongDevice, message };
        }
        wrong(error)
    })?;
    mode.make_raw();
    mode.control_modes |= ControlModes::CREAD | ControlModes::CLOCAL;
    mode.control_modes &= !(ControlModes::PARENB | ControlModes::CSTOPB);
    mode.set_speed(BAUD).map_err(wrong)?;
    termios::tcsetattr(&line, OptionalActions::Now, &mode).map_err(wrong)?;
    Ok(Box::new(SmlHead::new(path, File::from(line))))
}

/// The INA219 on the bus at `path`.
///
/// # Errors
///
/// [`MeterError`] when the bus is missing or not permitted, or no INA219 answers, with how to mend it.
pub fn power_monitor(path: &str, wiring: Wiring) -> Result<Box<dyn Feed>, MeterError> {
    // The bus is opened once more below; this one's error says why not.
    let flags = OFlags::RDWR | OFlags::CLOEXEC;
    drop(
        rustix::fs::open(path, flags, Mode::empty())
            .map_err(|error| explained(path, &error.into(), "i2c"))?,
    );
    let bus = I2cdev::new(Path::new(path)).map_err(|error| {
        let kind = MeterErrorKind::Io;
        MeterError { device: path.to_owned(), kind, message: error.to_string() }
    })?;
    let monitor: Monitor<I2cdev> = Monitor::new(path, bus, wiring)?;
    Ok(Box::new(Apart::new(path, monitor)?))
}

fn explained(path: &str, error: &io::Error, group: &str) -> MeterError {
    let (kind, message) = match error.kind() {
        io::ErrorKind::NotFound if group == "i2c" => (
            MeterErrorKind::Missing,
            "there is no such bus; enable I2C (`sudo raspi-config nonint do_i2c 0`) or load i2c-dev \
             (`sudo modprobe i2c-dev`)"
                .to_owned(),
        ),
        io::ErrorKind::NotFound => (
            MeterErrorKind::Missing,
            "there is no such device; plug the head in, `ls /dev/serial/by-id` shows what is there"
                .to_owned(),
        ),
        io::ErrorKind::PermissionDenied => (
            MeterErrorKind::Permission,
            format!("not permitted; join its group (`sudo usermod -aG {group} $USER`) and log in again"),
        ),
        _ => (MeterErrorKind::Io, error.to_string()),
    };
    MeterError { device: path.to_owned(), kind, message }
}
