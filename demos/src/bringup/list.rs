//! `coinop board list`: which boards and drivers there are, and which of them fit this machine.

use std::{
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use coinop_hardware::{board_file::BUILT_IN, driver::Driver, wiring::Wiring};
use serde::Serialize;
use serde_json::json;

use super::bench::Bench;
use crate::{
    args::{BoardChoice, BoardList},
    board::Plan,
    doctor, table,
};

/// A board in the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Listed {
    /// As `--board` takes it.
    name: String,
    title: String,
    /// Whether it could be opened here.
    fits: bool,
    /// What keeps it from this machine.
    why_not: Option<String>,
}

/// Lists the drivers, the boards that are built in, and files; the exit code says whether every file is one.
pub(super) fn list(options: &BoardList) -> color_eyre::Result<ExitCode> {
    let machine = doctor::machine(Path::new("/"));
    let mut listed = Vec::new();
    for driver in Driver::ALL {
        let why_not = doctor::misfit(&machine, driver, &Wiring::default());
        listed.push(entry(driver.to_string(), what_drives(driver).to_owned(), why_not));
    }
    let built_in = BUILT_IN.iter().map(|(name, _)| (*name).to_owned());
    let mut is_well = true;
    for name in built_in.chain(options.files.iter().cloned()) {
        listed.push(match Bench::of(&BoardChoice::File(name.clone())) {
            Ok(bench) => {
                let why_not = doctor::misfit(&machine, bench.plan.driver(), &all_lines(&bench));
                entry(name, title(&bench.plan), why_not)
            }
            Err(error) => {
                is_well = false;
                entry(name, "no board".to_owned(), Some(format!("{error:#}")))
            }
        });
    }
    let mut out = io::stdout().lock();
    if options.json {
        serde_json::to_writer(&mut out, &json!({"v": 1, "boards": listed}))?;
        out.write_all(b"\n")?;
    } else {
        print(&mut out, &listed)?;
    }
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn entry(name: String, title: String, why_not: Option<String>) -> Listed {
    Listed { name, title, fits: why_not.is_none(), why_not }
}

/// The wiring with every line in it.
fn all_lines(bench: &Bench) -> Wiring {
    let lines = bench.lines.iter().map(|spec| (spec.name.clone(), bench.wiring.wire(&spec.name)));
    Wiring { chip: bench.wiring.chip.clone(), lines: lines.collect() }
}

fn title(plan: &Plan) -> String {
    match plan {
        Plan::Names { driver, .. } => what_drives(*driver).to_owned(),
        Plan::File(file) => file.title().to_owned(),
    }
}

const fn what_drives(driver: Driver) -> &'static str {
    match driver {
        Driver::Sim => "lines in memory, with the kit's devices behind them",
        Driver::Gpiochip => "the kernel's lines, by the names that gpioinfo shows",
        Driver::Linux => "the same through linux-embedded-hal; inputs are polled",
        Driver::Rpi => "a Raspberry Pi's registers; a killed program leaves pins driven",
    }
}

fn print(out: &mut dyn Write, listed: &[Listed]) -> io::Result<()> {
    let name = table::widest(listed.iter().map(|board| board.name.as_str())).min(20);
    for board in listed {
        let fits = if board.fits { "fits" } else { "no" };
        table::row(out, &format!("{fits:4}  {:name$}  ", board.name), &board.title)?;
        if let Some(why_not) = &board.why_not {
            table::row(out, &format!("{:6}{:name$}  ", "", ""), why_not)?;
        }
    }
    writeln!(
        out,
        "\ncoinop doctor --board NAME  says what mends it\ncoinop board show NAME      shows its lines\ncoinop board \
         test NAME      tries them out"
    )
}
