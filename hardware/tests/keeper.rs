//! A keeper on a simulated board: debounced inputs, interlocked outputs, and a line for a watchdog.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail like the test")]

use std::{
    collections::BTreeSet,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use coinop_core::{
    Timestamp,
    board::{BoardErrorKind, Edge, Level, LineSpec},
};
use coinop_hardware::{
    guard::{Command, Keeper, Lease, Limits, Report, Sentry, Trip, Watchdog},
    sim::SimChip,
};

const LIMITS: Limits = Limits {
    longest_lease: Duration::from_mins(1),
    heartbeat: Duration::from_secs(10),
    pause: Duration::from_millis(200),
    early: Duration::ZERO,
    dead_time: Duration::from_millis(20),
};
/// So long that only a hang passes it.
const PATIENCE: Duration = Duration::from_secs(20);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn lease(line: &str, until: u64) -> Lease {
    Lease { line: line.to_owned(), until: at(until) }
}

fn chip() -> SimChip {
    SimChip::new(vec![
        LineSpec { never_with: BTreeSet::from(["DOWN".to_owned()]), ..LineSpec::output("UP", Level::Low) },
        LineSpec::output("DOWN", Level::Low),
        LineSpec::output("ALIVE", Level::Low),
        LineSpec { debounce: Duration::from_millis(10), ..LineSpec::input("BUTTON") },
        LineSpec::input("METER"),
    ])
}

fn keeper(chip: &SimChip) -> Keeper {
    let mut keeper = Keeper::new(Box::new(chip.board().unwrap()), LIMITS, at(0));
    let _ = keeper.step(at(0));
    keeper
}

fn edge(line: &str, level: Level, millis: u64) -> Report {
    Report::Edge(Edge { line: line.to_owned(), level, at: at(millis) })
}

fn bounce(chip: &SimChip, line: &str, times: usize) {
    for _ in 0..times {
        chip.poke(line, Level::High).unwrap();
        chip.poke(line, Level::Low).unwrap();
    }
}

#[test]
fn an_input_that_bounces_is_told_once_it_has_kept_its_level() {
    let chip = chip();
    let mut keeper = keeper(&chip);
    bounce(&chip, "BUTTON", 5);
    chip.poke("BUTTON", Level::High).unwrap();

    assert_eq!(keeper.step(at(5)), []);
    assert_eq!(keeper.next_wake(), Some(at(15)));
    assert_eq!(keeper.step(at(15)), [edge("BUTTON", Level::High, 15)]);
    assert_eq!(keeper.step(at(100)), []);
}

#[test]
fn an_input_without_debounce_is_told_edge_by_edge() {
    let chip = chip();
    let mut keeper = keeper(&chip);

    bounce(&chip, "METER", 1);

    assert_eq!(keeper.step(at(5)), [edge("METER", Level::High, 5), edge("METER", Level::Low, 5)]);
}

#[test]
fn after_lost_edges_a_debounced_input_is_known_again() {
    let chip = chip();
    let mut keeper = keeper(&chip);
    bounce(&chip, "METER", 600);
    chip.poke("BUTTON", Level::High).unwrap();

    let reports = keeper.step(at(5));

    assert!(matches!(&reports[..], [Report::Fault(fault)] if fault.kind == BoardErrorKind::EdgesLost));
    assert_eq!(keeper.step(at(15)), [edge("BUTTON", Level::High, 15)]);
}

#[test]
fn the_watchdog_s_edges_are_on_the_board_and_not_among_the_reports() {
    let chip = chip();
    let mut keeper = keeper(&chip);
    keeper.toggle(&Watchdog { line: "ALIVE".to_owned(), every: Duration::from_millis(100) }).unwrap();

    assert_eq!(keeper.step(at(100)), []);
    assert_eq!(chip.level("ALIVE"), Ok(Level::High));
    assert_eq!(keeper.step(at(200)), []);
    assert_eq!(chip.level("ALIVE"), Ok(Level::Low));
}

#[test]
fn a_watchdog_that_cannot_be_driven_is_a_failure_of_the_board() {
    let chip = chip();
    let mut keeper = keeper(&chip);
    keeper.toggle(&Watchdog { line: "ALIVE".to_owned(), every: Duration::from_millis(100) }).unwrap();
    keeper.lease(at(0), &lease("UP", 500)).unwrap();
    let _ = keeper.step(at(50));
    chip.break_line("ALIVE").unwrap();

    let reports = keeper.step(at(100));

    assert!(matches!(reports.last(), Some(Report::Tripped(Trip::Board(_)))), "{reports:?}");
    assert_eq!(chip.level("UP"), Ok(Level::Low));
}

#[test]
fn a_dropped_keeper_lets_its_watchdog_rest() {
    let chip = chip();
    let mut keeper = keeper(&chip);
    keeper.toggle(&Watchdog { line: "ALIVE".to_owned(), every: Duration::from_millis(100) }).unwrap();
    let _ = keeper.step(at(100));
    assert_eq!(chip.level("ALIVE"), Ok(Level::High));

    drop(keeper);

    assert_eq!(chip.level("ALIVE"), Ok(Level::Low));
}

/// Everything that a sentry says until one of its outputs goes on.
fn until_on(reports: &Receiver<Report>, output: &str) -> Vec<Report> {
    let mut heard = Vec::new();
    loop {
        let report = reports.recv_timeout(PATIENCE).unwrap();
        let is_on = matches!(&report, Report::Line { line, level: Level::High, .. } if line == output);
        heard.push(report);
        if is_on {
            return heard;
        }
    }
}

#[test]
fn a_sentry_that_is_told_at_once_to_release_one_and_to_lease_the_other_does_both() {
    let chip = chip();
    let keeper = Keeper::new(Box::new(chip.board().unwrap()), LIMITS, at(0));
    let (tell, reports) = channel();
    let sentry = Sentry::post(keeper, || at(100), move |report| drop(tell.send(report))).unwrap();
    sentry.send(Command::Lease(lease("UP", 500))).unwrap();
    until_on(&reports, "UP");

    sentry.send(Command::Release("UP".to_owned())).unwrap();
    sentry.send(Command::Lease(lease("DOWN", 500))).unwrap();

    // The clock stands still, so that the dead time does not pass.
    let off = reports.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(&off, Report::Line { line, level: Level::Low, .. } if line == "UP"), "{off:?}");
    let granted = reports.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(&granted, Report::Granted { lease, .. } if lease.line == "DOWN"), "{granted:?}");
    assert_eq!(chip.level("DOWN"), Ok(Level::Low));
}

#[test]
fn a_look_reads_back_what_the_board_has_and_an_unknown_line_harms_nobody() {
    let chip = chip();
    let mut keeper = keeper(&chip);
    keeper.lease(at(100), &lease("UP", 500)).unwrap();
    let _ = keeper.step(at(100));

    let seen = |line: &str, level| Report::Seen { line: line.to_owned(), level, at: at(110) };
    assert_eq!(keeper.look(at(110), "UP"), [seen("UP", Level::High)]);
    assert_eq!(keeper.look(at(110), "DOWN"), [seen("DOWN", Level::Low)]);
    let unknown = keeper.look(at(110), "FAN");
    assert!(
        matches!(&unknown[..], [Report::Fault(error)] if error.kind == BoardErrorKind::NoSuchLine),
        "{unknown:?}"
    );
    assert_eq!((keeper.step(at(120)), keeper.guard().trip()), (vec![], None));
}

#[test]
fn a_line_that_cannot_be_read_back_is_a_failure_of_the_board() {
    let chip = chip();
    let mut keeper = keeper(&chip);
    chip.break_line("DOWN").unwrap();

    let told = keeper.look(at(110), "DOWN");

    assert!(matches!(&told[..], [Report::Fault(error)] if error.line == "DOWN"), "{told:?}");
    assert!(matches!(keeper.guard().trip(), Some(Trip::Board(_))));
}
