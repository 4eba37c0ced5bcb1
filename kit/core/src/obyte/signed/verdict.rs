use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value};

use super::hash_to_sign;
use crate::obyte::{
    address::Address,
    canonical,
    definition::{self, DefinitionError},
    hash::Hash,
    length::text_length,
    network::Network,
    source::SourceError,
};

const MAX_AUTHORS: usize = 16;
const MAX_AUTHENTIFIER_LENGTH: u64 = 4096;

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
