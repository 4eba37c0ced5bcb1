use coinop_core::{
    Bytes,
    channel::{Package, SignedPackage, Signer, Terms, VERSION},
    obyte::{Address, Hash, SecretKey, Signature, signed::SignedMessage},
};
use serde_json::{Value, json};

use crate::report::Failure;

/// What the buyer has put into the channel.
pub(crate) const DEPOSIT: u64 = 100_000;

/// Whoever takes part, with keys that are no secret.
pub(crate) struct People {
    owner: SecretKey,
    buyer: SecretKey,
    stranger: SecretKey,
}

/// Who signs, and in whose name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hand {
    /// The buyer, as it should be.
    Buyer,
    /// A stranger, in the stranger's name.
    Stranger,
    /// A stranger, in the buyer's name.
    Forger,
    /// The buyer, with the other form of the signature.
    Mirror,
}

impl People {
    pub(crate) fn new() -> Result<Self, Failure> {
        let key = |name| SecretKey::from_bytes(&[name; 32]);
        Ok(Self { owner: key(1)?, buyer: key(2)?, stranger: key(9)? })
    }

    pub(crate) fn owner(&self) -> Address {
        Address::of_key(&self.owner.public())
    }

    /// The owner's public key, as a lamp is built with it.
    pub(crate) fn owner_key(&self) -> String {
        self.owner.public().to_base64()
    }

    pub(crate) fn buyer(&self) -> Address {
        Address::of_key(&self.buyer.public())
    }

    /// The channel's agent; with another salt, that of another channel.
    pub(crate) fn agent(&self, salt: &str) -> Result<Address, Failure> {
        let terms = Terms {
            address_a: self.owner(),
            address_b: self.buyer(),
            timeout_seconds: 60,
            salt: salt.to_owned(),
        };
        Ok(terms.aa_address()?)
    }

    /// A package of the first period.
    pub(crate) fn package(
        &self,
        hand: Hand,
        salt: &str,
        payment: u64,
        spent: u64,
    ) -> Result<SignedPackage, Failure> {
        let package = Package::new(self.agent(salt)?, 1, Bytes::try_from(payment)?, Bytes::try_from(spent)?);
        let good = Signer::new(self.buyer.clone()).sign(package.clone())?;
        let strange = Signer::new(self.stranger.clone()).sign(package)?;
        Ok(match hand {
            Hand::Buyer => good,
            Hand::Stranger => strange,
            Hand::Forger => SignedPackage { signature: strange.signature, ..good },
            Hand::Mirror => SignedPackage { signature: mirrored(good.signature), ..good },
        })
    }

    /// A valid package with as much beside the payment as a line of the wire has room for.
    pub(crate) fn laden(&self) -> Result<SignedPackage, Failure> {
        let mut package =
            Package::new(self.agent("check")?, 1, Bytes::try_from(1_000)?, Bytes::try_from(4_000)?);
        for name in 'a'..='t' {
            package.extra.insert(name.into(), json!("0123456"));
        }
        package.extra.insert("v".into(), json!({ "w": { "x": 1 } }));
        Ok(Signer::new(self.buyer.clone()).sign(package)?)
    }

    /// The word, by the owner or by a stranger, that the buyer's deposit has arrived.
    pub(crate) fn word(&self, by_owner: bool, number: u64) -> Result<SignedMessage, Failure> {
        let speaker = if by_owner { &self.owner } else { &self.stranger };
        let (owner, buyer) = (self.owner().to_string(), self.buyer().to_string());
        let response: Value =
            json!({ "open": 1, "event_id": number, "period": 1, owner: 0, buyer.clone(): DEPOSIT });
        let word = json!({
            "lamp": "north", "number": number, "buyer": buyer, "timeout": 60, "salt": "check",
            "trigger": Hash::of(b"the deposit"), "from": self.buyer(), "response": response,
        });
        let draft = SignedMessage::draft(VERSION, word, &speaker.public());
        let signature = speaker.sign(&draft.hash_to_sign()?);
        Ok(draft.signed(signature))
    }
}

/// The same signature with the order of the curve minus s for its s.
fn mirrored(signature: Signature) -> Signature {
    const ORDER: [u8; 32] = [
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xBA,
        0xAE, 0xDC, 0xE6, 0xAF, 0x48, 0xA0, 0x3B, 0xBF, 0xD2, 0x5E, 0x8C, 0xD0, 0x36, 0x41, 0x41,
    ];
    let mut bytes = *signature.as_bytes();
    let mut borrow = false;
    for (place, digit) in ORDER.iter().enumerate().rev() {
        let (difference, first) = digit.overflowing_sub(bytes[32 + place]);
        let (difference, second) = difference.overflowing_sub(u8::from(borrow));
        bytes[32 + place] = difference;
        borrow = first || second;
    }
    Signature::from_bytes(bytes)
}
