//! What a light client may take for final: the proof that comes with a hub's history.
//!
//! Trust begins with the addresses of the order providers, and with nothing that a hub says:
//!
//! 1. `witness_change_and_definition_joints` disclose the definitions of these addresses, which are
//!    named by their hashes.
//! 2. `unstable_mc_joints` lead from the newest unit of the main chain down, each a parent of the one
//!    before. Once a majority of the order providers has signed, what they build on is what they agree
//!    on, and so every last ball from there on is to be believed.
//! 3. `proofchain_balls` lead from these last balls down: a ball names its parents' balls and those of its
//!    skip list, and is named by its own hash, so nobody can make one up.
//!
//! Not proven by it: that nothing was left out (a hub that hides a change of a definition is believed the
//! old one), the answers of agents, and the fields of a unit that are not hashed (its sizes, its main
//! chain index).

mod signers;

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use serde_json::Value;

use self::signers::Signers;
use super::{
    address::Address,
    ball::ball_hash,
    definition::DefinitionError,
    hash::Hash,
    unit::{message_payload_hash, unit_hash},
};

/// The most elements of one list of a proof that are looked at.
pub const MAX_ITEMS: usize = 10_000;

/// A unit that is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Final {
    /// The ball that proves it.
    pub ball: Hash,
    /// Whether it lost against another unit that spends the same money, and so counts for nothing.
    pub is_void: bool,
}

/// What a history proves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proven {
    finals: BTreeMap<Hash, Final>,
}

impl Proven {
    /// Whether a unit is final.
    pub fn is_final(&self, unit: &Hash) -> bool {
        self.finals.contains_key(unit)
    }

    /// Whether a unit is final and lost against another one: it moved nothing.
    pub fn is_void(&self, unit: &Hash) -> bool {
        self.finals.get(unit).is_some_and(|proof| proof.is_void)
    }

    /// Every unit that is final, also those that only lead to the units that were asked for.
    pub const fn finals(&self) -> &BTreeMap<Hash, Final> {
        &self.finals
    }
}

/// Why a history proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A field is not there, or is not of the kind it must be.
    #[error("the history's {0} is missing or malformed")]
    Field(&'static str),
    /// A list is longer than [`MAX_ITEMS`].
    #[error("more than {MAX_ITEMS} {0}")]
    TooLong(&'static str),
    /// A unit is not what its hash says.
    #[error("unit {0} is not what its hash says")]
    Unit(Hash),
    /// A message of a unit is not what the unit says, or was left out.
    #[error("a payload of unit {0} is not what its hash says")]
    Payload(Hash),
    /// The messages of a unit that counts, or that should tell a definition, were left out.
    #[error("unit {0} comes without its messages")]
    Stripped(Hash),
    /// The chain of the newest units is broken.
    #[error("unit {0} is no parent of the unit before it")]
    Chain(Hash),
    /// The newest units are signed by too few of the trusted order providers.
    #[error("signed by {met} order providers where {wanted} are wanted")]
    Minority {
        /// By how many.
        met: usize,
        /// How many are a majority.
        wanted: usize,
    },
    /// Nobody knows how to check an order provider's signature.
    #[error("the definition of order provider {0} is not disclosed")]
    Definition(Address),
    /// A definition is not the one that the order provider's address stands for.
    #[error("a definition in unit {1} is not that of order provider {0}")]
    OtherDefinition(Address, Hash),
    /// An order provider did not sign what bears its name.
    #[error("order provider {0} did not sign unit {1}")]
    Unsigned(Address, Hash),
    /// An order provider's signature does not hold.
    #[error("the signature of order provider {provider} on unit {unit} does not hold")]
    Signature {
        /// Whose.
        provider: Address,
        /// On what.
        unit: Hash,
        /// What is wrong with it.
        #[source]
        source: DefinitionError,
    },
    /// A ball is not what its hash says.
    #[error("ball {0} is not what its hash says")]
    Ball(Hash),
    /// A ball that nothing proven leads to.
    #[error("nothing that is proven leads to ball {0}")]
    Loose(Hash),
    /// A unit comes with another ball than the proof has for it.
    #[error("unit {0} comes with another ball than is proven")]
    OtherBall(Hash),
}

/// Says which units are final, as the answer to `light/get_history` proves it to whoever trusts a majority
/// of these order providers.
///
/// The joints of the history are checked, too: each is what its hash says, payloads included. Those among
/// them that are not in the result are not final yet, whatever the hub says of them.
///
/// # Errors
///
/// [`ProofError`] when anything of the history does not hold: none of it is to be believed.
pub fn proven(providers: &[Address], history: &Value) -> Result<Proven, ProofError> {
    let Value::Object(fields) = history else { return Err(ProofError::Field("form")) };
    if fields.is_empty() {
        return Ok(Proven::default());
    }
    // Who is named twice counts once.
    let providers = providers.iter().copied().collect();
    let trusted = last_balls(&providers, history)?;
    let finals = descend(trusted, list(history, "proofchain_balls")?)?;
    for joint in list(history, "joints")? {
        check_joint(joint, &finals)?;
    }
    Ok(Proven { finals })
}

/// The hash of a unit that is what its hash says, down to its payloads.
///
/// # Errors
///
/// [`ProofError::Unit`], [`ProofError::Payload`] or [`ProofError::Field`].
pub fn checked(unit: &Value) -> Result<Hash, ProofError> {
    let hash = named(unit)?;
    let version = unit.get("version").and_then(Value::as_str).unwrap_or_default();
    for message in list(unit, "messages")? {
        let is_good = match message.get("payload") {
            Some(_) => {
                let found = message_payload_hash(message, version).ok();
                found.is_some() && found == message.get("payload_hash").and_then(to_hash)
            }
            None => message.get("payload_location").is_some_and(|place| place != "inline"),
        };
        if !is_good {
            return Err(ProofError::Payload(hash));
        }
    }
    Ok(hash)
}

/// The last balls that a majority of the order providers vouches for.
fn last_balls(providers: &BTreeSet<Address>, history: &Value) -> Result<BTreeSet<Hash>, ProofError> {
    let mut signers = Signers::new(providers);
    for joint in list(history, "witness_change_and_definition_joints")? {
        signers.learn(unit_of(joint)?)?;
    }
    let chain = list(history, "unstable_mc_joints")?;
    let chain = chain.iter().map(unit_of).collect::<Result<Vec<_>, _>>()?;
    let wanted = providers.len() / 2 + 1;
    let (mut met, mut trusted, mut parents) = (BTreeSet::new(), BTreeSet::new(), None::<Vec<Hash>>);
    for unit in &chain {
        let hash = named(unit)?;
        if parents.is_some_and(|parents| !parents.contains(&hash)) {
            return Err(ProofError::Chain(hash));
        }
        met.extend(signers.among(unit)?);
        if met.len() >= wanted {
            trusted.insert(hash_in(unit, "last_ball")?);
        }
        parents = Some(hashes_in(unit, "parent_units")?);
    }
    // Oldest first: a definition may be disclosed in one of these and used in a later one.
    for unit in chain.iter().rev() {
        signers.check(unit)?;
    }
    if met.len() < wanted { Err(ProofError::Minority { met: met.len(), wanted }) } else { Ok(trusted) }
}

/// What the balls below the trusted ones prove.
fn descend(mut known: BTreeSet<Hash>, balls: &[Value]) -> Result<BTreeMap<Hash, Final>, ProofError> {
    let mut finals = BTreeMap::new();
    for value in balls {
        let (ball, unit) = (hash_in(value, "ball")?, hash_in(value, "unit")?);
        let parents = hashes_in(value, "parent_balls")?;
        let skiplist = hashes_in(value, "skiplist_balls")?;
        let is_void = match value.get("is_nonserial") {
            None => false,
            Some(Value::Bool(is_void)) => *is_void,
            Some(_) => return Err(ProofError::Field("is_nonserial")),
        };
        if ball_hash(&unit, &parents, &skiplist, is_void) != ball {
            return Err(ProofError::Ball(ball));
        }
        if !known.contains(&ball) {
            return Err(ProofError::Loose(ball));
        }
        known.extend(parents.into_iter().chain(skiplist));
        finals.insert(unit, Final { ball, is_void });
    }
    Ok(finals)
}

fn check_joint(joint: &Value, finals: &BTreeMap<Hash, Final>) -> Result<(), ProofError> {
    let unit = unit_of(joint)?;
    let hash = checked(unit)?;
    let Some(proof) = finals.get(&hash) else { return Ok(()) };
    if joint.get("ball").is_some() && hash_in(joint, "ball")? != proof.ball {
        return Err(ProofError::OtherBall(hash));
    }
    let is_stripped = list(unit, "messages")?.is_empty();
    if is_stripped && !proof.is_void { Err(ProofError::Stripped(hash)) } else { Ok(()) }
}

/// The hash of a unit that bears its own name; its payloads may be anything.
fn named(unit: &Value) -> Result<Hash, ProofError> {
    let claimed = hash_in(unit, "unit")?;
    if unit_hash(unit) == Ok(claimed) { Ok(claimed) } else { Err(ProofError::Unit(claimed)) }
}

fn unit_of(joint: &Value) -> Result<&Value, ProofError> {
    joint.get("unit").filter(|unit| unit.is_object()).ok_or(ProofError::Field("unit"))
}

/// A list; one that is absent is empty.
fn list<'v>(object: &'v Value, field: &'static str) -> Result<&'v [Value], ProofError> {
    match object.get(field) {
        None => Ok(&[]),
        Some(Value::Array(elements)) if elements.len() <= MAX_ITEMS => Ok(elements),
        Some(Value::Array(_)) => Err(ProofError::TooLong(field)),
        Some(_) => Err(ProofError::Field(field)),
    }
}

fn hash_in(object: &Value, field: &'static str) -> Result<Hash, ProofError> {
    object.get(field).and_then(to_hash).ok_or(ProofError::Field(field))
}

fn hashes_in(object: &Value, field: &'static str) -> Result<Vec<Hash>, ProofError> {
    list(object, field)?.iter().map(to_hash).collect::<Option<_>>().ok_or(ProofError::Field(field))
}

fn to_hash(value: &Value) -> Option<Hash> {
    value.as_str()?.parse().ok()
}
