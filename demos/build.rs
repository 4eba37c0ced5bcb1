//! Lists every TOML of the folder `scenarios`, so that a new scenario needs no registration.

use std::{
    env,
    error::Error,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// What `coinop` plays when nothing is said; the first of the list.
const FIRST: &str = "street";

fn main() -> Result<(), Box<dyn Error>> {
    let package = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let names = names(&package.join("scenarios"))?;
    let mut list = String::from("&[\n");
    for name in names {
        let path = format!("/scenarios/{name}.toml");
        let entry = format!("({name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), {path:?}))),\n");
        list.push_str(&entry);
    }
    list.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("built_in.rs"), list)?;
    writeln!(io::stdout(), "cargo::rerun-if-changed=scenarios")?;
    Ok(())
}

/// The scenarios in a folder, [`FIRST`] before the others.
fn names(folder: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let name = path.file_stem().and_then(|name| name.to_str());
            names.push(name.ok_or("the name of a scenario is not text")?.to_owned());
        }
    }
    names.sort_by_key(|name| (name != FIRST, name.clone()));
    Ok(names)
}
