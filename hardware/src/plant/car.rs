use std::time::Duration;

use coinop_core::{
    Timestamp,
    board::{Level, LineSpec},
};
use serde::{Deserialize, Serialize};

use super::{Plant, Poke, Sensor};

/// How much one watt-hour is in millijoules, which are watts times milliseconds.
const MILLIJOULES_PER_WH: u64 = 3_600_000;
/// Millijoules in a milliwatt-hour.
const MILLIJOULES_PER_MILLI_WH: u64 = 3_600;
/// How long the power stays the same before the battery asks for less.
const SLOT_MS: u64 = 100;
/// The least a battery takes, as a part of its rated power.
const TRICKLE: u64 = 20;

/// A car as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CarSpec {
    /// The output that closes the contactor.
    pub contactor: String,
    /// The input on which the meter pulses.
    pub meter: String,
    /// The input that says that a car is plugged in.
    pub plug: String,
    /// What the battery holds, in watt-hours.
    pub capacity_wh: u64,
    /// What it holds at the start, in watt-hours.
    pub stored_wh: u64,
    /// What the charger gives while the battery is not nearly full, in watts.
    pub rated_w: u64,
    /// From how full on the battery takes less and less, in percent.
    pub taper_from_percent: u64,
    /// Pulses of the meter for one watt-hour.
    pub pulses_per_wh: u64,
    /// How long a pulse is, in milliseconds.
    pub pulse_ms: u64,
}

/// A car's battery behind a contactor, with a meter that pulses and a contact in the plug.
///
/// Its truth is in **milliwatt-hours** that went through the contactor.
#[derive(Clone, Debug)]
pub struct Car {
    spec: CarSpec,
    plug: Sensor,
    closed: Level,
    now: Option<Timestamp>,
    /// What went through the contactor, in millijoules.
    delivered: u64,
    /// The power until the slot ends, in watts, and what is left of the slot in milliseconds.
    power: u64,
    slot_left: u64,
    pulses: u64,
    pulse_ends: Option<Timestamp>,
}

impl Default for CarSpec {
    fn default() -> Self {
        Self {
            contactor: "CONTACTOR".to_owned(),
            meter: "METER".to_owned(),
            plug: "PLUG".to_owned(),
            capacity_wh: 50_000,
            stored_wh: 20_000,
            rated_w: 11_000,
            taper_from_percent: 80,
            pulses_per_wh: 1,
            pulse_ms: 30,
        }
    }
}

impl Car {
    /// A car that is plugged in, with the contactor open.
    pub fn new(spec: CarSpec) -> Self {
        let plug = Sensor::new(&spec.plug, Duration::ZERO);
        let mut car = Self {
            spec,
            plug,
            closed: Level::Low,
            now: None,
            delivered: 0,
            power: 0,
            slot_left: SLOT_MS,
            pulses: 0,
            pulse_ends: None,
        };
        car.power = car.asked_power();
        car
    }

    /// How full the battery is, in whole percent.
    pub fn percent(&self) -> u64 {
        self.stored() * 100 / self.capacity().max(1)
    }

    /// Charges for `span` milliseconds in slots of the charging time, so that the curve is the same
    /// however often the plant is stepped.
    fn charge(&mut self, mut span: u64) {
        while span > 0 {
            let part = span.min(self.slot_left);
            let room = self.capacity().saturating_sub(self.stored());
            self.delivered += self.power.saturating_mul(part).min(room);
            span -= part;
            self.slot_left -= part;
            if self.slot_left == 0 {
                self.slot_left = SLOT_MS;
                self.power = self.asked_power();
            }
        }
    }

    /// What the battery asks for: all there is until it is nearly full, then less and less.
    fn asked_power(&self) -> u64 {
        let (stored, capacity, rated) = (self.stored(), self.capacity(), self.spec.rated_w);
        let taper_from = capacity / 100 * self.spec.taper_from_percent;
        if stored >= capacity {
            0
        } else if stored < taper_from {
            rated
        } else {
            (rated.saturating_mul(capacity - stored) / (capacity - taper_from)).max(rated / TRICKLE).max(1)
        }
    }

    fn stored(&self) -> u64 {
        self.spec.stored_wh.saturating_mul(MILLIJOULES_PER_WH).saturating_add(self.delivered)
    }

    fn capacity(&self) -> u64 {
        self.spec.capacity_wh.saturating_mul(MILLIJOULES_PER_WH)
    }

    fn pulse(&mut self, now: Timestamp, pokes: &mut Vec<Poke>) {
        if self.pulse_ends.is_some_and(|end| end <= now) {
            self.end_pulse(pokes);
        }
        let due = self.delivered.saturating_mul(self.spec.pulses_per_wh) / MILLIJOULES_PER_WH;
        while self.pulses < due {
            if self.pulse_ends.is_some() {
                self.end_pulse(pokes);
            }
            pokes.push(Poke { line: self.spec.meter.clone(), level: Level::High });
            self.pulses += 1;
            self.pulse_ends = Some(now.after(Duration::from_millis(self.spec.pulse_ms.max(1))));
        }
    }

    fn end_pulse(&mut self, pokes: &mut Vec<Poke>) {
        self.pulse_ends = None;
        pokes.push(Poke { line: self.spec.meter.clone(), level: Level::Low });
    }

    /// When the next pulse begins if the power stays as it is; it only ever comes later.
    fn next_pulse(&self) -> Option<Timestamp> {
        if self.closed == Level::Low || self.power == 0 || self.spec.pulses_per_wh == 0 {
            return None;
        }
        let at = ((self.pulses + 1).saturating_mul(MILLIJOULES_PER_WH)).div_ceil(self.spec.pulses_per_wh);
        let wait = at.saturating_sub(self.delivered).div_ceil(self.power).max(1);
        Some(self.now?.after(Duration::from_millis(wait)))
    }
}

impl Plant for Car {
    fn lines(&self) -> Vec<LineSpec> {
        let CarSpec { contactor, meter, plug, .. } = &self.spec;
        vec![LineSpec::output(contactor, Level::Low), LineSpec::input(meter), LineSpec::input(plug)]
    }

    fn step(&mut self, now: Timestamp, output: &dyn Fn(&str) -> Level) -> Vec<Poke> {
        if self.closed == Level::High {
            self.charge(now.millis().saturating_sub(self.now.unwrap_or(now).millis()));
        }
        self.now = Some(now);
        self.closed = output(&self.spec.contactor);
        let mut pokes = Vec::new();
        self.plug.notice(now, Level::High);
        self.plug.show(now, &mut pokes);
        self.pulse(now, &mut pokes);
        pokes
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.pulse_ends.into_iter().chain(self.next_pulse()).min()
    }

    fn truth(&self) -> u64 {
        self.delivered / MILLIJOULES_PER_MILLI_WH
    }
}
