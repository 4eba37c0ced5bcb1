//! The shell around the rules: actors, journal, bus, transport, parties and the terminal UI.
//!
//! `coinop-core` decides; this crate records what was decided, then tells the world.

pub mod actors;
pub mod agenda;
pub mod audit;
pub mod hub;
pub mod journal;
pub mod keystore;
pub mod ledger;
pub mod network;
pub mod notice;
pub mod party;
pub mod restore;
pub mod run;
pub mod serve;
pub mod shell;
pub mod tui;

pub use coinop_core as core;
pub use coinop_node as node;
