use core::fmt;

use serde::{Deserialize, Serialize};

/// An amount of money in **bytes**, the smallest unit of the Obyte ledger (1 GB = 10⁹ bytes).
///
/// Never above [`Bytes::MAX`]; arithmetic is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(#[serde(deserialize_with = "within_the_cap")] u64);

/// Why a number is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// More than the ledger can hold.
    #[error("{0} B is more than the largest amount, {max} B", max = Bytes::MAX.get())]
    TooLarge(u64),
    /// The sum does not fit.
    #[error("{0} and {1} add up to more than the largest amount, {max} B", max = Bytes::MAX.get())]
    Overflow(Bytes, Bytes),
    /// More wanted than there is.
    #[error("{wanted} wanted but only {available} available")]
    Short {
        /// What was asked for.
        wanted: Bytes,
        /// What there is.
        available: Bytes,
    },
}

impl Bytes {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount the protocol allows, 9·10¹⁵ bytes (Obyte's `MAX_CAP`).
    pub const MAX: Self = Self(9_000_000_000_000_000);

    /// An amount known to be within [`Bytes::MAX`].
    ///
    /// # Panics
    ///
    /// When `bytes` is larger; for constants and tests. Use [`Bytes::try_from`] for input.
    pub const fn new(bytes: u64) -> Self {
        assert!(bytes <= Self::MAX.0, "amount above the cap");
        Self(bytes)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The sum.
    ///
    /// # Errors
    ///
    /// [`AmountError::Overflow`] above [`Bytes::MAX`].
    pub fn plus(self, other: Self) -> Result<Self, AmountError> {
        self.0
            .checked_add(other.0)
            .filter(|sum| *sum <= Self::MAX.0)
            .map(Self)
            .ok_or(AmountError::Overflow(self, other))
    }

    /// What is left after taking `other` away.
    ///
    /// # Errors
    ///
    /// [`AmountError::Short`] when `other` is larger.
    pub fn minus(self, other: Self) -> Result<Self, AmountError> {
        self.0.checked_sub(other.0).map(Self).ok_or(AmountError::Short { wanted: other, available: self })
    }

    /// What is left after taking `other` away, nothing when `other` is larger: for exposures and
    /// remainders, where below nothing is nothing.
    #[must_use]
    pub const fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// `count` times this amount.
    ///
    /// # Errors
    ///
    /// [`AmountError::TooLarge`] above [`Bytes::MAX`].
    pub fn times(self, count: u64) -> Result<Self, AmountError> {
        let product = self.0.saturating_mul(count);
        Self::try_from(product)
    }
}

impl TryFrom<u64> for Bytes {
    type Error = AmountError;

    fn try_from(bytes: u64) -> Result<Self, AmountError> {
        if bytes > Self::MAX.0 { Err(AmountError::TooLarge(bytes)) } else { Ok(Self(bytes)) }
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} B", self.0)
    }
}

fn within_the_cap<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let bytes = u64::deserialize(deserializer)?;
    Bytes::try_from(bytes).map(Bytes::get).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn a_sum_above_the_cap_is_refused_with_both_numbers() {
        let refusal = Bytes::MAX.plus(Bytes::new(1)).unwrap_err();

        assert_eq!(
            refusal.to_string(),
            "9000000000000000 B and 1 B add up to more than the largest amount, 9000000000000000 B"
        );
    }

    #[test]
    fn taking_more_than_there_is_is_refused_with_both_numbers() {
        let refusal = Bytes::new(5).minus(Bytes::new(6)).unwrap_err();

        assert_eq!(refusal.to_string(), "6 B wanted but only 5 B available");
    }

    #[test]
    fn an_amount_above_the_cap_is_not_read() {
        assert!(serde_json::from_str::<Bytes>("9000000000000001").is_err());
        assert!(serde_json::from_str::<Bytes>("-1").is_err());
        assert_eq!(serde_json::from_str::<Bytes>("7").unwrap(), Bytes::new(7));
    }
}
