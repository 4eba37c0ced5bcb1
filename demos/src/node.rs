//! `coinop node`: the embedded node for others.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    sync::atomic::Ordering,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use coinop::{
    agenda::{Agenda, Rank},
    core::{Timestamp, obyte::hash::sha256},
    journal::{Apart, Journal, MemoryJournal},
    ledger::Embedded,
    node::ledger::Config,
    notice::Bus,
    restore::Restored,
    run::{self, Clock, Control, Pace},
    serve::{self, Serving},
    shell::Shell,
};
use color_eyre::eyre::{WrapErr as _, eyre};
use tokio::net::TcpListener;

use crate::{
    args::Node,
    folder::{self, Manifest},
    signals::stop_on_signal,
};

/// The node's place in the order of simultaneous work.
const HUB: Rank = Rank(0);
/// What the folder of a node is called in its manifest.
const NAME: &str = "coinop node";
/// A network that is not kept begins a little before its first client.
const BEFORE: Duration = Duration::from_secs(10);
/// A second after the end of all runs: the program ends by a signal.
const NEVER: Timestamp = Timestamp::from_millis(u64::MAX / 2);

/// Serves until a signal.
pub(crate) fn node(options: &Node) -> color_eyre::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, serve_until_signal(options))
}

async fn serve_until_signal(options: &Node) -> color_eyre::Result<ExitCode> {
    let listener = TcpListener::bind(options.listen).await.wrap_err_with(|| {
        format!("{} is taken or not this machine's: choose another with --listen", options.listen)
    })?;
    let (journal, restored) = journal(options)?;
    let now = restored.latest().map_or_else(present, |latest| latest.max(present()));
    // Nobody may guess the challenges that devices sign.
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| eyre!("this machine gives no chance: {error}"))?;
    let shell = Shell::new(Agenda::new(now), Bus::default(), journal, now, seed);
    let config = Config {
        genesis: Timestamp::from_millis(now.millis().saturating_sub(millis(BEFORE))),
        until_stable: options.stable_after,
        proves: true,
        seed: sha256(format!("coinop node {}", options.seed).as_bytes()),
    };
    let ledger = Embedded::open(&shell, HUB, &config, Duration::ZERO, &restored)?;
    let address =
        serve::serve(&shell, &ledger, &restored, listener, Serving { rank: HUB, faucet: options.faucet })?;
    tell(options, address)?;
    let stop = stop_on_signal();
    let clock = Clock::new(Pace::Real(1.0), now);
    let mut frame = || if stop.load(Ordering::Relaxed) { Control::Quit } else { Control::Continue };
    run::run(&shell, &clock, NEVER, &mut frame).await.wrap_err("nothing more can be recorded")?;
    shell.settle()?;
    shell.agenda().clear();
    shell.close();
    Ok(ExitCode::SUCCESS)
}

fn journal(options: &Node) -> color_eyre::Result<(Box<dyn Journal>, Restored)> {
    let Some(path) = &options.data_dir else {
        return Ok((Box::<MemoryJournal>::default(), Restored::default()));
    };
    let manifest = Manifest { scenario: NAME.to_owned(), text: String::new(), seed: options.seed };
    let opened = folder::open(path, &manifest)?;
    if opened.repaired {
        let mut err = io::stderr().lock();
        writeln!(
            err,
            "{}: the last run was not closed; everything it had committed is there",
            path.display()
        )?;
    }
    let restored = Restored::new(opened.journal.entries()?);
    Ok((Box::new(Apart::new(opened.journal)?), restored))
}

fn tell(options: &Node, address: std::net::SocketAddr) -> io::Result<()> {
    let faucet = options.faucet.map_or_else(
        || "none: --faucet gives everybody test money".to_owned(),
        |most| format!("{most} an address: curl --data ADDRESS http://{address}/faucet"),
    );
    let kept = options.data_dir.as_ref().map_or_else(
        || "memory: gone when it ends, --data-dir DIR keeps it".to_owned(),
        |folder| folder.display().to_string(),
    );
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "a network of its own, with test money that is worth nothing
  clients   ws://{address}
  page      http://{address}
  faucet    {faucet}
  kept in   {kept}
Ctrl-C ends it"
    )?;
    out.flush()
}

fn present() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(millis(since))
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
