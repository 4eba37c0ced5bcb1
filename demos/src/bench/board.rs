//! `coinop bench --board`: how fast the lines follow, and how many of them one process holds.
//!
//! The guard is the program's own, on its own thread and with its own limits, except that leases are not
//! ended early: how late the thread is has to show. A package counts as verified when its signature is;
//! what the rules do after that is in `coinop bench`, and the disk as well.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    process::ExitCode,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use coinop::core::{
    Timestamp,
    board::{Board, BoardError, Edge, Level, LineSpec},
};
use coinop_hardware::{
    guard::{Command, Keeper, Lease, Limits, Report, Sentry, SentryError},
    sim::SimChip,
};
use serde::Serialize;

use super::{
    beside::{Beside, Played},
    edges,
    figures::{percentile, rounded},
    raw::Raw,
};
use crate::{args::BoardChoice, board::Plan, rig};

/// The line that is leased.
pub(super) const OUTPUT: &str = "LAMP";
/// The line whose edges are told.
pub(super) const INPUT: &str = "LIGHT";
/// How often a lease is granted and ends, for its two latencies.
const ROUNDS: u32 = 200;
/// How long each of these leases is: longer than the guard of a slow kernel takes to look again.
pub(super) const LEASE: Duration = Duration::from_millis(50);
/// How many lines one process is tried with.
const LINES: [usize; 4] = [1, 16, 64, 256];
/// How often each line goes on in a second, at most.
const RATES: [u32; 6] = [2, 5, 10, 20, 50, 100];
/// How long a rate is held.
const HELD: Duration = Duration::from_millis(400);
/// A line that goes off later than this after its lease has fallen behind.
const BEHIND: Duration = Duration::from_millis(50);
/// How long a line may take before it counts as stuck.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How much may wait to be looked at.
pub(super) const QUEUE: usize = 65_536;

/// What `coinop bench --board --json` prints.
#[derive(Debug, Serialize)]
struct Figures {
    board: String,
    verified_to_high: Latency,
    lease_over_to_low: Latency,
    /// On a real board only where a wire joins the two lines.
    edge_to_notice: Option<Latency>,
    /// Only where there are as many lines as one wants.
    held: Vec<Held>,
    /// Only where something was played meanwhile.
    beside: Option<Played>,
    rounds: u32,
    cores: usize,
}

/// Half of all, and 99 of 100, took at most so long.
#[derive(Debug, Serialize)]
struct Latency {
    p50_us: f64,
    p99_us: f64,
}

/// The highest rate at which nothing fell behind.
#[derive(Debug, Serialize)]
struct Held {
    lines: usize,
    /// Leases that begin and end, all lines together.
    leases_per_s: u64,
    /// Whether more was not tried, so that the limit lies higher.
    is_most_tried: bool,
}

/// Measures and prints.
pub(super) fn bench(choice: &BoardChoice, beside: Option<&str>, json: bool) -> color_eyre::Result<ExitCode> {
    let figures = measure(choice, beside, ROUNDS)?;
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, &figures)?;
        out.write_all(b"\n")?;
    } else {
        figures.print(&mut out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(choice: &BoardChoice, beside: Option<&str>, rounds: u32) -> color_eyre::Result<Figures> {
    let lines = vec![LineSpec::output(OUTPUT, Level::Low), LineSpec::input(INPUT)];
    let plan = Plan::of(choice)?;
    let chip = (!plan.keeps_real_time()).then(|| SimChip::new(lines.clone()));
    let board: Box<dyn Board> = match &chip {
        Some(chip) => Box::new(chip.board()?),
        None => plan.open(&lines)?,
    };
    let beside = beside.map(Beside::start).transpose()?;
    let post = Post::new(board)?;
    let (on, off) = post.latencies(rounds)?;
    let edges = match &chip {
        Some(chip) => Some(edges::of_world(&post, chip, rounds)?),
        None => edges::by_wire(&post, rounds)?,
    };
    drop(post);
    let held =
        if chip.is_some() { LINES.into_iter().map(hold).collect::<Result<_, _>>()? } else { Vec::new() };
    Ok(Figures {
        board: choice.to_string(),
        verified_to_high: on.into(),
        lease_over_to_low: off.into(),
        edge_to_notice: edges.map(Latency::from),
        held,
        beside: beside.map(Beside::end).transpose()?,
        rounds,
        cores: thread::available_parallelism().map_or(1, usize::from),
    })
}

/// A board that notes when its lines were driven.
struct Timed {
    board: Box<dyn Board>,
    driven: SyncSender<Driven>,
}

/// When a line had been driven.
type Driven = (String, Level, Instant);

impl Board for Timed {
    fn lines(&self) -> &[LineSpec] {
        self.board.lines()
    }

    fn read(&mut self, line: &str) -> Result<Level, BoardError> {
        self.board.read(line)
    }

    fn drive(&mut self, line: &str, level: Level) -> Result<(), BoardError> {
        self.board.drive(line, level)?;
        // Who does not listen does not count.
        let _ = self.driven.try_send((line.to_owned(), level, Instant::now()));
        Ok(())
    }

    fn edges(&mut self, now: Timestamp) -> Result<Vec<Edge>, BoardError> {
        self.board.edges(now)
    }
}

/// The guard at its post, and what it does.
pub(super) struct Post {
    sentry: Sentry,
    start: Instant,
    driven: Receiver<Driven>,
    reports: Receiver<Report>,
}

impl Post {
    fn new(board: Box<dyn Board>) -> color_eyre::Result<Self> {
        let start = Instant::now();
        let ((tell_driven, driven), (tell, reports)) = (sync_channel(QUEUE), sync_channel(QUEUE));
        let limits = Limits { early: Duration::ZERO, heartbeat: Duration::from_mins(1), ..rig::limits(1.0) };
        let keeper = Keeper::new(Box::new(Timed { board, driven: tell_driven }), limits, moment(start));
        let tell = move |report| drop(tell.try_send(report));
        Ok(Self { sentry: Sentry::post(keeper, move || moment(start), tell)?, start, driven, reports })
    }

    /// Grants a lease of so long; gives the real moment of its end.
    pub(super) fn lease(&self, line: &str, lasts: Duration) -> Result<Instant, SentryError> {
        let until = moment(self.start).after(lasts);
        self.sentry.send(Command::Lease(Lease { line: line.to_owned(), until }))?;
        Ok(self.start + Duration::from_millis(until.millis()))
    }

    /// When a line had been driven to this level next.
    pub(super) fn driven(&self, level: Level) -> color_eyre::Result<Instant> {
        loop {
            let (_, driven, at) = self.driven.recv_timeout(PATIENCE)?;
            if driven == level {
                return Ok(at);
            }
        }
    }

    /// From a verified package to high, from the end of a lease to low.
    fn latencies(&self, rounds: u32) -> color_eyre::Result<(Vec<Duration>, Vec<Duration>)> {
        let (mut on, mut off, mut raw) = (Vec::new(), Vec::new(), Raw::new()?);
        for _ in 0..rounds {
            raw.run(1)?;
            let verified = Instant::now();
            let over = self.lease(OUTPUT, LEASE)?;
            on.push(self.driven(Level::High)?.duration_since(verified));
            off.push(self.driven(Level::Low)?.saturating_duration_since(over));
        }
        Ok((on, off))
    }

    /// What the guard had to tell since the last time.
    pub(super) fn reports(&self) -> impl Iterator<Item = Report> {
        self.reports.try_iter()
    }
}

/// The highest of the rates at which so many lines go on and off in time.
fn hold(lines: usize) -> color_eyre::Result<Held> {
    let (mut best, mut is_most_tried) = (0, false);
    for rate in RATES {
        if !is_held(lines, rate)? {
            break;
        }
        best = rate;
        is_most_tried = rate == RATES[RATES.len() - 1];
    }
    let lines_u64 = u64::try_from(lines).unwrap_or(u64::MAX);
    Ok(Held { lines, leases_per_s: lines_u64 * u64::from(best), is_most_tried })
}

/// Whether so many lines can each go on so often in a second, each for half of the time.
fn is_held(lines: usize, rate: u32) -> color_eyre::Result<bool> {
    let names: Vec<_> = (0..lines).map(|line| format!("LINE{line}")).collect();
    let specs: Vec<_> = names.iter().map(|name| LineSpec::output(name, Level::Low)).collect();
    let post = Post::new(Box::new(SimChip::new(specs).board()?))?;
    let period = Duration::from_secs(1) / rate;
    let turns = lines * usize::try_from(HELD.as_nanos().div_ceil(period.as_nanos()))?;
    let mut ends: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    for turn in 0..turns {
        let name = &names[turn % lines];
        let due = post.start + period * u32::try_from(turn)? / u32::try_from(lines)?;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        match post.lease(name, period / 2) {
            Ok(over) => ends.entry(name.clone()).or_default().push(over),
            Err(SentryError::Behind) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
    }
    all_off_in_time(&post, ends, turns)
}

fn all_off_in_time(
    post: &Post,
    ends: BTreeMap<String, Vec<Instant>>,
    turns: usize,
) -> color_eyre::Result<bool> {
    let mut ends: BTreeMap<_, _> = ends.into_iter().map(|(line, ends)| (line, ends.into_iter())).collect();
    let mut off = 0;
    while off < turns {
        let (line, level, at) = match post.driven.recv_timeout(PATIENCE) {
            Ok(driven) => driven,
            // Leases that ran into each other: too fast for this machine.
            Err(RecvTimeoutError::Timeout) => return Ok(false),
            Err(gone @ RecvTimeoutError::Disconnected) => return Err(gone.into()),
        };
        let Some(over) = (level == Level::Low).then(|| ends.get_mut(&line)?.next()).flatten() else {
            continue;
        };
        if at.saturating_duration_since(over) > BEHIND {
            return Ok(false);
        }
        off += 1;
    }
    Ok(true)
}

fn moment(start: Instant) -> Timestamp {
    Timestamp::from_millis(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
}

impl From<Vec<Duration>> for Latency {
    fn from(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self { p50_us: rounded(percentile(&all, 50), 1), p99_us: rounded(percentile(&all, 99), 1) }
    }
}

impl Figures {
    fn print(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "on {:<24}         p50          p99", self.board)?;
        for (name, latency) in [
            ("package verified -> high", Some(&self.verified_to_high)),
            ("lease over -> low", Some(&self.lease_over_to_low)),
            ("edge in -> notice", self.edge_to_notice.as_ref()),
        ] {
            if let Some(Latency { p50_us, p99_us }) = latency {
                writeln!(out, "{name:<24} {p50_us:>9.0} µs {p99_us:>9.0} µs")?;
            }
        }
        for Held { lines, leases_per_s, is_most_tried } in &self.held {
            let more = if *is_most_tried { ", the most that was tried" } else { "" };
            writeln!(out, "{lines:>3} lines hold {leases_per_s:>6} leases a second, all together{more}")?;
        }
        if self.edge_to_notice.is_none() {
            writeln!(
                out,
                "edge in -> notice        join {OUTPUT} and {INPUT} by a wire to have it measured"
            )?;
        }
        let Self { rounds, cores, .. } = self;
        writeln!(out, "\n{rounds} leases, each ended by itself; {cores} cores.")?;
        if let Some(Played { scenario, payments }) = &self.beside {
            writeln!(out, "Meanwhile another process played {scenario}: {payments} payments.")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use coinop_hardware::driver::Driver;

    use super::*;

    #[test]
    fn every_latency_of_the_simulated_board_is_measured() {
        let figures = measure(&BoardChoice::Driver { driver: Driver::Sim, chip: None }, None, 10).unwrap();

        let json = serde_json::to_value(&figures).unwrap();
        for latency in ["verified_to_high", "edge_to_notice"] {
            assert!(json[latency]["p50_us"].as_f64().is_some_and(|it| it > 0.0), "{json}");
        }
        assert!(json["lease_over_to_low"]["p99_us"].as_f64().is_some(), "{json}");
        assert_eq!(json["held"].as_array().map(Vec::len), Some(LINES.len()));
    }
}
