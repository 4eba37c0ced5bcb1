//! A lamp that is paid by the second, and a sensor that sees its light.

use coinop::core::{
    board::Direction,
    meter::SecondCounter,
    session::Metering,
    tariff::{Quantity, Rate, Unit},
};
use coinop_hardware::plant::{Lamp, LampSpec};

use super::{APART, Built, Device, Line, Setup, Source};

/// Lit while anybody pays; what two pay adds up.
pub(super) const LIGHT: Device = Device {
    kind: "light",
    unit: Unit::Millisecond,
    lines: &[
        Line { name: "LAMP", direction: Direction::Output },
        Line { name: "LIGHT", direction: Direction::Input },
    ],
    power: "LAMP",
    actions: &[],
    single: false,
    metered: false,
    build,
};

#[expect(clippy::unnecessary_wraps, reason = "every device is built through one signature")]
fn build(setup: &Setup<'_>) -> Result<Built, String> {
    let light = setup.line("LIGHT");
    let spec = LampSpec { lamp: setup.line("LAMP"), light: light.clone(), ..LampSpec::default() };
    Ok(Built {
        plant: Box::new(Lamp::new(spec)),
        meter: Box::new(SecondCounter::new()),
        source: Source::Line(light),
        metering: Metering {
            rated: Rate::CLOCK,
            resolution: Quantity::new(100),
            gap_ms: 400,
            error_permille: 0,
            apart_permille: APART,
        },
    })
}
