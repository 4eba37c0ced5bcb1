use std::{error::Error, process::ExitCode};

/// Whatever ends the check.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The rules that were checked, told one by one.
#[derive(Debug, Default)]
pub(crate) struct Report {
    held: u32,
    broken: u32,
}

impl Report {
    /// Tells whether a rule held, with what was seen.
    pub(crate) fn check(&mut self, rule: &str, holds: bool, seen: &str) {
        if holds {
            self.held += 1;
            println!("held    {rule}: {seen}");
        } else {
            self.broken += 1;
            println!("BROKEN  {rule}: {seen}");
        }
    }

    /// Says the count, which the script looks for: a run that did not come this far has failed.
    pub(crate) fn end(self, machine: &str) -> ExitCode {
        println!("checks of {machine}: {} held, {} broken", self.held, self.broken);
        if self.broken == 0 && self.held > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
