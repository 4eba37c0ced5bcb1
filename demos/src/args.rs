//! The command line.

mod board;
mod network;

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, Parser, Subcommand};
use coinop::run::Pace;
use coinop_hardware::{board_file::BUILT_IN, driver::Driver, sim::SimFault};

pub(crate) use board::{BoardCommand, BoardList, BoardShow, BoardTest};
pub(crate) use network::{NetworkName, Node, Wallet, WalletCommand};

use crate::scenario;

/// Things that get paid: plays scenarios of devices with wallets, payment channels and real lines.
///
/// Without a command it plays `street`. Test money only: not audited, low voltage only.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Options {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "Examples:
  coinop                                          play the street in the terminal
  coinop play light                               one lamp, two payers
  coinop play ev-charging --speed 10              ten times as fast
  coinop play street --headless --json --speed max --seed 7 > run.jsonl
  coinop play my.toml --data-dir ./data           durable; the same command goes on where it stopped
  coinop play light --board gpiochip              on the kernel's lines LAMP and LIGHT
  coinop play light --board pi                    on a Raspberry Pi's header, as hardware/boards/pi.toml says
  coinop play room --board my-board.toml          on a board of yours
  coinop poke DOOR open                           from another terminal, while it plays
  coinop audit ./data                             who has what, and is money conserved?
  coinop bench                                    payments a second on this machine
  coinop bench --board sim --beside street        how fast the lines follow while a street is busy
  coinop doctor --board gpiochip                  would a demo run here? what is to be mended?
  coinop board list                               which boards are there, and which fit this machine?
  coinop board show pi                            its lines, where they are, and their limits
  coinop board test pi                            put each output on, wait for each input
  coinop node --faucet                            a network of your own, for a whole LAN
  coinop play street --hub ws://127.0.0.1:6611 --purse ./wallet
  coinop wallet new --burner                      a wallet for a demo; see coinop wallet --help";

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Play a scenario: a built-in one by name, or a TOML file.
    Play(Play),
    /// List the scenarios that are built in.
    List,
    /// Check the folder of a run that is not running: who has what, and is money conserved?
    Audit(Audit),
    /// Show every line of a running program: level, lease, fault.
    Lines(Lines),
    /// Poke, pulse, break or mend a line of a running program.
    Poke(Poke),
    /// Measure payments on this machine: by the rules alone, through actors, durable on disk.
    Bench(Bench),
    /// Look at this machine: would a demo run here, and what mends what is wrong?
    Doctor(Doctor),
    /// List boards, show their lines, and try them out one by one.
    #[command(subcommand)]
    Board(BoardCommand),
    /// Be a network of its own, for any number of wallets and programs.
    Node(Node),
    /// A wallet on any network: make it, look into it, pay with it.
    Wallet(Wallet),
}

impl Default for Command {
    fn default() -> Self {
        Self::Play(Play::default())
    }
}

/// How to play.
#[derive(Args, Clone, Debug)]
pub(crate) struct Play {
    /// A built-in scenario (see `coinop list`) or a file that ends in .toml.
    #[arg(default_value = "street")]
    pub(crate) scenario: String,
    /// Without the terminal UI; so it is also when stdout is no terminal.
    #[arg(long)]
    pub(crate) headless: bool,
    /// One JSON object a line as it happens, the summary last.
    #[arg(long)]
    pub(crate) json: bool,
    /// Stop after this much scenario time from this start, such as 30s or 2min; the scenario's own
    /// length when nothing is said.
    #[arg(long = "for", value_name = "TIME", value_parser = scenario::quantity::span)]
    pub(crate) length: Option<Duration>,
    /// Scenario seconds a real second, or `max` for virtual time as fast as it goes.
    #[arg(long, default_value = "1", value_parser = speed)]
    pub(crate) speed: Speed,
    /// Where all chance comes from: keys, and every choice.
    #[arg(long, default_value_t = 1, value_parser = seed)]
    pub(crate) seed: u64,
    /// The board: a driver, with the scenario's names for the lines of all chips or of CHIP; a board that
    /// is built in (pi, relay-hat, gpio-sim); or a board file of yours that ends in .toml.
    #[arg(long, default_value = "sim", value_name = "sim|gpiochip[:CHIP]|linux[:CHIP]|rpi|NAME|FILE.toml",
          value_parser = board)]
    pub(crate) board: BoardChoice,
    /// Toggle this line while all is well, for a watchdog outside that cuts the power when it rests.
    #[arg(long, value_name = "LINE")]
    pub(crate) watchdog: Option<String>,
    /// Keep everything in this folder, and go on from there.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Play on the ledger behind this hub, a devnet of yours, instead of one inside the program.
    #[arg(long, value_name = "URL", requires = "purse", conflicts_with = "data_dir")]
    pub(crate) hub: Option<String>,
    /// The wallet that gives everybody their first money on that ledger.
    #[arg(long, value_name = "FILE", requires = "hub")]
    pub(crate) purse: Option<PathBuf>,
}

impl Default for Play {
    fn default() -> Self {
        Self {
            scenario: "street".to_owned(),
            headless: false,
            json: false,
            length: None,
            speed: Speed(Pace::Real(1.0)),
            seed: 1,
            board: BoardChoice::Driver { driver: Driver::Sim, chip: None },
            watchdog: None,
            data_dir: None,
            hub: None,
            purse: None,
        }
    }
}

/// What to check.
#[derive(Args, Clone, Debug)]
pub(crate) struct Audit {
    /// The --data-dir of the run.
    #[arg(value_name = "DIR")]
    pub(crate) folder: PathBuf,
    /// One JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which of the running programs; the only one when nothing is said.
#[derive(Args, Clone, Debug)]
pub(crate) struct Which {
    /// The one that plays with this --data-dir.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The one with this process number.
    #[arg(long, conflicts_with = "data_dir")]
    pub(crate) pid: Option<u32>,
}

/// What to show.
#[derive(Args, Clone, Debug)]
pub(crate) struct Lines {
    /// Go on, and show what changes.
    #[arg(long)]
    pub(crate) watch: bool,
    /// One JSON object a line.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) which: Which,
}

/// What to do to a line.
#[derive(Args, Clone, Debug)]
#[command(after_help = POKES, group(ArgGroup::new("what").required(true).args(["level", "pulses", "fault", "mend"])))]
pub(crate) struct Poke {
    /// The line, as `coinop lines` names it.
    pub(crate) line: String,
    /// The level of an input, by its own words or as high, low, on, off.
    pub(crate) level: Option<String>,
    /// Give so many pulses on an input.
    #[arg(long, value_name = "COUNT")]
    pub(crate) pulses: Option<u32>,
    /// The time from one pulse to the next.
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = scenario::quantity::span)]
    pub(crate) every: Duration,
    /// Break the line: stuck, welded, bounce, lost[=N], late[=TIME], drift=PERCENT, brown-out.
    #[arg(long, value_parser = fault)]
    pub(crate) fault: Option<Fault>,
    /// For how long; until it is mended when nothing is said.
    #[arg(long = "for", value_name = "TIME", requires = "fault", value_parser = scenario::quantity::span)]
    pub(crate) lasts: Option<Duration>,
    /// Mend the line, and what it raised an alarm about.
    #[arg(long)]
    pub(crate) mend: bool,
    #[command(flatten)]
    pub(crate) which: Which,
}

const POKES: &str = "Outputs cannot be driven: only the guard drives them. Examples:
  coinop poke DOOR open
  coinop poke METER --pulses 40 --every 100ms
  coinop poke CONTACTOR --fault welded --for 20s
  coinop poke LIGHT --fault late=200ms
  coinop poke LIGHT --mend";

/// A fault in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Of a line.
    Line(SimFault),
    /// Of the whole board.
    BrownOut,
}

fn fault(text: &str) -> Result<Fault, String> {
    let known = "a fault is stuck, welded, bounce, lost[=N], late[=TIME], drift=PERCENT or brown-out";
    let (word, number) = text.split_once('=').map_or((text, None), |(word, number)| (word, Some(number)));
    Ok(Fault::Line(match (word, number) {
        ("stuck", None) => SimFault::Stuck,
        ("welded", None) => SimFault::Welded,
        ("bounce", None) => SimFault::Bouncing,
        ("lost", number) => {
            let every = number.unwrap_or("5");
            SimFault::Lost(every.parse().map_err(|error| format!("lost={every} is no number: {error}"))?)
        }
        ("late", time) => SimFault::Late(scenario::quantity::time(time.unwrap_or("200ms"))?),
        ("drift", Some(percent)) => {
            let number = percent.trim_end_matches('%');
            SimFault::Drifting(
                number.parse().map_err(|error| format!("drift={percent} is no number: {error}"))?,
            )
        }
        ("brown-out", None) => return Ok(Fault::BrownOut),
        _ => return Err(known.to_owned()),
    }))
}

/// How to measure.
#[derive(Args, Clone, Debug)]
pub(crate) struct Bench {
    /// Measure this board in the place of payments: from a verified package to a line that is high, from
    /// the end of a lease to a line that is low, from an edge to its notice. On `gpiochip` the lines are
    /// LAMP and LIGHT; edges are measured when a wire joins them.
    #[arg(long, value_name = "BOARD", value_parser = board)]
    pub(crate) board: Option<BoardChoice>,
    /// Measure the board while another process of this program plays this scenario, such as `street`.
    #[arg(long, value_name = "SCENARIO", requires = "board")]
    pub(crate) beside: Option<String>,
    /// One JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// Measure the disk of this folder; the system's temporary folder when nothing is said.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// What to look at.
#[derive(Args, Clone, Debug)]
#[command(after_help = DOCTOR)]
pub(crate) struct Doctor {
    /// The board that a demo is to run on, as for `coinop play`.
    #[arg(long, default_value = "sim", value_name = "BOARD", value_parser = board)]
    pub(crate) board: BoardChoice,
    /// Look at this folder, which a run is to be kept in; else at the system's temporary folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// One JSON object instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

const DOCTOR: &str =
    "Each line says how it is (ok, note, warning, wrong), what was looked at, and below it what
mends it. Nothing is taken, driven or changed. The exit code is 0 when a demo would run.

Examples:
  coinop doctor                                   would `coinop` run here?
  coinop doctor --board gpiochip                  and on this machine's lines?
  coinop doctor --data-dir ./data                 is the disk fast enough?
  coinop doctor --json | jq .doctor.findings";

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Speed(pub(crate) Pace);

/// Which board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BoardChoice {
    /// A driver, and lines by the names they have.
    Driver {
        /// Which one.
        driver: Driver,
        /// A chip's name, path or label; all chips when nothing is said.
        chip: Option<String>,
    },
    /// What a file describes: a built-in one by name, or a path.
    File(String),
}

impl std::fmt::Display for BoardChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Driver { driver, chip: None } => write!(f, "{driver}"),
            Self::Driver { driver, chip: Some(chip) } => write!(f, "{driver}:{chip}"),
            Self::File(name) => f.write_str(name),
        }
    }
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed(Pace::Max));
    }
    match text.parse::<f64>() {
        Ok(speed) if speed.is_finite() && (0.01..=1_000.0).contains(&speed) => Ok(Speed(Pace::Real(speed))),
        Ok(_) | Err(_) => Err("a speed is `max` or a number from 0.01 to 1000".to_owned()),
    }
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_error| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

fn board(text: &str) -> Result<BoardChoice, String> {
    let (word, chip) = text.split_once(':').map_or((text, None), |(word, chip)| (word, Some(chip)));
    let is_file = std::path::Path::new(text).extension().is_some_and(|extension| extension == "toml");
    if is_file || BUILT_IN.iter().any(|(name, _)| *name == text) {
        return Ok(BoardChoice::File(text.to_owned()));
    }
    match (word.parse(), chip) {
        (Ok(driver), None) => Ok(BoardChoice::Driver { driver, chip: None }),
        (Ok(driver @ (Driver::Gpiochip | Driver::Linux)), Some(chip)) if !chip.is_empty() => {
            Ok(BoardChoice::Driver { driver, chip: Some(chip.to_owned()) })
        }
        (Ok(Driver::Sim | Driver::Gpiochip | Driver::Linux | Driver::Rpi) | Err(()), _) => {
            let built_in: Vec<_> = BUILT_IN.iter().map(|(name, _)| format!("`{name}`")).collect();
            Err(format!(
                "a board is `sim`, `gpiochip`, `linux` (both with a chip: gpiochip:gpiochip0), `rpi`, {}, or a \
                 file that ends in .toml",
                built_in.join(", ")
            ))
        }
    }
}
