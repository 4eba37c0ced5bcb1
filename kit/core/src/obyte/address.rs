//! Addresses of money and of devices.

use alloc::string::String;
use core::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{
    canonical,
    chash::{self, LENGTH_160},
    definition,
    key::PublicKey,
    source::{self, SourceError},
    text,
};

/// Where money goes: the chash of a definition, 32 capital letters and digits, checksum included.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; LENGTH_160]);

/// Where messages go: `0` and the chash of a device's public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceAddress([u8; LENGTH_160 + 1]);

/// A text that is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Wrong length, wrong characters, or a checksum that does not match.
    #[error("not an address")]
    Money,
    /// The same, for a device's address.
    #[error("not a device address")]
    Device,
}

impl Address {
    /// The address of a definition, an autonomous agent's included.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when the definition cannot be hashed.
    pub fn of_definition(definition: &Value) -> Result<Self, SourceError> {
        let source = if definition::is_agent(definition) {
            canonical::canonical_json(definition)?
        } else {
            source::source_string(definition)?
        };
        Ok(Self(chash::chash160_text(source.as_bytes())))
    }

    /// The address that one key alone signs for.
    pub fn of_key(key: &PublicKey) -> Self {
        let mut source = String::with_capacity(72);
        source.push_str("[\0s\0sig\0pubkey\0s\0");
        source.push_str(&key.to_base64());
        source.push_str("\0]");
        Self(chash::chash160_text(source.as_bytes()))
    }

    /// The text.
    #[expect(clippy::missing_panics_doc, reason = "it is always base32")]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("base32 is ASCII")
    }
}

impl DeviceAddress {
    /// The address of the device that holds a key.
    pub fn of_key(key: &PublicKey) -> Self {
        let mut source = String::with_capacity(48);
        source.push_str("s\0");
        source.push_str(&key.to_base64());
        let mut text = [b'0'; LENGTH_160 + 1];
        text[1..].copy_from_slice(&chash::chash160_text(source.as_bytes()));
        Self(text)
    }

    /// The text.
    #[expect(clippy::missing_panics_doc, reason = "it is always base32")]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("base32 is ASCII")
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !chash::is_valid160(text) {
            return Err(AddressError::Money);
        }
        text.as_bytes().try_into().map(Self).map_err(|_length| AddressError::Money)
    }
}

impl FromStr for DeviceAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if !text.strip_prefix('0').is_some_and(chash::is_valid160) {
            return Err(AddressError::Device);
        }
        text.as_bytes().try_into().map(Self).map_err(|_length| AddressError::Device)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl fmt::Debug for DeviceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceAddress({self})")
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for DeviceAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for DeviceAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;
    use crate::obyte::key::SecretKey;

    fn keys() -> impl Iterator<Item = PublicKey> {
        (1..=16).map(|byte| SecretKey::from_bytes(&[byte; 32]).unwrap().public())
    }

    #[test]
    fn a_keys_address_is_that_of_its_definition() {
        for key in keys() {
            assert_eq!(Address::of_definition(&definition::sig(&key)), Ok(Address::of_key(&key)));
        }
    }

    #[test]
    fn addresses_read_back_from_their_text() {
        for key in keys() {
            let (address, device) = (Address::of_key(&key), DeviceAddress::of_key(&key));

            assert_eq!(address.to_string().parse(), Ok(address));
            assert_eq!(device.to_string().parse(), Ok(device));
            assert_eq!(
                serde_json::from_value::<Address>(serde_json::to_value(address).unwrap()).unwrap(),
                address
            );
        }
    }

    #[test]
    fn one_is_not_taken_for_the_other() {
        let key = keys().next().unwrap();
        let (address, device) = (Address::of_key(&key).to_string(), DeviceAddress::of_key(&key).to_string());

        assert_eq!(device.parse::<Address>(), Err(AddressError::Money));
        assert_eq!(address.parse::<DeviceAddress>(), Err(AddressError::Device));
        assert_eq!(address.to_lowercase().parse::<Address>(), Err(AddressError::Money));
    }
}
