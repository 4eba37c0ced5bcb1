//! The terminal UI: a fold of notices and a pure view of it.
//!
//! [`Model::update`] folds a [`Notice`](crate::notice::Notice) into what is worth showing,
//! [`view`] draws it, and [`Screen`] is the only part that touches a terminal. Nothing here decides
//! anything: what a person wants leaves as an [`Action`].

mod balances;
mod breadboard;
mod exposures;
mod flows;
mod footer;
mod header;
mod help;
mod keys;
mod log;
mod look;
mod model;
mod screen;
mod things;
mod view;
mod words;

#[cfg(test)]
mod street;
#[cfg(test)]
mod tests;

pub use keys::Action;
pub use model::Model;
pub use screen::{Screen, size};
pub use things::{level_of, level_word};
pub use view::view;
