use alloc::vec::Vec;

use aes_gcm::{AeadInOut as _, Aes128Gcm, KeyInit as _};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Refusal,
    signed::{parsed, text},
};
use crate::obyte::{PublicKey, SecretKey, hash, key::KeyError};

/// What one key encrypted for another: Obyte's `encrypted_package`.
///
/// The sender's key is made for this one package and thrown away. Both sides hash what the two keys have
/// in common, and take 16 bytes of that as the key of AES-128-GCM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    encrypted: Vec<u8>,
    iv: [u8; 12],
    tag: [u8; 16],
    sender: PublicKey,
    recipient: PublicKey,
}

/// The chance that sealing takes: a key and a nonce, for one package only.
#[derive(Debug)]
pub struct Draw {
    key: SecretKey,
    iv: [u8; 12],
}

impl Draw {
    /// From drawn bytes: 32 for the key, 12 for the nonce.
    ///
    /// # Errors
    ///
    /// [`KeyError::Secret`], once in 2¹²⁷ draws: draw again.
    pub fn from_random(random: &Zeroizing<[u8; 44]>) -> Result<Self, KeyError> {
        let (mut key, mut iv) = (Zeroizing::new([0; 32]), [0; 12]);
        key.copy_from_slice(&random[..32]);
        iv.copy_from_slice(&random[32..]);
        Ok(Self { key: SecretKey::from_bytes(&key)?, iv })
    }
}

impl Sealed {
    /// The most bytes that are encrypted or decrypted.
    pub const MAX_SIZE: usize = 256 * 1024;

    /// Encrypts for the holder of a key.
    ///
    /// The bytes are encrypted as they are. ocore encrypts a text piece by piece, 2,003 UTF-16 units each,
    /// and so makes two replacement characters of a surrogate pair that lies on a border; what is sealed
    /// here arrives whole.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooLong`] beyond [`Sealed::MAX_SIZE`].
    pub fn seal(plain: &[u8], recipient: &PublicKey, draw: Draw) -> Result<Self, Refusal> {
        within(plain.len())?;
        let Draw { key, iv } = draw;
        let mut encrypted = plain.to_vec();
        let tag = cipher(&key, recipient)
            .encrypt_inout_detached(&iv.into(), &[], encrypted.as_mut_slice().into())
            .map_err(|_too_long| Refusal::Cipher)?;
        Ok(Self { encrypted, iv, tag: tag.into(), sender: key.public(), recipient: *recipient })
    }

    /// Decrypts with the key that it was encrypted for.
    ///
    /// # Errors
    ///
    /// [`Refusal::Cipher`] when a bit was altered or the key is another.
    pub fn unseal(&self, key: &SecretKey) -> Result<Zeroizing<Vec<u8>>, Refusal> {
        let mut plain = Zeroizing::new(self.encrypted.clone());
        cipher(key, &self.sender)
            .decrypt_inout_detached(&self.iv.into(), &[], plain.as_mut_slice().into(), &self.tag.into())
            .map_err(|_tag| Refusal::Cipher)?;
        Ok(plain)
    }

    /// The key that it was encrypted for.
    pub const fn recipient(&self) -> &PublicKey {
        &self.recipient
    }

    /// Reads an `encrypted_package`.
    ///
    /// # Errors
    ///
    /// [`Refusal::Field`] with the field that is wrong, [`Refusal::TooLong`].
    pub fn read(value: &Value) -> Result<Self, Refusal> {
        let encrypted = text(value, "encrypted_message")?;
        within(encrypted.len() / 4 * 3)?;
        let dh = value.get("dh").ok_or(Refusal::Field("dh"))?;
        Ok(Self {
            encrypted: STANDARD.decode(encrypted).map_err(|_base64| Refusal::Field("encrypted_message"))?,
            iv: bytes(value, "iv")?,
            tag: bytes(value, "authtag")?,
            sender: parsed(dh, "sender_ephemeral_pubkey")?,
            recipient: parsed(dh, "recipient_ephemeral_pubkey")?,
        })
    }

    /// The `encrypted_package`.
    pub fn to_value(&self) -> Value {
        json!({
            "encrypted_message": STANDARD.encode(&self.encrypted),
            "iv": STANDARD.encode(self.iv),
            "authtag": STANDARD.encode(self.tag),
            "dh": {
                "sender_ephemeral_pubkey": self.sender,
                "recipient_ephemeral_pubkey": self.recipient,
            },
        })
    }
}

fn within(size: usize) -> Result<(), Refusal> {
    Refusal::unless_within("size in bytes", size as u64, Sealed::MAX_SIZE as u64)
}

fn cipher(ours: &SecretKey, theirs: &PublicKey) -> Aes128Gcm {
    let digest = Zeroizing::new(hash::sha256(ours.shared_with(theirs).as_slice()));
    let mut key = Zeroizing::new([0; 16]);
    key.copy_from_slice(&digest[..16]);
    Aes128Gcm::new((&*key).into())
}

fn bytes<const N: usize>(value: &Value, field: &'static str) -> Result<[u8; N], Refusal> {
    hash::decode(text(value, field)?).ok_or(Refusal::Field(field))
}
