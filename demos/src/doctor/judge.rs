//! From facts to findings: pure, so that any machine can be judged on any other.

use std::time::Duration;

use coinop_hardware::{driver::Driver, survey::Survey, wiring::Wiring};
use serde::Serialize;

use super::{
    demos,
    facts::{Clock, Disk, Facts, Machine, On, Terminal},
    lines::{self, Chosen},
};

/// The first moment a machine with a right clock can run this: 1 January 2026.
const LATER_THAN: Duration = Duration::from_hours(490_896);
/// How far two clocks may go apart in a short while.
const DRIFT: Duration = Duration::from_millis(50);
/// The columns and rows that the picture is made for.
const PICTURE: (u16, u16) = (80, 24);
/// The least free space in bytes for a run of an afternoon.
const ROOM: u64 = 64_000_000;
/// The least durable commits a second for a street in real time.
const COMMITS: u64 = 20;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// Good to know; a demo on this board does not mind.
    Note,
    /// A demo runs, and something about it is not as it should be.
    Warning,
    /// No demo runs on this board.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// How it is.
    pub(super) state: State,
    /// What was looked at, in a word.
    pub(super) about: &'static str,
    /// What is so.
    pub(super) what: String,
    /// What mends it: a command, or a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mend: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) findings: Vec<Finding>,
    /// The demo that would run.
    pub(super) demo: Option<String>,
}

impl Verdict {
    /// Whether a demo would run on the board that was asked for.
    pub(super) fn would_run(&self) -> bool {
        self.demo.is_some() && self.count(State::Wrong) == 0
    }

    /// How many findings are so.
    pub(super) fn count(&self, state: State) -> usize {
        self.findings.iter().filter(|finding| finding.state == state).count()
    }
}

impl Finding {
    pub(super) fn ok(about: &'static str, what: impl Into<String>) -> Self {
        Self { state: State::Ok, about, what: what.into(), mend: None }
    }

    pub(super) fn new(
        state: State,
        about: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { state, about, what: what.into(), mend: Some(mend.into()) }
    }
}

/// Judges a machine.
pub(super) fn judge(facts: &Facts) -> Verdict {
    let mut findings = Vec::new();
    let demo = match &facts.board.on {
        On::Memory => {
            findings.push(Finding::ok("board", "simulated: needs no hardware"));
            findings.extend(lines::chips(&facts.machine, &Chosen::Nothing));
            Some("coinop".to_owned())
        }
        On::Chips { driver, wiring, known } => {
            findings.extend(had(&facts.machine, *driver, wiring));
            let (playable, found) = demos::demos(facts, wiring, known.as_ref());
            findings.extend(found);
            playable.map(|name| format!("coinop play {name} --board {}", facts.board.word))
        }
    };
    findings.extend(demos::boards(facts));
    findings.extend(lines::devices(&facts.machine));
    findings.extend(clock(&facts.clock));
    findings.extend(terminal(&facts.terminal));
    findings.extend(disk(&facts.disk));
    Verdict { findings, demo }
}

/// Whether a driver can have the lines of this wiring, and what it does with them.
pub(super) fn had(machine: &Machine, driver: Driver, wiring: &Wiring) -> Vec<Finding> {
    let mut found = match driver {
        Driver::Sim => return Vec::new(),
        Driver::Gpiochip | Driver::Linux | Driver::Rpi => lines::chips(machine, &Chosen::by(wiring)),
    };
    if driver == Driver::Rpi {
        found.extend(of_a_pi(&machine.survey));
    }
    found
}

fn of_a_pi(survey: &Survey) -> Vec<Finding> {
    let mut found = if survey.model.as_ref().is_some_and(|model| model.starts_with("Raspberry Pi")) {
        vec![lines::registers(survey)]
    } else {
        let mend = "--board gpiochip drives the lines of any Linux machine";
        vec![Finding::new(State::Wrong, "rpi", "this machine is no Raspberry Pi", mend)]
    };
    let what = "the rpi driver leaves its pins driven when the program is killed (SIGKILL)";
    let mend = "--board gpiochip for anything that must not stay on; else a watchdog outside, since a pull does \
                not help against a pin that is driven";
    found.push(Finding::new(State::Warning, "kill", what, mend));
    found
}

fn clock(clock: &Clock) -> Vec<Finding> {
    const NTP: &str = "sudo timedatectl set-ntp true";
    let mut found = Vec::new();
    if clock.now < LATER_THAN {
        let set = format!("{NTP}; without a network: sudo date --set 'YYYY-MM-DD hh:mm'");
        found.push(Finding::new(State::Warning, "clock", "stands before 2026, so it was never set", set));
    }
    if clock.drift > DRIFT {
        let what = format!("was set by {} ms within a second", clock.drift.as_millis());
        let mend = "wait until it is synchronised, then look again; leases go by the other, monotonic clock";
        found.push(Finding::new(State::Warning, "clock", what, mend));
    }
    match clock.synchronised {
        Some(true) if found.is_empty() => found.push(Finding::ok("clock", "synchronised and steady")),
        Some(true) => {}
        Some(false) => {
            found.push(Finding::new(State::Warning, "clock", "not synchronised since the start", NTP));
        }
        None => {
            let what = "steady; whether it is synchronised is not known, as systemd-timesyncd is not here";
            let mend = "compare it with another clock: date; `chronyc tracking` says more where chrony runs";
            found.push(Finding::new(State::Note, "clock", what, mend));
        }
    }
    found
}

fn terminal(terminal: &Terminal) -> Vec<Finding> {
    let Some((columns, rows)) = terminal.size else {
        let mend = format!("start it in a terminal of {}x{} or more, without a pipe", PICTURE.0, PICTURE.1);
        let what = "stdout is no terminal, so a demo plays headless";
        return vec![Finding::new(State::Note, "terminal", what, mend)];
    };
    let mut found = Vec::new();
    let mut look = |state, what: String, mend: &str| found.push(Finding::new(state, "terminal", what, mend));
    if columns < PICTURE.0 || rows < PICTURE.1 {
        let what = format!("{columns}x{rows}, and the picture wants {}x{}", PICTURE.0, PICTURE.1);
        look(State::Warning, what, "make the window larger, or its letters smaller");
    }
    if !terminal.utf8 {
        look(
            State::Warning,
            "the locale is not UTF-8: the picture has lines and dots".into(),
            "export LANG=C.UTF-8",
        );
    }
    if !terminal.colours {
        let mend = "unset NO_COLOR; export TERM=xterm-256color";
        look(State::Note, "without colours, as NO_COLOR or TERM says".into(), mend);
    }
    if found.is_empty() {
        found.push(Finding::ok("terminal", format!("{columns}x{rows}, colours, UTF-8")));
    }
    found
}

fn disk(disk: &Disk) -> Vec<Finding> {
    let elsewhere = "name a folder of yours on a disk: --data-dir DIR";
    let commits = match &disk.commits {
        Ok(commits) => *commits,
        Err(why) => {
            let state = if disk.asked { State::Wrong } else { State::Warning };
            let what = format!("nothing can be kept in {}: {why}", disk.folder);
            return vec![Finding::new(state, "disk", what, elsewhere)];
        }
    };
    let room = disk.free.map_or_else(String::new, |free| format!(", {} MB free", free / 1_000_000));
    let what = format!("{}: {commits} durable commits a second{room}, {}", disk.folder, disk.file_system);
    let mut found = Vec::new();
    if disk.free.is_some_and(|free| free < ROOM) {
        let mend = "make room, or name another folder: --data-dir DIR";
        found.push(Finding::new(State::Warning, "disk", format!("nearly full: {what}"), mend));
    }
    if commits < COMMITS {
        found.push(Finding::new(State::Warning, "disk", format!("slow: {what}"), elsewhere));
    }
    let in_memory = ["tmpfs", "ramfs", "rootfs"].iter().any(|kind| disk.file_system.starts_with(kind));
    if disk.asked && in_memory {
        let what = format!("gone when the machine is off: {what}");
        found.push(Finding::new(State::Warning, "disk", what, elsewhere));
    }
    if found.is_empty() {
        found.push(Finding::ok("disk", what));
    }
    found
}
