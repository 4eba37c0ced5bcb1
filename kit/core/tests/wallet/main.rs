//! The wallet's rules, against a ledger that loses answers.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bank;
mod random;
mod rules;
mod units;
