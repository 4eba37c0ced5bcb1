//! Which meter counts what a charger gives.

use std::{fmt, num::NonZeroU64, time::Duration};

use coinop_hardware::meter::ina219::Wiring;
use serde::{Deserialize, Deserializer, de};

use super::Span;

/// Pulses for a kilowatt-hour, as a fine meter gives.
const PULSES: NonZeroU64 = NonZeroU64::new(10_000).expect("it is not 0");
/// How often a smart meter sends a telegram.
const EVERY: Duration = Duration::from_secs(1);
/// How the breakout boards of the INA219 are wired.
const WIRING: Wiring = Wiring { address: 0x40, shunt_milliohm: 100 };

/// A meter as a scenario describes it: a word for a simulated one, a table for one with a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MeterChoice {
    /// Pulses on the line `METER`.
    Pulse {
        /// How many a kilowatt-hour.
        per_kilowatt_hour: NonZeroU64,
        /// A pulse sooner than this after another is none.
        debounce: Duration,
    },
    /// Telegrams of a smart meter.
    Sml {
        /// Where its head is.
        place: Place,
        /// How often they come.
        every: Duration,
    },
    /// A power monitor.
    Ina219 {
        /// Where its bus is.
        place: Place,
        /// How it is wired.
        wiring: Wiring,
    },
}

/// Where a meter is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Behind the simulated board.
    Simulated,
    /// At this device of the machine.
    Device(String),
}

impl MeterChoice {
    /// The meter when nothing is said.
    pub(crate) const PULSE: Self = Self::Pulse { per_kilowatt_hour: PULSES, debounce: Duration::ZERO };

    /// Where it is; a meter that pulses is where its line is.
    pub(crate) const fn place(&self) -> Option<&Place> {
        match self {
            Self::Pulse { .. } => None,
            Self::Sml { place, .. } | Self::Ina219 { place, .. } => Some(place),
        }
    }
}

const WANTED: &str = "a meter: \"pulse\", \"sml\" or \"ina219\" for a simulated one, or a table such as \
                      { pulse = 10000, debounce = \"5ms\" }, { sml = \"/dev/ttyUSB0\" } or \
                      { ina219 = \"/dev/i2c-1\", address = 0x40, shunt-milliohm = 100 }";

/// The table, before it is known which meter it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Table {
    #[serde(default)]
    pulse: Option<NonZeroU64>,
    #[serde(default)]
    debounce: Option<Span>,
    #[serde(default)]
    sml: Option<String>,
    #[serde(default)]
    every: Option<Span>,
    #[serde(default)]
    ina219: Option<String>,
    #[serde(default)]
    address: Option<u8>,
    #[serde(default)]
    shunt_milliohm: Option<u32>,
}

impl Table {
    fn choice(self) -> Result<MeterChoice, String> {
        let choice = match self {
            Self {
                pulse: Some(pulses),
                debounce,
                sml: None,
                every: None,
                ina219: None,
                address: None,
                shunt_milliohm: None,
            } => MeterChoice::Pulse {
                per_kilowatt_hour: pulses,
                debounce: debounce.map_or(Duration::ZERO, |span| span.0),
            },
            Self {
                pulse: None,
                debounce: None,
                sml: Some(path),
                every,
                ina219: None,
                address: None,
                shunt_milliohm: None,
            } => MeterChoice::Sml { place: Place::at(path), every: every.map_or(EVERY, |span| span.0) },
            Self {
                pulse: None,
                debounce: None,
                sml: None,
                every: None,
                ina219: Some(path),
                address,
                shunt_milliohm,
            } => {
                let wiring = Wiring {
                    address: address.unwrap_or(WIRING.address),
                    shunt_milliohm: shunt_milliohm.unwrap_or(WIRING.shunt_milliohm),
                };
                MeterChoice::Ina219 { place: Place::at(path), wiring }
            }
            Self { .. } => return Err(format!("the words do not belong together; wanted is {WANTED}")),
        };
        choice.checked()
    }
}

impl Place {
    fn at(path: String) -> Self {
        if path == "sim" { Self::Simulated } else { Self::Device(path) }
    }
}

impl MeterChoice {
    fn checked(self) -> Result<Self, String> {
        match &self {
            Self::Sml { every, .. } if every.is_zero() => {
                Err("telegrams come at least 1ms apart: every = \"1s\"".to_owned())
            }
            Self::Ina219 { wiring, .. } if !(0x40..=0x4f).contains(&wiring.address) => {
                Err(format!("an INA219 has an address from 0x40 to 0x4f, not {:#04x}", wiring.address))
            }
            Self::Ina219 { wiring, .. } if wiring.shunt_milliohm == 0 => {
                Err("a shunt of 0 mΩ shows no current; breakout boards have shunt-milliohm = 100".to_owned())
            }
            Self::Pulse { .. } | Self::Sml { .. } | Self::Ina219 { .. } => Ok(self),
        }
    }
}

impl<'de> Deserialize<'de> for MeterChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = MeterChoice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(WANTED)
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<MeterChoice, E> {
                match word {
                    "pulse" => Ok(MeterChoice::PULSE),
                    "sml" => Ok(MeterChoice::Sml { place: Place::Simulated, every: EVERY }),
                    "ina219" => Ok(MeterChoice::Ina219 { place: Place::Simulated, wiring: WIRING }),
                    _ => Err(E::custom(format_args!("{word:?} is not {WANTED}"))),
                }
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<MeterChoice, A::Error> {
                let table = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
                table.choice().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
