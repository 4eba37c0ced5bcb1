//! A keeper and its thread on a simulated board: whatever ends them, the lines end safe.
#![expect(clippy::unwrap_used, reason = "a test's helpers fail like the test")]

use std::{
    mem::ManuallyDrop,
    panic,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    time::Duration,
};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Edge, Level, LineSpec},
};
use coinop_hardware::{
    contract,
    guard::{Command, Keeper, Lease, Limits, Refusal, Report, Sentry, SentryError, Trip},
    sim::{SimBoard, SimChip},
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
    SimChip::new(contract::lines())
}

fn keeper(chip: &SimChip) -> Keeper {
    let mut keeper = Keeper::new(Box::new(chip.board().unwrap()), LIMITS, at(0));
    let _ = keeper.step(at(0));
    keeper
}

fn line(line: &str, level: Level, millis: u64) -> Report {
    Report::Line { line: line.to_owned(), level, at: at(millis) }
}

#[test]
fn the_first_step_tells_the_level_of_every_line() {
    let mut keeper = Keeper::new(Box::new(chip().board().unwrap()), LIMITS, at(3));

    let reports = keeper.step(at(3));

    let expected = [
        line("LAMP", Level::Low, 3),
        line("VALVE", Level::High, 3),
        line("LIGHT", Level::Low, 3),
        line("DOOR", Level::Low, 3),
    ];
    assert_eq!(reports, expected);
    assert_eq!(keeper.step(at(4)), []);
}

#[test]
fn a_lease_moves_the_board_s_line_and_its_end_moves_it_back() {
    let chip = chip();
    let mut keeper = keeper(&chip);

    keeper.lease(at(0), &lease("LAMP", 300)).unwrap();

    assert_eq!(keeper.step(at(0)), [line("LAMP", Level::High, 0)]);
    assert_eq!(chip.level("LAMP"), Ok(Level::High));
    assert_eq!(keeper.next_wake(), Some(at(300)));
    assert_eq!(keeper.step(at(300)), [line("LAMP", Level::Low, 300)]);
    assert_eq!(chip.level("LAMP"), Ok(Level::Low));
}

#[test]
fn a_line_that_cannot_be_driven_takes_the_others_safe_is_told_once_and_tried_until_it_is_safe() {
    let chip = chip();
    let mut keeper = keeper(&chip);
    keeper.lease(at(0), &lease("LAMP", 300)).unwrap();
    keeper.lease(at(0), &lease("VALVE", 900)).unwrap();
    let _ = keeper.step(at(0));
    chip.break_line("LAMP").unwrap();

    let reports = keeper.step(at(300));

    let [Report::Fault(fault), Report::Line { line: other, level, .. }, Report::Tripped(Trip::Board(_))] =
        &reports[..]
    else {
        panic!("{reports:?}");
    };
    assert_eq!((fault.line.as_str(), fault.kind), ("LAMP", BoardErrorKind::Io));
    assert_eq!((other.as_str(), *level), ("VALVE", Level::High));
    assert_eq!(keeper.step(at(350)), []);
    chip.mend_line("LAMP").unwrap();
    assert_eq!(keeper.step(at(400)), [line("LAMP", Level::Low, 400)]);
    assert_eq!(keeper.unleased_on(), Duration::from_millis(100));
}

#[test]
fn lost_edges_are_told_and_void_no_lease() {
    let chip = chip();
    let mut keeper = keeper(&chip);
    keeper.lease(at(0), &lease("LAMP", 300)).unwrap();
    let _ = keeper.step(at(0));
    for _ in 0..600 {
        chip.poke("LIGHT", Level::High).unwrap();
        chip.poke("LIGHT", Level::Low).unwrap();
    }

    let reports = keeper.step(at(10));

    assert!(matches!(&reports[..], [Report::Fault(fault)] if fault.kind == BoardErrorKind::EdgesLost));
    assert_eq!(chip.level("LAMP"), Ok(Level::High));
}

#[test]
fn silence_is_told_once_and_so_is_its_end() {
    let chip = chip();
    let mut keeper = keeper(&chip);

    assert_eq!(keeper.step(at(10_000)), [Report::Tripped(Trip::Silent { last: at(0) })]);
    assert_eq!(keeper.step(at(10_001)), []);
    keeper.beat(at(10_002));
    assert_eq!(keeper.step(at(10_002)), [Report::Mended]);
}

#[test]
fn a_dropped_keeper_leaves_its_lines_safe() {
    let chip = chip();
    let mut keeper = keeper(&chip);
    keeper.lease(at(0), &lease("VALVE", 300)).unwrap();
    let _ = keeper.step(at(0));
    assert_eq!(chip.level("VALVE"), Ok(Level::Low));

    drop(keeper);

    assert_eq!(chip.level("VALVE"), Ok(Level::High));
}

/// A board that lets go of nothing by itself.
struct Clingy(ManuallyDrop<SimBoard>);

impl Board for Clingy {
    fn lines(&self) -> &[LineSpec] {
        self.0.lines()
    }

    fn read(&mut self, line: &str) -> Result<Level, BoardError> {
        self.0.read(line)
    }

    fn drive(&mut self, line: &str, level: Level) -> Result<(), BoardError> {
        self.0.drive(line, level)
    }

    fn edges(&mut self, now: Timestamp) -> Result<Vec<Edge>, BoardError> {
        self.0.edges(now)
    }
}

#[test]
fn a_dropped_keeper_drives_its_lines_safe_even_if_the_board_does_not() {
    let chip = chip();
    let board = Clingy(ManuallyDrop::new(chip.board().unwrap()));
    let mut keeper = Keeper::new(Box::new(board), LIMITS, at(0));
    keeper.lease(at(0), &lease("LAMP", 300)).unwrap();
    let _ = keeper.step(at(0));

    drop(keeper);

    assert_eq!(chip.level("LAMP"), Ok(Level::Low));
}

/// A sentry on a clock that moves only by hand.
struct Post {
    chip: SimChip,
    sentry: Sentry,
    clock: Arc<AtomicU64>,
    reports: Receiver<Report>,
}

impl Post {
    fn new() -> Self {
        let chip = chip();
        let clock = Arc::new(AtomicU64::new(0));
        let (tell, reports) = channel();
        let hand = Arc::clone(&clock);
        let sentry = Sentry::post(
            Keeper::new(Box::new(chip.board().unwrap()), LIMITS, at(0)),
            move || at(hand.load(Ordering::SeqCst)),
            // A test that has ended listens no longer.
            move |report| drop(tell.send(report)),
        )
        .unwrap();
        let post = Self { chip, sentry, clock, reports };
        for _ in contract::lines() {
            let report = post.next();
            assert!(matches!(report, Report::Line { .. }), "{report:?}");
        }
        post
    }

    fn next(&self) -> Report {
        self.reports.recv_timeout(PATIENCE).unwrap()
    }

    fn set_clock(&self, millis: u64) {
        self.clock.store(millis, Ordering::SeqCst);
    }

    fn light(&self, until: u64) {
        self.sentry.send(Command::Lease(lease("LAMP", until))).unwrap();
        assert_eq!(self.next(), Report::Granted { lease: lease("LAMP", until), at: at(0) });
        assert_eq!(self.next(), line("LAMP", Level::High, 0));
        assert_eq!(self.chip.level("LAMP"), Ok(Level::High));
    }
}

#[test]
fn a_sentry_puts_a_line_off_when_its_lease_ends() {
    let post = Post::new();
    post.light(300);

    post.set_clock(300);

    assert_eq!(post.next(), line("LAMP", Level::Low, 300));
    assert_eq!(post.chip.level("LAMP"), Ok(Level::Low));
    assert_eq!(post.sentry.unleased_on(), Duration::ZERO);
}

#[test]
fn a_sentry_puts_a_line_off_when_it_is_released() {
    let post = Post::new();
    post.light(300);

    post.sentry.send(Command::Release("LAMP".to_owned())).unwrap();

    assert_eq!(post.next(), line("LAMP", Level::Low, 0));
}

#[test]
fn a_sentry_that_hears_no_beat_puts_everything_off() {
    let post = Post::new();
    post.light(20_000);

    post.set_clock(10_000);

    assert_eq!(post.next(), line("LAMP", Level::Low, 10_000));
    assert_eq!(post.next(), Report::Tripped(Trip::Silent { last: at(0) }));
    post.sentry.send(Command::Beat).unwrap();
    assert_eq!(post.next(), Report::Mended);
}

#[test]
fn a_sentry_tells_a_refusal_and_an_edge() {
    let post = Post::new();

    post.sentry.send(Command::Lease(lease("LIGHT", 300))).unwrap();
    let refusal = Refusal::Input { line: "LIGHT".to_owned() };
    assert_eq!(post.next(), Report::Refused { lease: lease("LIGHT", 300), refusal });

    post.chip.poke("LIGHT", Level::High).unwrap();
    assert!(matches!(post.next(), Report::Edge(edge) if edge.level == Level::High));
}

#[test]
fn a_dropped_sentry_leaves_its_lines_safe_and_the_board_free() {
    let post = Post::new();
    post.light(300);

    drop(post.sentry);

    assert_eq!(post.chip.level("LAMP"), Ok(Level::Low));
    assert!(post.chip.board().is_ok());
}

#[test]
fn a_sentry_whose_owner_panics_leaves_its_lines_safe() {
    let post = Post::new();
    post.light(300);
    let chip = post.chip.clone();

    let fate = panic::catch_unwind(panic::AssertUnwindSafe(move || {
        let _owner = post.sentry;
        panic!("the owner of the guard panics, as this test wants");
    }));

    assert!(fate.is_err());
    assert_eq!(chip.level("LAMP"), Ok(Level::Low));
}

#[test]
fn a_sentry_that_panics_itself_leaves_its_lines_safe_and_says_that_it_is_gone() {
    let chip = chip();
    let (tell, reports) = channel();
    let sentry = Sentry::post(
        Keeper::new(Box::new(chip.board().unwrap()), LIMITS, at(0)),
        || at(0),
        move |report| {
            tell.send(report.clone()).unwrap();
            assert!(!matches!(report, Report::Edge(_)), "the listener panics, as this test wants");
        },
    )
    .unwrap();
    sentry.send(Command::Lease(lease("LAMP", 300))).unwrap();
    while !matches!(reports.recv_timeout(PATIENCE).unwrap(), Report::Line { level: Level::High, line, .. } if line == "LAMP")
    {
    }

    chip.poke("LIGHT", Level::High).unwrap();

    // The listener goes with the thread, after the lines.
    while reports.recv_timeout(PATIENCE).is_ok() {}
    assert_eq!(chip.level("LAMP"), Ok(Level::Low));
    assert!(matches!(sentry.send(Command::Beat), Err(SentryError::Gone)));
}

/// A board that answers no more once its lamp is on, until it is let go.
struct Mute {
    board: SimBoard,
    is_stuck: Sender<()>,
    go_on: Receiver<()>,
}

impl Board for Mute {
    fn lines(&self) -> &[LineSpec] {
        self.board.lines()
    }

    fn read(&mut self, line: &str) -> Result<Level, BoardError> {
        self.board.read(line)
    }

    fn drive(&mut self, line: &str, level: Level) -> Result<(), BoardError> {
        self.board.drive(line, level)?;
        if (line, level) == ("LAMP", Level::High) {
            self.is_stuck.send(()).unwrap();
            self.go_on.recv_timeout(PATIENCE).unwrap();
        }
        Ok(())
    }

    fn edges(&mut self, now: Timestamp) -> Result<Vec<Edge>, BoardError> {
        self.board.edges(now)
    }
}

#[test]
fn a_sentry_whose_board_does_not_answer_steps_no_more() {
    let ((tell_stuck, stuck), (let_go, go_on)) = (channel(), channel());
    let chip = chip();
    let board = Mute { board: chip.board().unwrap(), is_stuck: tell_stuck, go_on };
    let (tell, reports) = channel();
    let tell = move |report| drop(tell.send(report));
    let sentry = Sentry::post(Keeper::new(Box::new(board), LIMITS, at(0)), || at(0), tell).unwrap();
    sentry.send(Command::Lease(lease("LAMP", 300))).unwrap();
    stuck.recv_timeout(PATIENCE).unwrap();

    let before = sentry.steps();
    while sentry.send(Command::Beat).is_ok() {}
    assert_eq!(sentry.steps(), before, "nothing of a full inbox was taken");

    let_go.send(()).unwrap();
    chip.poke("LIGHT", Level::High).unwrap();
    while !matches!(reports.recv_timeout(PATIENCE).unwrap(), Report::Edge(_)) {}
    assert!(sentry.steps() > before);
}
