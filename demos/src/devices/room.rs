//! A room that is paid by the minute and opens for who pays for it.

use std::time::Duration;

use coinop::core::{
    Timestamp,
    board::{Direction, Level, LineSpec},
    meter::SecondCounter,
    session::Metering,
    tariff::{Quantity, Rate, Unit},
};
use coinop_hardware::plant::{Door, DoorSpec, Plant, Poke};

use super::{APART, Action, Built, Device, Line, Setup, Source};

/// One guest at a time. The sign at the door is lit while the room is paid for; the lock is released
/// for a moment when that guest asks for it.
pub(super) const ROOM: Device = Device {
    kind: "room",
    unit: Unit::Millisecond,
    lines: &[
        Line { name: "SIGN", direction: Direction::Output },
        Line { name: "LOCK", direction: Direction::Output },
        Line { name: "DOOR", direction: Direction::Input },
    ],
    power: "SIGN",
    actions: &[Action { name: "open", line: "LOCK", lasts: Duration::from_secs(3) }],
    single: true,
    metered: false,
    build,
};

/// How long a guest stays inside, in milliseconds.
const STAY_MS: u64 = 4_000;

#[expect(clippy::unnecessary_wraps, reason = "every device is built through one signature")]
fn build(setup: &Setup<'_>) -> Result<Built, String> {
    let sign = setup.line("SIGN");
    let door = DoorSpec {
        lock: setup.line("LOCK"),
        door: setup.line("DOOR"),
        stay_ms: STAY_MS,
        ..DoorSpec::default()
    };
    let room = Room { sign: sign.clone(), door: Door::new(door), lit: Level::Low, since: None, paid_ms: 0 };
    Ok(Built {
        plant: Box::new(room),
        meter: Box::new(SecondCounter::new()),
        source: Source::Line(sign),
        metering: Metering {
            rated: Rate::CLOCK,
            resolution: Quantity::new(100),
            gap_ms: 500,
            error_permille: 0,
            apart_permille: APART,
        },
    })
}

/// A door with a guest before it, and the sign beside it. Its truth is in **milliseconds** during which
/// the room was the guest's.
struct Room {
    sign: String,
    door: Door,
    lit: Level,
    since: Option<Timestamp>,
    paid_ms: u64,
}

impl Plant for Room {
    fn lines(&self) -> Vec<LineSpec> {
        let sign = LineSpec::output(&self.sign, Level::Low);
        std::iter::once(sign).chain(self.door.lines()).collect()
    }

    fn step(&mut self, now: Timestamp, output: &dyn Fn(&str) -> Level) -> Vec<Poke> {
        if self.lit == Level::High {
            self.paid_ms += now.millis().saturating_sub(self.since.unwrap_or(now).millis());
        }
        self.since = Some(now);
        self.lit = output(&self.sign);
        self.door.step(now, output)
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.door.next_wake()
    }

    fn truth(&self) -> u64 {
        self.paid_ms
    }
}
