use std::time::Duration;

use coinop_core::{
    board::{Direction, Level},
    written,
};
use serde::{Deserialize, Deserializer, de};
use toml::Spanned;

use crate::{
    driver::Driver,
    wiring::{Active, Bias},
};

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub(super) title: String,
    pub(super) driver: Driver,
    #[serde(default)]
    pub(super) chip: Option<String>,
    #[serde(default)]
    pub(super) reserved: Vec<Spanned<Reserved>>,
    #[serde(default)]
    pub(super) line: Vec<LineWords>,
}

/// Places that are not for lines.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reserved {
    /// The kernel's names of them.
    #[serde(default)]
    pub(super) lines: Vec<String>,
    /// Their numbers on the board's chip.
    #[serde(default)]
    pub(super) offsets: Vec<u32>,
    /// What they are for.
    pub(super) why: String,
}

/// A line as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LineWords {
    pub(super) name: Spanned<String>,
    #[serde(default)]
    pub(super) chip: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) offset: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) kernel: Option<Spanned<String>>,
    pub(super) direction: Direction,
    #[serde(default)]
    pub(super) safe: Option<Spanned<Level>>,
    #[serde(default)]
    pub(super) active: Active,
    #[serde(default)]
    pub(super) max_on: Option<Spanned<Span>>,
    #[serde(default)]
    pub(super) debounce: Option<Spanned<Span>>,
    #[serde(default)]
    pub(super) never_with: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) bias: Option<Spanned<Bias>>,
}

/// A time with its unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span(pub(super) Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        written::time(&text).map(|millis| Self(Duration::from_millis(millis))).map_err(de::Error::custom)
    }
}
