use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use coinop_core::board::Level;
use serde_json::Value;

use crate::{
    bringup,
    chip::SimulatedChip,
    kill,
    outside::{Outside, Seen},
    report::{Failure, Report, ensure},
    tools,
};

/// How much the outside may differ from what the program tells, for each time the lamp was lit.
const SLACK_MS: u64 = 60;
/// How long the whole play may take.
const PATIENCE: Duration = Duration::from_mins(2);
/// How long the lamp is lit before the program is killed.
const BEFORE_THE_KILL: Duration = Duration::from_millis(300);

/// The program under test, its lines, and where the logs go.
struct Stage<'a> {
    chip: SimulatedChip,
    lamp: String,
    light: String,
    logs: &'a Path,
    program: &'a str,
    arguments: &'a [&'a str],
}

/// What one play left behind.
struct Played {
    told: Vec<Value>,
    seen: Vec<Seen>,
    lit_ms: u64,
    status: ExitStatus,
}

/// Lets the real program play on the kernel's lines, with a lamp and a witness outside, and then kills it
/// while the lamp is lit.
///
/// The environment variables `COINOP_HIL_LAMP` and `COINOP_HIL_LIGHT` give the lines other names.
pub(crate) fn check(logs: &str, program: &str, arguments: &[&str]) -> Result<ExitCode, Failure> {
    let name = |variable, usual: &str| env::var(variable).unwrap_or_else(|_| usual.to_owned());
    let (lamp, light) = (name("COINOP_HIL_LAMP", "LAMP"), name("COINOP_HIL_LIGHT", "LIGHT"));
    let chip = SimulatedChip::new("coinop-street", &[&lamp, &light])?;
    fs::create_dir_all(logs)?;
    let stage = Stage { chip, lamp, light, logs: Path::new(logs), program, arguments };

    let mut report = Report::default();
    let played = stage.play()?;
    report.check("the program plays to its end and all it expects comes true", played.ended_well());
    report.check("the lamp is seen lit, and dark at the end", played.lamp_was_lit());
    report.check("the light that the outside lamp made is told", played.light_is_told(&stage.light));
    report.check("the program tells the lamp as the witness saw it", played.told_as_seen(&stage.lamp));
    report.check("the witness never sees the lamp lit without a lease", played.leased(&stage.lamp));
    report.check("killed while the lamp is lit, the program lets go of it", stage.kill());
    // The tools go by the names of the built-in scenario.
    if stage.lamp == "LAMP" && stage.light == "LIGHT" {
        tools::check(&mut report, stage.program, &stage.lamp);
    }
    // Another chip has the same names.
    drop(stage);
    bringup::check(&mut report, program)?;
    Ok(report.end("the program"))
}

impl Stage<'_> {
    fn play(&self) -> Result<Played, Failure> {
        let (witness, lamp, log) = self.outside("play")?;
        let mut program = self.start("play")?;
        let status = wait(&mut program)?;
        let lit_ms = lamp.end()?.parse()?;
        witness.end()?;
        let told = fs::read_to_string(self.log("play", "jsonl"))?;
        let told = told.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok(Played { told, seen: Seen::all(&fs::read_to_string(log)?)?, lit_ms, status })
    }

    fn kill(&self) -> Result<String, Failure> {
        let (_witness, _lamp, log) = self.outside("kill")?;
        let mut program = self.start("kill")?;
        let path = log.to_string_lossy();
        let lit = kill::wait_until(&path, |seen| seen.level == Level::High);
        if let Err(error) = lit {
            program.kill()?;
            program.wait()?;
            return Err(error);
        }
        thread::sleep(BEFORE_THE_KILL);
        // The lamp may be dark between two payments just now.
        kill::wait_until(&path, |seen| seen.level == Level::High)?;
        let after = kill::kill(&mut program, &log)?;
        Ok(format!("{} µs from SIGKILL to darkness, as the witness saw it", after.as_micros()))
    }

    fn outside(&self, run: &str) -> Result<(Outside, Outside, PathBuf), Failure> {
        let log = self.log(run, "witness");
        let lamp = self.chip.line(&self.lamp);
        let witness = Outside::witness(&lamp, &log.to_string_lossy())?;
        Ok((witness, Outside::lamp(&lamp, &self.chip.line(&self.light))?, log))
    }

    fn start(&self, run: &str) -> Result<Child, Failure> {
        let mut command = Command::new(self.program);
        command.args(self.arguments).stdin(Stdio::null()).stdout(File::create(self.log(run, "jsonl"))?);
        Ok(command.stderr(File::create(self.log(run, "stderr"))?).spawn()?)
    }

    fn log(&self, run: &str, what: &str) -> PathBuf {
        self.logs.join(format!("{run}.{what}"))
    }
}

impl Played {
    fn ended_well(&self) -> Result<String, Failure> {
        ensure(self.status.success(), || format!("the program ended with {}", self.status))?;
        let summary = self.told.last().and_then(|last| last.get("summary")).ok_or("no summary at the end")?;
        let expectations = summary["expectations"].as_array().ok_or("no expectations in the summary")?;
        ensure(expectations.iter().all(|one| one["ok"] != false), || format!("{expectations:?}"))?;
        let payments = summary["payments"].as_u64().unwrap_or(0);
        ensure(payments > 0, || "nobody paid".to_owned())?;
        ensure(summary["money_conserved"] == true, || "money was lost or made".to_owned())?;
        ensure(summary["unleased_on_ms"] == 0, || format!("unleased for {} ms", summary["unleased_on_ms"]))?;
        Ok(format!("{} expectations, {payments} payments", expectations.len()))
    }

    fn lamp_was_lit(&self) -> Result<String, Failure> {
        let last = self.seen.last().ok_or("the witness saw nothing")?;
        ensure(last.level == Level::Low, || "lit at the end".to_owned())?;
        let intervals = self.seen_lit();
        ensure(!intervals.is_empty(), || "never lit".to_owned())?;
        let lit: u64 = length(&intervals);
        ensure(lit.abs_diff(self.lit_ms) <= slack(&intervals), || {
            format!("{lit} ms as the witness saw it, {} ms as the lamp says", self.lit_ms)
        })?;
        Ok(format!("{} times, {lit} ms", intervals.len()))
    }

    fn light_is_told(&self, light: &str) -> Result<String, Failure> {
        let told = self.told_lit(light).len();
        let times = self.seen_lit().len();
        ensure(told > 0, || format!("no edge of {light} was told, and the lamp was lit {times} times"))?;
        Ok(format!("{told} times"))
    }

    fn told_as_seen(&self, lamp: &str) -> Result<String, Failure> {
        let (told, seen) = (self.told_lit(lamp), self.seen_lit());
        ensure(told.len() == seen.len(), || {
            format!("{} times as told, {} times as seen", told.len(), seen.len())
        })?;
        let (told_ms, seen_ms) = (length(&told), length(&seen));
        ensure(told_ms.abs_diff(seen_ms) <= slack(&seen), || {
            format!("{told_ms} ms as told, {seen_ms} ms as seen")
        })?;
        Ok(format!("{told_ms} ms as told, {seen_ms} ms as seen"))
    }

    /// Compares the two clocks by the first moment of light.
    fn leased(&self, lamp: &str) -> Result<String, Failure> {
        let leases = self.leases(lamp);
        let (told, seen) = (self.told_lit(lamp), self.seen_lit());
        let (told_first, seen_first) =
            told.first().zip(seen.first()).ok_or("never lit, as told or as seen")?;
        for (on, off) in &seen {
            let bare = (*on..*off).step_by(10).map(|at| at - seen_first.0 + told_first.0);
            if let Some(at) = bare.into_iter().find(|at| !is_covered(*at, &leases)) {
                return Err(format!("lit without a lease at {at}; leases are {leases:?}").into());
            }
        }
        Ok(format!("{} leases", leases.len()))
    }

    /// From when to when the witness saw the line on, in milliseconds.
    fn seen_lit(&self) -> Vec<(u64, u64)> {
        intervals(self.seen.iter().map(|seen| (seen.at_us / 1_000, seen.level == Level::High)))
    }

    /// From when to when the program says that a line was on.
    fn told_lit(&self, line: &str) -> Vec<(u64, u64)> {
        let lines = self.told_of("line", line);
        intervals(lines.map(|told| (told["at"].as_u64().unwrap_or(0), told["level"] == "high")))
    }

    /// The leases of a line: from when on they hold, and to when.
    fn leases(&self, line: &str) -> Vec<(u64, u64)> {
        let moment = |told: &Value, field: &str| told[field].as_u64().unwrap_or(0);
        self.told_of("lease", line).map(|told| (moment(told, "at"), moment(told, "until"))).collect()
    }

    fn told_of<'a>(&'a self, kind: &'a str, line: &'a str) -> impl Iterator<Item = &'a Value> {
        let is_line = move |name: &str| name.rsplit(['/', '.', ':']).next() == Some(line);
        self.told
            .iter()
            .filter(move |told| told["kind"] == kind && told["line"].as_str().is_some_and(is_line))
    }
}

fn wait(program: &mut Child) -> Result<ExitStatus, Failure> {
    let start = Instant::now();
    loop {
        if let Some(status) = program.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > PATIENCE {
            program.kill()?;
            program.wait()?;
            return Err(format!("the program still plays after {PATIENCE:?}").into());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Turns levels as they begin into the spans in which the line was on.
fn intervals(levels: impl Iterator<Item = (u64, bool)>) -> Vec<(u64, u64)> {
    let mut spans = Vec::new();
    let mut since = None;
    for (at, is_on) in levels {
        match (since, is_on) {
            (None, true) => since = Some(at),
            (Some(on), false) => {
                spans.push((on, at));
                since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    spans
}

/// Whether a lease that holds about then is not over by then.
fn is_covered(at: u64, leases: &[(u64, u64)]) -> bool {
    leases.iter().enumerate().any(|(index, (from, until))| {
        let replaced = leases.get(index + 1).map_or(u64::MAX - SLACK_MS, |next| next.0);
        *from <= at + SLACK_MS && replaced + SLACK_MS >= at && until + SLACK_MS >= at
    })
}

fn length(spans: &[(u64, u64)]) -> u64 {
    spans.iter().map(|(on, off)| off.saturating_sub(*on)).sum()
}

fn slack(spans: &[(u64, u64)]) -> u64 {
    SLACK_MS * (spans.len() as u64).max(1)
}
