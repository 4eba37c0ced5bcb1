//! The recorded vectors that need a ledger: a real hub's verdicts and a real agent's answers.
#![expect(
    clippy::unwrap_used,
    reason = "a check stops at the first surprise, and the harness names the case"
)]

mod onchain;
mod post_joint;

use coinop_tests::{Case, vectors};

#[test]
fn the_node_puts_units_into_the_order_that_was_recorded() {
    assert!(post_joint::order() > 0, "nothing compared");
}

#[test]
fn every_recorded_case_of_the_node_is_met() {
    vectors::run_whole(env!("CARGO_PKG_NAME"), |name, file| match name {
        "post_joint_verdict" => post_joint::replay(),
        "channel_onchain_run" => onchain::channel_onchain_run(&Case::of(name, file)),
        other => panic!("{other} has no checks here"),
    });
}
