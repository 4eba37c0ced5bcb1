use std::{
    env,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    outside::Outside,
    program::{LAMP, LIGHT, Stage},
    report::{Failure, Report, ensure},
};

/// How late a line may be low after its lease, for 99 leases of 100.
const MOST_LATE_US: f64 = 50_000.0;
/// How long the other owner may take to get its line.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the program's own tools say of the kernel's lines.
pub(crate) fn check(report: &mut Report, stage: &Stage<'_>) {
    let program = stage.program.path;
    report.check("the doctor finds the chip, and says that a demo would run", healthy(program));
    report.check("the doctor says who has a line, and that no demo would run", held(program, LAMP));
    let late = in_time(stage);
    report.check("99 of 100 lines are low within 50 ms of the end of their lease, beside a street", late);
    let late = in_time_in_memory(program);
    report.check("so are those of a simulated board on this kernel, beside a street", late);
}

fn healthy(program: &str) -> Result<String, Failure> {
    let (out, report) = doctor(program)?;
    ensure(out.status.success(), || format!("{}: {report}", out.status))?;
    let demo = report["demo"].as_str().unwrap_or_default().to_owned();
    ensure(demo.contains("--board gpiochip"), || format!("it would play {demo:?}"))?;
    Ok(demo)
}

fn held(program: &str, lamp: &str) -> Result<String, Failure> {
    let other = Other::holds(lamp)?;
    let began = Instant::now();
    let told = loop {
        let (out, report) = doctor(program)?;
        let text = report["findings"].to_string();
        if text.contains(&format!("{lamp} by ")) {
            ensure(out.status.code() == Some(1), || format!("{}: {text}", out.status))?;
            break format!("{lamp} is in use, exit code 1");
        }
        ensure(began.elapsed() < PATIENCE, || format!("nobody has {lamp}: {text}"))?;
        thread::sleep(Duration::from_millis(20));
    };
    drop(other);
    Ok(told)
}

fn in_time(stage: &Stage<'_>) -> Result<String, Failure> {
    let _wire = Outside::wire(&stage.chip.line(LAMP), &stage.chip.line(LIGHT))?;
    let figures = bench(stage.program.path, "gpiochip")?;
    ensure(!figures["edge_to_notice"].is_null(), || format!("{LIGHT} did not follow {LAMP}"))?;
    judged(&figures)
}

fn in_time_in_memory(program: &str) -> Result<String, Failure> {
    judged(&bench(program, "sim")?)
}

fn bench(program: &str, board: &str) -> Result<Value, Failure> {
    let words = ["bench", "--board", board, "--beside", "street", "--json"];
    let out = Command::new(program).args(words).output()?;
    ensure(out.status.success(), || String::from_utf8_lossy(&out.stderr).into_owned())?;
    Ok(serde_json::from_slice(&out.stdout)?)
}

fn judged(figures: &Value) -> Result<String, Failure> {
    let late = figures["lease_over_to_low"]["p99_us"].as_f64().ok_or("no figure")?;
    ensure(late <= MOST_LATE_US, || format!("{late} µs"))?;
    let told = |what: &str| format!("p50 {} and p99 {} µs", figures[what]["p50_us"], figures[what]["p99_us"]);
    Ok(format!(
        "{}; a verified package has its line high after {}; an edge is told after {}; {} payments beside",
        told("lease_over_to_low"),
        told("verified_to_high"),
        told("edge_to_notice"),
        figures["beside"]["payments"]
    ))
}

fn doctor(program: &str) -> Result<(Output, Value), Failure> {
    let out = Command::new(program).args(["doctor", "--board", "gpiochip", "--json"]).output()?;
    let mut told: Value = serde_json::from_slice(&out.stdout)?;
    Ok((out, told["doctor"].take()))
}

/// Another process that has a line, until this is dropped.
struct Other(Child);

impl Other {
    fn holds(line: &str) -> Result<Self, Failure> {
        let mut command = Command::new(env::current_exe()?);
        command.args(["hold", "gpiochip", line]).stdin(Stdio::null()).stdout(Stdio::null());
        Ok(Self(command.spawn()?))
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
