//! The board contract.
