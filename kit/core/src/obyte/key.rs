//! Keys and signatures on secp256k1.

use alloc::string::String;
use core::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
#[cfg(feature = "device")]
use k256::elliptic_curve::point::AffineCoordinates as _;
use k256::{
    NonZeroScalar, Scalar,
    ecdsa::{
        SigningKey, VerifyingKey,
        signature::hazmat::{PrehashSigner, PrehashVerifier},
    },
    elliptic_curve::PrimeField as _,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
#[cfg(feature = "device")]
use zeroize::Zeroize as _;
use zeroize::Zeroizing;

use super::{hash, text};

/// Why bytes or a text are no key and no signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Zero, or not below the order of the curve.
    #[error("not a secret key: zero or too large")]
    Secret,
    /// Not 44 characters of base64, or no compressed point of the curve.
    #[error("not a public key: a compressed point in base64 wanted")]
    Public,
    /// Not 88 characters of base64.
    #[error("not a signature: 64 bytes in base64 wanted")]
    Signature,
}

/// A secret key; wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

/// A public key, held as the point it stands for, so that verifying does not parse it again. Its text
/// is the compressed point in base64, 44 characters.
#[derive(Clone, Copy)]
pub struct PublicKey {
    point: VerifyingKey,
    compressed: [u8; 33],
}

/// A signature: r and s, 32 bytes each. Its text is base64, 88 characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature([u8; 64]);

impl SecretKey {
    /// A secret key from its 32 bytes, big-endian.
    ///
    /// # Errors
    ///
    /// [`KeyError::Secret`] when they are zero or not below the order of the curve.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        SigningKey::from_slice(bytes).map(Self).map_err(|_curve_says_no| KeyError::Secret)
    }

    /// The 32 bytes, wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes().into())
    }

    /// The public key that belongs to it.
    pub fn public(&self) -> PublicKey {
        PublicKey::from_point(*self.0.verifying_key())
    }

    /// Signs a hash; the same hash always gives the same bytes (RFC 6979, low s).
    #[expect(clippy::missing_panics_doc, reason = "signing a derived nonce over 32 bytes cannot fail")]
    pub fn sign(&self, hash: &[u8; 32]) -> Signature {
        let signature: k256::ecdsa::Signature =
            self.0.sign_prehash(hash).expect("32 bytes are a hash, and the nonce is derived, not drawn");
        Signature(signature.to_bytes().into())
    }
}

impl SecretKey {
    /// The key whose number is larger by `tweak`, on the curve's circle.
    pub(crate) fn plus(&self, tweak: &[u8; 32]) -> Result<Self, KeyError> {
        let tweak = Option::<Scalar>::from(Scalar::from_repr((*tweak).into())).ok_or(KeyError::Secret)?;
        let sum = Option::<NonZeroScalar>::from(NonZeroScalar::new(tweak + **self.0.as_nonzero_scalar()));
        sum.map(|sum| Self(SigningKey::from(sum))).ok_or(KeyError::Secret)
    }
}

#[cfg(feature = "device")]
impl SecretKey {
    /// The x coordinate of what this key and another's public key have in common, as either side gets it.
    pub fn shared_with(&self, other: &PublicKey) -> Zeroizing<[u8; 32]> {
        let mut point = k256::ProjectivePoint::from(*other.point.as_affine());
        point *= **self.0.as_nonzero_scalar();
        let mut point = point.to_affine();
        let shared = Zeroizing::new(point.x().into());
        point.zeroize();
        shared
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

impl PublicKey {
    /// Length of the text.
    pub const TEXT_LENGTH: usize = 44;

    /// A public key from its compressed point.
    ///
    /// # Errors
    ///
    /// [`KeyError::Public`] when it is no point of the curve.
    pub fn from_bytes(compressed: &[u8; 33]) -> Result<Self, KeyError> {
        let point = VerifyingKey::from_sec1_bytes(compressed).map_err(|_curve_says_no| KeyError::Public)?;
        Ok(Self { point, compressed: *compressed })
    }

    /// A public key from its text.
    ///
    /// # Errors
    ///
    /// [`KeyError::Public`] when it is not base64 of a compressed point.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(&hash::decode(text).ok_or(KeyError::Public)?)
    }

    fn from_point(point: VerifyingKey) -> Self {
        let sec1 = point.to_sec1_point(true);
        let compressed = sec1.as_bytes().try_into().expect("a compressed point has 33 bytes");
        Self { point, compressed }
    }

    /// The compressed point.
    pub const fn as_bytes(&self) -> &[u8; 33] {
        &self.compressed
    }

    /// The text.
    pub fn to_base64(&self) -> String {
        STANDARD.encode(self.compressed)
    }

    /// Whether the signature is by this key; one with a high s is not, as nodes refuse it.
    pub fn verify(&self, hash: &[u8; 32], signature: &Signature) -> bool {
        k256::ecdsa::Signature::from_slice(&signature.0)
            .is_ok_and(|signature| self.point.verify_prehash(hash, &signature).is_ok())
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.compressed == other.compressed
    }
}

impl Eq for PublicKey {}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_base64())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_base64(text)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer)
    }
}

impl Signature {
    /// Length of the text.
    pub const TEXT_LENGTH: usize = 88;

    /// A signature from its bytes; whether they are any good shows when it is verified.
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Whether s lies in the upper half: the other of the two forms that every signature has, which
    /// nodes refuse whoever made it.
    pub fn has_high_s(&self) -> bool {
        k256::ecdsa::Signature::from_slice(&self.0)
            .is_ok_and(|signature| signature.normalize_s().to_bytes() != signature.to_bytes())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({self})")
    }
}

impl FromStr for Signature {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        hash::decode(text).map(Self).ok_or(KeyError::Signature)
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use std::{format, string::ToString};

    use proptest::prelude::*;

    use super::*;

    fn secret(bytes: [u8; 32]) -> SecretKey {
        SecretKey::from_bytes(&bytes).unwrap()
    }

    #[test]
    fn zero_and_the_order_of_the_curve_are_no_keys() {
        assert_eq!(SecretKey::from_bytes(&[0; 32]).unwrap_err(), KeyError::Secret);
        assert_eq!(SecretKey::from_bytes(&[0xFF; 32]).unwrap_err(), KeyError::Secret);
    }

    #[test]
    fn a_secret_key_is_not_shown() {
        assert_eq!(format!("{:?}", secret([7; 32])), "SecretKey(hidden)");
    }

    #[test]
    fn a_high_s_is_refused() {
        let key = secret([1; 32]);
        let signature = key.sign(&[2; 32]);
        let (r, s) = k256::ecdsa::Signature::from_slice(signature.as_bytes()).unwrap().split_scalars();
        let high = k256::ecdsa::Signature::from_scalars(r, -s).unwrap();
        let high = Signature(high.to_bytes().into());

        assert!(key.public().verify(&[2; 32], &signature) && !signature.has_high_s());
        assert!(!key.public().verify(&[2; 32], &high) && high.has_high_s());
    }

    #[test]
    fn a_point_off_the_curve_is_no_key() {
        let off = STANDARD.encode([5; 33]);

        assert_eq!(PublicKey::from_base64(&off), Err(KeyError::Public));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn keys_and_signatures_read_back_and_verify(bytes in any::<[u8; 32]>().prop_filter("a key", |b| b[0] < 0xFF && b[31] > 0), hash: [u8; 32]) {
            let key = secret(bytes);
            let public: PublicKey = key.public().to_string().parse().unwrap();
            let signature: Signature = key.sign(&hash).to_string().parse().unwrap();

            prop_assert_eq!(*key.to_bytes(), bytes);
            prop_assert_eq!(public, key.public());
            prop_assert!(public.verify(&hash, &signature));
            prop_assert!(!public.verify(&[!hash[0]; 32], &signature));
        }
    }
}
