//! Signed messages: any value, signed by an address; payment packages are such.

use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    string::{String, ToString},
    vec,
    vec::Vec,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    address::Address,
    canonical,
    definition::{self, DefinitionError},
    hash::{self, Hash},
    key::{PublicKey, Signature},
    length::text_length,
    network::Network,
    order::Trim,
    source::{self, SourceError},
};

const MAX_AUTHORS: usize = 16;
const MAX_AUTHENTIFIER_LENGTH: u64 = 4096;

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
    fn write_unsigned(&self, out: &mut String) -> Result<(), source::Fault> {
        if self.authors.is_empty() {
            return Err(source::Fault::EmptyArray);
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

/// Who signed a message that was found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The address.
    pub address: Address,
    /// Its definition.
    pub definition: Value,
}

/// Why a signed message is not good; the texts are a node's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// No object, or an empty one.
    #[error("signed message must be a non-empty object")]
    NoObject,
    /// A key that has no place in a signed message.
    #[error("unknown fields")]
    UnknownFields,
    /// Nothing is said.
    #[error("no signed message")]
    NoMessage,
    /// A version that is not of this network.
    #[error("unsupported version: {0}")]
    Version(
        /// The version found, as JSON.
        String,
    ),
    /// Nobody signs.
    #[error("no authors")]
    NoAuthors,
    /// More than one signs where nobody is expected.
    #[error("authors not an array of len 1")]
    SeveralAuthors,
    /// More than a unit may have.
    #[error("too many authors")]
    TooManyAuthors,
    /// An author is no object, or an empty one.
    #[error("author must be a non-empty object")]
    Author,
    /// An author's address is none.
    #[error("not valid address")]
    Address,
    /// Authors are not in order, or one stands twice.
    #[error("author addresses not sorted")]
    Unsorted,
    /// A key that has no place in an author.
    #[error("foreign fields in author")]
    ForeignFields,
    /// A definition is no pair.
    #[error("definition must be an array of length 2")]
    DefinitionLength,
    /// Agents do not sign.
    #[error("AA cannot be defined in authors")]
    Agent,
    /// The definition has another address.
    #[error("wrong definition: {found}!=={stated}")]
    WrongDefinition {
        /// The definition's address.
        found: Address,
        /// The author's address.
        stated: Address,
    },
    /// The definition has no address at all.
    #[error("failed to calc address definition hash: Error: {0}")]
    DefinitionSource(#[source] SourceError),
    /// No signatures.
    #[error("no authentifiers")]
    NoAuthentifiers,
    /// A signature is no text, or an empty one.
    #[error("authentifiers must be nonempty strings")]
    Authentifier,
    /// A signature is far too long.
    #[error("authentifier too long")]
    LongAuthentifier,
    /// Somebody else signed.
    #[error("not signed by the expected address")]
    OtherSigner,
    /// The whole cannot be hashed.
    #[error("invalid signed message: Error: {0}")]
    Unhashable(#[source] SourceError),
    /// The unit it refers to is no hash.
    #[error("invalid last_ball_unit")]
    LastBallUnit,
    /// The unit it refers to is not known; here none is.
    #[error("last_ball_unit {0} not found")]
    LastBallUnitNotFound(Hash),
    /// No definition, and none is known.
    #[error("no definition")]
    NoDefinition,
    /// What is signed cannot be hashed.
    #[error("failed to calc unit_hash_to_sign: Error: {0}")]
    HashToSign(#[source] SourceError),
    /// The definition is malformed, or a signature is bad.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The signatures are good, but more are needed.
    #[error("authentifier verification failed")]
    NotMet,
}

/// The hash that the authors of a signed message sign.
///
/// # Errors
///
/// [`SourceError`] when the message holds what cannot be hashed.
pub fn hash_to_sign(message: &Value) -> Result<[u8; 32], SourceError> {
    Ok(hash::sha256(text_to_sign(message)?.as_bytes()))
}

/// The text whose hash the authors of a signed message sign.
///
/// # Errors
///
/// [`SourceError`] when the message holds what cannot be hashed.
pub fn text_to_sign(message: &Value) -> Result<String, SourceError> {
    static UNSIGNED: Trim =
        Trim { drop: &[], below: &[("authors", Trim { drop: &["authentifiers"], below: &[] })] };
    let by_source_string = match message.get("version") {
        None => true,
        Some(version) => version.as_str().is_some_and(is_first_version),
    };
    if by_source_string {
        source::trimmed(message, &UNSIGNED)
    } else {
        canonical::trimmed(message, &UNSIGNED)
    }
}

/// Verifies a message signed by one address, whoever it is.
///
/// # Errors
///
/// [`SignedError`], with a node's text.
pub fn verify(message: &Value, network: Network) -> Result<Signer, SignedError> {
    verify_for(message, network, None)
}

/// Verifies a message that `signer`, perhaps with others, signed.
///
/// # Errors
///
/// [`SignedError`], with a node's text.
pub fn verify_by(message: &Value, network: Network, signer: &Address) -> Result<Signer, SignedError> {
    verify_for(message, network, Some(signer))
}

fn is_first_version(version: &str) -> bool {
    matches!(version, "1.0" | "1.0t" | "1.0dev")
}

fn verify_for(message: &Value, network: Network, expected: Option<&Address>) -> Result<Signer, SignedError> {
    let fields = check_head(message, network)?;
    let authors = check_authors(fields, expected)?;
    canonical::canonical_json(message).map_err(SignedError::Unhashable)?;
    if let Some(unit) = fields.get("last_ball_unit") {
        let unit = unit.as_str().and_then(|unit| unit.parse().ok()).ok_or(SignedError::LastBallUnit)?;
        return Err(SignedError::LastBallUnitNotFound(unit));
    }
    for author in &authors {
        let definition = author.definition.ok_or(SignedError::NoDefinition)?;
        let hash = hash_to_sign(message).map_err(SignedError::HashToSign)?;
        if !definition::is_met(definition, &hash, author.authentifiers)? {
            return Err(SignedError::NotMet);
        }
    }
    let signer = match expected {
        Some(address) => authors.iter().find(|author| author.address == *address),
        None => authors.first(),
    };
    let signer = signer.ok_or(SignedError::OtherSigner)?;
    let definition = signer.definition.ok_or(SignedError::NoDefinition)?.clone();
    Ok(Signer { address: signer.address, definition })
}

fn check_head(message: &Value, network: Network) -> Result<&Map<String, Value>, SignedError> {
    const FIELDS: [&str; 5] = ["signed_message", "authors", "last_ball_unit", "timestamp", "version"];
    let fields = non_empty(message).ok_or(SignedError::NoObject)?;
    if fields.keys().any(|key| !FIELDS.contains(&key.as_str())) {
        return Err(SignedError::UnknownFields);
    }
    if !fields.contains_key("signed_message") {
        return Err(SignedError::NoMessage);
    }
    match fields.get("version") {
        Some(version) if !network.versions().iter().any(|known| version == known) => {
            Err(SignedError::Version(version.to_string()))
        }
        Some(_) | None => Ok(fields),
    }
}

/// An author whose parts are of the right kind.
struct Checked<'a> {
    address: Address,
    definition: Option<&'a Value>,
    authentifiers: &'a Map<String, Value>,
}

fn check_authors<'a>(
    fields: &'a Map<String, Value>,
    expected: Option<&Address>,
) -> Result<Vec<Checked<'a>>, SignedError> {
    let authors = fields.get("authors").and_then(Value::as_array).filter(|authors| !authors.is_empty());
    let authors = authors.ok_or(SignedError::NoAuthors)?;
    if expected.is_none() && authors.len() != 1 {
        return Err(SignedError::SeveralAuthors);
    }
    if authors.len() > MAX_AUTHORS {
        return Err(SignedError::TooManyAuthors);
    }
    let mut checked: Vec<Checked<'a>> = Vec::with_capacity(authors.len());
    for author in authors {
        checked.push(check_author(author, checked.last().map(|previous| previous.address))?);
    }
    match expected {
        Some(address) if !checked.iter().any(|author| author.address == *address) => {
            Err(SignedError::OtherSigner)
        }
        Some(_) | None => Ok(checked),
    }
}

fn check_author(author: &Value, previous: Option<Address>) -> Result<Checked<'_>, SignedError> {
    let author = non_empty(author).ok_or(SignedError::Author)?;
    let address: Option<Address> =
        author.get("address").and_then(Value::as_str).and_then(|text| text.parse().ok());
    let address = address.ok_or(SignedError::Address)?;
    if previous.is_some_and(|previous| address <= previous) {
        return Err(SignedError::Unsorted);
    }
    if author.keys().any(|key| !["address", "definition", "authentifiers"].contains(&key.as_str())) {
        return Err(SignedError::ForeignFields);
    }
    let definition = author.get("definition");
    if let Some(definition) = definition {
        check_definition(definition, address)?;
    }
    let authentifiers =
        author.get("authentifiers").and_then(non_empty).ok_or(SignedError::NoAuthentifiers)?;
    for authentifier in authentifiers.values() {
        let text = authentifier.as_str().filter(|text| !text.is_empty()).ok_or(SignedError::Authentifier)?;
        if text_length(text) > MAX_AUTHENTIFIER_LENGTH {
            return Err(SignedError::LongAuthentifier);
        }
    }
    Ok(Checked { address, definition, authentifiers })
}

fn check_definition(definition: &Value, stated: Address) -> Result<(), SignedError> {
    if definition.as_array().is_none_or(|pair| pair.len() != 2) {
        return Err(SignedError::DefinitionLength);
    }
    if definition::is_agent(definition) {
        return Err(SignedError::Agent);
    }
    let found = Address::of_definition(definition).map_err(SignedError::DefinitionSource)?;
    if found == stated { Ok(()) } else { Err(SignedError::WrongDefinition { found, stated }) }
}

fn non_empty(value: &Value) -> Option<&Map<String, Value>> {
    value.as_object().filter(|map| !map.is_empty())
}
