use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use coinop_core::board::Level;
use coinop_hardware::{driver::Driver, wiring::Wiring};

use crate::{
    board::output,
    chip::SimulatedChip,
    outside::{Outside, Seen, micros},
    report::{Failure, ensure},
};

/// The longest a dead process may keep its line; the kernel takes it back when it closes the files.
pub(crate) const RELEASE: Duration = Duration::from_millis(250);
/// How long to wait for a witness before the check has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// Drives a line and keeps it until killed.
pub(crate) fn hold(driver: Driver, line: &str) -> Result<ExitCode, Failure> {
    let mut board = driver.open(&Wiring::default(), vec![output(line)])?;
    board.drive(line, Level::High)?;
    println!("driven");
    loop {
        thread::park();
    }
}

/// Kills a process that holds a line on; an outside witness says when the line went off.
pub(crate) fn holder(chip: &SimulatedChip, driver: Driver) -> Result<String, Failure> {
    let log = format!("/hold-{driver}.witness");
    let _witness = Outside::witness(&chip.line("LAMP"), &log)?;
    let mut holder = Command::new(env::current_exe()?)
        .args(["hold", &driver.to_string(), "LAMP"])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut said = String::new();
    if let Some(stdout) = holder.stdout.take() {
        BufReader::new(stdout).read_line(&mut said)?;
    }
    ensure(said == "driven\n", || format!("the holder said {said:?}"))?;
    wait_until(&log, |seen| seen.level == Level::High)?;

    let after = kill(&mut holder, Path::new(&log))?;

    driver.open(&Wiring::default(), vec![output("LAMP")])?;
    Ok(format!("{} µs from SIGKILL to the line's release, as the witness saw it", after.as_micros()))
}

/// Sends SIGKILL, and measures how long the witness behind `log` still saw the line on.
pub(crate) fn kill(victim: &mut Child, log: &Path) -> Result<Duration, Failure> {
    let killed_at = micros(SystemTime::now());
    // On unix this is SIGKILL.
    victim.kill()?;
    let low = wait_until(&log.to_string_lossy(), |seen| {
        seen.level == Level::Low && seen.at_us >= killed_at.saturating_sub(1)
    })?;
    victim.wait()?;
    let after = Duration::from_micros(low.at_us.saturating_sub(killed_at));
    ensure(after <= RELEASE, || format!("released only after {after:?}"))?;
    Ok(after)
}

/// Waits until the newest thing a witness saw passes `test`.
pub(crate) fn wait_until(log: &str, test: impl Fn(&Seen) -> bool) -> Result<Seen, Failure> {
    wait_longer(log, PATIENCE, test)
}

/// The same, for as long as this.
pub(crate) fn wait_longer(
    log: &str,
    patience: Duration,
    test: impl Fn(&Seen) -> bool,
) -> Result<Seen, Failure> {
    let start = Instant::now();
    loop {
        let seen = Seen::all(&fs::read_to_string(log).unwrap_or_default())?;
        if let Some(seen) = seen.into_iter().next_back().filter(|seen| test(seen)) {
            return Ok(seen);
        }
        ensure(start.elapsed() < patience, || format!("the witness has not seen it in {patience:?}"))?;
        thread::sleep(Duration::from_millis(1));
    }
}
