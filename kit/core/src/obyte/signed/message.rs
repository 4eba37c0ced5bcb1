use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec, vec::Vec};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{hash_to_sign, is_first_version};
use crate::obyte::{
    address::Address,
    canonical, definition, hash,
    key::{PublicKey, Signature},
    source::{Fault, SourceError},
};

/// A value signed by one key, as this kit writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedMessage {
    /// The version, which tells the network and how it is hashed.
    pub version: String,
    /// What is said.
    pub signed_message: Value,
    /// Who says it.
    pub authors: Vec<SignedAuthor>,
}

/// Who signed a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedAuthor {
    /// The address that signs.
    pub address: Address,
    /// Its definition.
    pub definition: Value,
    /// Signatures by their paths in the definition.
    pub authentifiers: BTreeMap<String, Signature>,
}

impl SignedMessage {
    /// A message by the address of one key, not yet signed.
    pub fn draft(version: &str, signed_message: Value, key: &PublicKey) -> Self {
        let author = SignedAuthor {
            address: Address::of_key(key),
            definition: definition::sig(key),
            authentifiers: BTreeMap::new(),
        };
        Self { version: version.to_owned(), signed_message, authors: vec![author] }
    }

    /// The same, signed.
    #[must_use]
    pub fn signed(mut self, signature: Signature) -> Self {
        for author in &mut self.authors {
            author.authentifiers.insert(definition::ROOT.to_owned(), signature);
        }
        self
    }

    /// The hash to sign.
    ///
    /// # Errors
    ///
    /// [`SourceError`] when the message holds what cannot be hashed.
    pub fn hash_to_sign(&self) -> Result<[u8; 32], SourceError> {
        if is_first_version(&self.version) {
            return hash_to_sign(&self.to_value());
        }
        let mut out = String::with_capacity(512);
        self.write_unsigned(&mut out).map_err(|fault| fault.in_value(&self.to_value()))?;
        Ok(hash::sha256(out.as_bytes()))
    }

    /// Whether this is a message by the address of `key` alone, with a good signature: the short way
    /// for a key that was parsed before.
    pub fn is_by(&self, key: &PublicKey) -> bool {
        let [author] = self.authors.as_slice() else { return false };
        let Some((path, signature)) = author.authentifiers.first_key_value() else { return false };
        author.authentifiers.len() == 1
            && path == definition::ROOT
            && author.definition == definition::sig(key)
            && author.address == Address::of_key(key)
            && self.hash_to_sign().is_ok_and(|hash| key.verify(&hash, signature))
    }

    /// The JSON that travels.
    #[expect(clippy::missing_panics_doc, reason = "a signed message is always JSON")]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("texts and values are JSON")
    }

    /// The canonical JSON of everything but the signatures, without building it as a value.
    fn write_unsigned(&self, out: &mut String) -> Result<(), Fault> {
        if self.authors.is_empty() {
            return Err(Fault::EmptyArray);
        }
        out.push_str("{\"authors\":[");
        for (index, author) in self.authors.iter().enumerate() {
            out.push_str(if index > 0 { ",{\"address\":\"" } else { "{\"address\":\"" });
            out.push_str(author.address.as_str());
            out.push_str("\",\"definition\":");
            canonical::append(out, &author.definition)?;
            out.push('}');
        }
        out.push_str("],\"signed_message\":");
        canonical::append(out, &self.signed_message)?;
        out.push_str(",\"version\":");
        canonical::append_text(out, &self.version);
        out.push('}');
        Ok(())
    }
}
