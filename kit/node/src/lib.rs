//! The embedded Obyte node of coinop: ledger and autonomous agents.

mod agents;
pub mod dag;
pub mod hub;
mod js;
mod oscript;
pub mod quote;
pub mod validate;
mod verdict;
