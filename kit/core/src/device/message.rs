use serde_json::{Value, json};

use super::{
    Refusal, Sealed,
    signed::{self, parsed},
};
use crate::obyte::{DeviceAddress, Hash, PublicKey, SecretKey};

/// A signed and encrypted message, as a hub takes, stores and hands it out.
///
/// Its signature holds, or there would be no such value. What is inside only its recipient knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    value: Value,
    hash: Hash,
    to: DeviceAddress,
    sender: PublicKey,
    package: Sealed,
}

impl Message {
    /// The largest message that is read, in bytes as the ledger counts.
    pub const MAX_SIZE: u64 = 400 * 1024;

    /// Signs a package for a device.
    ///
    /// # Errors
    ///
    /// None is known for a package that was sealed here.
    pub fn sign(package: &Sealed, to: &PublicKey, key: &SecretKey) -> Result<Self, Refusal> {
        let unsigned = json!({
            "encrypted_package": package.to_value(),
            "to": DeviceAddress::of_key(to),
            "pubkey": key.public(),
        });
        Self::read(signed::sign(unsigned, key)?)
    }

    /// Reads what was given to `hub/deliver`, and checks size, fields and signature.
    ///
    /// # Errors
    ///
    /// [`Refusal::Signature`], [`Refusal::TooLong`], or the field that is wrong.
    pub fn read(value: Value) -> Result<Self, Refusal> {
        let (sender, _) = signed::verify(&value, Self::MAX_SIZE)?;
        let package = value.get("encrypted_package").ok_or(Refusal::Field("encrypted_package"))?;
        let (package, to) = (Sealed::read(package)?, parsed(&value, "to")?);
        Ok(Self { hash: signed::message_hash(&value)?, to, sender, package, value })
    }

    /// Reads a `hub/message` and checks, besides, that the hub names it rightly.
    ///
    /// # Errors
    ///
    /// [`Refusal::Hash`], and as [`Message::read`].
    pub fn delivered(body: &Value) -> Result<Self, Refusal> {
        let claimed: Hash = parsed(body, "message_hash")?;
        let message = Self::read(body.get("message").ok_or(Refusal::Field("message"))?.clone())?;
        if message.hash == claimed { Ok(message) } else { Err(Refusal::Hash) }
    }

    /// The body of `hub/deliver`.
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// The body of `hub/message`.
    pub fn delivery(&self) -> Value {
        json!({"message_hash": self.hash, "message": self.value})
    }

    /// What the hub calls it, and deletes it by.
    pub const fn hash(&self) -> Hash {
        self.hash
    }

    /// Whom it is for.
    pub const fn to(&self) -> DeviceAddress {
        self.to
    }

    /// Who signed it.
    pub const fn sender(&self) -> &PublicKey {
        &self.sender
    }

    /// What is inside; a hub looks at the key that it was encrypted for.
    pub const fn package(&self) -> &Sealed {
        &self.package
    }
}
