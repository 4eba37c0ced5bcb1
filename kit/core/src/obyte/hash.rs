//! SHA-256 and its usual text.

use alloc::string::String;
use core::{cmp::Ordering, fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::text;

/// The SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The SHA-256 of some bytes, in base64.
pub fn sha256_base64(bytes: &[u8]) -> String {
    STANDARD.encode(sha256(bytes))
}

/// A SHA-256 that names something: a unit, a ball, a payload. Its text is base64, 44 characters.
///
/// Hashes are ordered as the protocol orders them: by their texts, not by their bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

/// A text that is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a hash: 44 characters of base64 wanted")]
pub struct HashError;

impl Hash {
    /// Length of the text.
    pub const TEXT_LENGTH: usize = 44;

    /// The hash of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256(bytes))
    }

    /// A hash from its bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Ord for Hash {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.0.iter().zip(&other.0).position(|(one, two)| one != two) {
            // Three bytes are four characters: the first difference lies among these.
            Some(index) => self.ranks(index / 3).cmp(&other.ranks(index / 3)),
            None => Ordering::Equal,
        }
    }
}

impl PartialOrd for Hash {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash {
    /// The places in ASCII of the four characters that stand for the given three bytes.
    fn ranks(&self, triple: usize) -> [u8; 4] {
        let byte = |index: usize| self.0.get(triple * 3 + index).copied().unwrap_or(0);
        let (one, two, three) = (byte(0), byte(1), byte(2));
        [one >> 2, (one & 3) << 4 | two >> 4, (two & 15) << 2 | three >> 6, three & 63].map(rank)
    }
}

/// The place of a digit of base64 among all of them in ASCII: signs, figures, capitals, small letters.
const fn rank(digit: u8) -> u8 {
    match digit {
        0..=51 => digit + 12,
        52..=61 => digit - 50,
        _ => digit - 62,
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut buffer = [0; Self::TEXT_LENGTH];
        STANDARD.encode_slice(self.0, &mut buffer).expect("32 bytes are 44 characters");
        f.pad(core::str::from_utf8(&buffer).expect("base64 is ASCII"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        decode(text).map(Self).ok_or(HashError)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer)
    }
}

/// Decodes canonical base64 of exactly `N` bytes.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != N.div_ceil(3) * 4 {
        return None;
    }
    // The decoder asks for room by the text's length, padding included.
    let mut buffer = [0; 72];
    let length = STANDARD.decode_slice(text, &mut buffer).ok()?;
    buffer[..length].try_into().ok()
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_hash_reads_back_from_its_text(bytes: [u8; 32]) {
            let hash = Hash::from_bytes(bytes);

            prop_assert_eq!(hash.to_string().parse(), Ok(hash));
            let json = serde_json::to_string(&hash).unwrap();
            prop_assert_eq!(serde_json::from_str::<Hash>(&json).unwrap(), hash);
        }

        #[test]
        fn hashes_are_ordered_as_their_texts(one: [u8; 32], mut two: [u8; 32], same in 0..32_usize) {
            two[..same].copy_from_slice(&one[..same]);
            let (one, two) = (Hash::from_bytes(one), Hash::from_bytes(two));

            prop_assert_eq!(one.cmp(&two), one.to_string().cmp(&two.to_string()));
        }
    }

    #[test]
    fn what_is_not_canonical_base64_of_32_bytes_is_no_hash() {
        let good = Hash::of(b"").to_string();
        let stray_bits = good.replace("U=", "V=");

        assert_ne!(stray_bits, good);
        for text in ["", "AAAA", stray_bits.as_str(), &good[..43]] {
            assert_eq!(text.parse::<Hash>(), Err(HashError), "{text}");
        }
    }
}
