//! The embedded Obyte node of coinop: ledger and autonomous agents.

pub mod agent;
mod agents;
pub mod dag;
pub mod hub;
mod js;
pub mod ledger;
mod oscript;
pub mod quote;
pub mod validate;
mod verdict;
