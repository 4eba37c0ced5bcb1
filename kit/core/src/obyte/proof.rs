//! The proof of a light client: which units of a history are final.
//!
//! A hub shows the unstable end of the main chain, newest unit first. Once a majority of the order
//! providers has signed units of it, the last balls of all further ones are to be believed: had they been
//! wrong, a majority would have lied. From these balls others follow, each named by one before it as a
//! parent's or as one of its skiplist, and each the hash of what it stands for.
//!
//! Source: section "Stability" of Obyte's white paper, and `light.js` and `witness_proof.js` of the reference
//! implementation, whose structures these are.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use serde_json::{Map, Value};

use super::{
    address::Address,
    ball::ball_hash,
    definition,
    hash::Hash,
    unit::{hash_to_sign, unit_hash},
};

/// The most balls of one proof.
const MAX_BALLS: usize = 100_000;

/// What a history proves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proven {
    units: BTreeMap<Hash, bool>,
}

impl Proven {
    /// Whether a unit is final.
    pub fn is_final(&self, unit: &Hash) -> bool {
        self.units.contains_key(unit)
    }

    /// Whether a unit is final and lost against another one: it moved nothing.
    pub fn is_void(&self, unit: &Hash) -> bool {
        self.units.get(unit) == Some(&true)
    }

    /// How many units are proven.
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether nothing is proven.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }
}

/// Why a history proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A part is missing or is not of the kind it must be.
    #[error("the proof's {0} is missing or malformed")]
    Field(&'static str),
    /// A unit is not what its name says.
    #[error("unit {0} is not what its hash says")]
    Unit(Hash),
    /// The chain has a gap.
    #[error("unit {0} is no parent of the one before it")]
    Chain(Hash),
    /// An order provider did not sign what it is said to have signed.
    #[error("an order provider's signature of unit {0} is bad")]
    Signature(Hash),
    /// The definition of an order provider is not there.
    #[error("the definition of order provider {0} is not there, or has changed")]
    Definition(Address),
    /// Too few order providers.
    #[error("{met} order providers signed, and {wanted} are a majority")]
    Minority {
        /// How many signed.
        met: usize,
        /// How many would do.
        wanted: usize,
    },
    /// A ball is not what its name says.
    #[error("the ball of unit {0} is not what its hash says")]
    Ball(Hash),
    /// A ball that nothing leads to.
    #[error("nothing leads to the ball of unit {0}")]
    Loose(Hash),
    /// Too much for this client.
    #[error("a proof of more than {MAX_BALLS} balls")]
    TooLong,
}

/// Checks the proof in the response to `light/get_history`.
///
/// # Errors
///
/// [`ProofError`]; then nothing in the history is to be taken for final.
pub fn proven(providers: &[Address], history: &Value) -> Result<Proven, ProofError> {
    let mut known = trusted(providers, history)?;
    let balls = list(history, "proofchain_balls")?;
    if balls.len() > MAX_BALLS {
        return Err(ProofError::TooLong);
    }
    let mut proven = Proven::default();
    for ball in balls {
        let wrong = ProofError::Field("proofchain_balls");
        let unit = hash(&ball["unit"]).ok_or(wrong)?;
        let named = hash(&ball["ball"]).ok_or(wrong)?;
        let parents = hashes(&ball["parent_balls"]).ok_or(wrong)?;
        let skiplist = hashes(&ball["skiplist_balls"]).ok_or(wrong)?;
        let is_void = match &ball["is_nonserial"] {
            Value::Null => false,
            Value::Bool(true) => true,
            _ => return Err(wrong),
        };
        if ball_hash(&unit, &parents, &skiplist, is_void) != named {
            return Err(ProofError::Ball(unit));
        }
        if !known.contains(&named) {
            return Err(ProofError::Loose(unit));
        }
        known.extend(parents.into_iter().chain(skiplist));
        proven.units.insert(unit, is_void);
    }
    Ok(proven)
}

/// How many order providers are a majority.
const fn majority(providers: usize) -> usize {
    providers / 2 + 1
}

/// The balls that a majority of the order providers vouches for.
fn trusted(providers: &[Address], history: &Value) -> Result<BTreeSet<Hash>, ProofError> {
    let definitions = definitions(providers, history)?;
    let wanted = majority(providers.len());
    let mut met = BTreeSet::new();
    let mut balls = BTreeSet::new();
    let mut parents: Option<Vec<Hash>> = None;
    for joint in list(history, "unstable_mc_joints")? {
        let unit = &joint["unit"];
        let wrong = ProofError::Field("unstable_mc_joints");
        let name = hash(&unit["unit"]).ok_or(wrong)?;
        if unit_hash(unit) != Ok(name) {
            return Err(ProofError::Unit(name));
        }
        if parents.is_some_and(|parents| !parents.contains(&name)) {
            return Err(ProofError::Chain(name));
        }
        parents = Some(hashes(&unit["parent_units"]).ok_or(wrong)?);
        for author in unit["authors"].as_array().ok_or(wrong)? {
            let address = author["address"].as_str().and_then(|text| text.parse().ok());
            let Some(provider) = address.filter(|address| providers.contains(address)) else { continue };
            let definition = definitions.get(&provider).ok_or(ProofError::Definition(provider))?;
            if !is_signed(unit, definition, &author["authentifiers"]) {
                return Err(ProofError::Signature(name));
            }
            met.insert(provider);
        }
        if met.len() >= wanted {
            balls.insert(hash(&unit["last_ball"]).ok_or(wrong)?);
        }
    }
    if met.len() < wanted {
        return Err(ProofError::Minority { met: met.len(), wanted });
    }
    Ok(balls)
}

fn is_signed(unit: &Value, definition: &Value, authentifiers: &Value) -> bool {
    let empty = Map::new();
    let authentifiers = authentifiers.as_object().unwrap_or(&empty);
    hash_to_sign(unit).is_ok_and(|hash| definition::is_met(definition, &hash, authentifiers) == Ok(true))
}

/// What the order providers' addresses stand for. One that changed its definition is not followed.
fn definitions(providers: &[Address], history: &Value) -> Result<BTreeMap<Address, Value>, ProofError> {
    let mut definitions = BTreeMap::new();
    let disclosed = list(history, "witness_change_and_definition_joints")?.iter();
    let changes = |message: &Value| message["app"] == "address_definition_change";
    for joint in disclosed.chain(list(history, "unstable_mc_joints")?) {
        let unit = &joint["unit"];
        for author in unit["authors"].as_array().into_iter().flatten() {
            let address = author["address"].as_str().and_then(|text| text.parse().ok());
            let Some(provider) = address.filter(|address| providers.contains(address)) else { continue };
            let definition = &author["definition"];
            if Address::of_definition(definition).is_ok_and(|address| address == provider) {
                definitions.insert(provider, definition.clone());
            }
            if unit["messages"].as_array().is_some_and(|messages| messages.iter().any(changes)) {
                return Err(ProofError::Definition(provider));
            }
        }
    }
    Ok(definitions)
}

fn list<'a>(history: &'a Value, name: &'static str) -> Result<&'a [Value], ProofError> {
    match history.get(name) {
        None => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(ProofError::Field(name)),
    }
}

fn hash(value: &Value) -> Option<Hash> {
    value.as_str()?.parse().ok()
}

/// Hashes in a list; none where there is no list.
fn hashes(value: &Value) -> Option<Vec<Hash>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::Array(list) => list.iter().map(hash).collect(),
        _ => None,
    }
}
