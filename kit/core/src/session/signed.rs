use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A statement as it came over the line: an Obyte signed message, not yet believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Signed(Value);

impl Signed {
    /// The package as it was received or made.
    pub const fn new(package: Value) -> Self {
        Self(package)
    }

    /// The package, to be sent.
    pub const fn package(&self) -> &Value {
        &self.0
    }
}
