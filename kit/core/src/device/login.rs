use alloc::{borrow::ToOwned as _, string::String};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Refusal,
    signed::{parsed, text, verify},
};
use crate::obyte::{PublicKey, Signature};

/// The largest login or key package that is read, in bytes as the ledger counts.
const MAX_SIZE: u64 = 1024;

/// A device's `hub/login`: the hub's challenge, signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// What the hub asked to be signed.
    pub challenge: String,
    /// The device's key.
    pub pubkey: PublicKey,
    /// Over everything else.
    pub signature: Signature,
    /// How much is wanted at a time.
    #[serde(flatten)]
    pub pages: Pages,
}

/// How much of its mailbox a device wants at a time; without figures, what the hub sees fit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pages {
    /// The longest message, in characters of JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_message_length: Option<u32>,
    /// How many messages; at most [`Pages::MOST`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_message_count: Option<u32>,
}

impl Pages {
    /// The most messages that a hub gives at a time.
    pub const MOST: u32 = 100;
}

impl Login {
    /// The longest challenge that is signed or read.
    pub const MAX_CHALLENGE: usize = 100;

    /// Reads a login and checks it, as a hub does: the challenge is the one it gave to this connection.
    ///
    /// # Errors
    ///
    /// [`Refusal::Signature`], [`Refusal::Challenge`], or the field that is wrong.
    pub fn read(value: &Value, challenge: &str) -> Result<Self, Refusal> {
        let (pubkey, signature) = verify(value, MAX_SIZE)?;
        if text(value, "challenge")? != challenge {
            return Err(Refusal::Challenge(challenge.to_owned()));
        }
        let pages = Pages {
            max_message_length: count(value, "max_message_length", u32::MAX)?,
            max_message_count: count(value, "max_message_count", Pages::MOST)?,
        };
        Ok(Self { challenge: challenge.to_owned(), pubkey, signature, pages })
    }
}

fn count(value: &Value, field: &'static str, most: u32) -> Result<Option<u32>, Refusal> {
    let Some(figure) = value.get(field).filter(|figure| !figure.is_null()) else { return Ok(None) };
    let figure = figure.as_u64().and_then(|figure| u32::try_from(figure).ok());
    figure.filter(|figure| (1..=most).contains(figure)).map(Some).ok_or(Refusal::Field(field))
}

/// A temporary key that a device shows through its hub, signed by the device's own: Obyte's
/// `hub/temp_pubkey`, and the answer to `hub/get_temp_pubkey`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemporaryKey {
    /// The key to encrypt for.
    pub temp_pubkey: PublicKey,
    /// The device's key.
    pub pubkey: PublicKey,
    /// Over both.
    pub signature: Signature,
}

impl TemporaryKey {
    /// Reads the package and checks that it is signed by the device it is of.
    ///
    /// # Errors
    ///
    /// [`Refusal::Signature`], also when it is another device's; or the field that is wrong.
    pub fn read(value: &Value, of: &PublicKey) -> Result<Self, Refusal> {
        let (pubkey, signature) = verify(value, MAX_SIZE)?;
        if pubkey != *of {
            return Err(Refusal::Signature);
        }
        Ok(Self { temp_pubkey: parsed(value, "temp_pubkey")?, pubkey, signature })
    }
}
