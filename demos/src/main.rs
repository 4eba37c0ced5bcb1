//! The `coinop` program: plays scenarios of things that get paid.

mod args;
mod audit;
mod bench;
mod devices;
mod folder;
mod play;
mod rig;
mod scenario;
mod show;
mod stage;
mod tally;

use std::process::ExitCode;

use args::{Command, Options};
use clap::Parser as _;

fn main() -> color_eyre::Result<ExitCode> {
    color_eyre::install()?;
    let filter = tracing_subscriber::EnvFilter::try_from_env("COINOP_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match Options::parse().command.unwrap_or_default() {
        Command::Play(play) => play::play(&play),
        Command::List => show::list(),
        Command::Audit(options) => audit::audit(&options),
        Command::Bench(options) => bench::bench(&options),
    }
}
