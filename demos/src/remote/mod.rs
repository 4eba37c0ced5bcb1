//! A hand from another process: `coinop lines` and `coinop poke`, over a local socket.
//!
//! One request, one answer, each a line of JSON; a watch gets an answer for every change. The socket is for
//! the user who plays and for nobody else: its mode says so, and who connects is asked for the user's number.

mod client;
mod place;
mod server;

use serde::{Deserialize, Serialize};

use crate::{breadboard::LineNow, stage::Intervention};

pub(crate) use client::{lines, poke};
pub(crate) use server::open;

/// The longest request, in bytes.
const ASK_MAX: u64 = 4_096;
/// The longest answer, in bytes.
const ANSWER_MAX: u64 = 1 << 20;
/// How many may be connected at a time.
const CONNECTIONS_MAX: usize = 8;

/// What another process wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Ask {
    /// Every line, as it is now.
    Lines,
    /// The same, and again whenever one has changed.
    Watch,
    /// An input at the level that this word means.
    Poke { line: String, word: String },
    /// Anything else.
    Do(Intervention),
}

/// What it gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Answer {
    /// It was done, in words.
    Done(String),
    /// It was not, and why.
    Refused(String),
    /// Every line.
    Lines(Vec<LineNow>),
}
