//! A smart meter's head at a real serial line of the kernel: the far end of a pseudo terminal.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs::File, io::Write};

use coinop_core::Timestamp;
use coinop_hardware::meter::{
    Feed, MeterErrorKind, Said,
    ina219::Wiring,
    power_monitor, smart_meter,
    telegram::{Entry, compose},
};
use rustix::{
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios,
};

/// A serial line: the meter's end, and the path of the head's.
fn line() -> (File, String) {
    let meter = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&meter).unwrap();
    unlockpt(&meter).unwrap();
    let path = ptsname(&meter, Vec::new()).unwrap().into_string().unwrap();
    (File::from(meter), path)
}

fn poll(head: &mut dyn Feed) -> Vec<Said> {
    head.poll(Timestamp::from_millis(0))
}

#[test]
fn telegrams_come_through_a_serial_line_unharmed() {
    let (mut meter, path) = line();
    let mut head = smart_meter(&path).unwrap();
    assert_eq!(poll(&mut *head), [], "it does not wait");

    for number in 1..=3 {
        meter.write_all(&compose(number, &[Entry::energy(u64::from(number) * 100)])).unwrap();
    }

    assert_eq!(poll(&mut *head), [100, 200, 300].map(Said::Energy));
}

#[test]
fn the_line_is_set_to_9600_baud_and_changes_no_byte() {
    let (meter, path) = line();
    let _head = smart_meter(&path).unwrap();

    let mode = termios::tcgetattr(&meter).unwrap();

    assert_eq!((mode.input_speed(), mode.output_speed()), (9_600, 9_600));
    assert!(!mode.local_modes.contains(termios::LocalModes::ICANON));
}

#[test]
fn a_head_that_is_pulled_out_says_so_once() {
    let (meter, path) = line();
    let mut head = smart_meter(&path).unwrap();

    drop(meter);

    let said = poll(&mut *head);
    assert!(matches!(&said[..], [Said::Nonsense(what)] if what.contains(&path)), "{said:?}");
    assert_eq!(poll(&mut *head), []);
}

#[test]
fn a_device_that_is_missing_or_something_else_is_refused_with_how_to_mend_it() {
    let missing = smart_meter("/dev/ttyUSB99").err().unwrap();
    let no_line = smart_meter("/dev/null").err().unwrap();
    let wiring = Wiring { address: 0x40, shunt_milliohm: 100 };
    let no_bus = power_monitor("/dev/i2c-99", wiring).err().unwrap();

    assert_eq!((missing.kind, no_line.kind), (MeterErrorKind::Missing, MeterErrorKind::WrongDevice));
    assert!(missing.to_string().contains("/dev/serial/by-id"), "{missing}");
    assert!(no_line.to_string().contains("no serial line"), "{no_line}");
    assert_eq!(no_bus.kind, MeterErrorKind::Missing);
    assert!(no_bus.to_string().contains("raspi-config"), "{no_bus}");
}
