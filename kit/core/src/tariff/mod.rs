//! What a thing costs: exact whole numbers, no floats.

mod quantity;
mod rate;

use serde::{Deserialize, Serialize};

pub use quantity::{Quantity, Unit};
pub use rate::{Rate, RateError};

use crate::Bytes;

/// A price and the step in which it is paid. Always sound: checked when made and when read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Terms")]
pub struct Tariff {
    unit: Unit,
    price: Bytes,
    per: Quantity,
    step: Quantity,
}

/// Why a tariff makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// Some number that must be positive is zero.
    #[error("{price} per {per} units in steps of {step} units: none of the three may be 0")]
    Zero {
        /// The price.
        price: Bytes,
        /// What the price is for.
        per: Quantity,
        /// The step.
        step: Quantity,
    },
    /// The first payment, two steps, is more than there can be.
    #[error(
        "two steps of {step} units at {price} per {per} cost more than the largest amount, {max}",
        max = Bytes::MAX
    )]
    TooDear {
        /// The price.
        price: Bytes,
        /// What the price is for.
        per: Quantity,
        /// The step.
        step: Quantity,
    },
}

impl Tariff {
    /// `price` for each `per` units, paid in steps of `step` units.
    ///
    /// # Errors
    ///
    /// [`TariffError`] when a number is zero, or two steps cost more than [`Bytes::MAX`].
    pub fn new(unit: Unit, price: Bytes, per: Quantity, step: Quantity) -> Result<Self, TariffError> {
        if price.is_zero() || per.is_zero() || step.is_zero() {
            return Err(TariffError::Zero { price, per, step });
        }
        let tariff = Self { unit, price, per, step };
        let twice = scaled(step, price.get(), per.get(), Rounding::Up).saturating_mul(2);
        if twice > u128::from(Bytes::MAX.get()) {
            return Err(TariffError::TooDear { price, per, step });
        }
        Ok(tariff)
    }

    /// What is counted.
    pub const fn unit(&self) -> Unit {
        self.unit
    }

    /// The price of [`per`](Self::per) units.
    pub const fn price(&self) -> Bytes {
        self.price
    }

    /// How many units the price is for.
    pub const fn per(&self) -> Quantity {
        self.per
    }

    /// How many units are paid at a time.
    pub const fn step(&self) -> Quantity {
        self.step
    }

    /// What a step costs; a fraction of a byte counts as one, so that a paid step is a whole step.
    pub fn step_price(&self) -> Bytes {
        self.cost(self.step)
    }

    /// What the first payment costs: two steps.
    pub fn first_price(&self) -> Bytes {
        capped(u128::from(self.step_price().get()) * 2)
    }

    /// What `delivered` is worth; a fraction of a byte is not owed.
    ///
    /// Stays at [`Bytes::MAX`] beyond it: nobody can have paid that, so every comparison still holds.
    pub fn value(&self, delivered: Quantity) -> Bytes {
        capped(scaled(delivered, self.price.get(), self.per.get(), Rounding::Down))
    }

    /// What has to be paid so that `wanted` is covered; stays at [`Bytes::MAX`] as [`value`](Self::value).
    pub fn cost(&self, wanted: Quantity) -> Bytes {
        capped(scaled(wanted, self.price.get(), self.per.get(), Rounding::Up))
    }

    /// How much may be delivered for `paid`: `value(covers(paid)) <= paid`, and nothing for nothing.
    pub fn covers(&self, paid: Bytes) -> Quantity {
        let units = scaled(Quantity::new(paid.get()), self.per.get(), self.price.get(), Rounding::Down);
        Quantity::new(u64::try_from(units).unwrap_or(u64::MAX))
    }

    /// Whether this asks no more than `limit` for the same amount of units.
    pub fn within(&self, limit: Price) -> bool {
        self.cost_order(limit) != core::cmp::Ordering::Greater
    }

    /// How this compares to `other` in price for the same amount of units.
    pub fn cost_order(&self, other: Price) -> core::cmp::Ordering {
        let ours = u128::from(self.price.get()) * u128::from(other.per.get());
        let theirs = u128::from(other.bytes.get()) * u128::from(self.per.get());
        ours.cmp(&theirs)
    }

    /// The price alone, without the step.
    pub const fn rate_of_price(&self) -> Price {
        Price { bytes: self.price, per: self.per }
    }
}

/// A price per units, to compare with: the most somebody would pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// How much.
    pub bytes: Bytes,
    /// For how many units.
    pub per: Quantity,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    unit: Unit,
    price: Bytes,
    per: Quantity,
    step: Quantity,
}

impl TryFrom<Terms> for Tariff {
    type Error = TariffError;

    fn try_from(terms: Terms) -> Result<Self, TariffError> {
        Self::new(terms.unit, terms.price, terms.per, terms.step)
    }
}

#[derive(Clone, Copy)]
enum Rounding {
    Up,
    Down,
}

/// `units * times / by`, which cannot overflow: the product of two `u64` fits a `u128`.
fn scaled(units: Quantity, times: u64, by: u64, rounding: Rounding) -> u128 {
    let product = u128::from(units.get()) * u128::from(times);
    match rounding {
        Rounding::Up => product.div_ceil(u128::from(by)),
        Rounding::Down => product / u128::from(by),
    }
}

fn capped(bytes: u128) -> Bytes {
    u64::try_from(bytes).ok().and_then(|bytes| Bytes::try_from(bytes).ok()).unwrap_or(Bytes::MAX)
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    fn tariff(price: u64, per: u64, step: u64) -> Tariff {
        Tariff::new(Unit::Millisecond, Bytes::new(price), Quantity::new(per), Quantity::new(step)).unwrap()
    }

    #[test]
    fn a_second_at_a_thousand_bytes_is_worth_a_byte_a_millisecond() {
        let tariff = tariff(1_000, 1_000, 500);

        assert_eq!(tariff.value(Quantity::new(1_499)), Bytes::new(1_499));
        assert_eq!(tariff.step_price(), Bytes::new(500));
        assert_eq!(tariff.first_price(), Bytes::new(1_000));
        assert_eq!(tariff.covers(Bytes::new(500)), Quantity::new(500));
    }

    #[test]
    fn a_fraction_of_a_byte_is_not_owed_but_paid_ahead() {
        let tariff = tariff(1, 3, 5);

        assert_eq!(tariff.value(Quantity::new(5)), Bytes::new(1));
        assert_eq!(tariff.step_price(), Bytes::new(2));
        assert_eq!(tariff.covers(Bytes::new(1)), Quantity::new(3));
    }

    #[test]
    fn a_free_tariff_is_refused_with_the_numbers() {
        let error = Tariff::new(Unit::Opening, Bytes::ZERO, Quantity::new(1), Quantity::new(2)).unwrap_err();

        assert_eq!(error.to_string(), "0 B per 1 units in steps of 2 units: none of the three may be 0");
    }

    #[test]
    fn a_step_nobody_could_pay_twice_is_refused_also_when_read() {
        let text = r#"{"unit":"opening","price":9000000000000000,"per":1,"step":1}"#;

        let error = serde_json::from_str::<Tariff>(text).unwrap_err();

        assert!(error.to_string().starts_with(
            "two steps of 1 units at 9000000000000000 B per 1 cost more than the largest amount, 9000000000000000 B"
        ));
    }

    proptest! {
        #[test]
        fn what_is_covered_is_never_worth_more_than_was_paid(
            price in 1..1_000_000_u64, per in 1..1_000_000_u64, paid in 0..Bytes::MAX.get(),
        ) {
            let tariff = tariff(price, per, 1);
            let paid = Bytes::new(paid);

            prop_assert!(tariff.value(tariff.covers(paid)) <= paid);
        }

        #[test]
        fn what_was_paid_for_is_covered(
            price in 1..1_000_000_u64, per in 1..1_000_000_u64, wanted in 0..1_000_000_000_u64,
        ) {
            let tariff = tariff(price, per, 1);
            let wanted = Quantity::new(wanted);

            prop_assert!(tariff.covers(tariff.cost(wanted)) >= wanted);
        }
    }
}
