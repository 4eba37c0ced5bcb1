use serde::{Deserialize, Serialize};

use crate::tariff::Quantity;

/// How far a meter may be from the truth: so many **units of the tariff**, and a part of what it shows in
/// **thousandths**.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// What it may not have noticed yet.
    pub units: Quantity,
    /// How much it drifts, in thousandths of what it shows.
    pub permille: u16,
}

impl Accuracy {
    /// The error of a meter that shows so much, rounded up.
    pub fn of(self, shown: Quantity) -> Quantity {
        let part = (u128::from(shown.get()) * u128::from(self.permille)).div_ceil(1_000);
        self.units.plus(Quantity::new(u64::try_from(part).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_fixed_part_and_a_part_of_what_is_shown() {
        let accuracy = Accuracy { units: Quantity::new(100), permille: 20 };

        assert_eq!(accuracy.of(Quantity::ZERO), Quantity::new(100));
        assert_eq!(accuracy.of(Quantity::new(10_001)), Quantity::new(301));
        assert_eq!(accuracy.of(Quantity::new(u64::MAX)).get() / 1_000, u64::MAX / 50_000);
    }
}
