//! The recorded vectors and where they lie: what the vector suites of all crates share.
