use alloc::{
    borrow::ToOwned as _,
    string::{String, ToString as _},
};
use core::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Refusal, Secret, signed::text};
use crate::{
    obyte::{DeviceAddress, Hash, PublicKey},
    session::Name,
};

/// The longest subject that is read, in bytes.
const MAX_SUBJECT: u64 = 64;
/// The longest place of a hub that is read, in bytes.
pub(super) const MAX_HUB: u64 = 256;

/// A letter from another device: decrypted, and known to be from the holder of the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The hash of the message that it came in.
    pub hash: Hash,
    /// Who wrote it.
    pub from: PublicKey,
    /// Where the writer can be reached, without a scheme: `obyte.org/bb`.
    pub hub: String,
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub body: Value,
}

/// A letter to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// What it is about.
    pub subject: Subject,
    /// What it says.
    pub body: Value,
}

/// What a letter is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum Subject {
    /// Words in a chat.
    Text,
    /// An object for a program.
    Object,
    /// A device wants to be known, or answers that it knows.
    Pairing,
    /// A device wants to be known no longer.
    RemovedPairedDevice,
    /// Something that is not spoken here.
    Other(String),
}

impl Letter {
    /// The writer's address.
    pub fn address(&self) -> DeviceAddress {
        DeviceAddress::of_key(&self.from)
    }

    /// Reads what was inside a message.
    pub(super) fn read(plain: &Value, hash: Hash, from: &PublicKey) -> Result<Self, Refusal> {
        let sender = DeviceAddress::of_key(from);
        if text(plain, "from")? != sender.as_str() {
            return Err(Refusal::Sender(sender));
        }
        let (hub, subject) = (text(plain, "device_hub")?, text(plain, "subject")?);
        Refusal::unless_within("bytes of a hub's place", hub.len() as u64, MAX_HUB)?;
        Refusal::unless_within("bytes of a subject", subject.len() as u64, MAX_SUBJECT)?;
        let body = plain.get("body").ok_or(Refusal::Field("body"))?;
        Ok(Self {
            hash,
            from: *from,
            hub: hub.to_owned(),
            subject: subject.to_owned().into(),
            body: body.clone(),
        })
    }
}

impl Draft {
    /// Words in a chat.
    pub fn text(words: &str) -> Self {
        Self { subject: Subject::Text, body: words.into() }
    }

    /// An object for a program.
    pub const fn object(object: Value) -> Self {
        Self { subject: Subject::Object, body: object }
    }

    /// Asks to be known, with the secret of a code; or answers that the other is, with the secret it gave.
    pub fn pairing(secret: &Secret, name: &Name, reverse: Option<&Secret>) -> Self {
        let mut body = json!({"pairing_secret": secret.as_str(), "device_name": name});
        if let Some(reverse) = reverse {
            body["reverse_pairing_secret"] = reverse.as_str().into();
        }
        Self { subject: Subject::Pairing, body }
    }

    /// Says that the other device is known no longer.
    pub fn removal() -> Self {
        Self { subject: Subject::RemovedPairedDevice, body: "removed".into() }
    }

    /// The text that is encrypted.
    pub(super) fn plain(&self, from: &PublicKey, hub: &str) -> String {
        let from = DeviceAddress::of_key(from);
        json!({"from": from, "device_hub": hub, "subject": self.subject, "body": self.body}).to_string()
    }
}

impl Subject {
    /// Its word.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Text => "text",
            Self::Object => "object",
            Self::Pairing => "pairing",
            Self::RemovedPairedDevice => "removed_paired_device",
            Self::Other(word) => word,
        }
    }
}

impl From<String> for Subject {
    fn from(word: String) -> Self {
        match word.as_str() {
            "text" => Self::Text,
            "object" => Self::Object,
            "pairing" => Self::Pairing,
            "removed_paired_device" => Self::RemovedPairedDevice,
            _ => Self::Other(word),
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.as_str().to_owned()
    }
}

impl FromStr for Subject {
    type Err = Infallible;

    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(word.to_owned().into())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
