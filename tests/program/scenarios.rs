//! Every scenario of the folder is a test of its own: it plays, and what it expects comes true.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod play;

use std::{fs, path::PathBuf};

use play::{Played, coinop};
use serde_json::Value;

const AS_FAST_AS_IT_GOES: [&str; 4] = ["--headless", "--json", "--speed", "max"];

fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "scenarios"].iter().collect()
}

fn scenarios() -> Vec<PathBuf> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    found.sort();
    found
}

fn play(scenario: &str, more: &[&str]) -> Played {
    coinop(&[&["play", scenario], &AS_FAST_AS_IT_GOES[..], more].concat())
}

fn summary(played: &Played) -> Value {
    let last: Value = serde_json::from_str(played.out.lines().last().unwrap()).unwrap();
    last["summary"].clone()
}

/// The light, with something else expected of it.
fn light_expecting(expectations: &str) -> tempfile::NamedTempFile {
    let light = fs::read_to_string(folder().join("light.toml")).unwrap();
    let (scene, _) = light.split_once("[[expect]]").unwrap();
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    fs::write(&file, format!("{scene}{expectations}")).unwrap();
    file
}

#[test]
fn every_scenario_of_the_folder_comes_out_as_it_expects() {
    let files = scenarios();
    assert!(files.len() >= 9, "{files:?}");

    for file in files {
        let played = play(file.to_str().unwrap(), &[]);

        assert_eq!((played.code, played.err.as_str()), (0, ""), "{}", file.display());
        let summary = summary(&played);
        let expectations = summary["expectations"].as_array().unwrap();
        assert!(!expectations.is_empty(), "{} expects nothing", file.display());
        assert!(expectations.iter().all(|it| it["ok"] == true), "{}: {summary}", file.display());
    }
}

#[test]
fn the_first_lamp_of_a_raspberry_pi_comes_out_as_it_expects() {
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../hardware/pi/first-lamp.toml"].iter().collect();

    let played = play(file.to_str().unwrap(), &[]);

    assert_eq!((played.code, played.err.as_str()), (0, ""));
}

#[test]
fn every_scenario_of_the_folder_is_built_in() {
    let listed = coinop(&["list"]).out;

    for file in scenarios() {
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(listed.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name}: {listed}");
    }
}

#[test]
fn every_fault_has_a_scenario() {
    let texts: String = scenarios().iter().map(|file| fs::read_to_string(file).unwrap()).collect();

    for fault in [
        "cut = ",
        "kill = ",
        "hang = ",
        "dishonest-close = ",
        "replay = ",
        "stuck = \"lamp.LIGHT",
        "stuck = \"charger.CONTACTOR",
        "welded = ",
        "bouncing = ",
        "late = ",
        "lost = ",
        "drifting = ",
        "brown-out = ",
    ] {
        assert!(texts.contains(fault), "no scenario has the fault {fault}");
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let metered = ["ev-charging-sml", "ev-charging-ina219", "two-meters"];
    for scenario in ["street", "killed-party", "dishonest-close", "welded-contactor", "brown-out"]
        .into_iter()
        .chain(metered)
    {
        let (once, again) = (play(scenario, &["--seed", "7"]), play(scenario, &["--seed", "7"]));
        let other = play(scenario, &["--seed", "8"]);

        assert!(once.out == again.out, "{scenario}: two runs of one seed differ");
        assert_ne!(once.out, other.out, "{scenario}");
        assert_eq!(other.code, 0, "{scenario}: {}", other.err);
    }
}

#[test]
fn an_expectation_that_fails_is_named_and_the_exit_code_is_not_0() {
    let file = light_expecting("[[expect]]\nchannels-closed = 3\n[[expect]]\npayments = 20\n");

    let played = play(file.path().to_str().unwrap(), &[]);

    assert_ne!(played.code, 0);
    assert_eq!(played.err, "failed: at least 3 channels closed: 2\n");
    let expectations = &summary(&played)["expectations"];
    assert_eq!((&expectations[0]["ok"], &expectations[1]["ok"]), (&false.into(), &true.into()));
}

#[test]
fn an_expectation_is_looked_at_when_it_is_due() {
    // The lamp is on from about 3 s to 16 s: dark at the end, but not at 8 s.
    let file = light_expecting("[[expect]]\nby = \"8s\"\noff = \"LAMP\"\n[[expect]]\noff = \"LAMP\"\n");

    let played = play(file.path().to_str().unwrap(), &[]);

    assert_ne!(played.code, 0);
    assert_eq!(played.err, "failed: LAMP off: on\n");
}

#[test]
fn what_is_due_later_than_a_shorter_run_ends_is_pending() {
    for scenario in ["street", "light", "stuck-sensor", "dishonest-close"] {
        let played = play(scenario, &["--for", "2s"]);

        assert_eq!((played.code, played.err.as_str()), (0, ""), "{scenario}");
        let summary = summary(&played);
        let expectations = summary["expectations"].as_array().unwrap();
        assert!(expectations.iter().all(|it| it["ok"] == "pending"), "{scenario}: {summary}");
    }
}

#[test]
fn a_run_ends_when_its_time_is_up() {
    let played = play("street", &["--for", "5s"]);

    let times = played.out.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["at"].as_u64()
    });
    let latest = times.max().unwrap();
    assert!((4_500..=5_000).contains(&latest), "{latest}");
}

#[test]
fn without_a_terminal_it_is_headless() {
    let played = coinop(&["play", "light", "--speed", "max"]);

    assert_eq!((played.code, played.err.as_str()), (0, ""));
    assert!(played.out.contains("alice is served by lamp"), "{}", played.out);
    assert!(!played.out.contains('\u{1b}'), "escape sequences for no terminal");
}

/// What a run without `--json` ends with.
fn sums(scenario: &str) -> String {
    let played = coinop(&["play", scenario, "--headless", "--speed", "max", "--seed", "7"]);
    let start = played.out.lines().position(|line| line.contains(" payments, ")).expect("the sums");
    played.out.lines().skip(start).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_plain_text_of_a_run_ends_with_what_it_came_to() {
    insta::assert_snapshot!("light_came_to", sums("light"));
    insta::assert_snapshot!("dishonest_close_came_to", sums("dishonest-close"));
}

#[test]
fn the_help_says_what_can_be_played_and_how() {
    insta::assert_snapshot!("help_of_play", coinop(&["play", "--help"]).out);
}
