//! The workspace as cargo and the file system see it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// A crate of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder, from the root of the workspace.
    pub(crate) folder: String,
    pub(crate) imports: Vec<Import>,
}

/// One dependency of a crate, in whichever table of the manifest it stands, those of targets included.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    pub(crate) name: String,
    pub(crate) purpose: Purpose,
}

/// What a dependency is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The crate itself, or what builds it.
    Product,
    /// Its tests only.
    Tests,
}

/// A file of Rust.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// Where it is, from the root of the workspace.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The crates of this workspace.
pub(crate) fn packages() -> Vec<Package> {
    packages_of(&root())
}

/// The crates of the workspace in a folder, as `cargo metadata` tells them.
pub(crate) fn packages_of(root: &Path) -> Vec<Package> {
    let told = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(told.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&told.stderr));
    let metadata: Value = serde_json::from_slice(&told.stdout).unwrap();
    let root = Path::new(metadata["workspace_root"].as_str().unwrap());
    metadata["packages"].as_array().unwrap().iter().map(|package| read(package, root)).collect()
}

fn read(package: &Value, root: &Path) -> Package {
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    let imports = package["dependencies"].as_array().unwrap().iter().map(|import| Import {
        name: import["name"].as_str().unwrap().to_owned(),
        purpose: if import["kind"] == "dev" { Purpose::Tests } else { Purpose::Product },
    });
    Package {
        name: package["name"].as_str().unwrap().to_owned(),
        folder: slashed(manifest.parent().unwrap().strip_prefix(root).unwrap()),
        imports: imports.collect(),
    }
}

impl Package {
    /// What the product imports.
    pub(crate) fn product(&self) -> BTreeSet<&str> {
        let product = self.imports.iter().filter(|import| import.purpose == Purpose::Product);
        product.map(|import| import.name.as_str()).collect()
    }

    /// Everything it imports, its tests included.
    pub(crate) fn everything(&self) -> BTreeSet<&str> {
        self.imports.iter().map(|import| import.name.as_str()).collect()
    }
}

/// All files of Rust below a folder of the workspace; there is at least one.
pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    assert!(!found.is_empty(), "no source in {folder}");
    found
}

/// All files of Rust of the workspace.
pub(crate) fn all_sources() -> Vec<Source> {
    let rooms: BTreeSet<String> = packages()
        .iter()
        .map(|package| package.folder.split('/').next().unwrap_or_default().to_owned())
        .collect();
    rooms.iter().flat_map(|room| sources(room)).collect()
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            found.push(Source { path: slashed(path.strip_prefix(root()).unwrap()), text });
        }
    }
}

fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
