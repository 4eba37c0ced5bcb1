//! A charging point that is paid by the watt-hour, as its meter counts them.

mod gauge;

use std::time::Duration;

use coinop::core::{
    board::Direction,
    tariff::{Quantity, Rate, Unit},
};
use coinop_hardware::plant::CarSpec;

use super::{Built, Device, Line, Setup};
use crate::scenario::{MeterChoice, quantity};

/// Milliwatt-milliseconds in a milliwatt-hour, as a time.
const HOUR: Duration = Duration::from_hours(1);

/// One car at a time; the contactor is closed while the step is paid.
pub(super) const CHARGER: Device = Device {
    kind: "charger",
    unit: Unit::MilliwattHour,
    lines: &[
        Line { name: "CONTACTOR", direction: Direction::Output },
        Line { name: "METER", direction: Direction::Input },
        Line { name: "PLUG", direction: Direction::Input },
    ],
    power: "CONTACTOR",
    actions: &[],
    single: true,
    metered: true,
    build,
};

fn build(setup: &Setup<'_>) -> Result<Built, String> {
    let watts = match &setup.thing.power {
        Some(text) => quantity::power(text.get_ref())?,
        None => 11_000,
    };
    let capacity_wh = match &setup.thing.capacity {
        Some(text) => quantity::energy(text.get_ref())? / 1_000,
        None => 40_000,
    };
    let spec = CarSpec {
        contactor: setup.line("CONTACTOR"),
        meter: setup.line("METER"),
        plug: setup.line("PLUG"),
        capacity_wh,
        stored_wh: capacity_wh / 5,
        rated_w: watts,
        pulse_ms: 10,
        ..CarSpec::default()
    };
    let milliwatts = watts.checked_mul(1_000).ok_or("more power than a number can hold")?;
    let rated = Rate::new(Quantity::new(milliwatts), HOUR).map_err(|error| error.to_string())?;
    let choice = setup.thing.meter.as_ref().map_or(&MeterChoice::PULSE, |meter| meter.get_ref());
    match choice {
        MeterChoice::Pulse { per_kilowatt_hour, debounce } => {
            Ok(gauge::pulses(spec, rated, *per_kilowatt_hour, *debounce))
        }
        MeterChoice::Sml { place, every } => gauge::telegrams(spec, rated, place, *every),
        MeterChoice::Ina219 { place, wiring } => gauge::monitor(spec, rated, place, *wiring),
    }
}
