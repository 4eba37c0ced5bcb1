//! The recorded vectors: where they lie, and which crate checks which file.
//!
//! A crate's test `vectors` calls [`run`] or [`run_whole`], which take the list of files from here. A field of a case
//! that is neither read, nor compared, nor named with a reason fails the suite.

use std::{
    io::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
};

use serde_json::Value;

use crate::Case;

/// The files that one crate checks.
pub struct Suite {
    /// The package.
    pub package: &'static str,
    /// Its folder, from the workspace.
    pub folder: &'static str,
    /// The files, without their ending.
    pub files: &'static [&'static str],
}

/// What `kit/core` checks: everything that needs no ledger.
pub const CORE: Suite = Suite {
    package: "coinop-core",
    folder: "kit/core",
    files: &[
        "number_format",
        "source_string",
        "json_source_string",
        "chash",
        "keys",
        "wif",
        "mnemonic",
        "device_address",
        "device_login",
        "device_message",
        "aa_address",
        "unit",
        "devnet_unit",
        "ball_hash",
        "object_length",
        "fees",
        "signed_message",
    ],
};

/// What `kit/node` checks: everything that needs a ledger.
pub const NODE: Suite = Suite {
    package: "coinop-node",
    folder: "kit/node",
    files: &["post_joint_verdict", "channel_onchain_run", "hub_session"],
};

/// Every suite there is.
pub const SUITES: [Suite; 2] = [CORE, NODE];

/// Files that nothing checks yet, and why.
pub const NOT_YET: &[(&str, &str)] = &[
    ("channel_lib_as_consumer", "the transport of that library is not spoken yet"),
    ("channel_package", "the requests of that library are not answered yet"),
    ("dutch_auction_run", "there are no auctions yet"),
    ("npm_obyte_compose", "units are composed by the wallet's own rules"),
];

/// What stands at the head of a file and is nothing to check.
const ABOUT: &[(&str, &str)] = &[
    ("kind", "says what the file holds"),
    ("produced_by", "says who recorded it"),
    ("note", "explains the file"),
    ("tries", "how many words the recorder drew"),
];

/// The folder with the vectors: `COINOP_VECTORS`, or the project's own.
pub fn folder() -> PathBuf {
    std::env::var_os("COINOP_VECTORS")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/vectors")), PathBuf::from)
}

/// Reads a file of the folder.
///
/// # Panics
///
/// When it is missing or is no JSON.
pub fn load(name: &str) -> Value {
    let path = folder().join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Runs a crate's suite: `check` is called with the name and the content of each file of its list, and
/// gives the number of cases. Every file is run, also after a failure.
///
/// # Panics
///
/// When a check fails, a file has no cases, or a field of the file was passed over; and for a package
/// without a suite.
pub fn run(package: &str, check: impl Fn(&str, &Case<'_>) -> usize) {
    run_whole(package, |name, content| {
        let file = Case::of(name, content);
        let count = check(name, &file);
        file.finish(ABOUT);
        count
    });
}

/// Runs a crate's suite that makes sure by itself that no field is passed over.
///
/// # Panics
///
/// When a check fails or a file has no cases; and for a package without a suite.
pub fn run_whole(package: &str, check: impl Fn(&str, &Value) -> usize) {
    let suite = SUITES.iter().find(|suite| suite.package == package);
    let suite = suite.unwrap_or_else(|| panic!("{package} has no list of vectors"));
    let failed: Vec<&str> = suite.files.iter().copied().filter(|name| !is_good(name, &check)).collect();
    assert!(failed.is_empty(), "vectors that do not check out: {}", failed.join(", "));
}

fn is_good(name: &str, check: &impl Fn(&str, &Value) -> usize) -> bool {
    let counted = catch_unwind(AssertUnwindSafe(|| check(name, &load(name))));
    let (said, good) = match counted {
        Ok(0) => ("no cases".to_owned(), false),
        Ok(count) => (format!("{count} cases"), true),
        Err(_already_told) => ("failed".to_owned(), false),
    };
    // Past the harness, which keeps what a passing test prints to itself.
    let _ = writeln!(std::io::stdout(), "{name}: {said}");
    good
}
