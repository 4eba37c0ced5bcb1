//! The `coinop` program: plays scenarios of things that get paid.

mod args;
mod audit;
mod bench;
mod board;
mod book;
mod breadboard;
mod bringup;
mod devices;
mod disk;
mod doctor;
mod folder;
mod node;
mod play;
#[cfg(unix)]
mod remote;
mod rig;
mod scenario;
mod service;
mod show;
mod signals;
mod stage;
mod table;
mod tally;
mod wallet;

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use args::{Command, Options};
use clap::Parser as _;
use color_eyre::config::{HookBuilder, Theme};

fn main() -> color_eyre::Result<ExitCode> {
    report_errors()?;
    let filter = tracing_subscriber::EnvFilter::try_from_env("COINOP_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Options::parse().command.unwrap_or_default() {
        Command::Play(play) => play::play(&play),
        Command::List => show::list(),
        Command::Audit(options) => audit::audit(&options),
        #[cfg(unix)]
        Command::Lines(options) => remote::lines(&options),
        #[cfg(unix)]
        Command::Poke(options) => remote::poke(&options),
        #[cfg(not(unix))]
        Command::Lines(_) | Command::Poke(_) => {
            color_eyre::eyre::bail!("another process can look and poke on Unix only; use the keys instead")
        }
        Command::Bench(options) => bench::bench(&options),
        Command::Doctor(options) => doctor::doctor(&options),
        Command::Board(command) => bringup::board(&command),
        Command::Node(options) => node::node(&options),
        Command::Wallet(options) => wallet::wallet(&options),
    }
}

/// Errors are for the person at the table: where in the source they were made is not for them, and a
/// file or a pipe has no colours.
fn report_errors() -> color_eyre::Result<()> {
    let theme = if io::stderr().is_terminal() { Theme::dark() } else { Theme::new() };
    HookBuilder::default().theme(theme).display_env_section(false).install()
}
