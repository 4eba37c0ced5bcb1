//! The recorded vectors that need a ledger.
#![expect(
    clippy::unwrap_used,
    reason = "a check stops at the first surprise, and the harness names the case"
)]

mod onchain;

use coinop_tests::{Case, vectors};

#[test]
fn the_agents_answer_as_recorded() {
    let content = vectors::load("channel_onchain_run");

    assert_ne!(onchain::channel_onchain_run(&Case::of("channel_onchain_run", &content)), 0);
}
