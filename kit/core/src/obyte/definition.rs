//! Address definitions: who must sign.
//!
//! Only what can be judged without a ledger is: signatures, hashes, and their combinations.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value, json};

use super::{
    hash,
    key::{PublicKey, Signature},
    length::text_length,
};

/// How many expressions a definition may hold.
const MAX_COMPLEXITY: usize = 100;
/// The path of a definition's root among the authentifiers.
pub const ROOT: &str = "r";
const AGENT: &str = "autonomous agent";

/// The definition of an address that one key alone signs for.
pub fn sig(key: &PublicKey) -> Value {
    json!(["sig", { "pubkey": key.to_base64() }])
}

/// Whether a definition is an autonomous agent's.
pub fn is_agent(definition: &Value) -> bool {
    matches!(pair(definition), Some((Value::String(kind), _)) if kind == AGENT)
}

/// The key of a definition that one key alone signs for.
pub fn single_key(definition: &Value) -> Option<PublicKey> {
    let (kind, args) = pair(definition)?;
    let args = args.as_object().filter(|args| args.len() == 1)?;
    if kind != "sig" {
        return None;
    }
    args.get("pubkey")?.as_str()?.parse().ok()
}

/// Why a definition is not met; the texts are a node's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// The definition itself breaks the rules.
    #[error("{0}")]
    Malformed(String),
    /// It asks for something that only a ledger can tell.
    #[error("{0} cannot be judged without a ledger")]
    NeedsLedger(String),
    /// The signature is not by the key, or the key is none.
    #[error("bad signature at path {0}")]
    BadSignature(String),
    /// The text has another hash.
    #[error("bad hash at path {0}")]
    BadHash(String),
    /// Authentifiers for paths where none is asked for.
    #[error("some authentifiers are not used, res={met}, used={used}, passed={passed}")]
    Unused {
        /// Whether the definition would be met without them.
        met: bool,
        /// The paths asked for, with commas.
        used: String,
        /// All authentifiers, as JSON.
        passed: String,
    },
}

/// Whether the authentifiers (by path) meet a definition for a hash.
///
/// # Errors
///
/// [`DefinitionError`] when the definition is malformed, when any signature is bad (not only one that
/// is needed), or when an authentifier is not asked for.
pub fn is_met(
    definition: &Value,
    hash_to_sign: &[u8; 32],
    authentifiers: &Map<String, Value>,
) -> Result<bool, DefinitionError> {
    check(definition)?;
    let mut judge = Judge { hash_to_sign, authentifiers, used: Vec::new(), fatal: None };
    let met = judge.is_met(definition, ROOT);
    if let Some(fatal) = judge.fatal {
        return Err(fatal);
    }
    if judge.used.len() != authentifiers.len() {
        let passed = Value::Object(authentifiers.clone()).to_string();
        return Err(DefinitionError::Unused { met, used: judge.used.join(","), passed });
    }
    Ok(met)
}

/// Checks that a definition is well-formed and cannot be met without a signature.
///
/// # Errors
///
/// [`DefinitionError::Malformed`] with a node's text, or [`DefinitionError::NeedsLedger`].
pub fn check(definition: &Value) -> Result<(), DefinitionError> {
    if is_signed(definition, ROOT, &mut 0)? {
        Ok(())
    } else {
        Err(malformed("each branch must have a signature"))
    }
}

fn malformed(text: &str) -> DefinitionError {
    DefinitionError::Malformed(text.to_owned())
}

fn pair(expression: &Value) -> Option<(&Value, &Value)> {
    match expression.as_array().map(Vec::as_slice) {
        Some([op, args]) => Some((op, args)),
        _ => None,
    }
}

/// Checks an expression; tells whether every way to meet it takes a signature.
fn is_signed(expression: &Value, path: &str, complexity: &mut usize) -> Result<bool, DefinitionError> {
    *complexity += 1;
    if *complexity > MAX_COMPLEXITY {
        return Err(DefinitionError::Malformed(format!("complexity exceeded at {path}")));
    }
    let (op, args) = pair(expression).ok_or_else(|| malformed("expression must be 2-element array"))?;
    let op = op.as_str().ok_or_else(|| malformed("op is not a string"))?;
    match op {
        "or" | "and" => {
            let options = args
                .as_array()
                .ok_or_else(|| DefinitionError::Malformed(format!("{op} args must be array")))?;
            if options.len() < 2 {
                return Err(DefinitionError::Malformed(format!("{op} must have at least 2 options")));
            }
            let signed = count_signed(options, path, complexity)?;
            Ok(if op == "and" { signed > 0 } else { signed == options.len() })
        }
        "r of set" => check_set(op, args, path, complexity),
        "weighted and" => check_weighted(op, args, path, complexity),
        "sig" => check_sig(op, args).map(|()| true),
        "hash" => check_hash(op, args).map(|()| false),
        other => Err(DefinitionError::NeedsLedger(other.to_owned())),
    }
}

fn count_signed(options: &[Value], path: &str, complexity: &mut usize) -> Result<usize, DefinitionError> {
    let mut signed = 0;
    for (index, option) in options.iter().enumerate() {
        signed += usize::from(is_signed(option, &format!("{path}.{index}"), complexity)?);
    }
    Ok(signed)
}

fn object<'a>(op: &str, args: &'a Value, fields: &[&str]) -> Result<&'a Map<String, Value>, DefinitionError> {
    let args = args.as_object().filter(|args| !args.is_empty());
    let args =
        args.ok_or_else(|| DefinitionError::Malformed(format!("{op} args must be a non-empty object")))?;
    if args.keys().any(|key| !fields.contains(&key.as_str())) {
        return Err(DefinitionError::Malformed(format!("unknown fields in {op}")));
    }
    Ok(args)
}

/// A positive integer; JavaScript does not tell `2.0` from `2`.
fn positive(value: Option<&Value>) -> Option<u64> {
    let double = value?.as_f64()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded and whole")]
    let natural = (1.0..=1e15).contains(&double).then_some(double as u64)?;
    (value?.as_f64()? - natural_as_double(natural) == 0.0).then_some(natural)
}

#[expect(clippy::cast_precision_loss, reason = "at most 10¹⁵")]
fn natural_as_double(natural: u64) -> f64 {
    natural as f64
}

fn set(args: &Map<String, Value>) -> Result<(u64, &[Value]), DefinitionError> {
    let required = positive(args.get("required")).ok_or_else(|| malformed("required must be positive"))?;
    let set = args.get("set").and_then(Value::as_array).ok_or_else(|| malformed("set must be array"))?;
    if set.len() < 2 {
        return Err(malformed("set must have at least 2 options"));
    }
    Ok((required, set))
}

fn check_set(op: &str, args: &Value, path: &str, complexity: &mut usize) -> Result<bool, DefinitionError> {
    let (required, set) = set(object(op, args, &["required", "set"])?)?;
    if required > set.len() as u64 {
        return Err(malformed("required must be <= than set length"));
    }
    let unsigned = set.len() - count_signed(set, path, complexity)?;
    Ok(required > unsigned as u64)
}

fn check_weighted(
    op: &str,
    args: &Value,
    path: &str,
    complexity: &mut usize,
) -> Result<bool, DefinitionError> {
    const MAX_WEIGHT: u64 = 1000;
    let args = object(op, args, &["required", "set"])?;
    let required = positive(args.get("required")).ok_or_else(|| malformed("required must be positive"))?;
    if required > MAX_WEIGHT {
        return Err(malformed("required must be <= 1000"));
    }
    let (_, set) = set(args)?;
    let (mut total, mut unsigned) = (0, 0);
    for (index, element) in set.iter().enumerate() {
        let element = element.as_object().filter(|element| !element.is_empty());
        let element = element.ok_or_else(|| malformed("weighted set element must be a non-empty object"))?;
        if element.keys().any(|key| key != "value" && key != "weight") {
            return Err(malformed("unknown fields in weighted set element"));
        }
        let weight =
            positive(element.get("weight")).ok_or_else(|| malformed("weight must be positive int"))?;
        if weight > MAX_WEIGHT {
            return Err(malformed("weight must be <= 1000"));
        }
        total += weight;
        let value = element.get("value").unwrap_or(&Value::Null);
        if !is_signed(value, &format!("{path}.{index}"), complexity)? {
            unsigned += weight;
        }
    }
    if required > total {
        return Err(malformed("required must be <= than total weight"));
    }
    Ok(required > unsigned)
}

fn check_sig(op: &str, args: &Value) -> Result<(), DefinitionError> {
    let args = object(op, args, &["algo", "pubkey"])?;
    match args.get("algo") {
        None => {}
        Some(algo) if algo == "secp256k1" => {
            return Err(malformed("default algo must not be explicitly specified"));
        }
        Some(_) => return Err(malformed("unsupported sig algo")),
    }
    let is_long_enough = |key: &str| text_length(key) == PublicKey::TEXT_LENGTH as u64;
    match args.get("pubkey").and_then(Value::as_str) {
        Some(key) if is_long_enough(key) => Ok(()),
        Some(_) | None => Err(malformed("wrong pubkey length")),
    }
}

fn check_hash(op: &str, args: &Value) -> Result<(), DefinitionError> {
    let args = object(op, args, &["algo", "hash"])?;
    match args.get("algo") {
        None => {}
        Some(algo) if algo == "sha256" => {
            return Err(malformed("default algo must not be explicitly specified"));
        }
        Some(_) => return Err(malformed("unsupported hash algo")),
    }
    match args.get("hash").and_then(Value::as_str).map(str::parse::<hash::Hash>) {
        Some(Ok(_)) => Ok(()),
        Some(Err(_)) | None => Err(malformed("wrong base64 hash")),
    }
}

/// Goes through a definition that was checked; every branch, so that no bad signature hides.
struct Judge<'a> {
    hash_to_sign: &'a [u8; 32],
    authentifiers: &'a Map<String, Value>,
    used: Vec<String>,
    fatal: Option<DefinitionError>,
}

impl Judge<'_> {
    fn is_met(&mut self, expression: &Value, path: &str) -> bool {
        let (op, args) = (expression[0].as_str(), &expression[1]);
        let required = positive(args.get("required")).unwrap_or(u64::MAX);
        match op {
            Some("or") => self.weigh(args, path, alike) >= 1,
            Some("and") => self.weigh(args, path, alike) == options(args).len() as u64,
            Some("r of set") => self.weigh(&args["set"], path, alike) >= required,
            Some("weighted and") => self.weigh(&args["set"], path, weighted) >= required,
            Some("sig") => self.is_signed(args, path),
            Some("hash") => self.is_hash_of(args, path),
            Some(_) | None => false,
        }
    }

    /// The weights of the options that are met, added up.
    fn weigh(&mut self, set: &Value, path: &str, parts: fn(&Value) -> (&Value, u64)) -> u64 {
        let mut sum = 0;
        for (index, option) in options(set).iter().enumerate() {
            let (expression, weight) = parts(option);
            if self.is_met(expression, &format!("{path}.{index}")) {
                sum += weight;
            }
        }
        sum
    }

    fn is_signed(&mut self, args: &Value, path: &str) -> bool {
        let Some(text) = self.authentifier(path) else { return false };
        let key = args["pubkey"].as_str().and_then(|key| PublicKey::from_base64(key).ok());
        let signature = text.parse::<Signature>();
        let good = match (key, signature) {
            (Some(key), Ok(signature)) => key.verify(self.hash_to_sign, &signature),
            (None, _) | (_, Err(_)) => false,
        };
        self.use_up(path, good, DefinitionError::BadSignature(path.to_string()))
    }

    fn is_hash_of(&mut self, args: &Value, path: &str) -> bool {
        let Some(text) = self.authentifier(path) else { return false };
        let good = args["hash"] == hash::sha256_base64(text.as_bytes());
        self.use_up(path, good, DefinitionError::BadHash(path.to_string()))
    }

    fn authentifier(&self, path: &str) -> Option<String> {
        self.authentifiers.get(path)?.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    }

    fn use_up(&mut self, path: &str, good: bool, otherwise: DefinitionError) -> bool {
        self.used.push(path.to_owned());
        if !good {
            self.fatal = Some(otherwise);
        }
        good
    }
}

fn options(set: &Value) -> &[Value] {
    set.as_array().map_or(&[], Vec::as_slice)
}

fn alike(option: &Value) -> (&Value, u64) {
    (option, 1)
}

fn weighted(option: &Value) -> (&Value, u64) {
    (&option["value"], positive(option.get("weight")).unwrap_or(0))
}
