use std::{
    env, fs, io,
    io::{BufRead, BufReader, Write as _},
    process::{Command, ExitCode, Stdio},
    sync::mpsc::Receiver,
    thread,
    time::{Duration, Instant},
};

use coinop_core::board::{Board, BoardError};
use coinop_hardware::{
    driver::Driver,
    guard::{Command as Order, Lease, Limits, Report as Told, Sentry},
    wiring::Wiring,
};
use rustix::mount::{MountFlags, mount};

use super::{GO, HEARTBEAT, HOLDER, LEASE, LONG_LEASE, MARK, PIN, Phase};
use crate::{
    board::output,
    guarded::{at, post},
    report::{Failure, ensure},
};

const LIMITS: Limits = Limits {
    longest_lease: LONG_LEASE,
    heartbeat: HEARTBEAT,
    pause: Duration::from_millis(200),
    early: Duration::from_millis(2),
    dead_time: Duration::from_millis(20),
};
/// How often there is a beat, where there are any.
const BEAT: Duration = Duration::from_millis(100);
/// How long the guard may take to answer; a machine that is emulated beside others is slow.
const PATIENCE: Duration = Duration::from_mins(1);

/// A lamp under guard.
struct Lamp {
    sentry: Sentry,
    start: Instant,
    told: Receiver<Told>,
}

/// Is the first process of the emulated Pi, and the owner of its lamp; stays until the Pi is switched off.
pub(crate) fn play() -> Result<ExitCode, Failure> {
    for (kind, place) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev")] {
        fs::create_dir_all(place)?;
        mount(kind, place, kind, MountFlags::empty(), None).map_err(|error| format!("{place}: {error}"))?;
    }
    if let Err(error) = phases() {
        println!("{MARK} FAILED {error}");
    }
    // The kernel panics when its first process ends.
    loop {
        thread::park();
    }
}

fn phases() -> Result<(), Failure> {
    match open() {
        Ok(board) => Lamp::under_guard(board)?.leases()?,
        Err(error) => return reach(Phase::Refused, &format!("{:?} {error}", error.kind)),
    }
    Lamp::under_guard(open()?)?.falls_silent()?;
    Lamp::under_guard(open()?)?.ends_early()?;
    is_killed()?;
    let _next_owner = open()?;
    reach(Phase::Reopened, "")
}

/// Has the lamp leased, and keeps beating until it is killed.
pub(crate) fn holder() -> Result<ExitCode, Failure> {
    let lamp = Lamp::under_guard(open()?)?;
    lamp.lease(LONG_LEASE)?;
    println!("leased");
    loop {
        lamp.sentry.send(Order::Beat)?;
        thread::sleep(BEAT);
    }
}

impl Lamp {
    fn under_guard(board: Box<dyn Board>) -> Result<Self, Failure> {
        let (sentry, start, told) = post(board, LIMITS)?;
        Ok(Self { sentry, start, told })
    }

    /// The lamp at the start, on a lease, and after it. The lease's end is the only reason to go dark.
    fn leases(self) -> Result<(), Failure> {
        self.beating(|| reach(Phase::Opened, &machine()))?;
        let until = self.lease(LEASE)?;
        self.beating(|| {
            tell(Phase::Leased, "");
            thread::sleep(until.saturating_duration_since(Instant::now()));
            reach(Phase::Over, "")
        })
    }

    /// Nobody beats any more, and the lease would go on for long.
    fn falls_silent(self) -> Result<(), Failure> {
        self.sentry.send(Order::Beat)?;
        self.lease(LONG_LEASE)?;
        reach(Phase::Silent, "")
    }

    fn ends_early(self) -> Result<(), Failure> {
        self.lease(LONG_LEASE)?;
        self.beating(|| reach(Phase::Leased, ""))?;
        drop(self);
        reach(Phase::Dropped, "")
    }

    /// Returns the end of the lease when the guard has granted it.
    fn lease(&self, span: Duration) -> Result<Instant, Failure> {
        self.sentry.send(Order::Beat)?;
        let end = self.start.elapsed() + span;
        self.sentry.send(Order::Lease(Lease { line: line(), until: at(end) }))?;
        loop {
            match self.told.recv_timeout(PATIENCE)? {
                Told::Granted { .. } => return Ok(self.start + end),
                Told::Line { .. } | Told::Seen { .. } | Told::Edge(_) | Told::Mended => {}
                other @ (Told::Refused { .. } | Told::Fault(_) | Told::Tripped(_)) => {
                    return Err(format!("no lease: {other:?}").into());
                }
            }
        }
    }

    /// Beats while something goes on.
    fn beating(&self, doing: impl FnOnce() -> Result<(), Failure> + Send) -> Result<(), Failure> {
        thread::scope(|scope| {
            let work = scope.spawn(doing);
            while !work.is_finished() {
                self.sentry.send(Order::Beat)?;
                thread::sleep(BEAT);
            }
            work.join().map_err(|_panic| Failure::from("it panicked, as printed"))?
        })
    }
}

/// Another process has the lamp on under a lease, with beats, and gets SIGKILL.
fn is_killed() -> Result<(), Failure> {
    let mut holder = Command::new(env::current_exe()?).arg(HOLDER).stdout(Stdio::piped()).spawn()?;
    let mut said = String::new();
    if let Some(stdout) = holder.stdout.take() {
        BufReader::new(stdout).read_line(&mut said)?;
    }
    ensure(said == "leased\n", || format!("the holder said {said:?}"))?;
    reach(Phase::Held, "")?;
    holder.kill()?;
    let end = holder.wait()?;
    reach(Phase::Killed, &end.to_string())
}

fn open() -> Result<Box<dyn Board>, BoardError> {
    Driver::Rpi.open(&Wiring::default(), vec![output(&line())])
}

fn line() -> String {
    format!("GPIO{PIN}")
}

/// Which Pi this is, and which kernel.
fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_else(|error| format!("{path}: {error}"));
    let model = read("/proc/device-tree/model");
    format!("{}, Linux {}", model.trim_end_matches('\0'), read("/proc/sys/kernel/osrelease").trim())
}

/// Says where the guest is, and waits for the witness.
fn reach(phase: Phase, note: &str) -> Result<(), Failure> {
    tell(phase, note);
    let mut word = String::new();
    io::stdin().read_line(&mut word)?;
    ensure(word.trim() == GO, || format!("the witness said {word:?}"))
}

/// In one write, so that nobody else's words come between.
fn tell(phase: Phase, note: &str) {
    let line = format!("{MARK} {} {note}\n", phase.word());
    // Whoever waits for it on the other side of the wire gives up.
    let _ = io::stdout().write_all(line.as_bytes());
}
