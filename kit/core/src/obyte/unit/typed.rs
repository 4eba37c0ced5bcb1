use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Payment, UnitError, hashes, sizes};
use crate::{
    Bytes,
    obyte::{address::Address, definition, hash::Hash, key::Signature},
};

/// A unit of version 4, as this kit writes and reads it.
///
/// Made in steps: fill in everything but the figures, then [`Unit::measure`], sign
/// [`Unit::hash_to_sign`], [`Unit::sign`], and last [`Unit::name`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The protocol's version, with the network's suffix.
    pub version: String,
    /// The network's mark.
    pub alt: String,
    /// What the unit carries.
    pub messages: Vec<Message>,
    /// Who signs, in the order of addresses.
    pub authors: Vec<Author>,
    /// When it was made, in **seconds** since the Unix epoch.
    pub timestamp: u64,
    /// The units it builds on, in order; the first unit of all has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parent_units: Vec<Hash>,
    /// The ball of `last_ball_unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ball: Option<Hash>,
    /// The newest unit known to be final.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ball_unit: Option<Hash>,
    /// What is paid for the network's load; agents' responses pay none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tps_fee: Option<Bytes>,
    /// What is paid for being large; absent when nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oversize_fee: Option<Bytes>,
    /// What is paid to nobody; absent when nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn_fee: Option<Bytes>,
    /// How many responses of agents are paid for; only with an output to an agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_aa_responses: Option<u32>,
    /// Who shares the headers commission; only with several authors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earned_headers_commission_recipients: Vec<Recipient>,
    /// What is paid for the headers: their size.
    pub headers_commission: Bytes,
    /// What is paid for the messages: their size.
    pub payload_commission: Bytes,
    /// The hash that names it.
    pub unit: Hash,
    /// Its place on the main chain, as a node adds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub main_chain_index: Option<u64>,
    /// What the load really cost, as a node adds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actual_tps_fee: Option<Bytes>,
}

/// One thing a unit carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// What kind: `payment`, `data`, `definition`…
    pub app: String,
    /// Always `inline` here.
    pub payload_location: String,
    /// The hash of the payload.
    pub payload_hash: Hash,
    /// The payload.
    pub payload: Value,
}

/// Who signs a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Author {
    /// The address.
    pub address: Address,
    /// Its definition, only until the ledger knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Value>,
    /// Signatures by their paths in the definition; an agent has none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub authentifiers: BTreeMap<String, String>,
}

/// A share of the headers commission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// Who gets it.
    pub address: Address,
    /// How much, in per cent.
    pub earned_headers_commission_share: u32,
}

impl Message {
    /// A message with its payload's hash.
    ///
    /// # Errors
    ///
    /// [`UnitError`] when the payload holds what cannot be hashed.
    pub fn new(app: &str, payload: Value) -> Result<Self, UnitError> {
        let payload_hash = hashes::payload_hash(&payload, VERSION_OF_HASHES)?;
        Ok(Self { app: app.to_owned(), payload_location: "inline".to_owned(), payload_hash, payload })
    }

    /// A message with a payment.
    ///
    /// # Errors
    ///
    /// [`UnitError`] when the payment has no inputs or no outputs.
    pub fn payment(payment: &Payment) -> Result<Self, UnitError> {
        Self::new("payment", payment.to_value())
    }

    /// The payment it carries, if that is what it carries.
    pub fn as_payment(&self) -> Option<Payment> {
        if self.app == "payment" { Payment::deserialize(&self.payload).ok() } else { None }
    }
}

/// Payloads have been hashed alike since version 2.
const VERSION_OF_HASHES: &str = "4.0";

impl Author {
    /// An author whose signature is still to come; its place is kept, as it counts for the size.
    pub fn unsigned(address: Address, definition: Option<Value>) -> Self {
        let placeholder = "-".repeat(Signature::TEXT_LENGTH);
        Self { address, definition, authentifiers: [(definition::ROOT.to_owned(), placeholder)].into() }
    }
}

impl Unit {
    /// The JSON that travels and is hashed.
    #[expect(clippy::missing_panics_doc, reason = "a unit is always JSON")]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("texts, numbers and values are JSON")
    }

    /// Fills in the commissions: the sizes of headers and messages.
    ///
    /// # Errors
    ///
    /// [`UnitError`] when a size is beyond all amounts.
    pub fn measure(&mut self) -> Result<(), UnitError> {
        let value = self.to_value();
        let fee = |size| Bytes::try_from(size).map_err(|_too_large| UnitError::Field("messages"));
        self.headers_commission = fee(sizes::headers_size(&value)?)?;
        self.payload_commission = fee(sizes::payload_size(&value)?)?;
        Ok(())
    }

    /// The hash that the authors sign; commissions and signatures do not change it.
    ///
    /// # Errors
    ///
    /// [`UnitError`] when something inside cannot be hashed.
    pub fn hash_to_sign(&self) -> Result<[u8; 32], UnitError> {
        hashes::hash_to_sign(&self.to_value())
    }

    /// Puts the signature of an author with a single key in its place.
    pub fn sign(&mut self, address: &Address, signature: &Signature) {
        for author in self.authors.iter_mut().filter(|author| author.address == *address) {
            author.authentifiers.insert(definition::ROOT.to_owned(), signature.to_string());
        }
    }

    /// Fills in the hash that names it; to be done last.
    ///
    /// # Errors
    ///
    /// [`UnitError`] when something inside cannot be hashed.
    pub fn name(&mut self) -> Result<Hash, UnitError> {
        self.unit = hashes::unit_hash(&self.to_value())?;
        Ok(self.unit)
    }

    /// Everything it pays besides its outputs.
    ///
    /// # Errors
    ///
    /// [`AmountError`](crate::AmountError) when the fees add up to more than there is money.
    pub fn fees(&self) -> Result<Bytes, crate::AmountError> {
        [self.tps_fee, self.oversize_fee, self.burn_fee]
            .into_iter()
            .flatten()
            .try_fold(self.headers_commission.plus(self.payload_commission)?, Bytes::plus)
    }
}
