//! The rules of coinop, and the ports they are reached through.
//!
//! Everything here is a value: time and chance come in as arguments, what should happen goes out as
//! events and effects, and nothing reads a clock, a file or a socket. The crate is `no_std`.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod amount;
pub mod board;
pub mod channel;
#[cfg(feature = "device")]
pub mod device;
pub mod machine;
pub mod market;
pub mod meter;
pub mod obyte;
pub mod session;
pub mod tariff;
mod time;
pub mod wallet;
pub mod written;

pub use amount::{AmountError, Bytes};
pub use machine::{Context, Deadline, Decision, Machine};
pub use time::Timestamp;
