//! What `docs/safety.md` says is shown by a test, is.

use std::fs;

use crate::workspace::root;

/// What a document says is shown: the words in backquotes before each ` in ` and a file.
fn named(document: &str) -> Vec<(&str, &str)> {
    let words: Vec<_> = document.split('`').collect();
    let pairs = words.windows(3).skip(1).step_by(2);
    pairs.filter(|pair| pair[1] == " in ").map(|pair| (pair[0], pair[2])).collect()
}

/// Whether a source has this test, or this check of the hardware in the loop.
fn has(source: &str, test: &str) -> bool {
    source.contains(&format!("#[test]\nfn {test}()")) || source.contains(&format!("check(\"{test}\""))
}

#[test]
fn every_test_that_the_table_of_safety_names_exists() {
    let document = fs::read_to_string(root().join("docs/safety.md")).unwrap();
    let named = named(&document);
    assert!(named.len() >= 12, "only {} tests are named: are they still written the same way?", named.len());

    for (test, file) in named {
        let source = fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(has(&source, test), "docs/safety.md names `{test}`, which is not in {file}");
    }
}

#[test]
fn every_row_of_failures_names_a_test() {
    let document = fs::read_to_string(root().join("docs/safety.md")).unwrap();
    let (_, after) = document.split_once("| what fails |").unwrap();
    let rows: Vec<_> = after.lines().skip(2).take_while(|line| line.starts_with('|')).collect();

    assert_eq!(rows.len(), 8);
    for row in rows {
        assert!(row.contains("` in `"), "no test shows: {row}");
    }
}

#[test]
fn a_test_that_does_not_exist_is_caught() {
    assert_eq!(named("as `a_test` in `a/file.rs`, and `b` alone"), [("a_test", "a/file.rs")]);
    assert!(has("#[test]\nfn a_test() {}", "a_test"));
    assert!(has("report.check(\"it holds\", it())", "it holds"));
    assert!(!has("fn a_test() {}", "a_test"));
}
