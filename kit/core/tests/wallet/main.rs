//! The wallet's rules, against a ledger that loses answers.

mod bank;
mod random;
mod rules;
mod units;
