//! The report for a person.

use std::io::{self, Write};

use super::judge::{State, Verdict};
use crate::table;

/// The columns before what is found.
const COLUMNS: usize = 19;

/// Prints a line for each finding, its mend below, and what it comes to.
pub(super) fn report(out: &mut dyn Write, board: &str, verdict: &Verdict, colours: bool) -> io::Result<()> {
    for finding in &verdict.findings {
        let word = format!("{:7}", word(finding.state));
        let word = if colours { format!("{}{word}\x1b[0m", colour(finding.state)) } else { word };
        table::row_behind(out, &format!("{word}  {:8}  ", finding.about), COLUMNS, &finding.what)?;
        if let Some(mend) = &finding.mend {
            // In one line, however long: it may be a command to copy.
            writeln!(out, "{:COLUMNS$}mend: {mend}", "")?;
        }
    }
    let warnings = match verdict.count(State::Warning) {
        0 => String::new(),
        1 => ", with 1 warning".to_owned(),
        more => format!(", with {more} warnings"),
    };
    match &verdict.demo {
        Some(demo) if verdict.would_run() => writeln!(out, "\na demo would run{warnings}: {demo}"),
        Some(_) | None => writeln!(out, "\nno demo would run with --board {board}: mend what is wrong"),
    }
}

const fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Note => "note",
        State::Warning => "warning",
        State::Wrong => "WRONG",
    }
}

const fn colour(state: State) -> &'static str {
    match state {
        State::Ok => "\x1b[32m",
        State::Note => "\x1b[36m",
        State::Warning => "\x1b[33m",
        State::Wrong => "\x1b[31m",
    }
}
