use std::{error::Error, process::ExitCode};

/// Whatever ends a part of the program.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// The checks of a run, told as they end.
#[derive(Debug, Default)]
pub(crate) struct Report {
    held: u32,
    failed: u32,
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

    /// Says the count, which the host looks for: a run that did not come this far has failed.
    pub(crate) fn end(self, what: &str) -> ExitCode {
        println!("checks of {what}: {} held, {} broken", self.held, self.failed);
        if self.failed == 0 && self.held > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Fails with a reason unless something is so.
pub(crate) fn ensure(holds: bool, reason: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(reason().into()) }
}
