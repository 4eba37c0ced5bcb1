//! The channel's rules, at a table with two parties, an agent, a ledger and a bad network.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod agent;
mod attacks;
mod outside;
mod random;
mod recorded;
mod replies;
mod settlement;
mod table;
