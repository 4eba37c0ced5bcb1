//! The embedded ledger at work: real signed units, a deterministic shell, and the books after each scene.

mod channels;
mod payments;
mod property;
mod world;
