use core::time::Duration;

use coinop_core::{Bytes, Timestamp, tariff::Tariff};

/// The light that is paid for: from when, and for how much money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paid {
    since: Timestamp,
    money: Bytes,
}

impl Paid {
    /// With another payment: it prolongs the light that is on, or begins anew in the dark.
    #[must_use]
    pub fn with(self, tariff: &Tariff, now: Timestamp, payment: Bytes) -> Self {
        if self.until(tariff) <= now {
            return Self { since: now, money: payment };
        }
        // Beyond all the money there is nobody has paid anything.
        Self { since: self.since, money: self.money.plus(payment).unwrap_or(Bytes::MAX) }
    }

    /// When it is used up. The money of a stretch is counted as one: what rounding takes is below a
    /// millisecond, however many payments there were.
    pub fn until(&self, tariff: &Tariff) -> Timestamp {
        self.since.after(Duration::from_millis(tariff.covers(self.money).get()))
    }
}

#[cfg(test)]
mod tests {
    use coinop_core::tariff::{Quantity, Unit};
    use proptest::prelude::*;

    use super::*;

    fn tariff(price: u64, per_ms: u64) -> Tariff {
        Tariff::new(Unit::Millisecond, Bytes::new(price), Quantity::new(per_ms), Quantity::new(per_ms))
            .unwrap()
    }

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_payment_in_the_light_prolongs_it_and_one_in_the_dark_begins_anew() {
        let tariff = tariff(1_000, 1_000);
        let first = Paid::default().with(&tariff, at(5), Bytes::new(300));
        let second = first.with(&tariff, at(100), Bytes::new(200));
        let third = second.with(&tariff, at(505), Bytes::new(50));

        assert_eq!(first.until(&tariff), at(305));
        assert_eq!(second.until(&tariff), at(505));
        assert_eq!(third.until(&tariff), at(555), "the lease is over at 505");
    }

    proptest! {
        #[test]
        fn nobody_gets_more_light_than_was_paid_nor_loses_more_than_a_millisecond_a_stretch(
            price in 1..5_000_u64,
            per in 1..5_000_u64,
            payments in proptest::collection::vec((0..2_000_u64, 1..2_000_u64), 1..40),
        ) {
            let tariff = tariff(price, per);
            let (mut paid, mut now, mut lit, mut money, mut stretches) = (Paid::default(), 0, 0, 0, 0);
            for (passed, payment) in payments {
                let before = paid.until(&tariff).millis();
                lit += (now + passed).min(before).saturating_sub(now);
                now += passed;
                stretches += u64::from(before <= now);
                money += payment;
                paid = paid.with(&tariff, at(now), Bytes::new(payment));
            }
            lit += paid.until(&tariff).millis().saturating_sub(now);

            let due = money * per / price;
            prop_assert!(lit <= due, "{lit} ms of light for {due} ms paid");
            prop_assert!(due <= lit + stretches, "{lit} ms of light for {due} ms paid, {stretches} stretches");
        }
    }
}
