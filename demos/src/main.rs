//! The `coinop` program.

fn main() {}
