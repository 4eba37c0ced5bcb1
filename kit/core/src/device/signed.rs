//! How objects to and from a hub are hashed and signed: by their source string, without what is `null`.

use alloc::{borrow::Cow, string::String};

use serde_json::Value;

use super::Refusal;
use crate::obyte::{
    Hash, PublicKey, SecretKey, Signature, hash, length,
    order::Trim,
    source::{self, SourceError},
};

static UNSIGNED: Trim = Trim { drop: &["signature"], below: &[] };

/// The text whose hash the sender signs.
///
/// # Errors
///
/// [`SourceError`] when the object holds what cannot be hashed.
pub fn text_to_sign(object: &Value) -> Result<String, SourceError> {
    source::trimmed(&without_nulls(object), &UNSIGNED)
}

/// The hash that the sender signs.
///
/// # Errors
///
/// As [`text_to_sign`].
pub fn hash_to_sign(object: &Value) -> Result<[u8; 32], SourceError> {
    Ok(hash::sha256(text_to_sign(object)?.as_bytes()))
}

/// The hash by which a hub names a message, its signature included.
///
/// # Errors
///
/// As [`text_to_sign`].
pub fn message_hash(object: &Value) -> Result<Hash, SourceError> {
    Ok(Hash::of(source::source_string(&without_nulls(object))?.as_bytes()))
}

/// Adds the signature.
pub(super) fn sign(mut object: Value, key: &SecretKey) -> Result<Value, SourceError> {
    let signature = key.sign(&hash_to_sign(&object)?);
    object["signature"] = serde_json::json!(signature);
    Ok(object)
}

/// The key that an object names and whose signature it bears.
pub(super) fn verify(object: &Value, most: u64) -> Result<(PublicKey, Signature), Refusal> {
    Refusal::unless_within("size in bytes", length::length(object, true), most)?;
    let pubkey: PublicKey = parsed(object, "pubkey")?;
    let signature: Signature = parsed(object, "signature")?;
    if pubkey.verify(&hash_to_sign(object)?, &signature) {
        Ok((pubkey, signature))
    } else {
        Err(Refusal::Signature)
    }
}

/// A field that is a text.
pub(super) fn text<'v>(object: &'v Value, field: &'static str) -> Result<&'v str, Refusal> {
    object.get(field).and_then(Value::as_str).ok_or(Refusal::Field(field))
}

/// A field that is the text of something.
pub(super) fn parsed<T: core::str::FromStr>(object: &Value, field: &'static str) -> Result<T, Refusal> {
    text(object, field)?.parse().map_err(|_its_own_reason| Refusal::Field(field))
}

fn without_nulls(object: &Value) -> Cow<'_, Value> {
    if !has_null(object) {
        return Cow::Borrowed(object);
    }
    let mut clean = object.clone();
    drop_nulls(&mut clean);
    Cow::Owned(clean)
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(map) => map.values().any(has_null),
    }
}

/// Keys without a value go; a `null` among the elements of an array stays, and has no hash.
fn drop_nulls(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        Value::Array(elements) => elements.iter_mut().for_each(drop_nulls),
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(drop_nulls);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_without_a_value_are_as_if_they_were_not_there() {
        let with = json!({"a": 1, "b": null, "c": {"d": null, "e": "x"}, "signature": "s"});
        let without = json!({"a": 1, "c": {"e": "x"}});

        assert_eq!(text_to_sign(&with), text_to_sign(&without));
        assert_ne!(message_hash(&with), message_hash(&without));
    }

    #[test]
    fn a_list_with_nothing_in_it_has_no_hash() {
        assert!(text_to_sign(&json!({"a": [1, null]})).is_err());
    }
}
