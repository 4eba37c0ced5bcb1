//! The recorded vectors that need a ledger.
#![expect(
    clippy::unwrap_used,
    reason = "a check stops at the first surprise, and the harness names the case"
)]

mod hub_session;
mod onchain;
mod onchain_graph;
mod post_joint;

use coinop_tests::{Case, vectors};

#[test]
fn the_node_puts_units_into_the_order_that_was_recorded() {
    assert!(post_joint::order() > 0, "nothing compared");
}

#[test]
fn every_recorded_case_comes_out_the_same() {
    vectors::run(env!("CARGO_PKG_NAME"), check);
}

fn check(name: &str, file: &Case<'_>) -> usize {
    match name {
        "post_joint_verdict" => {
            file.waive("the replay reads it, and knows every field");
            post_joint::replay()
        }
        "channel_onchain_run" => {
            let triggers = onchain_graph::replay(file);
            assert!(triggers > 0, "nothing was posted");
            onchain::channel_onchain_run(file)
        }
        "hub_session" => hub_session::hub_session(file),
        other => panic!("nothing here checks {other}"),
    }
}
