//! A demo in one strict TOML file, which is its end-to-end test as well.

mod check;
mod expect;
mod fault;
mod meter;
pub(crate) mod quantity;

use std::{collections::BTreeMap, time::Duration};

use coinop::core::Bytes;
use serde::Deserialize;
use toml::Spanned;

pub(crate) use self::{
    expect::{Due, Expect, Verdict},
    fault::Fault,
    meter::{MeterChoice, Place},
    quantity::{Amount, Drift, Span},
};

/// The scenarios that are compiled in, by name: every TOML of `demos/scenarios`.
pub(crate) const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/built_in.rs"));

/// One demo: who is there, what is for sale, who buys, what goes wrong, what must be true.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    /// One line for `coinop list`.
    pub(crate) title: String,
    /// How long it takes when `--for` does not say.
    #[serde(default = "a_minute")]
    pub(crate) length: Span,
    /// How long a letter takes.
    #[serde(default = "a_blink")]
    pub(crate) latency: Span,
    /// How long until a unit is final.
    #[serde(default = "two_seconds")]
    pub(crate) stable_after: Span,
    /// The people and machines that buy.
    #[serde(default)]
    pub(crate) buyer: Vec<Buyer>,
    /// The things that sell.
    pub(crate) thing: Vec<Thing>,
    /// Who buys what, and when.
    #[serde(default)]
    pub(crate) buy: Vec<Buy>,
    /// What goes wrong, on purpose.
    #[serde(default)]
    pub(crate) fault: Vec<Fault>,
    /// What must be true.
    #[serde(default)]
    pub(crate) expect: Vec<Spanned<Expect>>,
}

/// A party that buys.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Buyer {
    /// Its name, unique in the scenario.
    pub(crate) name: Spanned<String>,
    /// What the faucet gives it at the start.
    pub(crate) funds: Spanned<Amount>,
}

/// A device with a wallet that sells a service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Thing {
    /// Its name, unique in the scenario.
    pub(crate) name: Spanned<String>,
    /// Which device it is: the name of a file in `demos/src/devices`.
    pub(crate) kind: Spanned<String>,
    /// What the faucet gives it at the start, for the fees of its units.
    #[serde(default = "a_float")]
    pub(crate) funds: Amount,
    /// The price of `per`.
    pub(crate) price: Spanned<Amount>,
    /// What the price buys: a time for lamps and rooms, an energy for chargers.
    pub(crate) per: Spanned<String>,
    /// What one payment pays for, in the same unit.
    pub(crate) step: Spanned<String>,
    /// What its lines are called on the board, where that differs from the device's own names.
    #[serde(default)]
    pub(crate) lines: BTreeMap<String, Spanned<String>>,
    /// The rated power of a charger.
    #[serde(default)]
    pub(crate) power: Option<Spanned<String>>,
    /// The meter of a charger: `"pulse"`, `"sml"` or `"ina219"`, or a table with its device.
    #[serde(default)]
    pub(crate) meter: Option<Spanned<MeterChoice>>,
    /// The capacity of the battery that a charger finds.
    #[serde(default)]
    pub(crate) capacity: Option<Spanned<String>>,
    /// How long a channel with this thing may be contested.
    #[serde(default = "ten_seconds")]
    pub(crate) timeout: Span,
}

impl Scenario {
    /// Where the meters are that go by no line.
    pub(crate) fn meter_places(&self) -> impl Iterator<Item = &Place> {
        self.thing.iter().filter_map(|thing| thing.meter.as_ref()?.get_ref().place())
    }

    /// Whether a meter measures the real world, which does not wait.
    pub(crate) fn measures_reality(&self) -> bool {
        self.meter_places().any(|place| matches!(place, Place::Device(_)))
    }
}

impl Thing {
    /// The board's name of one of the device's lines.
    pub(crate) fn line<'a>(&'a self, own: &'a str) -> &'a str {
        self.lines.get(own).map_or(own, |name| name.get_ref().as_str())
    }
}

/// One purchase.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Buy {
    /// When.
    pub(crate) at: Span,
    /// Who.
    pub(crate) buyer: Spanned<String>,
    /// What kind of service, found on the market.
    pub(crate) kind: Spanned<String>,
    /// The one thing it is to be, if not the cheapest of the kind.
    #[serde(default)]
    pub(crate) from: Option<Spanned<String>>,
    /// How much, in the unit of the service.
    pub(crate) amount: Spanned<String>,
    /// The most for `per` of the tariff.
    pub(crate) limit: Spanned<Amount>,
    /// What to lock in the channel; the rest comes back.
    pub(crate) deposit: Spanned<Amount>,
    /// How much more the buyer's own meter shows than there is: `"10%"`, or `"-10%"` for less.
    #[serde(default, rename = "meter-error")]
    pub(crate) meter_error: Option<Drift>,
    /// When to ask for what, from the beginning of the session: `{ at = "2s", action = "open" }`.
    #[serde(default)]
    pub(crate) control: Vec<Control>,
    /// The most to pay in all; the deposit when nothing is said.
    #[serde(default)]
    pub(crate) budget: Option<Spanned<Amount>>,
}

/// Something a buyer asks of the thing while the session runs.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Control {
    /// When, from the beginning of the purchase.
    pub(crate) at: Span,
    /// What: `open`.
    pub(crate) action: Spanned<String>,
    /// Another party that tries it in the buyer's place.
    #[serde(default)]
    pub(crate) by: Option<Spanned<String>>,
}

const fn a_minute() -> Span {
    Span(Duration::from_mins(1))
}

const fn a_blink() -> Span {
    Span(Duration::from_millis(20))
}

const fn two_seconds() -> Span {
    Span(Duration::from_secs(2))
}

const fn ten_seconds() -> Span {
    Span(Duration::from_secs(10))
}

const fn a_float() -> Amount {
    Amount(Bytes::new(200_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_of_the_folder_is_built_in_and_the_street_comes_first() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        let files = std::fs::read_dir(folder).unwrap().count();

        assert_eq!(BUILT_IN.len(), files);
        assert_eq!(BUILT_IN[0].0, "street");
        for (name, text) in BUILT_IN {
            Scenario::parse(name, text).unwrap();
        }
    }

    #[test]
    fn the_scenario_in_the_readme_is_one() {
        let readme = include_str!("../../../README.md");
        let (_, rest) = readme.split_once("```toml\n").unwrap();
        let (text, _) = rest.split_once("```").unwrap();

        let scenario = Scenario::parse("README.md", text).unwrap();

        assert!(!scenario.expect.is_empty());
    }
}
