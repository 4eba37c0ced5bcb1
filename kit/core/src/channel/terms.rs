use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Refusal, SignedPackage};
use crate::obyte::{address::Address, source::SourceError};

/// The base agent all channels share (version 1.1 of the channel agent).
pub const BASE_AGENT: &str = "4IRUGAUUCAQ6QRQLG4SNOLOE6VW2STWZ";

/// The version of the channel agent, as `channel_parameters` name it.
pub const AGENT_VERSION: &str = "1.1";

/// The longest salt, in characters.
pub const MAX_SALT: usize = 50;

/// Which of the two ends of a channel a party is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Party A: the one who was asked for a channel.
    Seller,
    /// Party B: the one who created it.
    Buyer,
}

impl Role {
    /// The other end.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Seller => Self::Buyer,
            Self::Buyer => Self::Seller,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seller => "seller",
            Self::Buyer => "buyer",
        })
    }
}

/// What two parties agree on before anything is paid; it determines the agent's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Party A, the seller.
    pub address_a: Address,
    /// Party B, the buyer.
    pub address_b: Address,
    /// How long the other party may answer a close, in seconds.
    pub timeout_seconds: u64,
    /// Tells two channels of the same parties apart; at most [`MAX_SALT`] characters.
    pub salt: String,
}

impl Terms {
    /// The address of one end.
    pub const fn address(&self, role: Role) -> Address {
        match role {
            Role::Seller => self.address_a,
            Role::Buyer => self.address_b,
        }
    }

    /// The definition of the channel's agent, as it is published. The asset is always bytes.
    pub fn definition(&self) -> Value {
        json!(["autonomous agent", {
            "base_aa": BASE_AGENT,
            "params": {
                "addressA": self.address_a,
                "addressB": self.address_b,
                "asset": "base",
                "salt": self.salt,
                "timeout": self.timeout_seconds,
            },
        }])
    }

    /// The address of the channel's agent.
    ///
    /// # Errors
    ///
    /// When the salt cannot be hashed.
    pub fn aa_address(&self) -> Result<Address, SourceError> {
        Address::of_definition(&self.definition())
    }

    /// The terms a buyer announces with a package for a channel that is not known yet. The seller is
    /// `own`, whom the package reached.
    ///
    /// # Errors
    ///
    /// When the package announces nothing, or not what it says.
    pub fn announced(package: &SignedPackage, own: Address) -> Result<Self, Refusal> {
        let parameters = package.message.channel_parameters.as_ref().ok_or(Refusal::UnknownChannel)?;
        if parameters.address != package.signer {
            return Err(Refusal::AnnouncedByAnother);
        }
        let terms = Self {
            address_a: own,
            address_b: package.signer,
            timeout_seconds: parameters.timeout,
            salt: parameters.salt.clone(),
        };
        let is_ours = parameters.asset == "base"
            && parameters.version == AGENT_VERSION
            && terms.salt.chars().count() <= MAX_SALT
            && terms.aa_address().is_ok_and(|agent| agent == package.message.aa_address);
        if is_ours { Ok(terms) } else { Err(Refusal::AnnouncedOtherwise) }
    }
}
