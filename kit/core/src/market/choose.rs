use core::cmp::Ordering;

use crate::{
    market::Listing,
    obyte::Address,
    session::{Name, Offer},
    tariff::{Price, Tariff, Unit},
};

/// Something with a price by a seller: a listing or an offer.
pub trait Priced {
    /// The price and the step.
    fn tariff(&self) -> &Tariff;

    /// Who sells it.
    fn seller(&self) -> Address;

    /// What is sold.
    fn thing(&self) -> &Name;
}

impl Priced for Listing {
    fn tariff(&self) -> &Tariff {
        &self.tariff
    }

    fn seller(&self) -> Address {
        self.seller
    }

    fn thing(&self) -> &Name {
        &self.thing
    }
}

impl Priced for Offer {
    fn tariff(&self) -> &Tariff {
        &self.tariff
    }

    fn seller(&self) -> Address {
        self.seller
    }

    fn thing(&self) -> &Name {
        &self.thing
    }
}

/// The cheapest for the same amount of `unit`, if it is within the limit.
///
/// Of equally cheap ones that with the cheaper step (less at risk), then by seller and thing, so that
/// the order in which they came does not matter.
pub fn choose<T: Priced>(offers: &[T], unit: Unit, limit: Price) -> Option<&T> {
    offers
        .iter()
        .filter(|offer| offer.tariff().unit() == unit && offer.tariff().within(limit))
        .min_by(|a, b| by_price(*a, *b))
}

/// Cheapest first, with the same tie rule as [`choose`].
pub(super) fn by_price<T: Priced>(a: &T, b: &T) -> Ordering {
    a.tariff()
        .cost_order(b.tariff().rate_of_price())
        .then_with(|| a.tariff().step_price().cmp(&b.tariff().step_price()))
        .then_with(|| a.seller().cmp(&b.seller()))
        .then_with(|| a.thing().cmp(b.thing()))
}
