//! Keys from a seed, the way Obyte's wallets derive them.
//!
//! The wallets differ from BIP 32 for about one seed in eighty: in hardened steps they write the
//! parent's secret key without its leading zero bytes. Whoever wants the same addresses must do the
//! same.

use alloc::{string::String, vec::Vec};
use core::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use ripemd::{Digest as _, Ripemd160};
use sha2::Sha512;
use zeroize::Zeroizing;

use super::{
    hash,
    key::{KeyError, SecretKey},
};

const HARDENED: u32 = 1 << 31;
const MAX_STEPS: usize = 255;
const SECRET_VERSION: [u8; 4] = [0x04, 0x88, 0xAD, 0xE4];
const PUBLIC_VERSION: [u8; 4] = [0x04, 0x88, 0xB2, 0x1E];

/// A secret key from which others are derived; wiped from memory when dropped, never shown.
#[derive(Clone)]
pub struct ExtendedKey {
    key: SecretKey,
    chain_code: Zeroizing<[u8; 32]>,
    depth: u8,
    parent: [u8; 4],
    index: u32,
}

/// The steps from a seed to a key, as in `m/44'/0'/0'/0/0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<u32>);

/// Why a key cannot be derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Bip32Error {
    /// Not of the form `m/44'/0'/0'/0/0`.
    #[error("not a derivation path")]
    Path,
    /// More steps than can be counted.
    #[error("more than 255 steps")]
    Depth,
    /// One chance in 2¹²⁷: the next index must be taken.
    #[error("this index has no key")]
    Key(#[from] KeyError),
}

#[derive(Clone, Copy)]
enum LeadingZeros {
    Kept,
    Stripped,
}

impl ExtendedKey {
    /// The key at `m`.
    ///
    /// # Errors
    ///
    /// [`Bip32Error::Key`] for a seed that gives no key; there is none known.
    pub fn from_seed(seed: &[u8]) -> Result<Self, Bip32Error> {
        let (key, chain_code) = halves(b"Bitcoin seed", &[seed]);
        Ok(Self { key: SecretKey::from_bytes(&key)?, chain_code, depth: 0, parent: [0; 4], index: 0 })
    }

    /// The key at a path from here, as Obyte's wallets derive it.
    ///
    /// # Errors
    ///
    /// [`Bip32Error`] when the path is too long, or a step has no key.
    pub fn derive(&self, path: &Path) -> Result<Self, Bip32Error> {
        self.walk(path, LeadingZeros::Stripped)
    }

    /// The key at a path from here as BIP 32 says; for what was sent to it by mistake.
    ///
    /// # Errors
    ///
    /// As [`ExtendedKey::derive`].
    pub fn derive_by_bip32(&self, path: &Path) -> Result<Self, Bip32Error> {
        self.walk(path, LeadingZeros::Kept)
    }

    /// The key itself.
    pub const fn key(&self) -> &SecretKey {
        &self.key
    }

    /// The text of the secret key with all that is needed to derive; wiped when dropped.
    pub fn xprv(&self) -> Zeroizing<String> {
        let mut tail = Zeroizing::new([0; 33]);
        tail[1..].copy_from_slice(self.key.to_bytes().as_slice());
        Zeroizing::new(self.text(SECRET_VERSION, &tail))
    }

    /// The text of the public key with all that is needed to derive those of unhardened steps.
    pub fn xpub(&self) -> String {
        self.text(PUBLIC_VERSION, self.key.public().as_bytes())
    }

    /// The name that wallets give to the account whose key this is.
    pub fn wallet_id(&self) -> String {
        hash::sha256_base64(self.xpub().as_bytes())
    }

    fn walk(&self, path: &Path, zeros: LeadingZeros) -> Result<Self, Bip32Error> {
        path.0.iter().try_fold(self.clone(), |key, index| key.child(*index, zeros))
    }

    fn child(&self, index: u32, zeros: LeadingZeros) -> Result<Self, Bip32Error> {
        let secret = self.key.to_bytes();
        let public = self.key.public();
        let parts: [&[u8]; 2] = match (index & HARDENED, zeros) {
            (0, LeadingZeros::Kept | LeadingZeros::Stripped) => [&[], public.as_bytes()],
            (_, LeadingZeros::Kept) => [&[0], secret.as_slice()],
            (_, LeadingZeros::Stripped) => [&[0], without_leading_zeros(secret.as_slice())],
        };
        let (tweak, chain_code) =
            halves(self.chain_code.as_slice(), &[parts[0], parts[1], &index.to_be_bytes()]);
        Ok(Self {
            key: self.key.plus(&tweak)?,
            chain_code,
            depth: self.depth.checked_add(1).ok_or(Bip32Error::Depth)?,
            parent: self.fingerprint(),
            index,
        })
    }

    fn fingerprint(&self) -> [u8; 4] {
        let digest = Ripemd160::digest(hash::sha256(self.key.public().as_bytes()));
        [digest[0], digest[1], digest[2], digest[3]]
    }

    fn text(&self, version: [u8; 4], key: &[u8; 33]) -> String {
        let mut bytes = Zeroizing::new(Vec::with_capacity(78));
        bytes.extend_from_slice(&version);
        bytes.push(self.depth);
        bytes.extend_from_slice(&self.parent);
        bytes.extend_from_slice(&self.index.to_be_bytes());
        bytes.extend_from_slice(self.chain_code.as_slice());
        bytes.extend_from_slice(key);
        bs58::encode(bytes.as_slice()).with_check().into_string()
    }
}

impl fmt::Debug for ExtendedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExtendedKey(hidden)")
    }
}

impl Path {
    /// Where wallets keep the key of the device.
    pub fn device() -> Self {
        Self([1 | HARDENED].into())
    }

    /// Where wallets keep an account, whose public half they share.
    pub fn account(account: u32) -> Self {
        Self([44, 0, account].map(|index| index | HARDENED).into())
    }

    /// Where wallets keep an address of an account.
    pub fn address(account: u32, kind: AddressKind, index: u32) -> Self {
        let mut path = Self::account(account);
        path.0.extend([kind as u32, index & !HARDENED]);
        path
    }
}

/// Who an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressKind {
    /// Others pay to it.
    Receiving = 0,
    /// What is left of a payment comes back to it.
    Change = 1,
}

impl FromStr for Path {
    type Err = Bip32Error;

    fn from_str(text: &str) -> Result<Self, Bip32Error> {
        let mut steps = text.split('/');
        if steps.next() != Some("m") {
            return Err(Bip32Error::Path);
        }
        let path = steps.map(step).collect::<Option<Vec<_>>>().ok_or(Bip32Error::Path)?;
        if path.len() > MAX_STEPS { Err(Bip32Error::Depth) } else { Ok(Self(path)) }
    }
}

fn step(text: &str) -> Option<u32> {
    let (digits, hardened) = text.strip_suffix('\'').map_or((text, 0), |digits| (digits, HARDENED));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|index| index & HARDENED == 0).map(|index: u32| index | hardened)
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    &bytes[zeros..]
}

/// HMAC-SHA-512, cut in two.
fn halves(key: &[u8], data: &[&[u8]]) -> (Zeroizing<[u8; 32]>, Zeroizing<[u8; 32]>) {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("any length of key will do");
    for part in data {
        mac.update(part);
    }
    let digest: Zeroizing<[u8; 64]> = Zeroizing::new(mac.finalize().into_bytes().into());
    let (mut left, mut right) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
    left.copy_from_slice(&digest[..32]);
    right.copy_from_slice(&digest[32..]);
    (left, right)
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    fn path(text: &str) -> Path {
        text.parse().unwrap()
    }

    #[test]
    fn the_wallets_paths_have_names() {
        assert_eq!(Path::device(), path("m/1'"));
        assert_eq!(Path::account(3), path("m/44'/0'/3'"));
        assert_eq!(Path::address(0, AddressKind::Change, 7), path("m/44'/0'/0'/1/7"));
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "n/1", "m/", "m/x", "m/1''", "m/+1", "m/2147483648", "m/-1"] {
            assert_eq!(text.parse::<Path>(), Err(Bip32Error::Path), "{text}");
        }
    }

    #[test]
    fn a_leading_zero_makes_the_difference_in_hardened_steps_only() {
        let mut secret = [7; 32];
        secret[0] = 0;
        let parent = ExtendedKey {
            key: SecretKey::from_bytes(&secret).unwrap(),
            chain_code: Zeroizing::new([1; 32]),
            depth: 0,
            parent: [0; 4],
            index: 0,
        };
        let both = |text| {
            [parent.derive(&path(text)), parent.derive_by_bip32(&path(text))].map(|key| key.unwrap().xpub())
        };

        let [[soft, soft_by_bip32], [hard, hard_by_bip32]] = ["m/0", "m/0'"].map(both);

        assert_eq!(soft, soft_by_bip32);
        assert_ne!(hard, hard_by_bip32);
    }

    #[test]
    fn an_extended_key_is_not_shown() {
        assert_eq!(format!("{:?}", ExtendedKey::from_seed(&[1; 64]).unwrap()), "ExtendedKey(hidden)");
    }
}
