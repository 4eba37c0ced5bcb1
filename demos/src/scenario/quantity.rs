//! Amounts and times as people write them.

use std::{fmt, time::Duration};

pub(crate) use coinop::core::written::time;
use coinop::core::{Bytes, written::quantity};
use serde::{Deserialize, Deserializer, de};

/// A time written with its unit: `500ms`, `2s`, `1min`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) Duration);

/// An amount of money: bytes as a number, or `"10kB"`, `"1.5MB"`, `"2GB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Amount(pub(crate) Bytes);

/// By how much a meter shows more, or less with a minus sign: `"10%"`, `"-2.5%"`; in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drift(i64);

impl Drift {
    /// What the meter shows of `units`.
    pub(crate) fn shown(self, units: u64) -> u64 {
        let shown = i128::from(units) * i128::from(1_000 + self.0) / 1_000;
        u64::try_from(shown).unwrap_or(0)
    }
}

const ENERGIES: &[(&str, u64)] = &[("mWh", 1), ("kWh", 1_000_000), ("Wh", 1_000)];
const POWERS: &[(&str, u64)] = &[("kW", 1_000), ("W", 1)];
const AMOUNTS: &[(&str, u64)] =
    &[("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000), ("KB", 1_000), ("B", 1)];

/// Milliwatt-hours.
pub(crate) fn energy(text: &str) -> Result<u64, String> {
    quantity(
        text,
        ENERGIES,
        "an energy such as \"500mWh\", \"5Wh\" or \"1kWh\"",
        "an energy fits into 64 bits as mWh",
    )
}

/// Watts.
pub(crate) fn power(text: &str) -> Result<u64, String> {
    quantity(text, POWERS, "a power such as \"800W\" or \"11kW\"", "a power fits into 64 bits as W")
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        time(&text).map(|millis| Self(Duration::from_millis(millis))).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Drift {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        drift(&text).map(Self).map_err(de::Error::custom)
    }
}

/// Thousandths, from -100% to 100%.
fn drift(text: &str) -> Result<i64, String> {
    const WANTED: &str = "a drift such as \"10%\" or \"-2.5%\", from -100% to 100%";
    let (sign, number) = text.strip_prefix('-').map_or((1, text), |number| (-1, number));
    let permille = quantity(number, &[("%", 10)], WANTED, WANTED)?;
    match i64::try_from(permille) {
        Ok(permille @ 0..=1_000) => Ok(sign * permille),
        Ok(_) | Err(_) => Err(format!("{text:?} is not {WANTED}")),
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const WANTED: &str = "an amount such as 500, \"10kB\" or \"1.5MB\"";
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(WANTED)
            }

            fn visit_i128<E: de::Error>(self, bytes: i128) -> Result<Amount, E> {
                Err(E::custom(format_args!("{bytes} is no amount; the largest is {}", Bytes::MAX)))
            }

            fn visit_i64<E: de::Error>(self, bytes: i64) -> Result<Amount, E> {
                let Ok(bytes) = u64::try_from(bytes) else {
                    return Err(E::custom(format_args!("an amount cannot be negative, and this is {bytes}")));
                };
                Bytes::try_from(bytes).map(Amount).map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
                let most = format!("the largest amount is {}", Bytes::MAX);
                let bytes = quantity(text, AMOUNTS, WANTED, &most).map_err(E::custom)?;
                Bytes::try_from(bytes).map(Amount).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// An amount for the command line: bytes as a number, or with a unit.
pub(crate) fn bytes(text: &str) -> Result<Bytes, String> {
    const WANTED: &str = "an amount such as 1500, \"10kB\", \"1.5MB\" or \"2GB\"";
    let bytes = match text.parse::<u64>() {
        Ok(bytes) => bytes,
        Err(_) => quantity(text, AMOUNTS, WANTED, &format!("the largest amount is {}", Bytes::MAX))?,
    };
    Bytes::try_from(bytes).map_err(|error| error.to_string())
}

/// A time for the command line, as [`Span`] in a scenario.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    time(text).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_exact() {
        assert_eq!(time("1.5s"), Ok(1500));
        assert_eq!(time("2 min"), Ok(120_000));
        assert_eq!(energy("0.5kWh"), Ok(500_000));
        assert_eq!(power("11kW"), Ok(11_000));
    }

    #[test]
    fn a_drift_is_in_percent_with_one_decimal() {
        assert_eq!((drift("10%"), drift("-2.5%"), drift("0%")), (Ok(100), Ok(-25), Ok(0)));
        assert_eq!((Drift(-25).shown(2_000), Drift(-1_000).shown(7)), (1_950, 0));
        assert!(drift("101%").unwrap_err().contains("from -100% to 100%"));
        assert!(drift("much").unwrap_err().contains("a drift such as"));
    }

    #[test]
    fn a_word_that_is_no_time_is_refused_with_what_would_be() {
        assert_eq!(
            time("5 parsecs"),
            Err("\"5 parsecs\" is not a time such as \"500ms\", \"2s\", \"1min\" or \"1h\"".into())
        );
        assert_eq!(
            time("-1s"),
            Err("\"-1s\" is not a time such as \"500ms\", \"2s\", \"1min\" or \"1h\"".into())
        );
        assert!(time("0.0001s").unwrap_err().contains("finer"));
        assert!(time("99999999999999999999h").unwrap_err().contains("too large"));
    }
}
