use alloc::{collections::BTreeMap, vec::Vec};

use serde::{Deserialize, Serialize};

use super::Meter;
use crate::{session::SessionId, tariff::Quantity};

/// Splits one physical delivery among those who have it on credit.
///
/// Equal parts, what does not divide to the first ones, nobody beyond its credit; so two who paid one
/// second each have two seconds together. What is delivered beyond all credit is split equally as well:
/// it happened. Without anybody it goes to nobody.
pub fn share<Id: Copy>(delta: Quantity, credits: &[(Id, Quantity)]) -> Vec<(Id, Quantity)> {
    let mut shares: Vec<(Id, Quantity)> = credits.iter().map(|(id, _)| (*id, Quantity::ZERO)).collect();
    let mut rest = delta;
    // Each round uses somebody's credit up or leaves less than one unit a head: at most one round more
    // than there are heads, and the last one.
    for _ in 0..credits.len().saturating_add(2) {
        let room = |(share, credit): (&(Id, Quantity), &(Id, Quantity))| credit.1.less(share.1);
        let open = shares.iter().zip(credits).filter(|pair| !room(*pair).is_zero()).count();
        rest = deal(&mut shares, rest, open, |index, share| credits[index].1.less(share));
    }
    if !rest.is_zero() {
        let heads = shares.len();
        rest = deal(&mut shares, rest, heads, |_, _| Quantity::new(u64::MAX));
        let _ = deal(&mut shares, rest, heads, |_, _| Quantity::new(u64::MAX));
    }
    shares
}

/// Gives an equal part to each of `open` heads that have room, at least one unit as long as there is
/// one; the rest is handed back.
fn deal<Id>(
    shares: &mut [(Id, Quantity)],
    delta: Quantity,
    open: usize,
    room: impl Fn(usize, Quantity) -> Quantity,
) -> Quantity {
    let Some(part) = u64::try_from(open).ok().and_then(|open| delta.get().checked_div(open)) else {
        return delta;
    };
    let part = Quantity::new(part.max(1));
    let mut rest = delta;
    for (index, (_, share)) in shares.iter_mut().enumerate() {
        let given = part.min(rest).min(room(index, *share));
        *share = share.plus(given);
        rest = rest.less(given);
    }
    rest
}

/// Follows one meter and keeps what each session got of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    seen: Quantity,
    totals: BTreeMap<SessionId, Quantity>,
}

impl Shares {
    /// Nothing shared yet; what the meter shows already belongs to nobody.
    pub fn starting_at(meter: &impl Meter) -> Self {
        Self { seen: meter.delivered(), totals: BTreeMap::new() }
    }

    /// Shares what the meter shows more than before among the running sessions and the units each of
    /// them has left, and gives their new totals.
    pub fn advance<M: Meter>(
        &mut self,
        meter: &M,
        credits: &[(SessionId, Quantity)],
    ) -> Vec<(SessionId, Quantity)> {
        let delta = meter.delivered().less(self.seen);
        self.seen = self.seen.max(meter.delivered());
        let shares = share(delta, credits);
        shares
            .into_iter()
            .map(|(id, more)| {
                let total = self.totals.entry(id).or_default();
                *total = total.plus(more);
                (id, *total)
            })
            .collect()
    }

    /// What a session got so far.
    pub fn of(&self, session: SessionId) -> Quantity {
        self.totals.get(&session).copied().unwrap_or_default()
    }

    /// Forgets a session that is settled.
    pub fn forget(&mut self, session: SessionId) {
        self.totals.remove(&session);
    }
}

#[cfg(test)]
mod tests {
    use std::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        Timestamp,
        board::Level,
        meter::{SecondCounter, Signal},
    };

    fn quantities(numbers: &[u64]) -> Vec<(usize, Quantity)> {
        numbers.iter().enumerate().map(|(index, number)| (index, Quantity::new(*number))).collect()
    }

    #[test]
    fn two_payers_have_half_each() {
        assert_eq!(share(Quantity::new(101), &quantities(&[500, 500])), quantities(&[51, 50]));
    }

    #[test]
    fn who_has_no_credit_left_leaves_it_to_the_other() {
        assert_eq!(share(Quantity::new(100), &quantities(&[10, 500])), quantities(&[10, 90]));
    }

    #[test]
    fn what_nobody_paid_is_split_as_well() {
        assert_eq!(share(Quantity::new(105), &quantities(&[10, 20])), quantities(&[48, 57]));
        assert_eq!(share(Quantity::new(5), &quantities(&[])), vec![]);
    }

    #[test]
    fn a_second_paid_by_each_of_two_is_two_seconds_of_light() {
        let ids = [SessionId::from_random(&[1; 32]), SessionId::from_random(&[2; 32])];
        let mut lamp = SecondCounter::new();
        let mut shares = Shares::starting_at(&lamp);
        lamp.note(Timestamp::from_millis(0), Signal::Line(Level::High));

        for millis in (100..=2_000).step_by(100) {
            lamp.note(Timestamp::from_millis(millis), Signal::Time);
            let credits = ids.map(|id| (id, Quantity::new(1_000).less(shares.of(id))));
            shares.advance(&lamp, &credits);
        }

        assert_eq!(ids.map(|id| shares.of(id)), [Quantity::new(1_000); 2]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_credit_is_kept(
            delta in 0..1_000_u64, credits in prop::collection::vec(0..300_u64, 1..6),
        ) {
            let shares = share(Quantity::new(delta), &quantities(&credits));

            let total: u64 = shares.iter().map(|(_, share)| share.get()).sum();
            prop_assert_eq!(total, delta);
            let all: u64 = credits.iter().sum();
            for ((_, share), credit) in shares.iter().zip(&credits) {
                prop_assert!(share.get() <= *credit || delta > all);
            }
        }
    }
}
