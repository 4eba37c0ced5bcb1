//! Tier 4: the board `rpi` on an emulated Raspberry Pi, with a witness outside of it. The guest plays the
//! owner of a lamp and says over the serial wire where it is; the witness reads the chip's registers by the
//! emulator's monitor, and says when to go on.

mod emulator;
mod guest;
mod witness;

use std::time::Duration;

pub(crate) use self::{
    guest::{holder, play as guest},
    witness::check,
};

/// The word that makes this program the guest, and the one that makes it a process of the guest's.
pub(crate) const GUEST: &str = "raspi3b-guest";
pub(crate) const HOLDER: &str = "raspi3b-holder";
/// The lamp's pin.
const PIN: u32 = 17;
/// What the guest's lines begin with; the others are the kernel's.
const MARK: &str = "guest:";
/// What the witness says when it has seen enough.
const GO: &str = "go";
/// How long the lamp is leased where the lease's end is to be seen.
const LEASE: Duration = Duration::from_secs(6);
/// How long it is leased where something else is.
const LONG_LEASE: Duration = Duration::from_mins(1);
/// How long the guard stands silence.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Where the guest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The board could not be opened.
    Refused,
    /// The board is open, and nothing was leased.
    Opened,
    /// The lamp has just been leased, and there are beats.
    Leased,
    /// The lease is over; there still are beats.
    Over,
    /// The lamp has just been leased for [`LONG_LEASE`], and nobody beats.
    Silent,
    /// The guard was dropped during a lease.
    Dropped,
    /// Another process has the lamp leased, and beats.
    Held,
    /// That process was killed.
    Killed,
    /// The board was opened again after that.
    Reopened,
}

impl Phase {
    const fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Opened => "opened",
            Self::Leased => "leased",
            Self::Over => "over",
            Self::Silent => "silent",
            Self::Dropped => "dropped",
            Self::Held => "held",
            Self::Killed => "killed",
            Self::Reopened => "reopened",
        }
    }
}
