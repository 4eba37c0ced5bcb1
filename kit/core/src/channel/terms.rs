use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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
}
