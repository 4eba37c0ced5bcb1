use std::{
    env,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::report::{Failure, Report, ensure};

/// How late a line may be low after its lease, for 99 leases of 100.
const MOST_LATE_US: f64 = 50_000.0;
/// How long the other owner may take to get its line.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the program's own tools say of the kernel's lines.
pub(crate) fn check(report: &mut Report, program: &str, lamp: &str) {
    report.check("the doctor finds the chip, and says that a demo would run", healthy(program));
    report.check("the doctor says who has a line, and that no demo would run", held(program, lamp));
    report.check("99 of 100 lines are low within 50 ms of the end of their lease", in_time(program));
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

fn in_time(program: &str) -> Result<String, Failure> {
    let out = Command::new(program).args(["bench", "--board", "gpiochip", "--json"]).output()?;
    ensure(out.status.success(), || String::from_utf8_lossy(&out.stderr).into_owned())?;
    let figures: Value = serde_json::from_slice(&out.stdout)?;
    let late = figures["lease_over_to_low"]["p99_us"].as_f64().ok_or("no figure")?;
    ensure(late <= MOST_LATE_US, || format!("{late} µs"))?;
    let lit = &figures["verified_to_high"];
    Ok(format!(
        "p50 {} and p99 {late} µs; a verified package has its line high after {} and {} µs",
        figures["lease_over_to_low"]["p50_us"], lit["p50_us"], lit["p99_us"]
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
