//! The node gives the verdicts of a real hub, case by case.

mod post_joint;

use std::io::{Write as _, stdout};

/// The order of the units, their balls, commissions and fees, found out by the node itself.
#[test]
fn order_of_units() {
    assert!(post_joint::order() > 0, "nothing compared");
}

/// Every verdict of the recorded file, with what the node knew and what changed.
#[test]
fn post_joint_verdict() {
    let count = post_joint::replay();

    assert!(count > 0, "no cases");
    // Past the harness, which keeps what a passing test prints to itself.
    writeln!(stdout(), "post_joint_verdict: {count} cases").unwrap();
}
