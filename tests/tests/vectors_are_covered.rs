//! Every recorded file is checked by one suite, or stands in the list of those that are not yet.

use std::{collections::BTreeSet, fs, path::Path};

use coinop_tests::vectors::{NOT_YET, SUITES, folder};

#[test]
fn the_lists_cover_every_file_of_the_folder_and_no_other() {
    let listed: Vec<String> = SUITES
        .iter()
        .flat_map(|suite| suite.files.iter().copied())
        .chain(NOT_YET.iter().map(|(file, _)| *file))
        .map(|file| format!("{file}.json"))
        .collect();
    let there: BTreeSet<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "json"))
        .collect();

    let once: BTreeSet<String> = listed.iter().cloned().collect();

    assert_eq!(once.len(), listed.len(), "a file stands in two lists");
    assert_eq!(once, there);
}

#[test]
fn what_is_not_checked_yet_has_a_reason() {
    assert!(NOT_YET.iter().all(|(_, reason)| !reason.is_empty()));
}

#[test]
fn every_suite_runs_its_list() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for suite in SUITES {
        let main = workspace.join(suite.folder).join("tests/vectors/main.rs");

        let text = fs::read_to_string(&main).unwrap_or_else(|error| panic!("{}: {error}", main.display()));

        let runs = ["run", "run_whole"].map(|run| format!("vectors::{run}(env!(\"CARGO_PKG_NAME\"), "));
        assert!(runs.iter().any(|run| text.contains(run)), "{} does not run its list", main.display());
    }
}
