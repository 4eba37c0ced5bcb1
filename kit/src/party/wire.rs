//! What parties say to each other: requests and answers in the shape aa-channels-lib uses.
#![expect(missing_docs, reason = "the fields are named by the protocol, and nobody outside sees them")]

use coinop_core::{
    channel::SignedPackage,
    obyte::address::Address,
    session::{Reading, Signed},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The longest tag taken from a peer, in characters: a hash as base64, or 60 hexadecimal digits.
const MAX_TAG: usize = 64;

/// A letter: a request, or the answer to one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Letter {
    /// Somebody wants something.
    Request {
        #[serde(flatten)]
        request: Request,
        tag: String,
    },
    /// It was done.
    Answer { response: Value, tag: String },
    /// It was not.
    Failure { error: String, tag: String },
}

/// What one party can ask of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", content = "params", rename_all = "snake_case")]
pub enum Request {
    /// To a market: keep this listing.
    Publish { package: Signed },
    /// To a market: what is there of this kind?
    Find { kind: String },
    /// To a seller: make me an offer.
    Quote { thing: String, buyer: Address },
    /// Something signed: an offer, an acceptance, a stop, a control, a receipt.
    Statement { package: Signed },
    /// The seller's meter.
    Reading { reading: Reading },
    /// To a seller: let us have a channel.
    CreateChannel { address: Address, timeout: u64, asset: String, version: String, salt: String },
    /// A payment.
    Pay { signed_package: Box<SignedPackage>, message: PayMessage },
}

/// What goes along with a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayMessage {
    /// The session it pays for.
    pub session: String,
}

impl Letter {
    /// Reads a letter; what is not one says why.
    ///
    /// # Errors
    ///
    /// Why it is no letter.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
        let value = coinop_core::obyte::json::parse(text).map_err(|error| error.to_string())?;
        let letter: Self = serde_json::from_value(value).map_err(|error| error.to_string())?;
        let (Self::Request { tag, .. } | Self::Answer { tag, .. } | Self::Failure { tag, .. }) = &letter;
        if tag.is_empty() || tag.len() > MAX_TAG {
            return Err(format!("a tag of {} characters, 1 to {MAX_TAG} are allowed", tag.len()));
        }
        Ok(letter)
    }
}
