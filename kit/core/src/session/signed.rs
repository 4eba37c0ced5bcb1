use alloc::string::ToString;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Accept, Offer, Receipt, Refusal, Statement};
use crate::{
    market::{Listing, Withdrawal},
    obyte::{Address, PublicKey, SecretKey, Signature, canonical::canonical_json, definition, hash::sha256},
};

/// The version statements are signed with.
const VERSION: &str = "4.0dev";

/// The largest whole number that every reader of JSON understands: beyond it two numbers may have one
/// signature.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// A statement as it came over the line: an Obyte signed message, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signed(Value);

/// A statement with the one who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    statement: Statement,
    signer: Address,
}

impl Signed {
    /// The longest signed message that is read, in bytes of canonical JSON.
    pub const MAX_SIZE: usize = 4096;

    /// The package as it was received.
    pub const fn new(package: Value) -> Self {
        Self(package)
    }

    /// Signs a statement; the same statement and key give the same bytes.
    ///
    /// # Errors
    ///
    /// When the statement holds a number too large for JSON.
    pub fn sign(statement: &Statement, key: &SecretKey) -> Result<Self, Refusal> {
        let message = serde_json::to_value(statement).map_err(|error| malformed(&error))?;
        exact_numbers(&message)?;
        let definition = definition::sig(&key.public());
        let address = Address::of_definition(&definition).map_err(|error| malformed(&error))?;
        let mut package = json!({
            "version": VERSION,
            "signed_message": message,
            "authors": [{ "address": address, "definition": definition }],
        });
        let hash = hash_to_sign(&package)?;
        package["authors"][0]["authentifiers"] = json!({ "r": key.sign(&hash).to_string() });
        Ok(Self(package))
    }

    /// The package, to be sent.
    pub const fn package(&self) -> &Value {
        &self.0
    }

    /// Reads the statement, once the signature is known to hold.
    ///
    /// # Errors
    ///
    /// [`Refusal::Signature`] when it does not, [`Refusal::Statement`] when it holds under something that is
    /// no statement of ours.
    pub fn open(&self) -> Result<Opened, Refusal> {
        let signer = verify(&self.0)?;
        let message = &self.0["signed_message"];
        exact_numbers(message)?;
        let statement = Statement::deserialize(message)
            .map_err(|error| Refusal::Statement { wanted: "statement", found: error.to_string() })?;
        Ok(Opened { statement, signer })
    }
}

impl Opened {
    /// Who signed.
    pub const fn signer(&self) -> Address {
        self.signer
    }

    /// The statement, if it was signed by the right one.
    ///
    /// # Errors
    ///
    /// [`Refusal::Signer`] with both addresses.
    pub fn by(self, wanted: Address) -> Result<Statement, Refusal> {
        if self.signer == wanted {
            Ok(self.statement)
        } else {
            Err(Refusal::Signer { signer: self.signer, wanted })
        }
    }

    /// An offer, signed by its seller.
    ///
    /// # Errors
    ///
    /// [`Refusal::Statement`] when it is something else, [`Refusal::Signer`].
    pub fn offer(self) -> Result<Offer, Refusal> {
        match self.statement {
            Statement::Offer(offer) => signed_by(offer.seller, self.signer).map(|()| offer),
            other @ (Statement::Accept(_)
            | Statement::Stop(_)
            | Statement::Control(_)
            | Statement::Receipt(_)
            | Statement::Listing(_)
            | Statement::Withdrawal(_)) => Err(other.instead_of("offer")),
        }
    }

    /// A listing, signed by its seller.
    ///
    /// # Errors
    ///
    /// As [`Opened::offer`].
    pub fn listing(self) -> Result<Listing, Refusal> {
        match self.statement {
            Statement::Listing(listing) => signed_by(listing.seller, self.signer).map(|()| listing),
            other @ (Statement::Offer(_)
            | Statement::Accept(_)
            | Statement::Stop(_)
            | Statement::Control(_)
            | Statement::Receipt(_)
            | Statement::Withdrawal(_)) => Err(other.instead_of("listing")),
        }
    }

    /// A withdrawal, signed by its seller.
    ///
    /// # Errors
    ///
    /// As [`Opened::offer`].
    pub fn withdrawal(self) -> Result<Withdrawal, Refusal> {
        match self.statement {
            Statement::Withdrawal(withdrawal) => {
                signed_by(withdrawal.seller, self.signer).map(|()| withdrawal)
            }
            other @ (Statement::Offer(_)
            | Statement::Accept(_)
            | Statement::Stop(_)
            | Statement::Control(_)
            | Statement::Receipt(_)
            | Statement::Listing(_)) => Err(other.instead_of("withdrawal")),
        }
    }
}

impl Statement {
    /// An acceptance.
    ///
    /// # Errors
    ///
    /// [`Refusal::Statement`] when it is something else.
    pub fn accept(self) -> Result<Accept, Refusal> {
        match self {
            Self::Accept(accept) => Ok(accept),
            other @ (Self::Offer(_)
            | Self::Stop(_)
            | Self::Control(_)
            | Self::Receipt(_)
            | Self::Listing(_)
            | Self::Withdrawal(_)) => Err(other.instead_of("accept")),
        }
    }

    /// A receipt.
    ///
    /// # Errors
    ///
    /// [`Refusal::Statement`] when it is something else.
    pub fn receipt(self) -> Result<Receipt, Refusal> {
        match self {
            Self::Receipt(receipt) => Ok(receipt),
            other @ (Self::Offer(_)
            | Self::Accept(_)
            | Self::Stop(_)
            | Self::Control(_)
            | Self::Listing(_)
            | Self::Withdrawal(_)) => Err(other.instead_of("receipt")),
        }
    }

    pub(crate) fn instead_of(&self, wanted: &'static str) -> Refusal {
        Refusal::Statement { wanted, found: self.kind().into() }
    }
}

fn signed_by(wanted: Address, signer: Address) -> Result<(), Refusal> {
    if wanted == signer { Ok(()) } else { Err(Refusal::Signer { signer, wanted }) }
}

fn verify(package: &Value) -> Result<Address, Refusal> {
    let author = &package["authors"][0];
    let definition = &author["definition"];
    let address = Address::of_definition(definition).map_err(|error| malformed(&error))?;
    if author["address"].as_str() != Some(address.as_str()) {
        return Err(Refusal::Signature("the definition is another address's".into()));
    }
    let key = definition[1]["pubkey"].as_str().map(PublicKey::from_base64);
    let signature = author["authentifiers"]["r"].as_str().map(str::parse::<Signature>);
    let (Some(Ok(key)), Some(Ok(signature))) = (key, signature) else {
        return Err(Refusal::Signature("no key or no signature".into()));
    };
    if key.verify(&hash_to_sign(package)?, &signature) {
        Ok(address)
    } else {
        Err(Refusal::Signature("wrong signature".into()))
    }
}

fn hash_to_sign(package: &Value) -> Result<[u8; 32], Refusal> {
    let mut naked = package.clone();
    if let Some(author) = naked["authors"][0].as_object_mut() {
        author.remove("authentifiers");
    }
    let text = canonical_json(&naked).map_err(|error| malformed(&error))?;
    if text.len() > Signed::MAX_SIZE {
        return Err(Refusal::Signature(alloc::format!("{} bytes are too long", text.len())));
    }
    Ok(sha256(text.as_bytes()))
}

fn exact_numbers(value: &Value) -> Result<(), Refusal> {
    match value {
        Value::Number(number) if number.as_u64().is_none_or(|number| number > MAX_NUMBER) => {
            Err(Refusal::Number { number: number.to_string(), most: MAX_NUMBER })
        }
        Value::Array(elements) => elements.iter().try_for_each(exact_numbers),
        Value::Object(map) => map.values().try_for_each(exact_numbers),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn malformed(error: &dyn core::fmt::Display) -> Refusal {
    Refusal::Signature(error.to_string())
}
