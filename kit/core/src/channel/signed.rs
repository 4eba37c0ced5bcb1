use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{Package, Refusal};
use crate::{
    Bytes,
    obyte::{
        Network,
        address::Address,
        key::{PublicKey, SecretKey, Signature},
        signed,
        source::SourceError,
    },
};

/// The version packages are signed with on the embedded network.
pub const VERSION: &str = NETWORK.version();

const NETWORK: Network = Network::Devnet;

/// The versions the channel agent takes on the embedded network; it takes no 1.0.
const ACCEPTED: [&str; 3] = [VERSION, "3.0dev", "2.0dev"];

/// A payment as it travels, and as the agent takes it for evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct SignedPackage {
    /// The version it is signed with.
    pub version: String,
    /// The payment.
    pub message: Package,
    /// The payer's address.
    pub signer: Address,
    /// The payer's key, in base64.
    pub pubkey: String,
    /// The payer's signature.
    pub signature: Signature,
}

/// The payer's end of a package: the secret key of its address, kept outside the machines.
#[derive(Clone, Debug)]
pub struct Signer {
    secret: SecretKey,
    address: Address,
    pubkey: String,
}

/// A key that was parsed once and belongs to `address`.
#[derive(Clone, Debug)]
pub(super) struct KnownKey {
    pub(super) address: Address,
    pub(super) text: String,
    pub(super) key: PublicKey,
}

impl Signer {
    /// The signer with this key.
    pub fn new(secret: SecretKey) -> Self {
        let public = secret.public();
        Self { address: Address::of_key(&public), pubkey: public.to_base64(), secret }
    }

    /// Whose payments it signs.
    pub const fn address(&self) -> Address {
        self.address
    }

    /// Signs a payment; the same payment gets the same bytes.
    ///
    /// # Errors
    ///
    /// Only with extra fields that cannot be hashed.
    pub fn sign(&self, package: Package) -> Result<SignedPackage, SourceError> {
        let hash = package.hash_to_sign(VERSION, self.address, &self.pubkey)?;
        Ok(SignedPackage {
            version: VERSION.to_owned(),
            message: package,
            signer: self.address,
            pubkey: self.pubkey.clone(),
            signature: self.secret.sign(&hash),
        })
    }
}

impl SignedPackage {
    /// Signs a payment; see [`Signer`] for many.
    ///
    /// # Errors
    ///
    /// Only with extra fields that cannot be hashed.
    pub fn sign(package: Package, secret: &SecretKey) -> Result<Self, SourceError> {
        Signer::new(secret.clone()).sign(package)
    }

    /// Reads what a peer sent as `signed_package`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in the order in which a receiver checks.
    pub fn read(value: &Value) -> Result<Self, Refusal> {
        match Self::deserialize(value) {
            Ok(package) => Ok(package),
            Err(shape) => Err(diagnose(value).unwrap_or_else(|| Refusal::Unsigned(shape.to_string()))),
        }
    }

    /// Checks that the package is validly signed by its signer, in a form the agent takes.
    ///
    /// # Errors
    ///
    /// [`Refusal::Unsigned`] with the reason, [`Refusal::TooLong`].
    pub fn verify(&self) -> Result<(), Refusal> {
        self.verify_with(None)
    }

    pub(super) fn verify_with(&self, known: Option<&KnownKey>) -> Result<(), Refusal> {
        if !ACCEPTED.contains(&self.version.as_str()) {
            return Err(Refusal::Unsigned(format!("unsupported version: \"{}\"", self.version)));
        }
        if !self.message.is_plain() {
            let size = self.message.canonical().map_err(|error| unhashable(&error))?.len();
            if size > Package::MAX_SIZE {
                return Err(Refusal::TooLong { size, most: Package::MAX_SIZE });
            }
        }
        let hash = self
            .message
            .hash_to_sign(&self.version, self.signer, &self.pubkey)
            .map_err(|error| unhashable(&error))?;
        let valid = match known.filter(|known| known.text == self.pubkey && known.address == self.signer) {
            Some(known) => known.key.verify(&hash, &self.signature),
            None => self.known_key().ok_or_else(|| self.misfit())?.key.verify(&hash, &self.signature),
        };
        if valid { Ok(()) } else { Err(Refusal::Unsigned("bad signature at path r".to_owned())) }
    }

    /// The signer's key, parsed, if it is one and belongs to the signer's address.
    pub(super) fn known_key(&self) -> Option<KnownKey> {
        let key = PublicKey::from_base64(&self.pubkey).ok()?;
        let address = Address::of_key(&key);
        (address == self.signer).then(|| KnownKey { address, text: self.pubkey.clone(), key })
    }

    /// In the words of the reference, which takes any definition.
    fn misfit(&self) -> Refusal {
        let reason = serde_json::to_value(self).ok().and_then(|value| signed::verify(&value, NETWORK).err());
        Refusal::Unsigned(
            reason.map_or_else(|| "unsupported definition".to_owned(), |error| error.to_string()),
        )
    }
}

fn unhashable(error: &SourceError) -> Refusal {
    Refusal::Unsigned(format!("failed to calc unit_hash_to_sign: {error}"))
}

/// Finds what a receiver would say first about a package that has not even the right shape.
fn diagnose(value: &Value) -> Option<Refusal> {
    if let Err(error) = signed::verify(value, NETWORK) {
        return Some(Refusal::Unsigned(error.to_string()));
    }
    let Some(message) = value.get("signed_message").and_then(Value::as_object) else {
        return Some(Refusal::NotAnObject);
    };
    let agent = message.get("aa_address").map(|address| Address::deserialize(address).ok());
    if agent == Some(None) {
        return Some(Refusal::InvalidAgent);
    }
    let positive = |field: &str| message.get(field).and_then(Value::as_u64).is_some_and(|number| number > 0);
    if !positive("amount_spent") {
        return Some(Refusal::BadAmountSpent);
    }
    if !positive("payment_amount") {
        return Some(Refusal::BadPaymentAmount);
    }
    if agent.is_none() {
        return Some(Refusal::UnknownChannel);
    }
    if message.get("period").and_then(Value::as_u64).is_none() {
        return Some(Refusal::WrongPeriod);
    }
    let beyond =
        |field: &str| message.get(field).and_then(Value::as_u64).is_some_and(|n| Bytes::try_from(n).is_err());
    if beyond("amount_spent") || beyond("payment_amount") {
        return Some(Refusal::NotFunded { spent: Bytes::MAX, funded: Bytes::ZERO });
    }
    None
}

/// As it travels.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<Text, Message> {
    version: Text,
    signed_message: Message,
    authors: [Author<Text>; 1],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Author<Text> {
    address: Address,
    definition: (Text, Definition<Text>),
    authentifiers: Authentifiers,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Definition<Text> {
    pubkey: Text,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Authentifiers {
    r: Signature,
}

impl Serialize for SignedPackage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let author = Author {
            address: self.signer,
            definition: ("sig", Definition { pubkey: self.pubkey.as_str() }),
            authentifiers: Authentifiers { r: self.signature },
        };
        Wire { version: self.version.as_str(), signed_message: &self.message, authors: [author] }
            .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SignedPackage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire { version, signed_message, authors: [author] } =
            Wire::<String, Package>::deserialize(deserializer)?;
        let (kind, definition) = author.definition;
        if kind != "sig" {
            return Err(serde::de::Error::custom("unsupported definition"));
        }
        Ok(Self {
            version,
            message: signed_message,
            signer: author.address,
            pubkey: definition.pubkey,
            signature: author.authentifiers.r,
        })
    }
}
