//! The buyer's side of a session.

mod types;

pub use types::{Command, Effect, Event, Order, Patience, Witness};

use super::SessionId;

/// One session as the buyer keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    id: SessionId,
}
