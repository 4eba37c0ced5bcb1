//! The command line of `coinop board`.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{BoardChoice, board};
use crate::scenario;

/// The shortest and the longest time that an output is on for a test.
const ON: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// The longest that inputs are waited for.
const LONGEST_WAIT: Duration = Duration::from_mins(10);

/// What to do with boards.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum BoardCommand {
    /// List drivers and boards, and say which of them fit this machine.
    List(BoardList),
    /// Show the lines of a board: where they are, their levels and limits.
    Show(BoardShow),
    /// Try the lines out: put each output on, wait for each input to change.
    Test(BoardTest),
}

/// What to list.
#[derive(Args, Clone, Debug)]
#[command(after_help = LISTS)]
pub(crate) struct BoardList {
    /// Board files of yours, which are checked and listed after those that are built in.
    #[arg(value_name = "FILE.toml")]
    pub(crate) files: Vec<String>,
    /// One JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

const LISTS: &str = "Nothing is taken or driven. The exit code is 1 when a file is no board, and says
nothing of the fit.

Examples:
  coinop board list                        what is there, and what fits here?
  coinop board list my-board.toml          and does this file?
  coinop board list --json | jq '.boards[] | select(.fits).name'";

/// Which board to show.
#[derive(Args, Clone, Debug)]
#[command(after_help = SHOWS)]
pub(crate) struct BoardShow {
    /// The board, as for `coinop play --board`.
    #[arg(value_name = "BOARD", value_parser = board)]
    pub(crate) board: BoardChoice,
    /// One JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

const SHOWS: &str = "A file that cannot be is refused with its line and how to mend it.

Examples:
  coinop board show pi                     where is LAMP, how long may it be on?
  coinop board show my-board.toml          is the file right?
  coinop board show relay-hat --json | jq '.board.lines[] | {name, kernel}'";

/// What to try.
#[derive(Args, Clone, Debug)]
#[command(after_help = TESTS)]
pub(crate) struct BoardTest {
    /// The board, as for `coinop play --board`.
    #[arg(value_name = "BOARD", value_parser = board)]
    pub(crate) board: BoardChoice,
    /// Only these lines.
    #[arg(value_name = "LINE")]
    pub(crate) lines: Vec<String>,
    /// Ask nothing: for rigs without a person.
    #[arg(long)]
    pub(crate) yes: bool,
    /// How long an output is on: 100ms to 10s, and within its limit.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = on)]
    pub(crate) on: Duration,
    /// How long an input may take to change; with --yes all together.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = wait)]
    pub(crate) wait: Duration,
    /// Fail when an input did not change or a line was left out.
    #[arg(long)]
    pub(crate) strict: bool,
    /// One JSON object at the end instead of a table.
    #[arg(long, requires = "yes")]
    pub(crate) json: bool,
}

const TESTS: &str = "Low voltage only, and nothing connected that must not move. Outputs go on one
after the other, under a lease of the guard: its interlocks, maximum on-times
and safe levels hold, and Ctrl-C puts everything safe. Every output is read back
before one goes on and while it is on, and that one again after: it has to read
as it is driven, and no other may move with it. An input passes when it changes,
also because of an output.

The exit code is 0 when something was shown and nothing failed. An input that
did not change fails only with --strict: perhaps nobody moved it.

Examples:
  coinop board test pi                     one by one, asking before and after
  coinop board test pi LAMP LIGHT          only these two
  coinop board test my-board.toml --yes    on a rig; look at the exit code
  coinop board test gpio-sim --yes --strict --wait 30s --json
  coinop board test sim --yes              how it looks, without hardware";

fn on(text: &str) -> Result<Duration, String> {
    let on = scenario::quantity::span(text)?;
    if on < ON.0 || on > ON.1 {
        return Err("an output is on for 100ms to 10s".to_owned());
    }
    Ok(on)
}

fn wait(text: &str) -> Result<Duration, String> {
    let wait = scenario::quantity::span(text)?;
    if wait > LONGEST_WAIT {
        return Err("inputs are waited for 10min at most".to_owned());
    }
    Ok(wait)
}
