use alloc::{format, string::ToString};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Accept, Offer, Receipt, Refusal, Statement};
use crate::{
    market::{Listing, Withdrawal},
    obyte::{
        Address, Network, SecretKey,
        signed::{self, SignedMessage, text_to_sign},
    },
};

/// The network statements are signed for.
const NETWORK: Network = Network::Devnet;

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
        let draft = SignedMessage::draft(NETWORK.version(), message, &key.public());
        let hash = draft.hash_to_sign().map_err(|error| malformed(&error))?;
        Ok(Self(draft.signed(key.sign(&hash)).to_value()))
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
    let version = NETWORK.version();
    if package["version"] != version {
        return Err(Refusal::Signature(format!("version {} instead of {version}", package["version"])));
    }
    let length = text_to_sign(package).map_err(|error| malformed(&error))?.len();
    if length > Signed::MAX_SIZE {
        let most = Signed::MAX_SIZE;
        return Err(Refusal::Signature(format!("{length} bytes where at most {most} are read")));
    }
    let signer = signed::verify(package, NETWORK).map_err(|error| malformed(&error))?;
    Ok(signer.address)
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
