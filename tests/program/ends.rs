//! Whatever ends a run, or stops it for a while: the lines are safe, and the money is where it belongs.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod play;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, Stdio},
};

use play::coinop;
use serde_json::Value;

fn kill(signal: &str, process: &str) {
    assert!(Command::new("kill").args([signal, process]).status().unwrap().success());
}

fn notices(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// When a line had which level, as told.
fn levels(notices: &[Value], line: &str) -> Vec<(u64, String)> {
    let told = notices.iter().filter(|notice| notice["kind"] == "line" && notice["line"] == line);
    told.map(|told| (told["at"].as_u64().unwrap(), told["level"].as_str().unwrap().to_owned())).collect()
}

fn start(words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_coinop")).args(words).stdout(Stdio::piped()).spawn().unwrap()
}

/// Sends a signal to a run of the light once the lamp is lit; gives all it said.
fn interrupted(signal: &str) -> Vec<Value> {
    let mut child = start(&["play", "light", "--headless", "--json", "--speed", "4"]);
    let mut said = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    while !said.lines().last().is_some_and(|line| line.contains("\"LAMP\"") && line.contains("\"high\"")) {
        assert_ne!(out.read_line(&mut said).unwrap(), 0, "never lit: {said}");
    }
    kill(signal, &child.id().to_string());
    out.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().signal(), None, "it ends by itself");
    notices(&said)
}

#[test]
fn a_run_that_gets_a_signal_while_the_lamp_is_lit_puts_it_off_and_says_so() {
    for signal in ["-TERM", "-INT"] {
        let said = interrupted(signal);

        let levels = levels(&said, "LAMP");
        assert_eq!(levels.last().unwrap().1, "low", "{signal}: {levels:?}");
        let summary = &said.last().unwrap()["summary"];
        assert_eq!(summary["money_conserved"], true, "{signal}: {summary}");
    }
}

/// `script` gives the program a terminal, and prints all that it does to it.
#[cfg(target_os = "linux")]
#[test]
fn a_run_that_gets_a_signal_gives_the_terminal_back() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let play = format!("echo $$ >{}; exec {} play light", pid.display(), env!("CARGO_BIN_EXE_coinop"));
    for signal in ["-TERM", "-INT"] {
        let mut child = Command::new("script")
            .args(["--quiet", "--flush", "--return", "--command", &play, "/dev/null"])
            .env("TERM", "xterm-256color")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let mut shown = Vec::new();
        let mut buffer = [0; 4_096];
        while !String::from_utf8_lossy(&shown).contains("\u{1b}[?1049h") {
            let read = out.read(&mut buffer).unwrap();
            assert_ne!(read, 0, "no picture: {}", String::from_utf8_lossy(&shown));
            shown.extend_from_slice(&buffer[..read]);
        }

        kill(signal, std::fs::read_to_string(&pid).unwrap().trim());
        out.read_to_end(&mut shown).unwrap();

        let shown = String::from_utf8_lossy(&shown).into_owned();
        let (_, after) = shown.rsplit_once("\u{1b}[?1049h").unwrap();
        assert!(after.contains("\u{1b}[?1049l"), "{signal}: still on the other screen");
        assert!(after.contains("\u{1b}[?25h"), "{signal}: the cursor stays hidden");
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn a_program_that_hangs_for_ten_seconds_has_its_lamp_off_meanwhile_and_settles_what_flowed() {
    // Real time, though faster: the thread that runs every actor is blocked for a second.
    let played = coinop(&["play", "hung-runtime", "--headless", "--json", "--speed", "10"]);

    let said = notices(&played.out);
    let (from, to) = (6_000, 16_000);
    let before = levels(&said, "LAMP").into_iter().rev().find(|(at, _)| *at < from).unwrap();
    let during: Vec<_> =
        levels(&said, "LAMP").into_iter().filter(|(at, _)| (from..to).contains(at)).collect();
    assert_eq!(before.1, "high", "lit when it begins to hang");
    assert!(matches!(&during[..], [(_, level)] if level == "low"), "{during:?}");
    let summary = &said.last().unwrap()["summary"];
    assert_eq!((&summary["money_conserved"], &summary["channels_closed"]), (&true.into(), &1.into()));
    for session in summary["sessions"].as_array().unwrap() {
        let risk = |side: &str| session[side].as_u64().unwrap();
        let step = risk("step");
        assert!(risk("max_buyer_exposure") <= 2 * step, "{session}");
        assert!(risk("max_seller_exposure") <= step, "{session}");
    }
    assert!(said.iter().any(|notice| notice["kind"] == "session" && notice["state"] == "settled"));
}

/// The most that was paid in each session, by what was told or by what was kept.
fn known(sessions: &[Value], side: &str) -> BTreeMap<String, u64> {
    let known = |session: &Value| {
        (session["id"].as_str().unwrap().to_owned(), session[side][1].as_u64().unwrap_or(0))
    };
    sessions.iter().map(known).collect()
}

#[test]
fn a_run_whose_disk_is_full_stops_and_has_told_nothing_that_is_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output = full_disk(&data, "light");

    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{complaint}");
    assert!(complaint.contains("nothing more can be recorded"), "{complaint}");
    let said = notices(&String::from_utf8_lossy(&output.stdout));
    let audit = coinop(&["audit", data.to_str().unwrap(), "--json"]);
    assert_eq!(audit.code, 0, "{}", audit.err);
    let audit: Value = serde_json::from_str(&audit.out).unwrap();
    let kept = known(audit["audit"]["report"]["sessions"].as_array().unwrap(), "buyer");
    let packages: Vec<_> = said.iter().filter(|notice| notice["kind"] == "package").collect();
    assert!(!packages.is_empty(), "the disk was full before anybody paid");
    for package in packages {
        let session = package["session"].as_str().unwrap();
        assert!(kept.get(session) >= package["session_total"].as_u64().as_ref(), "{package}: {kept:?}");
    }
}

/// Plays where no file may grow beyond a limit that is met after some payments, in KiB.
fn full_disk(data: &Path, scenario: &str) -> std::process::Output {
    // Without the signal a write beyond the limit fails, as it does on a full disk.
    let limited = "trap '' XFSZ; ulimit -f \"$LIMIT\"; exec \"$@\"";
    Command::new("bash")
        .args(["-c", limited, "bash", env!("CARGO_BIN_EXE_coinop"), "play", scenario])
        .args(["--headless", "--json", "--speed", "max", "--data-dir"])
        .arg(data)
        .env("LIMIT", "350")
        .env_remove("COINOP_LOG")
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}
