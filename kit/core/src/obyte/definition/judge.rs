//! Whether authentifiers meet a definition.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde_json::{Map, Value};

use super::{DefinitionError, ROOT, form::positive};
use crate::obyte::{
    hash,
    key::{PublicKey, Signature},
};

/// Goes through a definition that was checked; every branch, so that no bad signature hides.
pub(super) struct Judge<'a> {
    hash_to_sign: &'a [u8; 32],
    authentifiers: &'a Map<String, Value>,
    used: Vec<String>,
    fatal: Option<DefinitionError>,
}

impl<'a> Judge<'a> {
    pub(super) const fn new(hash_to_sign: &'a [u8; 32], authentifiers: &'a Map<String, Value>) -> Self {
        Self { hash_to_sign, authentifiers, used: Vec::new(), fatal: None }
    }

    /// Whether the authentifiers meet the definition, and all of them are good and asked for.
    pub(super) fn judge(mut self, definition: &Value) -> Result<bool, DefinitionError> {
        let met = self.is_met(definition, ROOT);
        if let Some(fatal) = self.fatal {
            return Err(fatal);
        }
        if self.used.len() == self.authentifiers.len() {
            return Ok(met);
        }
        let passed = Value::Object(self.authentifiers.clone()).to_string();
        Err(DefinitionError::Unused { met, used: self.used.join(","), passed })
    }

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
