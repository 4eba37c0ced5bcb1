//! The market: signed listings, a directory of them, and the choice of the best.
//!
//! An auction or an escrow will be one more machine beside [`Directory`], over the same statements.

mod choose;
mod directory;
mod listing;

pub use choose::{Priced, choose};
pub use directory::{Command, Directory, Event, Published, Refusal};
pub use listing::{Listing, Withdrawal};

#[cfg(test)]
mod tests;
