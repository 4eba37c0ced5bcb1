//! From rounds to figures.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;

use super::raw::Spent;

/// The rounds of one way to pay.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    pub(super) latencies: Vec<Duration>,
    rounds: Vec<Round>,
}

#[derive(Clone, Copy, Debug)]
struct Round {
    raw: Spent,
    per_s: f64,
}

/// What `coinop bench --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    raw: RawFigures,
    pure: Figures,
    actors: Figures,
    durable_1: Figures,
    durable_64: Figures,
    file_system: String,
    rounds: usize,
    cores: usize,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "the names are those of the JSON")]
struct RawFigures {
    sign_per_s: f64,
    verify_per_s: f64,
    limit_per_s: f64,
}

/// One way to pay.
#[derive(Debug, Serialize)]
struct Figures {
    /// Payments a second.
    per_s: f64,
    /// Half of all payments took at most this long.
    p50_us: f64,
    /// 99 of 100 payments took at most this long.
    p99_us: f64,
    /// Payments a second in relation to the raw limit.
    ratio: f64,
}

impl Rounds {
    /// Adds a round: so many payments took so long, right after the limit was measured.
    pub(super) fn add(&mut self, raw: Spent, payments: u32, lasted: Duration) {
        self.rounds.push(Round { raw, per_s: f64::from(payments) / lasted.as_secs_f64() });
    }

    fn figures(&self) -> Figures {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        Figures {
            per_s: rounded(median(self.rounds.iter().map(|round| round.per_s)), 1),
            p50_us: rounded(percentile(&sorted, 50), 1),
            p99_us: rounded(percentile(&sorted, 99), 1),
            ratio: rounded(median(self.rounds.iter().map(|round| round.per_s / round.raw.limit_per_s())), 4),
        }
    }
}

impl Report {
    /// The figures of the four ways, and where the durable ones were.
    pub(super) fn new(ways: &[Rounds; 4], file_system: String) -> Self {
        let [pure, actors, durable_1, durable_64] = ways;
        let raw = |rate: fn(Spent) -> f64| {
            rounded(median(ways.iter().flat_map(|way| &way.rounds).map(|round| rate(round.raw))), 1)
        };
        Self {
            raw: RawFigures {
                sign_per_s: raw(Spent::sign_per_s),
                verify_per_s: raw(Spent::verify_per_s),
                limit_per_s: raw(Spent::limit_per_s),
            },
            rounds: pure.rounds.len(),
            pure: pure.figures(),
            actors: actors.figures(),
            durable_1: durable_1.figures(),
            durable_64: durable_64.figures(),
            file_system,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// As a table.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { raw, rounds, cores, file_system, .. } = self;
        writeln!(out, "k256 signs        {:>9.0} /s", raw.sign_per_s)?;
        writeln!(out, "k256 verifies     {:>9.0} /s, with a parsed key", raw.verify_per_s)?;
        writeln!(out, "raw limit         {:>9.0} /s = 1 / (sign + verify)\n", raw.limit_per_s)?;
        writeln!(out, "a payment            per second        p50        p99   of the limit")?;
        for (name, figures) in [
            ("by the pure rules", &self.pure),
            ("through two actors", &self.actors),
            ("durable, 1 channel", &self.durable_1),
            ("durable, 64 channels", &self.durable_64),
        ] {
            let Figures { per_s, p50_us, p99_us, ratio } = figures;
            writeln!(out, "{name:<20} {per_s:>8.0} /s {p50_us:>7.0} µs {p99_us:>7.0} µs {ratio:>14.3}")?;
        }
        writeln!(out, "\nMedians of {rounds} interleaved rounds; {cores} cores; durable: {file_system}.")
    }
}

/// The middle one; between the middle two when their number is even.
fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = figures.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match (sorted.get(half), half.checked_sub(1).and_then(|below| sorted.get(below))) {
        (Some(upper), Some(lower)) if sorted.len().is_multiple_of(2) => f64::midpoint(*lower, *upper),
        (Some(middle), _) => *middle,
        (None, _) => f64::NAN,
    }
}

/// The smallest figure, in microseconds, that `percent` of all do not exceed.
pub(super) fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e6)
}

pub(super) fn rounded(figure: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (figure * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second of raw work, half of it signing.
    fn raw(pairs: u32) -> Spent {
        Spent { pairs, signing: Duration::from_millis(500), verifying: Duration::from_millis(500) }
    }

    #[test]
    fn a_ratio_is_the_median_over_the_rounds_of_each_rounds_own_ratio() {
        let mut rounds = Rounds::default();
        // 0.5, 0.9 and 0.1 of the limit of their rounds; the medians of rates and limits give 0.45.
        for (limit, payments) in [(1_000, 500), (100, 90), (9_000, 900)] {
            rounds.add(raw(limit), payments, Duration::from_secs(1));
        }

        let figures = rounds.figures();

        assert!((figures.ratio - 0.5).abs() < 1e-9, "{}", figures.ratio);
        assert!((figures.per_s - 500.0).abs() < 1e-9, "{}", figures.per_s);
    }

    #[test]
    fn a_median_lies_in_the_middle() {
        assert!((median([3.0, 1.0, 2.0].into_iter()) - 2.0).abs() < 1e-9);
        assert!((median([4.0, 1.0, 2.0, 3.0].into_iter()) - 2.5).abs() < 1e-9);
        assert!(median(std::iter::empty()).is_nan());
    }

    #[test]
    fn percentiles_are_of_all_payments() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_micros).collect();

        assert!((percentile(&sorted, 50) - 100.0).abs() < 1e-6);
        assert!((percentile(&sorted, 99) - 198.0).abs() < 1e-6);
    }
}
