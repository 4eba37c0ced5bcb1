//! Address definitions: who must sign.
//!
//! Only what can be judged without a ledger is: signatures, hashes, and their combinations.

mod form;
mod judge;

use alloc::{string::String, vec::Vec};

use serde_json::{Map, Value, json};

use super::key::PublicKey;
use judge::Judge;

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
    Judge::new(hash_to_sign, authentifiers).judge(definition)
}

/// Checks that a definition is well-formed and cannot be met without a signature.
///
/// # Errors
///
/// [`DefinitionError::Malformed`] with a node's text, or [`DefinitionError::NeedsLedger`].
pub fn check(definition: &Value) -> Result<(), DefinitionError> {
    if form::is_signed(definition, ROOT, &mut 0)? {
        Ok(())
    } else {
        Err(form::malformed("each branch must have a signature"))
    }
}

fn pair(expression: &Value) -> Option<(&Value, &Value)> {
    match expression.as_array().map(Vec::as_slice) {
        Some([op, args]) => Some((op, args)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{format, string::ToString};

    use super::*;
    use crate::obyte::key::SecretKey;

    const HASH: [u8; 32] = [9; 32];

    fn secret(name: u8) -> SecretKey {
        SecretKey::from_bytes(&[name; 32]).unwrap()
    }

    fn by(name: u8) -> Value {
        sig(&secret(name).public())
    }

    /// Who signs at which path.
    fn signatures(signers: &[(&str, u8)]) -> Map<String, Value> {
        signers
            .iter()
            .map(|(path, name)| ((*path).into(), secret(*name).sign(&HASH).to_string().into()))
            .collect()
    }

    fn verdict(definition: &Value, signers: &[(&str, u8)]) -> Result<bool, DefinitionError> {
        is_met(definition, &HASH, &signatures(signers))
    }

    #[test]
    fn combinations_count_their_signatures() {
        let either = json!(["or", [by(1), by(2)]]);
        let both = json!(["and", [by(1), by(2)]]);
        let two_of_three = json!(["r of set", {"required": 2, "set": [by(1), by(2), by(3)]}]);
        let heavy = json!(["weighted and", {"required": 5, "set": [
            {"value": by(1), "weight": 4}, {"value": by(2), "weight": 2}, {"value": by(3), "weight": 3},
        ]}]);
        let (one, two) = ([("r.0", 1)], [("r.0", 1), ("r.1", 2)]);

        assert_eq!([verdict(&either, &one), verdict(&both, &one)], [Ok(true), Ok(false)]);
        assert_eq!([verdict(&two_of_three, &one), verdict(&heavy, &one)], [Ok(false), Ok(false)]);
        for definition in [&either, &both, &two_of_three, &heavy] {
            assert_eq!(verdict(definition, &two), Ok(true), "{definition}");
        }
    }

    #[test]
    fn a_bad_signature_counts_even_where_none_is_needed() {
        let either = json!(["or", [by(1), by(2)]]);

        let verdict = verdict(&either, &[("r.0", 1), ("r.1", 3)]);

        assert_eq!(verdict.unwrap_err().to_string(), "bad signature at path r.1");
    }

    #[test]
    fn a_signature_nobody_asked_for_is_refused() {
        let refusal = verdict(&by(1), &[("r", 1), ("r.0", 1)]).unwrap_err().to_string();

        assert!(
            refusal.starts_with("some authentifiers are not used, res=true, used=r, passed={"),
            "{refusal}"
        );
    }

    #[test]
    fn a_text_can_be_asked_for_by_its_hash() {
        let hash = crate::obyte::hash::sha256_base64(b"open sesame");
        let definition = json!(["and", [by(1), ["hash", {"hash": hash}]]]);
        let mut known = signatures(&[("r.0", 1)]);
        known.insert("r.1".into(), "open sesame".into());

        assert_eq!(is_met(&definition, &HASH, &known), Ok(true));
        known.insert("r.1".into(), "open barley".into());
        assert_eq!(is_met(&definition, &HASH, &known).unwrap_err().to_string(), "bad hash at path r.1");
    }

    #[test]
    fn malformed_definitions_are_told_apart() {
        let key = secret(1).public().to_base64();
        let text = |definition: Value| check(&definition).unwrap_err().to_string();

        assert_eq!(text(json!("sig")), "expression must be 2-element array");
        assert_eq!(text(json!([1, 2])), "op is not a string");
        assert_eq!(text(json!(["and", [by(1)]])), "and must have at least 2 options");
        assert_eq!(text(json!(["or", {}])), "or args must be array");
        assert_eq!(text(json!(["sig", []])), "sig args must be a non-empty object");
        assert_eq!(text(json!(["sig", {"pubkey": key, "x": 1}])), "unknown fields in sig");
        assert_eq!(text(json!(["sig", {"pubkey": "A"}])), "wrong pubkey length");
        assert_eq!(
            text(json!(["sig", {"pubkey": key, "algo": "secp256k1"}])),
            "default algo must not be explicitly specified"
        );
        assert_eq!(
            text(json!(["r of set", {"required": 3, "set": [by(1), by(2)]}])),
            "required must be <= than set length"
        );
        assert_eq!(text(json!(["r of set", {"required": 0.5, "set": []}])), "required must be positive");
        assert_eq!(text(json!(["mci", ["<", 5]])), "mci cannot be judged without a ledger");
    }

    #[test]
    fn every_way_to_meet_a_definition_takes_a_signature() {
        let hash = json!(["hash", {"hash": crate::obyte::hash::sha256_base64(b"")}]);
        let unsigned = json!(["or", [by(1), hash]]);

        assert_eq!(check(&unsigned).unwrap_err().to_string(), "each branch must have a signature");
        assert_eq!(check(&json!(["and", [by(1), hash]])), Ok(()));
    }

    #[test]
    fn a_definition_has_no_more_than_a_hundred_expressions() {
        let nested = (0..60).fold(by(1), |inner, _| json!(["or", [inner, by(1)]]));

        let refusal = check(&nested).unwrap_err().to_string();

        assert!(refusal.starts_with("complexity exceeded at r.0"), "{refusal}");
    }

    #[test]
    fn the_single_key_of_a_definition_is_found_only_where_it_is_single() {
        assert_eq!(single_key(&by(1)), Some(secret(1).public()));
        assert_eq!(single_key(&json!(["or", [by(1), by(2)]])), None);
        assert_eq!(single_key(&json!(["sig", {"pubkey": format!("{:44}", "A")}])), None);
    }
}
