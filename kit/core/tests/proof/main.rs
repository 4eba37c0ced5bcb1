//! What a history proves, and what a hub that lies cannot make of it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod attacks;
mod definitions;
mod recorded;
mod world;
