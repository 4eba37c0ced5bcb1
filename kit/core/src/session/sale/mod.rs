//! The seller's side of a session.

mod types;

pub use types::{Command, Effect, Event, Quote};

use super::SessionId;

/// One session as the seller keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sale {
    id: SessionId,
}
