//! A small street on a store that is cut off at any moment.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod cut;
mod disk;
mod replay;
mod world;
