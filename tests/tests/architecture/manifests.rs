//! Versions and lints stand in the root manifest, once.

use std::{collections::BTreeSet, fs};

use toml::{Table, Value};

use crate::workspace::{Package, all_sources, packages, root};

fn manifest(folder: &str) -> Table {
    fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap().parse().unwrap()
}

fn manifests() -> Vec<(Package, Table)> {
    packages().into_iter().map(|package| (package.clone(), manifest(&package.folder))).collect()
}

/// The dependency tables of a manifest, those of its targets included.
fn dependencies(manifest: &Table) -> Vec<(&String, &Value)> {
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let places = targets.filter_map(Value::as_table).chain([manifest]);
    let tables = places.flat_map(|place| {
        let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
        kinds.into_iter().filter_map(|kind| place.get(kind).and_then(Value::as_table))
    });
    tables.flatten().collect()
}

fn at<'a>(manifest: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(manifest.get(*first)?, |value, key| value.get(key))
}

#[test]
fn unsafe_code_is_forbidden_and_no_crate_is_exempt() {
    let rust = ["workspace", "lints", "rust", "unsafe_code"];
    assert_eq!(at(&manifest(""), &rust).and_then(Value::as_str), Some("forbid"));

    for (package, manifest) in manifests() {
        let lints = at(&manifest, &["lints", "workspace"]).and_then(Value::as_bool);
        assert_eq!(lints, Some(true), "{} does not inherit the lints", package.name);
    }
}

#[test]
fn only_the_files_that_touch_a_machine_are_unsafe() {
    let fence = ["hardware/firmware/src/machine/", "hardware/firmware/src/memory.rs"];
    let sources = all_sources();
    let outside = sources.iter().filter(|source| !fence.iter().any(|place| source.path.starts_with(place)));

    let guilty: Vec<&String> =
        outside.filter(|source| source.words().contains("unsafe")).map(|source| &source.path).collect();

    assert!(guilty.is_empty(), "{guilty:?}");
    assert!(sources.iter().any(|source| source.words().contains("unsafe")), "it is there, and it is found");
}

#[test]
fn every_version_stands_in_the_root_manifest() {
    for (package, manifest) in manifests() {
        for (name, dependency) in dependencies(&manifest) {
            let inherited = dependency.get("workspace").and_then(Value::as_bool);
            assert_eq!(inherited, Some(true), "{} gives {name} a version of its own", package.name);
        }
    }
}

#[test]
fn the_root_manifest_lists_nothing_that_nobody_uses() {
    let root = manifest("");
    let listed = at(&root, &["workspace", "dependencies"]).and_then(Value::as_table).unwrap();
    let manifests = manifests();
    let used: BTreeSet<&String> =
        manifests.iter().flat_map(|(_, manifest)| dependencies(manifest)).map(|(name, _)| name).collect();

    let idle: Vec<&String> = listed.keys().filter(|name| !used.contains(name)).collect();

    assert!(idle.is_empty(), "nobody uses {idle:?}");
}
