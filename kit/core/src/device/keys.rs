use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::fmt;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Draft, Draw, Letter, Login, Message, Pages, Refusal, Sealed, TemporaryKey, letter::MAX_HUB, signed,
};
use crate::obyte::{DeviceAddress, PublicKey, SecretKey, bip32::ExtendedKey, json};

/// The path from a seed to a device's key.
pub const DEVICE_PATH: &str = "m/1'";

/// The secret keys of a device: its own, and the temporary ones by their numbers.
///
/// Which temporary keys there are to be says [`Rotation`](super::Rotation). Wiped from memory when
/// dropped, never shown.
pub struct Keys {
    device: SecretKey,
    temporary: BTreeMap<u64, SecretKey>,
}

impl Keys {
    /// The most temporary keys at a time: the one shown, the one before, and one that is to be shown.
    pub const MOST_TEMPORARY: usize = 3;
    /// How often a letter may be encrypted over: messages that wait are encrypted once more.
    pub const MAX_LAYERS: usize = 3;

    /// The keys of a device that shows no temporary key yet.
    pub const fn new(device: SecretKey) -> Self {
        Self { device, temporary: BTreeMap::new() }
    }

    /// The keys of the device that a seed has: at [`DEVICE_PATH`].
    ///
    /// # Errors
    ///
    /// When the seed has none there; there is none known.
    #[expect(clippy::missing_panics_doc, reason = "the path is a constant that a test reads")]
    pub fn of_master(master: &ExtendedKey) -> Result<Self, crate::obyte::bip32::Bip32Error> {
        let path = DEVICE_PATH.parse().expect("a path of one step");
        Ok(Self::new(master.derive(&path)?.key().clone()))
    }

    /// The device's public key.
    pub fn public(&self) -> PublicKey {
        self.device.public()
    }

    /// The device's address.
    pub fn address(&self) -> DeviceAddress {
        DeviceAddress::of_key(&self.public())
    }

    /// Answers a hub's challenge: the body of `hub/login`.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooLong`] for a challenge that is none.
    pub fn login(&self, challenge: &str, pages: Pages) -> Result<Login, Refusal> {
        Refusal::unless_within("bytes of a challenge", challenge.len() as u64, Login::MAX_CHALLENGE as u64)?;
        let mut unsigned = json!({"challenge": challenge, "pubkey": self.public()});
        for (field, figure) in
            [("max_message_length", pages.max_message_length), ("max_message_count", pages.max_message_count)]
        {
            if let Some(figure) = figure {
                unsigned[field] = figure.into();
            }
        }
        Login::read(&signed::sign(unsigned, &self.device)?, challenge)
    }

    /// The temporary key of a number, to be shown: the body of `hub/temp_pubkey`. Made of the drawn bytes
    /// when it is not there yet; asked for again, it is the same.
    ///
    /// # Errors
    ///
    /// [`Refusal::Key`], once in 2¹²⁷ draws: draw again. [`Refusal::TooLong`] beyond
    /// [`Keys::MOST_TEMPORARY`].
    pub fn temporary(&mut self, number: u64, random: &Zeroizing<[u8; 32]>) -> Result<TemporaryKey, Refusal> {
        if !self.temporary.contains_key(&number) {
            let (count, most) = (self.temporary.len() as u64 + 1, Self::MOST_TEMPORARY as u64);
            Refusal::unless_within("temporary keys", count, most)?;
            self.temporary.insert(number, SecretKey::from_bytes(random)?);
        }
        let shown = self.temporary.get(&number).ok_or(Refusal::UnknownKey)?.public();
        let unsigned = json!({"temp_pubkey": shown, "pubkey": self.public()});
        TemporaryKey::read(&signed::sign(unsigned, &self.device)?, &self.public())
    }

    /// Wipes the temporary keys below a number: what was encrypted for them is lost to everybody.
    pub fn forget_below(&mut self, number: u64) {
        self.temporary.retain(|kept, _| *kept >= number);
    }

    /// The temporary keys, to be kept where the device's own key is, and given to [`Keys::temporary`] again
    /// after a restart.
    pub fn kept(&self) -> impl Iterator<Item = (u64, Zeroizing<[u8; 32]>)> {
        self.temporary.iter().map(|(number, key)| (*number, key.to_bytes()))
    }

    /// Encrypts and signs a letter: the body of `hub/deliver`.
    ///
    /// `key` is what the recipient's hub shows for it; `hub` is where answers reach this device.
    ///
    /// # Errors
    ///
    /// [`Refusal::Signature`] when the key shown is another device's, [`Refusal::TooLong`].
    pub fn seal(
        &self,
        draft: &Draft,
        to: &PublicKey,
        key: &TemporaryKey,
        hub: &str,
        draw: Draw,
    ) -> Result<Message, Refusal> {
        if key.pubkey != *to {
            return Err(Refusal::Signature);
        }
        Refusal::unless_within("bytes of a hub's place", hub.len() as u64, MAX_HUB)?;
        let plain = Zeroizing::new(draft.plain(&self.public(), hub));
        Message::sign(&Sealed::seal(plain.as_bytes(), &key.temp_pubkey, draw)?, to, &self.device)
    }

    /// Decrypts a message that was delivered, and checks that it is for this device and from the one who
    /// signed it.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with the reason.
    pub fn open(&self, message: &Message) -> Result<Letter, Refusal> {
        if message.to() != self.address() {
            return Err(Refusal::Recipient(message.to()));
        }
        Letter::read(&self.unseal(message.package())?, message.hash(), message.sender())
    }

    /// Decrypts a package, layer by layer; who sent it is not known by that.
    ///
    /// # Errors
    ///
    /// [`Refusal`] with the reason.
    pub fn unseal(&self, package: &Sealed) -> Result<Value, Refusal> {
        let mut plain = self.unseal_one(package)?;
        for _ in 1..Self::MAX_LAYERS {
            let Some(inner) = plain.get("encrypted_package") else { return Ok(plain) };
            plain = self.unseal_one(&Sealed::read(inner)?)?;
        }
        if plain.get("encrypted_package").is_some() {
            Err(Refusal::Layers(Self::MAX_LAYERS))
        } else {
            Ok(plain)
        }
    }

    fn unseal_one(&self, package: &Sealed) -> Result<Value, Refusal> {
        let wanted = package.recipient();
        let mut held = core::iter::once(&self.device).chain(self.temporary.values());
        let key = held.find(|key| key.public() == *wanted).ok_or(Refusal::UnknownKey)?;
        let plain = package.unseal(key)?;
        let text = core::str::from_utf8(&plain).map_err(|error| {
            json::JsonError::Syntax(alloc::format!("byte {} is not UTF-8", error.valid_up_to()))
        })?;
        Ok(json::parse(text)?)
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<u64> = self.temporary.keys().copied().collect();
        let address: String = alloc::string::ToString::to_string(&self.address());
        f.debug_struct("Keys").field("device", &address).field("temporary", &numbers).finish()
    }
}
