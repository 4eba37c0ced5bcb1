//! Plays the owner and the buyer to the lamp's firmware, which runs in QEMU: signs real packages, sends
//! them over the emulated serial wire, and compares what the lamp says with what its pin does, read from
//! the machine's register by the emulator's monitor. `hardware/firmware/run` builds the firmware for it.
#![expect(clippy::print_stdout, reason = "a program whose output is its report")]

#[cfg(unix)]
mod checks;
#[cfg(unix)]
mod emulator;
#[cfg(unix)]
mod figures;
#[cfg(unix)]
mod machine;
#[cfg(unix)]
mod people;
#[cfg(unix)]
mod report;
#[cfg(unix)]
mod talk;

use std::process::ExitCode;

/// Checks the firmware of one machine; the exit code says whether every rule held.
#[cfg(unix)]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let fate = match words.as_slice() {
        [machine, firmware] => machine::named(machine).and_then(|machine| {
            let mut report = report::Report::default();
            let effort = checks::behaviour(&mut report, machine, firmware)?;
            checks::figures(&mut report, machine, firmware, effort)?;
            Ok(report.end(machine.name))
        }),
        _ => Err(format!("MACHINE FIRMWARE, where MACHINE is one of {}", machine::names()).into()),
    };
    fate.unwrap_or_else(|error| {
        println!("FAILED: {error}");
        ExitCode::FAILURE
    })
}

/// The monitor is reached through a socket of Unix.
#[cfg(not(unix))]
fn main() -> ExitCode {
    println!("the check of the firmware needs a Unix");
    ExitCode::FAILURE
}
