//! The architecture, as tests: who may import whom, what is absent from which crate, and that
//! ARCHITECTURE.md says so. Each rule is a test of its own; beside it stands the proof that a breach of
//! the rule is caught.
#![expect(clippy::unwrap_used, reason = "a rule stops at the first surprise")]

mod code;
mod documents;
mod imports;
mod manifests;
mod pi;
mod rooms;
mod safety;
mod workspace;
