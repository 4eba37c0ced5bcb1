//! Payment channels of two parties over Obyte's channel agent: one [`Channel`] per channel and
//! party, wire-compatible with aa-channels-lib.
//!
//! A [`Channel`] holds no secret key. It says which package to sign and which trigger to post;
//! others sign, send, post, and tell it what the ledger showed.

mod contract;
mod event;
mod limits;
mod package;
mod refusal;
mod signed;
mod terms;

pub use contract::{Command, Effect, Outcome, SessionId, Sighting};
pub use event::{Event, PeerTrigger, PeerTriggerKind, Trigger};
pub use limits::Limits;
pub use package::{ChannelParameters, Package};
pub use refusal::Refusal;
pub use signed::{SignedPackage, Signer, VERSION};
pub use terms::{AGENT_VERSION, BASE_AGENT, MAX_SALT, Role, Terms};
