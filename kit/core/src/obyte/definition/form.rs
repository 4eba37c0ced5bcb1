//! Whether a definition is well-formed, and cannot be met without a signature.

use alloc::{borrow::ToOwned, format, string::String};

use serde_json::{Map, Value};

use super::{DefinitionError, pair};
use crate::obyte::{hash::Hash, key::PublicKey, length::text_length, number};

/// How many expressions a definition may hold.
const MAX_COMPLEXITY: usize = 100;

pub(super) fn malformed(text: &str) -> DefinitionError {
    DefinitionError::Malformed(text.to_owned())
}

/// Checks an expression; tells whether every way to meet it takes a signature.
pub(super) fn is_signed(
    expression: &Value,
    path: &str,
    complexity: &mut usize,
) -> Result<bool, DefinitionError> {
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
pub(super) fn positive(value: Option<&Value>) -> Option<u64> {
    number::whole(value?.as_number()?).filter(|natural| *natural > 0)
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
    match args.get("hash").and_then(Value::as_str).map(str::parse::<Hash>) {
        Some(Ok(_)) => Ok(()),
        Some(Err(_)) | None => Err(malformed("wrong base64 hash")),
    }
}
