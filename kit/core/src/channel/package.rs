use alloc::{collections::BTreeMap, string::String};
use core::fmt::{self, Write};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
    ser::SerializeMap,
};
use serde_json::Value;

use crate::{
    Bytes,
    obyte::{address::Address, canonical::canonical_json, hash::sha256, source::SourceError},
};

/// What a payer signs: how much it has spent in all, and how much of that is this payment.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    /// This payment.
    pub payment_amount: Bytes,
    /// All the payer has spent in the period, this payment included.
    pub amount_spent: Bytes,
    /// The period; a closed one's packages are void.
    pub period: u64,
    /// The channel's agent.
    pub aa_address: Address,
    /// Announces a channel the receiver may not know yet.
    pub channel_parameters: Option<ChannelParameters>,
    /// Whatever else the payer signed.
    pub extra: BTreeMap<String, Value>,
}

/// A channel announced by its first package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelParameters {
    /// The payer.
    pub address: Address,
    /// Always `base` here.
    pub asset: String,
    /// Tells two channels of the same parties apart.
    pub salt: String,
    /// How long a close may be answered, in seconds.
    pub timeout: u64,
    /// The agent's version.
    pub version: String,
}

impl Package {
    /// The longest signed message accepted from a peer, in bytes of canonical JSON.
    pub const MAX_SIZE: usize = 1000;

    /// A plain payment.
    pub const fn new(aa_address: Address, period: u64, payment_amount: Bytes, amount_spent: Bytes) -> Self {
        Self {
            payment_amount,
            amount_spent,
            period,
            aa_address,
            channel_parameters: None,
            extra: BTreeMap::new(),
        }
    }

    /// The text that is hashed.
    ///
    /// # Errors
    ///
    /// Only with extra fields that cannot be hashed: empty lists, empty objects, nulls.
    pub fn canonical(&self) -> Result<String, SourceError> {
        let mut text = String::with_capacity(256);
        self.write_canonical(&mut text)?;
        Ok(text)
    }

    /// The hash that `address` with the key `pubkey` signs.
    ///
    /// # Errors
    ///
    /// As [`Package::canonical`].
    pub fn hash_to_sign(
        &self,
        version: &str,
        address: Address,
        pubkey: &str,
    ) -> Result<[u8; 32], SourceError> {
        let mut text = String::with_capacity(512);
        // Writing into a String cannot fail.
        let _ = write!(
            text,
            r#"{{"authors":[{{"address":"{address}","definition":["sig",{{"pubkey":"{pubkey}"}}]}}],"signed_message":"#
        );
        self.write_canonical(&mut text)?;
        let _ = write!(text, r#","version":"{version}"}}"#);
        Ok(sha256(text.as_bytes()))
    }

    /// Straight to the text for a plain payment, which is nearly every one; its keys in order, its
    /// numbers whole and below 2⁵³, nothing to escape.
    fn write_canonical(&self, text: &mut String) -> Result<(), SourceError> {
        if !self.is_plain() {
            text.push_str(&canonical_json(&self.value())?);
            return Ok(());
        }
        let _ = write!(
            text,
            r#"{{"aa_address":"{}","amount_spent":{},"payment_amount":{},"period":{}}}"#,
            self.aa_address,
            self.amount_spent.get(),
            self.payment_amount.get(),
            self.period
        );
        Ok(())
    }

    fn value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }

    /// Whether it may be long: a plain payment never is.
    pub(super) fn is_plain(&self) -> bool {
        self.channel_parameters.is_none() && self.extra.is_empty()
    }
}

impl Serialize for Package {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("payment_amount", &self.payment_amount)?;
        map.serialize_entry("amount_spent", &self.amount_spent)?;
        map.serialize_entry("period", &self.period)?;
        map.serialize_entry("aa_address", &self.aa_address)?;
        if let Some(parameters) = &self.channel_parameters {
            map.serialize_entry("channel_parameters", parameters)?;
        }
        for (key, value) in &self.extra {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Package {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PackageVisitor)
    }
}

/// Keeps unknown fields: they are signed too.
struct PackageVisitor;

impl<'de> Visitor<'de> for PackageVisitor {
    type Value = Package;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a payment package")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Package, M::Error> {
        let (mut payment_amount, mut amount_spent, mut period, mut aa_address) = (None, None, None, None);
        let mut channel_parameters = None;
        let mut extra = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "payment_amount" => payment_amount = Some(map.next_value()?),
                "amount_spent" => amount_spent = Some(map.next_value()?),
                "period" => period = Some(map.next_value()?),
                "aa_address" => aa_address = Some(map.next_value()?),
                "channel_parameters" => channel_parameters = Some(map.next_value()?),
                _ => drop(extra.insert(key, map.next_value()?)),
            }
        }
        Ok(Package {
            payment_amount: payment_amount.ok_or_else(|| M::Error::missing_field("payment_amount"))?,
            amount_spent: amount_spent.ok_or_else(|| M::Error::missing_field("amount_spent"))?,
            period: period.ok_or_else(|| M::Error::missing_field("period"))?,
            aa_address: aa_address.ok_or_else(|| M::Error::missing_field("aa_address"))?,
            channel_parameters,
            extra,
        })
    }
}
