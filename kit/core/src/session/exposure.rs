//! What each side stands to lose at a moment, from the truth.

use serde::{Deserialize, Serialize};

use crate::Bytes;

/// What the buyer has signed beyond the value it truly got: at most two steps in an honest purchase.
pub fn buyer_exposure(signed: Bytes, delivered_value: Bytes) -> Bytes {
    signed.less(delivered_value)
}

/// What the seller has truly delivered beyond what it was paid: at most one step in an honest sale.
pub fn seller_exposure(delivered_value: Bytes, paid: Bytes) -> Bytes {
    delivered_value.less(paid)
}

/// The largest exposures of a session so far.
///
/// Fed with the *true* delivery (in a simulation the plant's), never a meter's word. The bound: the
/// buyer at most two steps, the seller at most one, beyond fees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExposureMeter {
    step: Bytes,
    max_buyer: Bytes,
    max_seller: Bytes,
}

impl ExposureMeter {
    /// For a session with steps of `step`.
    pub const fn new(step: Bytes) -> Self {
        Self { step, max_buyer: Bytes::ZERO, max_seller: Bytes::ZERO }
    }

    /// Takes note of a moment: the buyer has signed `signed`, the seller holds `paid` of it.
    pub fn feed(&mut self, signed: Bytes, paid: Bytes, delivered_value: Bytes) {
        self.max_buyer = self.max_buyer.max(buyer_exposure(signed, delivered_value));
        self.max_seller = self.max_seller.max(seller_exposure(delivered_value, paid));
    }

    /// The price of a step.
    pub const fn step(&self) -> Bytes {
        self.step
    }

    /// The most the buyer stood to lose.
    pub const fn max_buyer(&self) -> Bytes {
        self.max_buyer
    }

    /// The most the seller stood to lose.
    pub const fn max_seller(&self) -> Bytes {
        self.max_seller
    }

    /// Whether both stayed within what was agreed.
    pub fn within_the_agreed(&self) -> bool {
        // Below the cap for every tariff: two steps were checked when it was made.
        let two_steps = self.step.times(2).unwrap_or(Bytes::MAX);
        self.max_buyer <= two_steps && self.max_seller <= self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_moment_is_kept() {
        let mut meter = ExposureMeter::new(Bytes::new(10));

        meter.feed(Bytes::new(20), Bytes::new(20), Bytes::ZERO);
        meter.feed(Bytes::new(20), Bytes::new(20), Bytes::new(25));

        assert_eq!((meter.max_buyer(), meter.max_seller()), (Bytes::new(20), Bytes::new(5)));
        assert!(meter.within_the_agreed());
    }

    #[test]
    fn a_third_step_ahead_is_too_much() {
        let mut meter = ExposureMeter::new(Bytes::new(10));

        meter.feed(Bytes::new(30), Bytes::new(30), Bytes::new(9));

        assert!(!meter.within_the_agreed());
    }
}
