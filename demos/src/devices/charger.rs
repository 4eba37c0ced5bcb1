//! A charging point that is paid by the watt-hour, by the pulses of its meter.

use std::time::Duration;

use coinop::core::{
    board::Direction,
    session::Metering,
    tariff::{Quantity, Rate, Unit},
};
use coinop_hardware::plant::{Car, CarSpec};

use super::{Built, Counter, Device, Line, Setup};
use crate::scenario::quantity;

/// Pulses for one watt-hour: ten thousand for a kilowatt-hour, as a fine meter gives.
const PULSES_PER_WH: u64 = 10;
/// What a pulse is worth, in milliwatt-hours.
const WORTH: u64 = 1_000 / PULSES_PER_WH;
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
    let meter = setup.line("METER");
    let spec = CarSpec {
        contactor: setup.line("CONTACTOR"),
        meter: meter.clone(),
        plug: setup.line("PLUG"),
        capacity_wh,
        stored_wh: capacity_wh / 5,
        rated_w: watts,
        pulses_per_wh: PULSES_PER_WH,
        pulse_ms: 10,
        ..CarSpec::default()
    };
    let milliwatts = watts.checked_mul(1_000).ok_or("more power than a number can hold")?;
    let rated = Rate::new(Quantity::new(milliwatts), HOUR).map_err(|error| error.to_string())?;
    Ok(Built {
        plant: Box::new(Car::new(spec)),
        counter: Counter::Pulses { line: meter, worth: WORTH },
        metering: Metering { rated, resolution: Quantity::new(WORTH), gap_ms: 1_000 },
    })
}
