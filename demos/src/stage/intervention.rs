//! What a hand does to a stage: from the scenario's file, from a key, from another process; all in one form.

use coinop::core::board::Level;
use coinop_hardware::sim::SimFault;
use serde::{Deserialize, Serialize};

/// The most pulses that one intervention gives.
pub(crate) const MAX_PULSES: u32 = 10_000;
/// The shortest time from one pulse to the next, in milliseconds: each is high for half of it.
pub(crate) const SHORTEST_PULSE_MS: u64 = 2;
/// The longest that anything with an end lasts, in milliseconds.
pub(crate) const LONGEST_MS: u64 = 24 * 3_600_000;
/// The longest that the runtime hangs, in milliseconds.
pub(super) const LONGEST_HANG_MS: u64 = 60_000;
/// How long a killed party is away when nothing is said.
pub(super) const AWAY_MS: u64 = 2_000;

/// Something that is done to a stage. Lines are named as the board names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Intervention {
    /// An input has this level, until the world or a hand changes it.
    Poke { line: String, level: Level },
    /// An input gives so many pulses, one each `every_ms`.
    Pulses { line: String, count: u32, every_ms: u64 },
    /// A line is faulty, for a while or until it is mended.
    Fault { line: String, fault: SimFault, for_ms: Option<u64> },
    /// A line is as new, and what it raised an alarm about is seen to.
    Mend { line: String },
    /// The whole board is without power for so long.
    BrownOut { for_ms: u64 },
    /// No letter passes between two parties, for a while or until the link is mended.
    Cut { one: String, other: String, for_ms: Option<u64> },
    /// A link is mended.
    Join { one: String, other: String },
    /// A party loses its process and restarts from the journal.
    Kill { name: String, for_ms: Option<u64> },
    /// The runtime hangs for so long.
    Hang { for_ms: u64 },
    /// A buyer closes its channels with less than it signed.
    DishonestClose { name: String },
    /// A buyer sends its newest and older packages again.
    Replay { name: String },
}

/// Whose hand it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The scenario's file: it can be played again as it is.
    Scenario,
    /// A person, by key, mouse, or from another process.
    Hand,
}
