use alloc::vec::Vec;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Bytes,
    obyte::{address::Address, hash::Hash},
};

/// The payload of a payment: coins in, coins out, of one asset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// The asset; bytes when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<Hash>,
    /// What is spent.
    pub inputs: Vec<Input>,
    /// What it becomes, by address, then by amount.
    pub outputs: Vec<Output>,
}

/// A coin that is made: so much for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Whose it is.
    pub address: Address,
    /// How much.
    pub amount: Bytes,
}

/// A coin that is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Input {
    /// New money of an asset.
    Issue {
        /// How much.
        amount: Bytes,
        /// Which issue of the issuer's.
        serial_number: u64,
        /// The issuer, when the unit has several authors.
        address: Option<Address>,
    },
    /// An output of an earlier unit.
    Transfer {
        /// The unit.
        unit: Hash,
        /// Which of its messages.
        message_index: u32,
        /// Which of that payment's outputs.
        output_index: u32,
    },
    /// Headers commissions earned.
    HeadersCommission(Earned),
    /// Order provider's fees earned.
    Witnessing(Earned),
}

/// What was earned along a stretch of the main chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Earned {
    /// The first index.
    pub from_main_chain_index: u64,
    /// The last index.
    pub to_main_chain_index: u64,
    /// Who earned it, when the unit has several authors.
    pub address: Option<Address>,
}

impl Payment {
    /// A payment of bytes, its outputs put in order.
    pub fn new(inputs: Vec<Input>, mut outputs: Vec<Output>) -> Self {
        outputs.sort_unstable();
        Self { asset: None, inputs, outputs }
    }

    /// The JSON that travels and is hashed.
    #[expect(clippy::missing_panics_doc, reason = "a payment is always JSON")]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).expect("texts and numbers are JSON")
    }
}

/// An input that has not the fields of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an input: fields missing, or of another kind")]
struct InputError;

/// An input as it is written: the kind tells which fields there are.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unit: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_index: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    output_index: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Bytes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    serial_number: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from_main_chain_index: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to_main_chain_index: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<Address>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Issue,
    HeadersCommission,
    Witnessing,
}

impl Written {
    fn earned(kind: Kind, earned: Earned) -> Self {
        Self {
            kind: Some(kind),
            from_main_chain_index: Some(earned.from_main_chain_index),
            to_main_chain_index: Some(earned.to_main_chain_index),
            address: earned.address,
            ..Self::default()
        }
    }
}

impl From<Input> for Written {
    fn from(input: Input) -> Self {
        match input {
            Input::Issue { amount, serial_number, address } => Self {
                kind: Some(Kind::Issue),
                amount: Some(amount),
                serial_number: Some(serial_number),
                address,
                ..Self::default()
            },
            Input::Transfer { unit, message_index, output_index } => Self {
                unit: Some(unit),
                message_index: Some(message_index),
                output_index: Some(output_index),
                ..Self::default()
            },
            Input::HeadersCommission(earned) => Self::earned(Kind::HeadersCommission, earned),
            Input::Witnessing(earned) => Self::earned(Kind::Witnessing, earned),
        }
    }
}

impl TryFrom<Written> for Input {
    type Error = InputError;

    fn try_from(written: Written) -> Result<Self, InputError> {
        let transfer = (written.unit, written.message_index, written.output_index);
        let issue = (written.amount, written.serial_number);
        let earned = (written.from_main_chain_index, written.to_main_chain_index);
        match (written.kind, transfer, issue, earned) {
            (None, (Some(unit), Some(message_index), Some(output_index)), (None, None), (None, None))
                if written.address.is_none() =>
            {
                Ok(Self::Transfer { unit, message_index, output_index })
            }
            (Some(Kind::Issue), (None, None, None), (Some(amount), Some(serial_number)), (None, None)) => {
                Ok(Self::Issue { amount, serial_number, address: written.address })
            }
            (Some(kind), (None, None, None), (None, None), (Some(from), Some(to))) => {
                let earned =
                    Earned { from_main_chain_index: from, to_main_chain_index: to, address: written.address };
                match kind {
                    Kind::HeadersCommission => Ok(Self::HeadersCommission(earned)),
                    Kind::Witnessing => Ok(Self::Witnessing(earned)),
                    Kind::Issue => Err(InputError),
                }
            }
            _ => Err(InputError),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_input_reads_back_as_it_was_written() {
        let unit = Hash::of(b"unit");
        let written = json!([
            {"type": "issue", "amount": 5, "serial_number": 1},
            {"unit": unit, "message_index": 0, "output_index": 2},
            {"type": "headers_commission", "from_main_chain_index": 3, "to_main_chain_index": 9},
            {"type": "witnessing", "from_main_chain_index": 3, "to_main_chain_index": 9},
        ]);

        let inputs: Vec<Input> = serde_json::from_value(written.clone()).unwrap();

        assert_eq!(serde_json::to_value(inputs).unwrap(), written);
    }

    #[test]
    fn an_input_with_fields_of_two_kinds_is_refused() {
        let unit = Hash::of(b"unit");
        for wrong in [
            json!({}),
            json!({"unit": unit, "message_index": 0}),
            json!({"unit": unit, "message_index": 0, "output_index": 0, "amount": 1}),
            json!({"type": "issue", "amount": 5}),
            json!({"type": "issue", "from_main_chain_index": 3, "to_main_chain_index": 9}),
            json!({"type": "transfer", "unit": unit, "message_index": 0, "output_index": 0}),
        ] {
            assert!(serde_json::from_value::<Input>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
