use std::{error::Error, process::ExitCode};

use coinop_hardware::contract::{Finding, Outcome};

/// Whatever ends a part of the program.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The checks of a run, told as they end.
#[derive(Debug, Default)]
pub(crate) struct Report {
    held: u32,
    failed: u32,
    boards: Vec<String>,
}

impl Report {
    /// Tells how a check ended; what it returns in words is shown behind it.
    pub(crate) fn check(&mut self, rule: &str, outcome: Result<String, Failure>) {
        match outcome {
            Ok(note) if note.is_empty() => println!("held    {rule}"),
            Ok(note) => println!("held    {rule}: {note}"),
            Err(breach) => {
                println!("BROKEN  {rule}: {breach}");
                self.failed += 1;
                return;
            }
        }
        self.held += 1;
    }

    /// Tells how a board kept the board contract, and keeps a line about it for the end.
    pub(crate) fn board(&mut self, board: &str, findings: Vec<Finding>) {
        let (all, mut kept, mut others) = (findings.len(), 0, Vec::new());
        for Finding { rule, outcome } in findings {
            match outcome {
                Outcome::Held => {
                    kept += 1;
                    self.check(&format!("{board}: {rule}"), Ok(String::new()));
                }
                Outcome::Broken(breach) => {
                    others.push(format!("; BROKEN: {rule}"));
                    self.check(&format!("{board}: {rule}"), Err(breach.into()));
                }
                Outcome::NotPromised(why) => {
                    others.push(format!("; not promised: {rule} ({why})"));
                    println!("NOT PROMISED  {board}: {rule}: {why}");
                }
            }
        }
        self.boards.push(format!("board {board}: {kept} of {all} rules held{}", others.concat()));
    }

    /// Says the count, which the host looks for: a run that did not come this far has failed.
    pub(crate) fn end(self, what: &str) -> ExitCode {
        self.boards.iter().for_each(|board| println!("{board}"));
        println!("checks of {what}: {} held, {} broken", self.held, self.failed);
        if self.failed == 0 && self.held > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Fails with a reason unless something is so.
pub(crate) fn ensure(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(reason().into()) }
}
