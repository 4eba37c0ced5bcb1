//! The documents tell the truth about the code.

use std::fs;

use crate::workspace::{packages, root};

fn document(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The section of ARCHITECTURE.md about the crate in a folder.
fn section<'a>(architecture: &'a str, folder: &str) -> Option<&'a str> {
    let heading = format!("### `{folder}`");
    let (_, after) = architecture.split_once(&heading)?;
    after.split("\n#").next()
}

/// The test that checks the invariant of a section: its name, and the file it stands in.
fn check(section: &str) -> Result<(&str, &str), String> {
    let invariants = section.matches("**Invariant:**").count();
    if invariants != 1 {
        return Err(format!("{invariants} invariants"));
    }
    let (_, checked) = section.split_once("Checked by `").ok_or("no test is named")?;
    let mut words = checked.split('`');
    match (words.next(), words.next(), words.next()) {
        (Some(test), Some(" in "), Some(file)) => Ok((test, file)),
        _ => Err("write: Checked by `test` in `file`".to_owned()),
    }
}

#[test]
fn architecture_gives_each_crate_one_invariant_and_names_the_test_that_checks_it() {
    let architecture = document("ARCHITECTURE.md");
    for package in packages() {
        let section = section(&architecture, &package.folder)
            .unwrap_or_else(|| panic!("ARCHITECTURE.md says nothing of {}", package.folder));
        assert!(section.contains(&package.name), "the section of {} names another crate", package.folder);
        let (test, file) = check(section).unwrap_or_else(|error| panic!("{}: {error}", package.folder));
        let source = document(file);
        let found = source.contains(&format!("#[test]\nfn {test}()"));
        assert!(found, "{}: there is no test {test} in {file}", package.folder);
    }
}

#[test]
fn an_invariant_without_its_test_is_caught() {
    assert!(check("A crate.\n**Invariant:** nothing. It holds.").is_err());
    assert!(check("A crate. Checked by `a` in `b`.").is_err());
    assert_eq!(check("**Invariant:** nothing. Checked by `a` in `b`."), Ok(("a", "b")));
}

#[test]
fn the_test_command_of_the_readme_is_what_ci_runs() {
    let command = "cargo test --workspace";

    assert!(document("README.md").lines().any(|line| line == command));
    assert!(document(".ci/run").lines().any(|line| line.ends_with(&format!("\" {command}"))));
}

/// Every place that a document points at: `[text](place)`, and `folder/file` in backquotes.
fn places(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let links = links.filter(|place| !place.contains("://") && !place.starts_with('#'));
    let quoted = prose.split('`').skip(1).step_by(2);
    let rooms = ["kit/", "hardware/", "demos/", "tests/", "docs/", ".ci/"];
    let quoted = quoted.filter(|words| rooms.iter().any(|room| words.starts_with(room)));
    let quoted = quoted.filter(|words| !words.contains([' ', '*', '<']));
    links.chain(quoted).map(|place| place.split('#').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn documents_point_only_at_what_is_there() {
    let mut checked = 0;
    let documents = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"];
    for name in
        documents.into_iter().chain(["docs/raspberry-pi.md", "docs/checklist-pi.md", "docs/safety.md"])
    {
        for place in places(&document(name)) {
            let beside = root().join(name).with_file_name(&place);
            let there = beside.exists() || root().join(&place).exists();
            assert!(there, "{name} points at {place}, which is not there");
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} places were found: are they still written the same way?");
}

#[test]
fn every_decision_stands_in_the_index() {
    let index = document("docs/adr/README.md");
    let mut decisions = 0;
    for entry in fs::read_dir(root().join("docs/adr")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name != "README.md" {
            assert!(index.contains(&format!("]({name})")), "docs/adr/README.md does not list {name}");
            decisions += 1;
        }
    }
    assert!(decisions > 0);
}
