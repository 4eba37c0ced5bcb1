//! Obyte as this kit speaks it: hashes, keys, addresses, units, signed packages.
//!
//! JSON is handled as [`serde_json::Value`]: what peers send may be malformed, and hashes are taken of
//! what was sent, not of what we understood. Functions that read foreign JSON give an error, never a
//! panic.

pub mod address;
pub mod ball;
pub mod bip32;
pub mod canonical;
pub mod chash;
pub mod definition;
pub mod fees;
pub mod hash;
pub mod json;
pub mod key;
pub mod length;
pub mod mnemonic;
mod network;
pub mod number;
pub(crate) mod order;
pub mod proof;
pub mod signed;
pub mod source;
mod text;
pub mod unit;
pub mod wif;

pub use address::{Address, DeviceAddress};
pub use hash::Hash;
pub use key::{PublicKey, SecretKey, Signature};
pub use network::Network;
