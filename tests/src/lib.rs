//! What the tests of several crates share: the recorded vectors, and the check that nothing in them is
//! passed over.

mod case;
pub mod vectors;

pub use case::Case;
