//! Address definitions: who must sign.

use alloc::vec::Vec;

use serde_json::{Value, json};

use super::key::PublicKey;

/// The definition of an address that one key alone signs for.
pub fn sig(key: &PublicKey) -> Value {
    json!(["sig", { "pubkey": key.to_base64() }])
}

/// Whether a definition is an autonomous agent's.
pub fn is_agent(definition: &Value) -> bool {
    matches!(definition.as_array().map(Vec::as_slice), Some([Value::String(kind), _]) if kind == AGENT)
}

const AGENT: &str = "autonomous agent";
