//! `coinop bench`: how many payments a second this machine makes, and how far that is from what its
//! signatures alone would allow.
//!
//! Every way to pay is measured in short slices, the raw limit right before each; a ratio is the
//! median over all rounds, so that a busy moment of the machine counts on both sides or not at all.

mod beside;
mod board;
mod edges;
mod ends;
mod figures;
mod lane;
mod pure;
mod raw;
mod shelled;
#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    process::ExitCode,
    time::Duration,
};

use coinop::journal::{Apart, MemoryJournal, RedbJournal};
use color_eyre::eyre::WrapErr as _;

use self::{
    figures::{Report, Rounds},
    pure::Pure,
    raw::Raw,
    shelled::Shelled,
};
use crate::{args, disk};

/// The channels that pay at the same time in the widest measurement.
const CHANNELS: usize = 64;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Plan {
    rounds: u32,
    /// How long a way is measured at a time.
    slice: Duration,
    /// How long the raw limit is measured before it.
    raw_slice: Duration,
}

/// About half a minute.
const PLAN: Plan =
    Plan { rounds: 41, slice: Duration::from_millis(120), raw_slice: Duration::from_millis(40) };

/// A way to make payments.
trait Way {
    /// Makes this many payments; says how long that took, and adds how long each took.
    fn run(&mut self, payments: u32, latencies: &mut Vec<Duration>) -> color_eyre::Result<Duration>;

    /// The least number of payments it can make that is not below `wanted`.
    fn payments(&self, wanted: u32) -> u32 {
        wanted.max(1)
    }

    /// Makes sure that all that was paid has arrived, and was recorded.
    fn check(&mut self) -> color_eyre::Result<()>;
}

/// Measures and prints.
pub(crate) fn bench(options: &args::Bench) -> color_eyre::Result<ExitCode> {
    if let Some(board) = &options.board {
        return board::bench(board, options.beside.as_deref(), options.json);
    }
    let folder = options.data_dir.clone().unwrap_or_else(std::env::temp_dir);
    let mut progress = Progress::new(io::stderr().is_terminal());
    let report = measure(&PLAN, &folder, &mut progress)?;
    progress.clear()?;
    let mut out = io::stdout().lock();
    if options.json {
        serde_json::to_writer(&mut out, &report)?;
        out.write_all(b"\n")?;
    } else {
        report.print(&mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(plan: &Plan, folder: &Path, progress: &mut Progress) -> color_eyre::Result<Report> {
    let store = tempfile::Builder::new()
        .prefix("coinop-bench-")
        .tempdir_in(folder)
        .wrap_err_with(|| format!("{} cannot be written to; --data-dir names another", folder.display()))?;
    let mut raw = Raw::new()?;
    let mut ways: [Box<dyn Way>; 4] = [
        Box::new(Pure::new()?),
        Box::new(Shelled::new(Box::<MemoryJournal>::default(), 1)?),
        Box::new(durable(&store.path().join("one"), 1)?),
        Box::new(durable(&store.path().join("many"), CHANNELS)?),
    ];
    let pairs = raw_pairs(&mut raw, plan.raw_slice)?;
    let counts = counts(&mut ways, plan.slice)?;
    let mut rounds: [Rounds; 4] = Default::default();
    for round in 0..plan.rounds {
        for ((way, rounds), payments) in ways.iter_mut().zip(&mut rounds).zip(counts) {
            let limit = raw.run(pairs)?;
            let lasted = way.run(payments, &mut rounds.latencies)?;
            rounds.add(limit, payments, lasted);
        }
        progress.show(round + 1, plan.rounds)?;
    }
    for way in &mut ways {
        way.check()?;
    }
    Ok(Report::new(&rounds, disk::file_system(store.path())))
}

fn durable(path: &Path, channels: usize) -> color_eyre::Result<Shelled> {
    Shelled::new(Box::new(Apart::new(RedbJournal::open(path)?.journal)?), channels)
}

/// How many signatures fill a slice.
fn raw_pairs(raw: &mut Raw, slice: Duration) -> color_eyre::Result<u32> {
    raw.run(16)?;
    let warm = raw.run(64)?;
    Ok(fitting(64, warm.lasted(), slice))
}

/// How many payments of each way fill a slice; a first slice of each warms it up.
fn counts(ways: &mut [Box<dyn Way>; 4], slice: Duration) -> color_eyre::Result<[u32; 4]> {
    let mut counts = [0; 4];
    for (way, count) in ways.iter_mut().zip(&mut counts) {
        let few = way.payments(8);
        let lasted = way.run(few, &mut Vec::new())?;
        let more = way.payments(fitting(few, lasted, slice));
        let lasted = way.run(more, &mut Vec::new())?;
        *count = way.payments(fitting(more, lasted, slice));
    }
    Ok(counts)
}

/// How many fit into a slice, when `count` took this long.
fn fitting(count: u32, lasted: Duration, slice: Duration) -> u32 {
    let fit = f64::from(count) * slice.as_secs_f64() / lasted.as_secs_f64().max(1e-9);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    let fit = fit.clamp(1.0, 100_000.0) as u32;
    fit
}

/// One line on stderr that says how far it is, when somebody can see it.
struct Progress {
    visible: bool,
}

impl Progress {
    const fn new(visible: bool) -> Self {
        Self { visible }
    }

    fn show(&mut self, round: u32, of: u32) -> io::Result<()> {
        if self.visible {
            let mut err = io::stderr().lock();
            write!(err, "\rround {round} of {of} ")?;
            err.flush()?;
        }
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        if self.visible { write!(io::stderr().lock(), "\r                    \r") } else { Ok(()) }
    }
}
