//! What came of a line, and of all of them.

use std::io::{self, Write};

use coinop::core::board::LineSpec;
use serde::Serialize;

use super::words;
use crate::table;

/// How a line did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It did what it should.
    Ok,
    /// It did not.
    Failed,
    /// An input that did not change, which may be its world's doing.
    Silent,
    /// Somebody wanted it left out.
    Skipped,
    /// Its turn never came.
    Untested,
}

impl State {
    const ALL: [Self; 5] = [Self::Ok, Self::Failed, Self::Silent, Self::Skipped, Self::Untested];

    /// As tables have it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "FAILED",
            Self::Silent => "silent",
            Self::Skipped => "skipped",
            Self::Untested => "untested",
        }
    }
}

/// What came of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Outcome {
    pub(super) state: State,
    /// In words.
    pub(super) what: String,
}

impl Outcome {
    pub(super) fn ok(what: impl Into<String>) -> Self {
        Self { state: State::Ok, what: what.into() }
    }

    pub(super) fn failed(what: impl Into<String>) -> Self {
        Self { state: State::Failed, what: what.into() }
    }

    pub(super) fn silent(what: impl Into<String>) -> Self {
        Self { state: State::Silent, what: what.into() }
    }

    pub(super) fn skipped() -> Self {
        Self { state: State::Skipped, what: "left out, as you said".to_owned() }
    }

    /// `why` its turn never came.
    pub(super) fn untested(why: &str) -> Self {
        Self { state: State::Untested, what: format!("not tested: {why}") }
    }
}

/// Whether a test has shown that the board is well. An input that nobody moved and a line that was left out
/// are not held against it, unless `strict`; but something has to have been shown.
pub(super) fn is_passed(states: &[State], strict: bool) -> bool {
    let is_fine = |state: &State| match state {
        State::Ok => true,
        State::Silent | State::Skipped => !strict,
        State::Failed | State::Untested => false,
    };
    states.contains(&State::Ok) && states.iter().all(is_fine)
}

/// What came of every line.
pub(super) fn print(out: &mut dyn Write, walked: &[(LineSpec, Outcome)]) -> io::Result<()> {
    writeln!(out)?;
    let name = table::widest(walked.iter().map(|(spec, _)| spec.name.as_str()));
    for (spec, outcome) in walked {
        let head =
            format!("{:8}  {:name$}  {:6}  ", outcome.state.word(), spec.name, words::way(spec.direction));
        table::row(out, &head, &outcome.what)?;
    }
    Ok(())
}

/// The end in words, with how many lines did how.
pub(super) fn verdict(states: &[State], is_passed: bool) -> String {
    let count = |wanted: State| states.iter().filter(|state| **state == wanted).count();
    let counts = State::ALL.into_iter().filter(|state| count(*state) > 0);
    let counts: Vec<String> =
        counts.map(|state| format!("{} {}", count(state), state.word().to_lowercase())).collect();
    let verdict = match (is_passed, states.contains(&State::Ok)) {
        (true, _) => "passed",
        (false, true) => "NOT passed",
        (false, false) => "NOT passed, nothing was shown",
    };
    format!("{verdict} ({})", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_or_untested_line_is_never_passed_and_a_silent_one_only_when_not_strict() {
        for (states, lenient, strict) in [
            (&[State::Ok, State::Ok][..], true, true),
            (&[State::Ok, State::Silent], true, false),
            (&[State::Ok, State::Skipped], true, false),
            (&[State::Ok, State::Failed], false, false),
            (&[State::Ok, State::Untested], false, false),
        ] {
            assert_eq!((is_passed(states, false), is_passed(states, true)), (lenient, strict), "{states:?}");
        }
    }

    #[test]
    fn a_test_that_has_shown_nothing_is_not_passed() {
        for states in [&[][..], &[State::Silent], &[State::Skipped, State::Skipped]] {
            assert!(!is_passed(states, false), "{states:?}");
        }
    }
}
