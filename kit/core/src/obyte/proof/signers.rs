use alloc::{
    collections::{BTreeMap, BTreeSet},
    string::String,
    vec::Vec,
};

use serde_json::{Map, Value};

use super::{ProofError, checked, hash_in, list};
use crate::obyte::{address::Address, definition, hash::Hash, unit::hash_to_sign};

/// Who signs for the order providers.
pub(super) struct Signers {
    /// By what each one's definition is named: at first by the address itself.
    current: BTreeMap<Address, Address>,
    disclosed: BTreeMap<Address, Value>,
}

impl Signers {
    pub(super) fn new(providers: &BTreeSet<Address>) -> Self {
        let current = providers.iter().map(|provider| (*provider, *provider)).collect();
        Self { current, disclosed: BTreeMap::new() }
    }

    /// The order providers among the authors of a unit.
    pub(super) fn among(&self, unit: &Value) -> Result<Vec<Address>, ProofError> {
        let authors = authors(unit)?;
        Ok(authors.into_iter().filter(|author| self.current.contains_key(author)).collect())
    }

    /// Learns from a unit of an order provider what its definition is, or what it is from then on. What
    /// others say of themselves is of no use.
    pub(super) fn learn(&mut self, unit: &Value) -> Result<(), ProofError> {
        if self.among(unit)?.is_empty() {
            return Ok(());
        }
        let hash = checked(unit)?;
        let messages = list(unit, "messages")?;
        if messages.is_empty() {
            return Err(ProofError::Stripped(hash));
        }
        self.check(unit)?;
        let authors = authors(unit)?;
        for message in messages.iter().filter(|it| it["app"] == "address_definition_change") {
            let (whose, chash) = change(&message["payload"], &authors)?;
            if let Some(current) = whose.and_then(|whose| self.current.get_mut(&whose)) {
                *current = chash;
            }
        }
        Ok(())
    }

    /// Checks the signatures of the order providers on a unit, those of others aside.
    pub(super) fn check(&mut self, unit: &Value) -> Result<(), ProofError> {
        let hash = hash_in(unit, "unit")?;
        let mut to_sign = None;
        for author in list(unit, "authors")? {
            let provider = address_in(author)?;
            let Some(chash) = self.current.get(&provider).copied() else { continue };
            if let Some(definition) = author.get("definition") {
                if Address::of_definition(definition) != Ok(chash) {
                    return Err(ProofError::OtherDefinition(provider, hash));
                }
                self.disclosed.insert(chash, definition.clone());
            }
            let definition = self.disclosed.get(&chash).ok_or(ProofError::Definition(provider))?;
            let digest = match to_sign {
                Some(digest) => digest,
                None => hash_to_sign(unit).map_err(|_unhashable| ProofError::Unit(hash))?,
            };
            to_sign = Some(digest);
            let authentifiers = author.get("authentifiers").and_then(Value::as_object);
            is_signed(definition, &digest, authentifiers, provider, hash)?;
        }
        Ok(())
    }
}

fn is_signed(
    definition: &Value,
    digest: &[u8; 32],
    authentifiers: Option<&Map<String, Value>>,
    provider: Address,
    unit: Hash,
) -> Result<(), ProofError> {
    let authentifiers = authentifiers.ok_or(ProofError::Unsigned(provider, unit))?;
    match definition::is_met(definition, digest, authentifiers) {
        Ok(true) => Ok(()),
        Ok(false) => Err(ProofError::Unsigned(provider, unit)),
        Err(source) => Err(ProofError::Signature { provider, unit, source }),
    }
}

/// Whose definition a message changes, if it may, and by what the new one is named.
fn change(payload: &Value, authors: &[Address]) -> Result<(Option<Address>, Address), ProofError> {
    let whose = match (payload.get("address"), authors) {
        (Some(_), _) => Some(address_in(payload)?).filter(|whose| authors.contains(whose)),
        // Only a sole author may leave out whose definition it is.
        (None, [sole]) => Some(*sole),
        (None, _) => None,
    };
    let chash = payload.get("definition_chash").and_then(Value::as_str).and_then(|text| text.parse().ok());
    Ok((whose, chash.ok_or(ProofError::Field("definition_chash"))?))
}

fn authors(unit: &Value) -> Result<Vec<Address>, ProofError> {
    list(unit, "authors")?.iter().map(address_in).collect()
}

fn address_in(object: &Value) -> Result<Address, ProofError> {
    let address = object.get("address").and_then(Value::as_str).and_then(|text| text.parse().ok());
    address.ok_or(ProofError::Field("address"))
}
