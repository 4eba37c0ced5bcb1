//! What a unit pays besides its size: for being large, and for the load of the network.
//!
//! Nodes compute these with a decimal exponential of 15 significant digits and doubles around it, and
//! compare to the byte, so the same is done here.

use alloc::{
    format,
    string::{String, ToString},
};

use dashu_float::{Context, FBig, round::mode::HalfEven};

use super::{network::Network, number};
use crate::Bytes;

/// The size in bytes up to which a unit pays nothing for it, unless voted otherwise.
pub const THRESHOLD_SIZE: u64 = 10_000;

const SIGNIFICANT_DIGITS: usize = 15;

/// A fee beyond all amounts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fee of {0} B is more than the largest amount, {max} B", max = Bytes::MAX.get())]
pub struct FeeError(
    /// The fee, as a node would write it.
    pub String,
);

/// What the load of the network costs; system variables, changed by votes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TpsRate {
    /// The fee's scale in bytes.
    pub base_tps_fee: f64,
    /// The load, in units per second, at which the fee grows e-fold.
    pub tps_interval: f64,
    /// How many times the final fee must be offered.
    pub tps_fee_multiplier: f64,
}

/// The fee for a unit of `size` bytes (headers and messages, without what is paid for temporary data);
/// nothing up to `threshold`.
///
/// # Errors
///
/// [`FeeError`] when the unit is so large that no money could pay for it.
pub fn oversize_fee(size: u64, threshold: u64) -> Result<Bytes, FeeError> {
    if size <= threshold {
        return Ok(Bytes::ZERO);
    }
    let (size, threshold) = (double(size), double(threshold));
    round(size * (exp(size / threshold - 1.0) - 1.0), |fraction| fraction > 0.0)
}

impl TpsRate {
    /// The rate a network starts with.
    pub const fn initial(network: Network) -> Self {
        let tps_interval = match network {
            Network::Livenet | Network::Testnet => 1.0,
            Network::Devnet => 2.0,
        };
        Self { base_tps_fee: 10.0, tps_interval, tps_fee_multiplier: 10.0 }
    }

    /// What one unit, or one response of an agent, must offer at a load of `tps` units per second.
    ///
    /// # Errors
    ///
    /// [`FeeError`] when the load is so high that no money could pay for it.
    pub fn local_fee(&self, tps: f64) -> Result<Bytes, FeeError> {
        round(self.tps_fee_multiplier * self.base_tps_fee * self.growth(tps), half_up)
    }

    /// What it is charged in the end, once the load is known.
    ///
    /// # Errors
    ///
    /// As [`TpsRate::local_fee`].
    pub fn final_fee(&self, tps: f64) -> Result<Bytes, FeeError> {
        round(self.base_tps_fee * self.growth(tps), half_up)
    }

    /// What a hub quotes: the final fee, rounded, and then multiplied.
    ///
    /// # Errors
    ///
    /// As [`TpsRate::local_fee`].
    pub fn quoted_fee(&self, tps: f64) -> Result<Bytes, FeeError> {
        round(self.tps_fee_multiplier * double(self.final_fee(tps)?.get()), half_up)
    }

    fn growth(&self, tps: f64) -> f64 {
        exp(tps / self.tps_interval) - 1.0
    }
}

/// eˣ of the shortest decimal that reads as `x`, to 15 significant digits, half to even.
fn exp(x: f64) -> f64 {
    // Beyond this no double holds the result.
    const LARGEST: f64 = 709.8;
    if x.is_nan() || x >= LARGEST {
        return f64::INFINITY;
    }
    let decimal = number::format(x).ok().and_then(|text| text.parse::<FBig<HalfEven, 10>>().ok());
    let power = decimal.and_then(|x| Context::<HalfEven>::new(SIGNIFICANT_DIGITS).exp(x.repr(), None).ok());
    power.and_then(|power| format!("{:e}", power.value()).parse().ok()).unwrap_or(f64::INFINITY)
}

fn half_up(fraction: f64) -> bool {
    fraction >= 0.5
}

/// The whole bytes of a fee, one more when `up` says so of the rest.
fn round(fee: f64, up: impl Fn(f64) -> bool) -> Result<Bytes, FeeError> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, then is refused")]
    let whole = fee as u64;
    let too_large = || FeeError(number::format(fee).unwrap_or_else(|number::NumberError| fee.to_string()));
    if fee.is_nan() || whole >= Bytes::MAX.get() {
        return Err(too_large());
    }
    Bytes::try_from(whole + u64::from(up(fee - double(whole)))).map_err(|_amount| too_large())
}

#[expect(clippy::cast_precision_loss, reason = "sizes and fees are far below 2⁵³")]
fn double(natural: u64) -> f64 {
    natural as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_has_15_digits() {
        // e¹ = 2.718281828459045 235…, e^39 = 86593400423993746.9536…
        assert_eq!(exp(1.0).to_string(), "2.71828182845905");
        assert_eq!(exp(39.0).to_string(), "86593400423993700");
        assert_eq!(exp(0.0).to_string(), "1");
    }

    #[test]
    fn up_to_the_threshold_size_costs_nothing() {
        assert_eq!(oversize_fee(THRESHOLD_SIZE, THRESHOLD_SIZE), Ok(Bytes::ZERO));
        assert_eq!(oversize_fee(THRESHOLD_SIZE + 1, THRESHOLD_SIZE), Ok(Bytes::new(2)));
    }

    #[test]
    fn a_fee_beyond_all_amounts_is_refused_with_both_numbers() {
        let refusal = oversize_fee(5_000_000, THRESHOLD_SIZE).unwrap_err();

        assert_eq!(
            refusal.to_string(),
            "a fee of 2.5817636036814353e+223 B is more than the largest amount, 9000000000000000 B"
        );
        assert!(oversize_fee(u64::MAX, 1).is_err());
        assert!(oversize_fee(1, 0).is_err());
    }

    #[test]
    fn a_hub_quotes_a_multiple_of_the_rounded_fee() {
        let rate = TpsRate::initial(Network::Livenet);

        assert_eq!(rate.local_fee(1.0), Ok(Bytes::new(172)));
        assert_eq!(rate.final_fee(1.0), Ok(Bytes::new(17)));
        assert_eq!(rate.quoted_fee(1.0), Ok(Bytes::new(170)));
    }
}
