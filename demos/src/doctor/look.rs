//! Gathers the facts; decides nothing.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use coinop::tui;
use coinop_hardware::{
    board_file::{self, BoardFile},
    driver::Driver,
    survey::Survey,
    wiring::Wiring,
};

use super::{
    facts::{Clock, Demo, Disk, Facts, Machine, On, Shipped, Terminal, Wanted},
    measure,
};
use crate::{
    args::{self, BoardChoice},
    board::Plan,
    devices, disk,
    scenario::{BUILT_IN, Scenario},
};

/// Looks at the machine whose file system begins at `root`, for what was asked.
pub(super) fn around(root: &Path, options: &args::Doctor) -> color_eyre::Result<Facts> {
    let (disk, drift) = disk(options.data_dir.as_deref());
    Ok(Facts {
        board: wanted(&options.board)?,
        machine: machine(root),
        boards: boards()?,
        demos: demos()?,
        clock: Clock {
            now: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            synchronised: synchronised(root),
            drift,
        },
        terminal: terminal(|name| env::var(name).ok()),
        disk,
    })
}

/// Looks at what lines may be had of.
pub(super) fn machine(root: &Path) -> Machine {
    Machine {
        system: env::consts::OS,
        survey: Survey::of(root),
        container: container(root, |name| env::var(name).ok()),
        has_null: !cfg!(unix) || root.join("dev/null").exists(),
    }
}

fn wanted(board: &BoardChoice) -> color_eyre::Result<Wanted> {
    let on = match Plan::of(board)? {
        Plan::Names { driver: Driver::Sim, .. } => On::Memory,
        Plan::File(file) if file.driver() == Driver::Sim => On::Memory,
        Plan::Names { driver, chip } => On::Chips { driver, wiring: Wiring::by_name(chip), known: None },
        Plan::File(file) => {
            let known = file.lines().map(|(spec, _)| spec.name.clone()).collect();
            On::Chips { driver: file.driver(), wiring: wiring(&file)?, known: Some(known) }
        }
    };
    Ok(Wanted { word: board.to_string(), on })
}

/// Where a file has all its lines.
fn wiring(file: &BoardFile) -> color_eyre::Result<Wiring> {
    let specs: Vec<_> = file.lines().map(|(spec, _)| spec.clone()).collect();
    Ok(file.fit(&specs)?.0)
}

fn boards() -> color_eyre::Result<Vec<Shipped>> {
    let mut boards = Vec::new();
    for (name, _) in board_file::BUILT_IN {
        let file = BoardFile::load(name)?;
        if file.driver() != Driver::Sim {
            let (name, title) = ((*name).to_owned(), file.title().to_owned());
            boards.push(Shipped { name, title, wiring: wiring(&file)? });
        }
    }
    Ok(boards)
}

/// What the container calls itself, by the marks that its makers leave.
pub(super) fn container(root: &Path, variable: impl Fn(&str) -> Option<String>) -> Option<String> {
    let says = |file: &str| fs::read_to_string(root.join(file)).ok().map(|word| word.trim().to_owned());
    let there = |file: &str, word: &str| root.join(file).exists().then(|| word.to_owned());
    let name = variable("container").or_else(|| says("run/systemd/container"));
    let name = name.or_else(|| there(".dockerenv", "docker"));
    name.or_else(|| there("run/.containerenv", "podman")).filter(|name| !name.is_empty())
}

/// By what systemd-timesyncd leaves; another service is not asked.
pub(super) fn synchronised(root: &Path) -> Option<bool> {
    let folder = root.join("run/systemd/timesync");
    folder.exists().then(|| folder.join("synchronized").exists())
}

/// By the variables that terminals and locales set.
pub(super) fn terminal(variable: impl Fn(&str) -> Option<String>) -> Terminal {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
    let locale = locale.to_ascii_lowercase().replace('-', "");
    let dumb = set("TERM").is_none_or(|term| term == "dumb");
    Terminal {
        size: tui::size(),
        // The consoles of Windows and macOS have both, and need not say so.
        colours: set("NO_COLOR").is_none() && (cfg!(windows) || !dumb),
        utf8: cfg!(any(windows, target_os = "macos")) || locale.contains("utf8"),
    }
}

fn demos() -> color_eyre::Result<Vec<Demo>> {
    let mut demos = Vec::new();
    for (name, text) in BUILT_IN {
        let scenario = Scenario::parse(&format!("{name}.toml"), text)?;
        let lines = scenario.thing.iter().flat_map(|thing| {
            let lines = devices::of(thing.kind.get_ref()).map(|device| device.lines).unwrap_or_default();
            lines.iter().map(|line| thing.line(line.name).to_owned())
        });
        demos.push(Demo { name: (*name).to_owned(), lines: lines.collect() });
    }
    Ok(demos)
}

/// A folder that is not there yet is made in the nearest one that is.
fn disk(asked: Option<&Path>) -> (Disk, std::time::Duration) {
    let folder = asked.map_or_else(env::temp_dir, Path::to_owned);
    let there = nearest(&folder);
    let measured = measure::commits(&there);
    let disk = Disk {
        folder: folder.display().to_string(),
        asked: asked.is_some(),
        free: disk::free(&there),
        file_system: disk::file_system(&there),
        commits: measured.commits,
    };
    (disk, measured.drift)
}

fn nearest(folder: &Path) -> PathBuf {
    let there = folder.ancestors().find(|folder| folder.exists());
    there.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}
