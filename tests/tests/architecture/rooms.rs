//! What is absent from which crate.

use crate::{
    code::{naming, without_texts},
    workspace::{Source, all_sources, sources},
};

/// The most lines of a file that is shipped, and of a file of tests.
const SITTING: (usize, usize) = (400, 500);
/// Names of files that say nothing of what is in them.
const DRAWERS: &[&str] = &["common", "helper", "helpers", "misc", "prelude", "util", "utils"];

fn too_long(sources: &[Source]) -> Vec<String> {
    let length = |source: &Source| source.text.lines().count();
    let most = |source: &Source| if source.is_a_test() { SITTING.1 } else { SITTING.0 };
    let long = sources.iter().filter(|source| length(source) > most(source));
    long.map(|source| format!("{}: {} lines", source.path, length(source))).collect()
}

/// The parts of core that the sources name and are not allowed to.
fn of_core_beyond(sources: &[Source], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources {
        let named = source.named_of("coinop_core");
        let beyond = named.iter().filter(|name| !allowed.contains(&name.as_str()));
        found.extend(beyond.map(|name| format!("{} names {name}", source.path)));
    }
    found
}

#[test]
fn core_has_no_clock_no_chance_and_no_io() {
    let forbidden = ["std", "Instant", "SystemTime", "HashMap", "HashSet", "rand", "getrandom", "OsRng"];

    assert_eq!(naming(&sources("kit/core/src"), &forbidden), [""; 0]);
}

#[test]
fn the_node_has_no_clock_no_chance_and_no_io() {
    let forbidden = [
        "Instant",
        "SystemTime",
        "HashMap",
        "HashSet",
        "rand",
        "fs",
        "io",
        "net",
        "thread",
        "process",
        "env",
    ];

    assert_eq!(naming(&sources("kit/node/src"), &forbidden), [""; 0]);
}

#[test]
fn only_one_file_names_actix() {
    let mut guilty = naming(&all_sources(), &["actix"]);

    guilty.retain(|what| what != "kit/src/actors.rs names `actix`");

    assert_eq!(guilty, [""; 0]);
    assert_eq!(naming(&sources("kit/src"), &["actix"]).len(), 1, "it is there, and it is found");
}

#[test]
fn hardware_knows_lines_and_time_and_nothing_of_money() {
    assert_eq!(of_core_beyond(&sources("hardware/src"), &["board", "Timestamp", "written"]), [""; 0]);
}

#[test]
fn the_witness_shares_nothing_with_the_program_but_the_board() {
    assert_eq!(of_core_beyond(&sources("tests/hil/src"), &["board", "Timestamp"]), [""; 0]);
}

#[test]
fn the_lamp_has_no_clock_no_chance_and_no_secret_key() {
    let forbidden = ["Instant", "SystemTime", "rand", "getrandom", "SecretKey", "Signer", "sign"];

    assert_eq!(naming(&sources("hardware/firmware/lamp/src"), &forbidden), [""; 0]);
}

#[test]
fn the_buyer_shares_nothing_with_the_lamp_but_the_protocol() {
    let allowed = ["Bytes", "channel", "obyte"];

    assert_eq!(of_core_beyond(&sources("tests/firmware/src"), &allowed), [""; 0]);
}

#[test]
fn a_device_driver_that_looks_at_money_is_caught() {
    let text = "use coinop_core::{Timestamp, board::{Board, Level}, session::Sale};\nfn pay(_: coinop_core::Bytes) {}";
    let guilty = Source { path: "hardware/src/made_up.rs".to_owned(), text: text.to_owned() };

    let caught = of_core_beyond(&[guilty], &["board", "Timestamp"]);

    assert_eq!(caught, ["hardware/src/made_up.rs names session", "hardware/src/made_up.rs names Bytes"]);
}

#[test]
fn no_file_outgrows_a_sitting() {
    assert_eq!(too_long(&all_sources()), [""; 0]);
}

#[test]
fn a_file_of_401_lines_is_caught() {
    let file = |path: &str, lines: usize| Source { path: path.to_owned(), text: "\n".repeat(lines) };
    let shipped = [file("kit/src/run.rs", 400), file("kit/src/party/mod.rs", 401)];
    let tests = [file("kit/tests/play.rs", 500), file("kit/src/run/tests.rs", 501)];

    assert_eq!(too_long(&shipped), ["kit/src/party/mod.rs: 401 lines"]);
    assert_eq!(too_long(&tests), ["kit/src/run/tests.rs: 501 lines"]);
}

#[test]
fn every_file_says_by_its_name_what_is_in_it() {
    for source in all_sources() {
        let mut parts = source.path.split('/').map(|part| part.trim_end_matches(".rs"));
        assert!(!parts.any(|part| DRAWERS.contains(&part)), "{} is a drawer", source.path);
    }
}

#[test]
fn exceptions_from_lints_are_expected_with_a_reason() {
    for source in all_sources() {
        let code = without_texts(&source.text);
        assert!(!code.contains("allow("), "{}: write #[expect(lint, reason = …)]", source.path);
        for exception in code.split("[expect(").skip(1) {
            let attribute = exception.split(']').next().unwrap_or_default();
            assert!(attribute.contains("reason"), "{}: an exception without its reason", source.path);
        }
    }
}

#[test]
fn a_module_called_tests_is_compiled_for_tests_only() {
    for source in all_sources().iter().filter(|source| !source.is_a_test()) {
        let code = without_texts(&source.text);
        for (at, _) in code.match_indices("mod tests") {
            assert!(code[..at].trim_end().ends_with("#[cfg(test)]"), "{} ships its tests", source.path);
        }
    }
}

#[test]
fn nothing_is_left_for_later() {
    let marks = ["TODO", "FIXME", "XXX"];
    let ignored = "#[ignore";
    for source in all_sources().iter().filter(|source| !source.path.ends_with("architecture/rooms.rs")) {
        let left = marks.iter().chain([&ignored]).find(|mark| source.text.contains(**mark));
        assert_eq!(left, None, "{}", source.path);
    }
}
