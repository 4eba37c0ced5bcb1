use crate::tariff::Quantity;

/// Two meters of one session that are further apart than was agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the seller's meter shows {seller} units and the buyer's {buyer}, more than {tolerance} apart")]
pub struct Apart {
    /// What the seller's meter shows.
    pub seller: Quantity,
    /// What the buyer's meter shows.
    pub buyer: Quantity,
    /// How far they may be apart.
    pub tolerance: Quantity,
}

/// What counts of two meters' words about one delivery: the lower one, unless they are further apart than
/// `tolerance`.
///
/// # Errors
///
/// [`Apart`] with both figures: nobody is to be believed more than the other.
pub fn reconcile(seller: Quantity, buyer: Quantity, tolerance: Quantity) -> Result<Quantity, Apart> {
    let (lower, higher) = (seller.min(buyer), seller.max(buyer));
    if higher.less(lower) > tolerance {
        return Err(Apart { seller, buyer, tolerance });
    }
    Ok(lower)
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::string::ToString as _;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        Bytes,
        session::Metering,
        tariff::{Rate, Tariff, Unit},
    };

    /// Eleven kilowatts by the five watt-hours, as a pulse meter counts them.
    fn metering() -> Metering {
        let rated = Rate::new(Quantity::new(11_000_000), Duration::from_hours(1)).unwrap();
        Metering {
            rated,
            resolution: Quantity::new(100),
            gap_ms: 1_000,
            error_permille: 10,
            apart_permille: 10,
        }
    }

    fn tariff() -> Tariff {
        let (price, per) = (Bytes::new(30_000), Quantity::new(1_000_000));
        Tariff::new(Unit::MilliwattHour, price, per, Quantity::new(5_000)).unwrap()
    }

    #[test]
    fn within_the_tolerance_the_lower_one_counts() {
        let (more, less, tolerance) = (Quantity::new(1_050), Quantity::new(1_000), Quantity::new(50));

        assert_eq!(reconcile(more, less, tolerance), Ok(less));
        assert_eq!(reconcile(less, more, tolerance), Ok(less));
    }

    #[test]
    fn beyond_it_both_figures_are_told() {
        let (seller, buyer, tolerance) = (Quantity::new(1_051), Quantity::new(1_000), Quantity::new(50));

        let apart = reconcile(seller, buyer, tolerance).unwrap_err();

        assert_eq!(apart, Apart { seller, buyer, tolerance });
        assert_eq!(
            apart.to_string(),
            "the seller's meter shows 1051 units and the buyer's 1000, more than 50 apart"
        );
    }

    #[test]
    fn the_tolerance_holds_both_errors_and_what_flows_unnoticed_but_never_more_than_a_step() {
        let (metering, tariff) = (metering(), tariff());

        assert_eq!(metering.tolerance(&tariff, Quantity::ZERO), Quantity::new(3_056));
        assert_eq!(metering.tolerance(&tariff, Quantity::new(50_000)), Quantity::new(4_056));
        assert_eq!(metering.tolerance(&tariff, Quantity::new(5_000_000)), tariff.step());
    }

    proptest! {
        #[test]
        fn what_counts_is_never_above_either_figure_and_its_money_within_a_step(
            seller in 0..10_000_000_u64, buyer in 0..10_000_000_u64, near in 0..6_000_u64,
        ) {
            let tariff = tariff();
            for buyer in [buyer, seller.saturating_sub(near), seller + near] {
                let (seller, buyer) = (Quantity::new(seller), Quantity::new(buyer));
                let tolerance = metering().tolerance(&tariff, seller.min(buyer));
                match reconcile(seller, buyer, tolerance) {
                    Ok(counts) => {
                        prop_assert!(counts <= seller && counts <= buyer);
                        for figure in [seller, buyer] {
                            let lost = tariff.value(figure).less(tariff.value(counts));
                            prop_assert!(lost <= tariff.step_price().plus(Bytes::new(1)).unwrap());
                        }
                    }
                    Err(apart) => {
                        prop_assert_eq!((apart.seller, apart.buyer), (seller, buyer));
                        prop_assert!(seller.max(buyer).less(seller.min(buyer)) > tolerance);
                    }
                }
            }
        }

        #[test]
        fn as_long_as_both_agree_what_counts_never_goes_back(
            steps in prop::collection::vec((0..3_000_u64, 0..3_000_u64), 1..50),
        ) {
            let (mut seller, mut buyer, mut before) = (Quantity::ZERO, Quantity::ZERO, Quantity::ZERO);
            for (one, other) in steps {
                (seller, buyer) = (seller.plus(Quantity::new(one)), buyer.plus(Quantity::new(other)));
                let tolerance = metering().tolerance(&tariff(), seller.min(buyer));
                let Ok(counts) = reconcile(seller, buyer, tolerance) else { continue };
                prop_assert!(counts >= before);
                before = counts;
            }
        }
    }
}
