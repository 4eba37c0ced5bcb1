//! What is known of a machine, without any opinion.

use std::{collections::BTreeSet, time::Duration};

use coinop_hardware::{driver::Driver, survey::Survey, wiring::Wiring};

/// Everything that is judged.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// Which board was asked for.
    pub(super) board: Wanted,
    pub(super) machine: Machine,
    /// The board files that are built in, but for simulated ones.
    pub(super) boards: Vec<Shipped>,
    /// The lines that each built-in scenario wants.
    pub(super) demos: Vec<Demo>,
    pub(super) clock: Clock,
    pub(super) terminal: Terminal,
    pub(super) disk: Disk,
}

/// What lines may be had of.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// The operating system, as Rust calls it.
    pub(super) system: &'static str,
    /// Its chips and devices.
    pub(super) survey: Survey,
    /// What the container is called that this runs in, if it is one.
    pub(super) container: Option<String>,
    /// Whether `/dev` has what every machine has.
    pub(super) has_null: bool,
}

/// The board that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// As on the command line.
    pub(super) word: String,
    pub(super) on: On,
}

/// What a board is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum On {
    /// Lines in memory.
    Memory,
    /// Lines of the kernel, on this chip or on all.
    Chips {
        /// What drives them.
        driver: Driver,
        /// Where they are.
        wiring: Wiring,
        /// The lines that the board's file has; any, where there is no file.
        known: Option<BTreeSet<String>>,
    },
}

/// A board file that is built in.
#[derive(Clone, Debug)]
pub(super) struct Shipped {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) wiring: Wiring,
}

/// A scenario that is built in.
#[derive(Clone, Debug)]
pub(super) struct Demo {
    pub(super) name: String,
    /// What its lines are called on the board.
    pub(super) lines: Vec<String>,
}

/// The clocks.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// Since 1970, by the wall clock.
    pub(super) now: Duration,
    /// Whether it was set by the network; none where nothing says so.
    pub(super) synchronised: Option<bool>,
    /// How far the wall clock and the monotonic one went apart while the disk was measured.
    pub(super) drift: Duration,
}

/// Where the picture would be.
#[derive(Clone, Debug)]
pub(super) struct Terminal {
    /// Columns and rows; none when stdout is no terminal.
    pub(super) size: Option<(u16, u16)>,
    pub(super) colours: bool,
    /// Whether the locale says UTF-8.
    pub(super) utf8: bool,
}

/// Where a run would be kept.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    pub(super) folder: String,
    /// Whether it was asked for, or is only a sample of this machine's disks.
    pub(super) asked: bool,
    pub(super) free: Option<u64>,
    /// `ext4 on /dev/sda1`
    pub(super) file_system: String,
    /// Durable commits a second; or why there are none.
    pub(super) commits: Result<u64, String>,
}
