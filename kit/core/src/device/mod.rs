//! A device on a hub: login, encrypted messages, pairing, and what is said in a chat with a thing.
//!
//! [`Keys`] holds what is secret and does what needs it; the shell keeps it. The machines beside it,
//! [`Rotation`] and [`book::Book`], hold none: they say which key to show, and whom to believe.

pub mod book;
pub mod chat;
mod fingerprint;
mod keys;
mod letter;
mod login;
mod message;
mod pairing_code;
mod refusal;
mod rotation;
mod sealed;
pub mod signed;

pub use fingerprint::Fingerprint;
pub use keys::{DEVICE_PATH, Keys};
pub use letter::{Draft, Letter, Subject};
pub use login::{Login, Pages, TemporaryKey};
pub use message::Message;
pub use pairing_code::{CodeError, PairingCode, Secret};
pub use refusal::Refusal;
pub use rotation::{Rotation, RotationCommand, RotationEffect, RotationEvent};
pub use sealed::{Draw, Sealed};

#[cfg(test)]
mod tests;
