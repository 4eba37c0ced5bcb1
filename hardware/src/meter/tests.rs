//! Telegrams and registers, good ones and others.

use std::{io::Write, time::Duration};

use coinop_core::{Timestamp, board::Level};
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};

use super::{
    Feed, MeterErrorKind, Said,
    chip::{Ina219Chip, SmartMeter},
    ina219::{Apart, Inline, Monitor, Wiring},
    sml::{SmlDecoder, SmlError, SmlHead, TOTAL_ENERGY, WATT_HOURS, Wire},
    telegram::{Entry, compose},
};
use crate::plant::{Car, CarSpec, Plant};

const WIRING: Wiring = Wiring { address: 0x40, shunt_milliohm: 100 };

fn read(bytes: &[u8]) -> Vec<Result<u64, SmlError>> {
    let mut decoder = SmlDecoder::default();
    bytes.iter().filter_map(|byte| decoder.push(*byte)).collect()
}

fn entry(value: i64, unit: u8, scaler: i8) -> Entry {
    Entry { obis: TOTAL_ENERGY, unit, scaler, value }
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[test]
fn a_telegram_is_framed_as_the_protocol_wants_it() {
    let telegram = compose(1, &[Entry::energy(12_300)]);

    assert!(telegram.starts_with(&[0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1, 0x76, 5]), "{telegram:02x?}");
    assert_eq!(telegram.len() % 4, 0);
    assert_eq!(telegram[telegram.len() - 8..][..5], [0x1b, 0x1b, 0x1b, 0x1b, 0x1a]);
}

#[test]
fn the_total_energy_is_read_among_other_values_with_its_scaler() {
    let power = Entry { obis: [1, 0, 16, 7, 0, 255], unit: 27, scaler: 0, value: 11_000 };
    let given = Entry { obis: [1, 0, 2, 8, 0, 255], unit: WATT_HOURS, scaler: -1, value: 77 };

    for (value, scaler, wanted) in [(12_345, -1, 1_234_500), (9, 3, 9_000_000), (12_345_678, -4, 1_234_567)] {
        let telegram = compose(7, &[power, given, entry(value, WATT_HOURS, scaler)]);
        assert_eq!(read(&telegram), [Ok(wanted)]);
    }
}

#[test]
fn twenty_values_fit_into_a_telegram() {
    let other = Entry { obis: [1, 0, 2, 8, 0, 255], unit: WATT_HOURS, scaler: -1, value: 77 };
    let mut values = vec![other; 19];
    values.push(Entry::energy(500));

    assert_eq!(read(&compose(1, &values)), [Ok(500)]);
}

#[test]
fn one_bit_wrong_anywhere_gives_no_energy_and_harms_no_later_telegram() {
    let good = compose(1, &[Entry::energy(12_300)]);
    for position in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[position / 8] ^= 1 << (position % 8);
        bytes.extend(compose(2, &[Entry::energy(45_600)]));
        bytes.extend(compose(3, &[Entry::energy(78_900)]));

        let energies: Vec<u64> = read(&bytes).into_iter().filter_map(Result::ok).collect();

        // A broken end may take the next one along, never the one after it.
        assert!(!energies.contains(&12_300) && energies.contains(&78_900), "bit {position}: {energies:?}");
    }
}

#[test]
fn who_begins_to_listen_in_the_middle_hears_the_next_one() {
    let mut bytes = compose(1, &[Entry::energy(100)]).split_off(31);
    bytes.extend(compose(2, &[Entry::energy(200)]));

    assert_eq!(read(&bytes), [Ok(200)]);
}

#[test]
fn a_telegram_that_never_ends_is_given_up() {
    let mut bytes = vec![0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1];
    bytes.resize(20_000, 0x42);
    bytes.extend(compose(2, &[Entry::energy(200)]));

    let results = read(&bytes);

    assert!(matches!(results[0], Err(SmlError::Broken(_))), "{results:?}");
    assert_eq!(results.last(), Some(&Ok(200)));
}

#[test]
fn a_telegram_without_a_sensible_energy_says_what_is_wrong() {
    let without = compose(1, &[]);
    let volts = compose(1, &[entry(230, 35, 0)]);
    let negative = compose(1, &[entry(-1, WATT_HOURS, 0)]);
    let vast = compose(1, &[entry(i64::MAX, WATT_HOURS, 9)]);

    assert_eq!(read(&without), [Err(SmlError::NoEnergy)]);
    assert_eq!(read(&volts), [Err(SmlError::Unit(35))]);
    assert_eq!(read(&negative), [Err(SmlError::Number { value: -1, scaler: 0 })]);
    assert!(matches!(read(&vast)[0], Err(SmlError::Number { .. })));
}

#[test]
fn a_head_gives_what_is_there_and_never_waits() {
    let mut wire = Wire::default();
    let mut head = SmlHead::new("wire", wire.clone());
    assert_eq!(head.poll(at(0)), []);
    let telegram = compose(1, &[Entry::energy(100)]);

    wire.write_all(&telegram[..50]).unwrap();
    let half = head.poll(at(10));
    wire.write_all(&telegram[50..]).unwrap();

    assert_eq!((half, head.poll(at(20))), (vec![], vec![Said::Energy(100)]));
}

#[test]
fn a_line_that_is_closed_is_reported_once() {
    let mut head = SmlHead::new("/dev/ttyUSB0", std::io::empty());

    let said = head.poll(at(0));

    assert!(matches!(&said[..], [Said::Nonsense(what)] if what.contains("/dev/ttyUSB0")), "{said:?}");
    assert_eq!(head.poll(at(10)), []);
}

/// Closes the contactor and lets the car charge for so many milliseconds, step by step.
fn charge(car: &mut Car, millis: u64, mut look: impl FnMut(Timestamp)) {
    for now in (0..=millis).step_by(10) {
        car.step(at(now), &|_| Level::High);
        look(at(now));
    }
}

#[test]
fn a_smart_meter_behind_the_contactor_tells_what_the_car_got() {
    let wire = Wire::default();
    let meter = SmartMeter::new(wire.clone(), Duration::from_secs(1));
    let mut car = Car::with(CarSpec { rated_w: 3_600, ..CarSpec::default() }, Box::new(meter));
    let mut head = SmlHead::new("wire", wire);
    let mut said = Vec::new();

    charge(&mut car, 10_000, |now| said.extend(head.poll(now)));

    let [Said::Energy(first), .., Said::Energy(last)] = said[..] else { panic!("{said:?}") };
    assert_eq!((said.len(), last - first, car.truth()), (11, 10_000, 10_000));
}

#[test]
fn a_power_monitor_behind_the_contactor_tells_what_the_car_takes() {
    let chip = Ina219Chip::new(WIRING);
    let mut car = Car::with(CarSpec { rated_w: 60, ..CarSpec::default() }, Box::new(chip.clone()));
    let mut feed = Inline::new(Monitor::new("i2c", chip, WIRING).unwrap());
    let mut said = Vec::new();

    charge(&mut car, 1_000, |now| said.extend(feed.poll(now)));

    assert_eq!(said, vec![Said::Power(60_000); 11]);
}

#[test]
fn the_driver_reads_the_registers_of_the_data_sheet() {
    let word =
        |register, [high, low]: [u8; 2]| Transaction::write_read(0x40, vec![register], vec![high, low]);
    let mut bus = Mock::new(&[
        Transaction::write(0x40, vec![0, 0xb9, 0x9f]),
        word(0, [0x39, 0x9f]),
        // 12 V, and 200 mV across 100 mΩ: 2 A.
        word(2, [0x5d, 0xc2]),
        word(1, [0x4e, 0x20]),
        word(2, [0x5d, 0xc2]),
        // The current flows backwards.
        word(1, [0xb1, 0xe0]),
    ]);
    let mut monitor = Monitor::new("mock", bus.clone(), WIRING).unwrap();

    assert_eq!((monitor.power(), monitor.power()), (Ok(24_000), Ok(0)));

    bus.done();
}

#[test]
fn where_no_monitor_answers_the_error_says_how_to_find_it() {
    let elsewhere = Ina219Chip::new(Wiring { address: 0x41, ..WIRING });

    let missing = Monitor::new("/dev/i2c-1", elsewhere.clone(), WIRING).err().unwrap();
    let no_address = Monitor::new("/dev/i2c-1", elsewhere.clone(), Wiring { address: 0x50, ..WIRING });
    let no_shunt = Monitor::new("/dev/i2c-1", elsewhere, Wiring { shunt_milliohm: 0, ..WIRING });

    assert_eq!(missing.kind, MeterErrorKind::WrongDevice);
    assert!(missing.to_string().contains("i2cdetect"), "{missing}");
    assert!(no_address.err().unwrap().to_string().contains("0x40 to 0x4f"));
    assert!(no_shunt.err().unwrap().to_string().contains("0 mΩ"));
}

#[test]
fn a_monitor_on_a_thread_ends_with_its_owner() {
    let chip = Ina219Chip::new(WIRING);
    let apart = Apart::new("sim", Monitor::new("sim", chip, WIRING).unwrap()).unwrap();

    drop(apart);
}
