/// How many seconds are remembered.
const SECONDS: usize = 32;
/// Over how many milliseconds a rate is taken.
const WINDOW: u64 = 10_000;

/// How much a second, over the last ten seconds of scenario time.
#[derive(Default)]
pub(in crate::tui) struct Rate {
    slots: [u64; SECONDS],
    /// The second the newest slot stands for.
    second: u64,
    /// When the first amount came, in milliseconds.
    since: Option<u64>,
}

impl Rate {
    pub(super) fn add(&mut self, at: u64, amount: u64) {
        self.roll(at / 1_000);
        self.since.get_or_insert(at);
        // A figure to look at: at the end of the numbers it stays there.
        let newest = &mut self.slots[SECONDS - 1];
        *newest = newest.saturating_add(amount);
    }

    /// How much a second, in tenths.
    pub(in crate::tui) fn tenths(&self, now: u64) -> u64 {
        let Some(since) = self.since else { return 0 };
        let slots = self.until(now);
        let recent = &slots[SECONDS - slots_of(WINDOW)..];
        let sum: u128 = recent.iter().map(|amount| u128::from(*amount)).sum();
        let window = (WINDOW - 1_000 + now % 1_000).min(now.saturating_sub(since)).max(1_000);
        u64::try_from(sum * 10_000 / u128::from(window)).unwrap_or(u64::MAX)
    }

    /// The amounts of the last `seconds` seconds, at most 32, oldest first.
    pub(in crate::tui) fn recent(&self, now: u64, seconds: usize) -> Vec<u64> {
        self.until(now)[SECONDS - seconds.min(SECONDS)..].to_vec()
    }

    /// The slots as they are at `now`.
    fn until(&self, now: u64) -> [u64; SECONDS] {
        let mut later = Self { slots: self.slots, second: self.second, since: self.since };
        later.roll(now / 1_000);
        later.slots
    }

    fn roll(&mut self, second: u64) {
        let gone = usize::try_from(second.saturating_sub(self.second)).unwrap_or(SECONDS).min(SECONDS);
        self.slots.copy_within(gone.., 0);
        self.slots[SECONDS - gone..].fill(0);
        self.second = self.second.max(second);
    }
}

fn slots_of(millis: u64) -> usize {
    usize::try_from(millis / 1_000).unwrap_or(SECONDS).min(SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_has_its_rate_from_the_second_second_on() {
        let mut rate = Rate::default();
        for tenth in 0..300 {
            rate.add(tenth * 100, 5);
        }

        assert_eq!(rate.tenths(29_999), 500);
    }

    #[test]
    fn a_single_amount_is_gone_after_the_window() {
        let mut rate = Rate::default();

        rate.add(500, 7);

        assert_eq!(rate.tenths(600), 70);
        assert_eq!(rate.tenths(20_000), 0);
    }

    #[test]
    fn the_far_future_and_the_past_are_no_trouble() {
        let mut rate = Rate::default();

        rate.add(u64::MAX, u64::MAX);
        rate.add(0, u64::MAX);

        assert_eq!(rate.recent(u64::MAX, 1), [u64::MAX]);
        assert_eq!(rate.recent(0, 99).len(), SECONDS);
        assert!(rate.tenths(u64::MAX) > 0);
    }
}
