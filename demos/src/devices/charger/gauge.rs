//! The meters a charging point may have, each with the car behind it.

use std::{num::NonZeroU64, time::Duration};

use coinop::core::{
    meter::{Accuracy, PowerMeter, PulseMeter, RegisterMeter},
    session::Metering,
    tariff::{Quantity, Rate},
};
use coinop_hardware::{
    meter::{
        self, Feed,
        chip::{Ina219Chip, SmartMeter},
        ina219::{self, Inline, Monitor, Wiring},
        sml::{SmlHead, Wire},
    },
    plant::{Car, CarSpec, Plant},
};

use super::{
    super::{APART, Behind, Source},
    Built,
};
use crate::scenario::Place;

/// The longest silence of a meter that pulses, or that is asked all the time.
const GAP_MS: u64 = 1_000;
/// What a smart meter's register counts in, in milliwatt-hours.
const TENTH: u64 = 100;
/// How far a meter that pulses may be from the truth, in thousandths: class B.
const PULSES: u16 = 10;
/// How far a smart meter may be from the truth, in thousandths: class A.
const SMART_METER: u16 = 20;
/// How far the monitor and its shunt may be from the truth, in thousandths: one percent each.
const MONITOR: u16 = 20;

/// A meter that pulses on a line.
pub(super) fn pulses(spec: CarSpec, rated: Rate, per_kilowatt_hour: NonZeroU64, debounce: Duration) -> Built {
    let meter = PulseMeter::s0(per_kilowatt_hour, rated).debounced(debounce);
    let metering = metering(rated, meter.worth(), GAP_MS, PULSES);
    let source = Source::Line(spec.meter.clone());
    let car = Car::new(CarSpec { pulses_per_kwh: per_kilowatt_hour.get(), ..spec });
    Built { plant: Box::new(car), meter: Box::new(meter), source, metering }
}

/// A smart meter that sends telegrams.
pub(super) fn telegrams(spec: CarSpec, rated: Rate, place: &Place, every: Duration) -> Result<Built, String> {
    let wire = Wire::default();
    let car = Car::with(spec, Box::new(SmartMeter::new(wire.clone(), every)));
    let source = match place {
        Place::Simulated => simulated(SmlHead::new("the simulated head", wire)),
        Place::Device(path) => real(meter::smart_meter(path))?,
    };
    // What flows between two telegrams is not noticed, nor the last tenth of a watt-hour.
    let resolution = rated.most_within(every).plus(Quantity::new(TENTH));
    let gap_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX).saturating_mul(5) / 2;
    let accuracy = Accuracy { units: resolution, permille: SMART_METER };
    Ok(Built {
        plant: Box::new(car) as Box<dyn Plant>,
        meter: Box::new(RegisterMeter::new(rated, accuracy)),
        source,
        metering: metering(rated, resolution, gap_ms, SMART_METER),
    })
}

/// A power monitor whose measurements are added up.
pub(super) fn monitor(spec: CarSpec, rated: Rate, place: &Place, wiring: Wiring) -> Result<Built, String> {
    let (watts, most) = (spec.rated_w, wiring.most() / 1_000);
    if watts > most {
        let shunt = wiring.shunt_milliohm;
        return Err(format!(
            "an INA219 with {shunt} mΩ measures up to {most} W, and this charger gives {watts} W: say \
             power = \"{most}W\", or take another meter"
        ));
    }
    let chip = Ina219Chip::new(wiring);
    let car = Car::with(spec, Box::new(chip.clone()));
    let source = match place {
        Place::Simulated => {
            let monitor =
                Monitor::new("the simulated bus", chip, wiring).map_err(|error| error.to_string())?;
            simulated(Inline::new(monitor))
        }
        Place::Device(path) => real(meter::power_monitor(path, wiring))?,
    };
    let resolution = rated.most_within(ina219::EVERY).plus(Quantity::new(1));
    let accuracy = Accuracy { units: resolution, permille: MONITOR };
    let gap = Duration::from_millis(GAP_MS);
    Ok(Built {
        plant: Box::new(car),
        meter: Box::new(PowerMeter::new(rated, accuracy, gap)),
        source,
        metering: metering(rated, resolution, GAP_MS, MONITOR),
    })
}

const fn metering(rated: Rate, resolution: Quantity, gap_ms: u64, error_permille: u16) -> Metering {
    Metering { rated, resolution, gap_ms, error_permille, apart_permille: APART }
}

fn simulated(feed: impl Feed + 'static) -> Source {
    Source::Device { feed: Box::new(feed), behind: Behind::Plant }
}

fn real(feed: Result<Box<dyn Feed>, meter::MeterError>) -> Result<Source, String> {
    match feed {
        Ok(feed) => Ok(Source::Device { feed, behind: Behind::Reality }),
        Err(error) => Err(error.to_string()),
    }
}
