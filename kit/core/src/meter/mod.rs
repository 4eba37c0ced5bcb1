//! Counting what is delivered, and sharing it among those who pay for it.

mod pulse;
mod seconds;
mod share;

pub use pulse::{Pulse, PulseMeter};
pub use seconds::SecondCounter;
pub use share::{Shares, share};

use crate::tariff::Quantity;

/// Something that counts what a thing delivers, to whomever. It never goes back.
pub trait Meter {
    /// All that was delivered so far.
    fn delivered(&self) -> Quantity;
}
