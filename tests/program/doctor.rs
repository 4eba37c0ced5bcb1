//! What `coinop doctor` says of the machine it runs on, and of one whose `/dev` is empty.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::process::{Command, Output};

use serde_json::Value;

fn doctor(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_coinop")).arg("doctor").args(words).output().unwrap()
}

/// The findings, by whether they are as they should be.
fn findings(out: &Output) -> Vec<Value> {
    let report: Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(report["v"], 1);
    report["doctor"]["findings"].as_array().unwrap().clone()
}

#[test]
fn the_simulated_board_would_play_here_and_whatever_is_odd_has_a_mend() {
    let out = doctor(&["--json"]);

    let findings = findings(&out);
    assert!(out.status.success(), "{findings:?}");
    assert!(findings.iter().any(|finding| finding["about"] == "disk"));
    for finding in findings.iter().filter(|finding| finding["state"] != "ok") {
        assert!(finding["mend"].as_str().is_some_and(|mend| !mend.is_empty()), "{finding}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_wrong_when_it_was_asked_for() {
    // A file has no folders in it.
    let below_a_file = concat!(env!("CARGO_BIN_EXE_coinop"), "/data");
    let out = doctor(&["--json", "--data-dir", below_a_file]);

    assert_eq!(out.status.code(), Some(1));
    let findings = findings(&out);
    assert!(
        findings.iter().any(|finding| finding["about"] == "disk" && finding["state"] == "wrong"),
        "{findings:?}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn without_dev_the_report_says_how_to_get_at_a_chip() {
    const EMPTY_DEV: &str = "mount -t tmpfs tmpfs /dev && exec \"$0\" doctor --json --board gpiochip";
    let unshared = |script: &str| {
        let words = ["--mount", "sh", "-c", script, env!("CARGO_BIN_EXE_coinop")];
        Command::new("unshare").args(words).output()
    };
    if !unshared("mount -t tmpfs tmpfs /mnt").is_ok_and(|out| out.status.success()) {
        eprintln!("NOT SHOWN: a machine without /dev needs `unshare` and root");
        return;
    }

    let out = unshared(EMPTY_DEV).unwrap();

    assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stderr));
    let findings = findings(&out);
    let bare = findings.iter().find(|finding| finding["about"] == "/dev").unwrap();
    assert!(bare["what"].as_str().unwrap().contains("/dev/null"), "{bare}");
    let chips = findings.iter().find(|finding| finding["about"] == "chips").unwrap();
    assert_eq!(chips["state"], "wrong");
    assert!(chips["mend"].as_str().unwrap().contains("--device /dev/gpiochip0"), "{chips}");
}
