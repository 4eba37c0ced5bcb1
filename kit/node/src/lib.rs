//! The embedded Obyte node of coinop: ledger and autonomous agents.

pub mod agent;
