//! `coinop board`: which boards there are, what lines they have, and whether those do what they should.
//!
//! [`walk`] is the order of a test, a pure machine; [`test`] holds it together with the guard, the clock and
//! whoever sits before it. Nothing here drives a line: it asks the guard for leases like everybody else.

mod bench;
mod list;
mod outcome;
mod show;
mod test;
mod walk;
mod words;

use std::process::ExitCode;

use crate::args::BoardCommand;

/// Does what was asked of a board.
pub(crate) fn board(command: &BoardCommand) -> color_eyre::Result<ExitCode> {
    match command {
        BoardCommand::List(options) => list::list(options),
        BoardCommand::Show(options) => show::show(options),
        BoardCommand::Test(options) => test::test(options),
    }
}
