//! The rules of a coin-operated lamp, for a machine with 64 KB of memory.
//!
//! Lines of JSON come in as aa-channels-lib sends them, answers go out, and a lease of light follows
//! from what was paid. Packages are checked by the channel machine of `coinop-core`, the same that
//! checks them everywhere else. The lamp holds no secret key: it checks, and never signs.
//!
//! [`Lamp`] hears the wire, [`Guard`] owns the pin. They share a moment, nothing else: the guard is
//! stepped by a timer, so that the light goes out in time also while a signature is being checked.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod guard;
mod intake;
mod lamp;
mod letter;
mod paid;
mod refusal;

pub use guard::Guard;
pub use intake::{Intake, LONGEST};
pub use lamp::{Heard, Lamp};
pub use paid::Paid;
pub use refusal::Refusal;
