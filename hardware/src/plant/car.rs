use std::time::Duration;

use coinop_core::{
    Timestamp,
    board::{Level, LineSpec},
};
use serde::{Deserialize, Serialize};

use super::{Plant, Poke, Sensor};
use crate::meter::chip::Attached;

/// How much one watt-hour is in millijoules, which are watts times milliseconds.
const MILLIJOULES_PER_WH: u64 = 3_600_000;
/// How much one kilowatt-hour is in millijoules.
const MILLIJOULES_PER_KWH: u64 = 1_000 * MILLIJOULES_PER_WH;
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
    /// Pulses of the meter for a kilowatt-hour.
    pub pulses_per_kwh: u64,
    /// How long a pulse is, in milliseconds.
    pub pulse_ms: u64,
}

/// A car's battery behind a contactor, with a meter that pulses and a contact in the plug.
///
/// Its truth is in **milliwatt-hours** that went through the contactor.
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
    /// The meter in the place of the one that pulses.
    attached: Option<Box<dyn Attached>>,
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
            pulses_per_kwh: 1_000,
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
            attached: None,
        };
        car.power = car.asked_power();
        car
    }

    /// The same car behind another meter: no line pulses.
    pub fn with(spec: CarSpec, meter: Box<dyn Attached>) -> Self {
        Self { attached: Some(meter), ..Self::new(CarSpec { pulses_per_kwh: 0, ..spec }) }
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
        let due = self.delivered.saturating_mul(self.spec.pulses_per_kwh) / MILLIJOULES_PER_KWH;
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
        if self.closed == Level::Low || self.power == 0 || self.spec.pulses_per_kwh == 0 {
            return None;
        }
        let at = ((self.pulses + 1).saturating_mul(MILLIJOULES_PER_KWH)).div_ceil(self.spec.pulses_per_kwh);
        let wait = at.saturating_sub(self.delivered).div_ceil(self.power).max(1);
        Some(self.now?.after(Duration::from_millis(wait)))
    }
}

impl Plant for Car {
    fn lines(&self) -> Vec<LineSpec> {
        let CarSpec { contactor, meter, plug, .. } = &self.spec;
        let pulses = self.attached.is_none().then(|| LineSpec::input(meter));
        let mut lines = vec![LineSpec::output(contactor, Level::Low)];
        lines.extend(pulses.into_iter().chain([LineSpec::input(plug)]));
        lines
    }

    fn step(&mut self, now: Timestamp, output: &dyn Fn(&str) -> Level) -> Vec<Poke> {
        if self.closed == Level::High {
            self.charge(now.millis().saturating_sub(self.now.unwrap_or(now).millis()));
        }
        self.now = Some(now);
        self.closed = output(&self.spec.contactor);
        if let Some(meter) = &mut self.attached {
            let watts = if self.closed == Level::High { self.power } else { 0 };
            meter.see(now, self.delivered, watts);
        }
        let mut pokes = Vec::new();
        self.plug.notice(now, Level::High);
        self.plug.show(now, &mut pokes);
        self.pulse(now, &mut pokes);
        pokes
    }

    fn next_wake(&self) -> Option<Timestamp> {
        let attached = self.attached.as_ref().and_then(|meter| meter.next_wake());
        self.pulse_ends.into_iter().chain(self.next_pulse()).chain(attached).min()
    }

    fn truth(&self) -> u64 {
        self.delivered / MILLIJOULES_PER_MILLI_WH
    }
}
