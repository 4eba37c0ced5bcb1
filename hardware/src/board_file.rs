//! A board in a file: where its lines are, how they are wired, and the limits that hold on it whoever pays.
//!
//! ```toml
//! title = "A relay on a Pi"
//! driver = "gpiochip"        # gpiochip, linux, rpi or sim
//!
//! [[reserved]]
//! lines = ["GPIO2", "GPIO3"]
//! why = "I2C"
//!
//! [[line]]
//! name = "LAMP"              # what scenarios call it
//! kernel = "GPIO17"          # the kernel's name; or chip = "gpiochip0" and offset = 17
//! direction = "output"
//! safe = "low"               # low is inactive, whatever the voltage
//! active = "low"             # the voltage at which it is active
//! max-on = "10min"
//! never-with = []            # outputs that are never on together with this one
//!
//! [[line]]
//! name = "LIGHT"
//! kernel = "GPIO27"
//! direction = "input"
//! bias = "pull-down"         # pull-up, pull-down or none
//! debounce = "10ms"
//! ```
//!
//! The limits of the file and those of a device are both kept: see [`BoardFile::fit`].

mod check;
mod fit;
#[cfg(test)]
mod tests;
mod words;

use std::{fs, io, path::Path};

use coinop_core::{
    board::LineSpec,
    written::{Page, Wrong},
};

use crate::{driver::Driver, wiring::Wire};

/// The boards that are compiled in, by name: every TOML of `hardware/boards`.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("pi", include_str!("../boards/pi.toml")),
    ("relay-hat", include_str!("../boards/relay-hat.toml")),
    ("gpio-sim", include_str!("../boards/gpio-sim.toml")),
];

/// A board as its file describes it; what does not fit together has been refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardFile {
    /// The file.
    file: String,
    /// All of it, to find the line of a word in.
    text: String,
    title: String,
    driver: Driver,
    chip: Option<String>,
    lines: Vec<Known>,
}

/// A line that the file describes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    /// Where in the text its name stands.
    place: std::ops::Range<usize>,
    spec: LineSpec,
    wire: Wire,
}

/// A board that cannot be had from a file.
#[derive(Debug, thiserror::Error)]
pub enum BoardFileError {
    /// There is no such board.
    #[error(
        "there is no board called {name:?}, and no such file; there are: {known}, or a file that ends in .toml"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The file cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file says what cannot be, with the line and how to mend it.
    #[error(transparent)]
    Wrong(#[from] Wrong),
}

impl BoardFile {
    /// The built-in board of this name, or the one in this file.
    ///
    /// # Errors
    ///
    /// [`BoardFileError`], with file and line where there are some.
    pub fn load(name: &str) -> Result<Self, BoardFileError> {
        if let Some((known, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) {
            return Ok(Self::parse(&format!("{known}.toml"), text)?);
        }
        if Path::new(name).extension().is_none_or(|extension| extension != "toml") {
            let known: Vec<_> = BUILT_IN.iter().map(|(known, _)| *known).collect();
            return Err(BoardFileError::Unknown { name: name.to_owned(), known: known.join(", ") });
        }
        let text = fs::read_to_string(name)
            .map_err(|source| BoardFileError::Unreadable { path: name.to_owned(), source })?;
        Ok(Self::parse(name, &text)?)
    }

    /// Reads a board from the text of `file`.
    ///
    /// # Errors
    ///
    /// [`Wrong`]: an unknown word, a line that is used twice or reserved, an output without its safe level,
    /// a limit that does not fit the line.
    pub fn parse(file: &str, text: &str) -> Result<Self, Wrong> {
        check::read(Page { file, text })
    }

    /// One line for lists.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What drives its lines.
    pub const fn driver(&self) -> Driver {
        self.driver
    }

    /// Its lines with their limits, in the order of the file.
    pub fn lines(&self) -> impl Iterator<Item = (&LineSpec, &Wire)> {
        self.lines.iter().map(|known| (&known.spec, &known.wire))
    }

    const fn page(&self) -> Page<'_> {
        Page { file: self.file.as_str(), text: self.text.as_str() }
    }
}
