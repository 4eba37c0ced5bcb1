//! The client of a hub: frames over a WebSocket, and the ledger behind them.
//!
//! Three layers: [`frame`] is what a frame says, [`exchange`] what both ends owe each other while they
//! are connected, and [`Hub`] the connection itself, which comes back by itself. [`HubLedger`] is what a
//! light wallet makes of it.
//!
//! Source of the protocol: the hubs' own code, byteball/ocore.

mod connection;
pub mod exchange;
pub mod frame;
mod ledger;
pub mod view;

pub use self::{
    connection::{Hub, HubError, Listener, News, State},
    ledger::HubLedger,
};
