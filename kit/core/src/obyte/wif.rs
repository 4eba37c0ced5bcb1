//! Secret keys as text, the way the JavaScript library takes them.

use alloc::{string::String, vec::Vec};

use zeroize::Zeroizing;

use super::{
    key::{KeyError, SecretKey},
    network::Network,
};

/// Why a text is no key of this network; the texts are the library's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WifError {
    /// A letter that base58 does not know.
    #[error("Non-base58 character")]
    Character,
    /// Mistyped or cut short.
    #[error("Invalid checksum")]
    Checksum,
    /// A key of another network.
    #[error("Invalid network version")]
    Network,
    /// Not as long as a key.
    #[error("Invalid WIF length")]
    Length,
    /// The mark of a compressed public key is another.
    #[error("Invalid compression flag")]
    Compression,
    /// The number is no key of the curve.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A key that was read, and whether it is marked for a compressed public key (Obyte's always are,
/// marked or not).
#[derive(Clone, Debug)]
pub struct Wif {
    /// The key.
    pub key: SecretKey,
    /// Whether the mark is there.
    pub is_compressed: bool,
}

/// Reads a key.
///
/// # Errors
///
/// [`WifError`] when the text is damaged or belongs to another network.
pub fn decode(text: &str, network: Network) -> Result<Wif, WifError> {
    let bytes =
        bs58::decode(text).with_check(None).into_vec().map(Zeroizing::new).map_err(|error| match error {
            bs58::decode::Error::InvalidCharacter { .. } | bs58::decode::Error::NonAsciiCharacter { .. } => {
                WifError::Character
            }
            _ => WifError::Checksum,
        })?;
    let (version, payload) = bytes.split_first().ok_or(WifError::Length)?;
    if *version != prefix(network) {
        return Err(WifError::Network);
    }
    let (key, mark) = payload.split_first_chunk::<32>().ok_or(WifError::Length)?;
    let is_compressed = match mark {
        [] => false,
        [1] => true,
        [_] => return Err(WifError::Compression),
        [_, ..] => return Err(WifError::Length),
    };
    Ok(Wif { key: SecretKey::from_bytes(key)?, is_compressed })
}

/// Writes a key, without the mark, as the library does; wiped from memory when dropped.
pub fn encode(key: &SecretKey, network: Network) -> Zeroizing<String> {
    let mut bytes: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(33));
    bytes.push(prefix(network));
    bytes.extend_from_slice(key.to_bytes().as_slice());
    Zeroizing::new(bs58::encode(bytes.as_slice()).with_check().into_string())
}

/// The library knows two networks; one's own counts as the one for trying out.
const fn prefix(network: Network) -> u8 {
    match network {
        Network::Livenet => 0x80,
        Network::Testnet | Network::Devnet => 0xEF,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_back_on_its_network_only() {
        let key = SecretKey::from_bytes(&[7; 32]).unwrap();
        let text = encode(&key, Network::Livenet);

        assert_eq!(decode(&text, Network::Livenet).unwrap().key.public(), key.public());
        assert_eq!(decode(&text, Network::Testnet).unwrap_err(), WifError::Network);
    }

    #[test]
    fn zero_is_no_key_in_any_clothes() {
        let text = bs58::encode([&[0x80][..], &[0; 32]].concat()).with_check().into_string();

        assert_eq!(decode(&text, Network::Livenet).unwrap_err(), WifError::Key(KeyError::Secret));
    }

    #[test]
    fn wrong_lengths_and_marks_are_told_apart() {
        let written =
            |tail: &[u8]| bs58::encode([&[0x80][..], &[7; 32], tail].concat()).with_check().into_string();

        assert_eq!(decode(&written(&[2]), Network::Livenet).unwrap_err(), WifError::Compression);
        assert_eq!(decode(&written(&[1, 1]), Network::Livenet).unwrap_err(), WifError::Length);
        assert!(decode(&written(&[1]), Network::Livenet).unwrap().is_compressed);
    }
}
