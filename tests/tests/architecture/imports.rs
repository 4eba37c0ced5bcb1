//! Who may import whom.

use std::{collections::BTreeMap, fs, path::Path};

use crate::workspace::{Package, packages, packages_of, root};

/// A row of the table: a crate, which of ours it may import, and which its tests may import besides.
struct Room {
    name: &'static str,
    imports: &'static [&'static str],
    tests: &'static [&'static str],
}

/// The table. Who is not in it may not live here.
const ROOMS: &[Room] = &[
    Room { name: "coinop-core", imports: &[], tests: &["coinop-tests"] },
    Room { name: "coinop-node", imports: &["coinop-core"], tests: &["coinop-tests"] },
    Room { name: "coinop-hardware", imports: &["coinop-core"], tests: &["coinop-tests"] },
    Room { name: "coinop", imports: &["coinop-core", "coinop-node"], tests: &["coinop-tests"] },
    Room {
        name: "coinop-demos",
        imports: &["coinop-core", "coinop-node", "coinop", "coinop-hardware"],
        tests: &["coinop-tests"],
    },
    Room {
        name: "coinop-tests",
        imports: &[],
        tests: &["coinop-core", "coinop-node", "coinop", "coinop-hardware"],
    },
    Room { name: "coinop-hil", imports: &["coinop-core", "coinop-hardware"], tests: &[] },
    Room { name: "coinop-lamp", imports: &["coinop-core"], tests: &[] },
    Room { name: "coinop-firmware", imports: &["coinop-core", "coinop-lamp"], tests: &[] },
    Room { name: "coinop-firmware-check", imports: &["coinop-core"], tests: &[] },
];

/// What core may take from outside: crates that ask nothing of an operating system.
const CORE_TAKES: &[&str] = &[
    "aes-gcm",
    "base64",
    "bip39",
    "bs58",
    "dashu-float",
    "hmac",
    "k256",
    "ripemd",
    "ryu-js",
    "serde",
    "serde_json",
    "sha1",
    "sha2",
    "thiserror",
    "zeroize",
];

/// Guests of consequence, and the rooms they may enter.
const GUESTS: &[(&[&str], &[&str])] = &[
    (&["actix", "actix-rt"], &["coinop"]),
    (&["crossterm", "ratatui", "tui-big-text", "tui-qrcode"], &["coinop"]),
    (&["redb"], &["coinop"]),
    (&["axum", "tokio-tungstenite", "rustls"], &["coinop"]),
    (&["tokio"], &["coinop", "coinop-demos"]),
    (&["clap", "color-eyre", "sd-notify", "tracing-subscriber"], &["coinop-demos"]),
    (&["gpiocdev", "gpiocdev-uapi", "linux-embedded-hal", "rppal"], &["coinop-hardware", "coinop-hil"]),
    (&["ina219", "sml-rs"], &["coinop-hardware"]),
    (&["gpiosim"], &["coinop-hil"]),
    (
        &["cortex-m", "cortex-m-rt", "critical-section", "embedded-alloc", "riscv", "riscv-rt"],
        &["coinop-firmware"],
    ),
];

fn strangers(packages: &[Package]) -> Vec<String> {
    let ours: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut found = Vec::new();
    for package in packages {
        let Some(room) = ROOMS.iter().find(|room| room.name == package.name) else {
            found.push(format!("{} has no row in the table", package.name));
            continue;
        };
        let ours_in = |names: std::collections::BTreeSet<&str>| -> Vec<String> {
            names.into_iter().filter(|name| ours.contains(name)).map(str::to_owned).collect()
        };
        let product = ours_in(package.product());
        let all = ours_in(package.everything());
        let wrong = product.iter().filter(|name| !room.imports.contains(&name.as_str()));
        let wrong_in_tests = all.iter().filter(|name| {
            !product.contains(name)
                && !room.tests.contains(&name.as_str())
                && !room.imports.contains(&name.as_str())
        });
        found.extend(wrong.map(|name| format!("{} imports {name}", package.name)));
        found.extend(wrong_in_tests.map(|name| format!("the tests of {} import {name}", package.name)));
    }
    found
}

fn guests_astray(packages: &[Package]) -> Vec<String> {
    let mut found = Vec::new();
    for package in packages {
        for (guests, rooms) in GUESTS {
            let here = package.product().into_iter().filter(|name| guests.contains(name));
            let astray = here.filter(|_| !rooms.contains(&package.name.as_str()));
            found.extend(astray.map(|name| format!("{} imports {name}", package.name)));
        }
    }
    found
}

fn beyond_core(packages: &[Package]) -> Vec<String> {
    let core = packages.iter().filter(|package| package.name == "coinop-core");
    core.flat_map(Package::product).filter(|name| !CORE_TAKES.contains(name)).map(str::to_owned).collect()
}

/// Everything of ours that a crate reaches, directly or through others.
fn reach(packages: &[Package], from: &str) -> Vec<String> {
    let by_name: BTreeMap<&str, &Package> =
        packages.iter().map(|package| (package.name.as_str(), package)).collect();
    let mut reached = Vec::new();
    let mut next = vec![from];
    while let Some(package) = next.pop().and_then(|name| by_name.get(name)) {
        for name in package.product() {
            if by_name.contains_key(name) && !reached.iter().any(|known| known == name) {
                reached.push(name.to_owned());
                next.push(name);
            }
        }
    }
    reached
}

/// The crates of the workspace, and the firmware, which is a workspace of its own.
fn everything() -> Vec<Package> {
    packages().into_iter().chain(packages_of(&root().join("hardware/firmware"))).collect()
}

/// A crate of this name and these dependency tables, beside a crate `coinop`, in a workspace of its own.
fn made_up(name: &str, tables: &str) -> Vec<Package> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("made-up-{name}"));
    for (folder, name, tables) in [("crate", name, tables), ("other", "coinop", "")] {
        fs::create_dir_all(root.join(folder).join("src")).unwrap();
        fs::write(root.join(folder).join("src/lib.rs"), "").unwrap();
        let manifest =
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{tables}");
        fs::write(root.join(folder).join("Cargo.toml"), manifest).unwrap();
    }
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"crate\", \"other\"]\n";
    fs::write(root.join("Cargo.toml"), workspace).unwrap();
    packages_of(&root)
}

#[test]
fn our_crates_import_each_other_only_as_the_table_allows() {
    assert_eq!(strangers(&everything()), [""; 0]);
}

#[test]
fn kit_and_hardware_never_see_each_other() {
    let packages = packages();

    assert!(!reach(&packages, "coinop").contains(&"coinop-hardware".to_owned()));
    assert!(!reach(&packages, "coinop-hardware").contains(&"coinop".to_owned()));
    assert!(reach(&packages, "coinop-demos").contains(&"coinop-hardware".to_owned()), "they meet in demos");
}

#[test]
fn nobody_imports_the_program() {
    for package in everything() {
        assert!(!package.everything().contains("coinop-demos"), "{} imports it", package.name);
    }
}

#[test]
fn core_takes_nothing_that_needs_an_operating_system() {
    assert_eq!(beyond_core(&packages()), [""; 0]);
}

#[test]
fn guests_stay_in_the_rooms_they_were_given() {
    assert_eq!(guests_astray(&everything()), [""; 0]);
}

#[test]
fn an_import_that_the_table_forbids_is_caught() {
    let packages = made_up("coinop-hardware", "[dependencies]\ncoinop = { path = \"../other\" }\n");

    assert_eq!(strangers(&packages), ["coinop-hardware imports coinop"]);
    assert!(reach(&packages, "coinop-hardware").contains(&"coinop".to_owned()));
}

#[test]
fn an_import_hidden_in_the_table_of_a_target_is_caught() {
    let packages = made_up("coinop-core", "[target.'cfg(windows)'.dependencies]\nactix = \"0.13\"\n");

    assert_eq!(beyond_core(&packages), ["actix"]);
    assert_eq!(guests_astray(&packages), ["coinop-core imports actix"]);
}

#[test]
fn an_import_under_another_name_is_caught() {
    let renamed = "[dependencies]\nquiet = { package = \"tokio\", version = \"1\" }\n";

    assert_eq!(guests_astray(&made_up("coinop-node", renamed)), ["coinop-node imports tokio"]);
}

#[test]
fn a_crate_without_a_row_in_the_table_is_caught() {
    assert_eq!(strangers(&made_up("coinop-extra", "")), ["coinop-extra has no row in the table"]);
}
