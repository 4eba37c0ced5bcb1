//! The embedded ledger at work: real signed units, a deterministic shell, and the books after each scene.
#![expect(clippy::unwrap_used, reason = "a scene stops at the first surprise")]

mod channels;
mod chat;
mod history;
mod hub;
mod payments;
mod property;
mod world;
