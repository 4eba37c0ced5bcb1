use std::time::Duration;

use coinop_core::{
    Timestamp,
    board::{Level, LineSpec},
};
use serde::{Deserialize, Serialize};

use super::{Plant, Poke, Sensor};

/// A lamp as a scenario describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LampSpec {
    /// The output that lights it.
    pub lamp: String,
    /// The input that sees its light.
    pub light: String,
    /// How long the light sensor takes, in milliseconds.
    pub sensor_delay_ms: u64,
    /// The longest the lamp may be lit without a pause, in milliseconds; 0 is no limit.
    pub max_on_ms: u64,
}

/// A lamp and a light sensor that sees it a little later. Its truth is in **milliseconds** lit.
#[derive(Clone, Debug)]
pub struct Lamp {
    spec: LampSpec,
    sensor: Sensor,
    lit: Level,
    lit_ms: u64,
    now: Option<Timestamp>,
}

impl Default for LampSpec {
    fn default() -> Self {
        Self { lamp: "LAMP".to_owned(), light: "LIGHT".to_owned(), sensor_delay_ms: 40, max_on_ms: 0 }
    }
}

impl Lamp {
    /// A dark lamp.
    pub fn new(spec: LampSpec) -> Self {
        let sensor = Sensor::new(&spec.light, Duration::from_millis(spec.sensor_delay_ms));
        Self { spec, sensor, lit: Level::Low, lit_ms: 0, now: None }
    }
}

impl Plant for Lamp {
    fn lines(&self) -> Vec<LineSpec> {
        let max_on = (self.spec.max_on_ms > 0).then(|| Duration::from_millis(self.spec.max_on_ms));
        vec![
            LineSpec { max_on, ..LineSpec::output(&self.spec.lamp, Level::Low) },
            LineSpec::input(&self.spec.light),
        ]
    }

    fn step(&mut self, now: Timestamp, output: &dyn Fn(&str) -> Level) -> Vec<Poke> {
        if self.lit == Level::High {
            self.lit_ms += now.millis().saturating_sub(self.now.unwrap_or(now).millis());
        }
        self.now = Some(now);
        self.lit = output(&self.spec.lamp);
        let mut pokes = Vec::new();
        // What is due by now was on its way before this look.
        self.sensor.show(now, &mut pokes);
        self.sensor.notice(now, self.lit);
        self.sensor.show(now, &mut pokes);
        pokes
    }

    fn next_wake(&self) -> Option<Timestamp> {
        self.sensor.next_wake()
    }

    fn truth(&self) -> u64 {
        self.lit_ms
    }
}
