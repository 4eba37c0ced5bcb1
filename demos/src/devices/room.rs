//! A room that opens for who pays for it, by the minute.

use coinop::core::{
    board::{Direction, Level},
    session::Metering,
    tariff::{Quantity, Rate, Unit},
};
use coinop_hardware::plant::{Door, DoorSpec};

use super::{Action, Built, Counter, Device, Line, Setup};

/// One guest at a time; the lock is released while the guest who asked for it pays.
pub(super) const ROOM: Device = Device {
    kind: "room",
    unit: Unit::Millisecond,
    lines: &[
        Line { name: "LOCK", direction: Direction::Output },
        Line { name: "DOOR", direction: Direction::Input },
    ],
    power: "LOCK",
    key: Some("open"),
    actions: &[Action { name: "open" }],
    single: true,
    build,
};

/// A guest may come late: until the door was asked for, nothing is counted.
const PATIENCE_MS: u64 = 60_000;

fn build(setup: &Setup<'_>) -> Result<Built, String> {
    let lock = setup.line("LOCK");
    let spec = DoorSpec { lock: lock.clone(), door: setup.line("DOOR"), ..DoorSpec::default() };
    Ok(Built {
        plant: Box::new(Door::new(spec)),
        counter: Counter::While { line: lock, level: Level::High },
        metering: Metering { rated: Rate::CLOCK, resolution: Quantity::new(500), gap_ms: PATIENCE_MS },
    })
}
