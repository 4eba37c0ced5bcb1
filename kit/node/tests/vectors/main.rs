//! The recorded vectors that this crate can check, each in a module of its own.
#![expect(missing_docs, reason = "a test")]

mod onchain;
