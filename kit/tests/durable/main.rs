//! A small street on a store that is cut off at any moment.

mod cut;
mod disk;
mod replay;
mod world;
