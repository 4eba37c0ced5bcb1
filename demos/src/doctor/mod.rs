//! `coinop doctor`: what this machine has, whether a demo would run on it, and what mends what is wrong.
//!
//! [`look`] gathers the facts, [`judge`] is a pure function from facts to findings, [`print`] shows them.

mod demos;
mod facts;
mod judge;
mod lines;
mod look;
mod measure;
mod print;
#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    process::ExitCode,
};

use coinop_hardware::{driver::Driver, wiring::Wiring};
use serde_json::json;

pub(crate) use self::facts::Machine;
use self::judge::{Finding, State};
use crate::args;

/// What lines may be had of on the machine whose file system begins at `root`.
pub(crate) fn machine(root: &Path) -> Machine {
    look::machine(root)
}

/// What keeps the lines of a wiring from being had on this machine by this driver; none when nothing does.
pub(crate) fn misfit(machine: &Machine, driver: Driver, wiring: &Wiring) -> Option<String> {
    let found = judge::had(machine, driver, wiring);
    let wrong = found.into_iter().find(|finding| finding.state == State::Wrong);
    if let Some(Finding { what, .. }) = wrong {
        return Some(what);
    }
    let troubles = match driver {
        Driver::Sim => return None,
        Driver::Gpiochip | Driver::Linux | Driver::Rpi => demos::troubles(machine, wiring),
    };
    (!troubles.is_empty()).then(|| lines::some(&troubles))
}

/// Looks, judges and tells; the exit code says whether a demo would run.
pub(crate) fn doctor(options: &args::Doctor) -> color_eyre::Result<ExitCode> {
    let facts = look::around(Path::new("/"), options)?;
    let verdict = judge::judge(&facts);
    let mut out = io::stdout().lock();
    if options.json {
        let line = json!({"v": 1, "doctor": {
            "board": facts.board.word,
            "would_run": verdict.would_run(),
            "demo": verdict.demo,
            "findings": verdict.findings,
        }});
        serde_json::to_writer(&mut out, &line)?;
        out.write_all(b"\n")?;
    } else {
        let colours = io::stdout().is_terminal() && facts.terminal.colours;
        print::report(&mut out, &facts.board.word, &verdict, colours)?;
    }
    Ok(if verdict.would_run() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
