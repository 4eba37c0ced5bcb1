use std::{
    fs,
    fs::File,
    io::{self, Write},
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

use coinop_core::board::Level;
use rustix::process::Signal;

use crate::{
    chip::SimulatedChip,
    kill,
    outside::{Outside, micros},
    program::{BEGIN, LAMP, PATIENCE, Stage, lamp},
    report::{Failure, Report, ensure},
};

/// How long the lamp may be lit after the program was told to stop: a frame, and what this kernel is late.
const STOP: Duration = Duration::from_millis(250);
/// How long the other line may be on after a chip is gone.
const TRIP: Duration = Duration::from_millis(250);
/// Room for a run's folder, and for some payments.
const DISK: &str = "size=2m";
/// Two lamps on two chips, each lit for longer than the check takes.
const TWO_LAMPS: &str = r#"title = "Two lamps on two chips"
length = "15s"
stable_after = "500ms"
[[thing]]
name = "near"
kind = "light"
price = 1000
per = "1s"
step = "1s"
lines = { LAMP = "LAMP1", LIGHT = "LIGHT1" }
[[thing]]
name = "far"
kind = "light"
price = 1000
per = "1s"
step = "1s"
lines = { LAMP = "LAMP2", LIGHT = "LIGHT2" }
[[buyer]]
name = "alice"
funds = "1MB"
[[buyer]]
name = "bob"
funds = "1MB"
[[buy]]
at = "100ms"
buyer = "alice"
kind = "light"
from = "near"
amount = "30s"
limit = 1500
deposit = 60000
[[buy]]
at = "100ms"
buyer = "bob"
kind = "light"
from = "far"
amount = "30s"
limit = 1500
deposit = 60000
[[expect]]
payments = 4
"#;

/// Ends of the program other than SIGKILL, watched from outside.
pub(crate) fn check(report: &mut Report, stage: &Stage<'_>) {
    let stopped = stopped(stage, "term", Signal::TERM);
    report.check("told to stop by SIGTERM while the lamp is lit, the program puts it off", stopped);
    let stopped = stopped_by_hand(stage);
    report.check("told to stop by SIGINT while the lamp is lit, the program puts it off", stopped);
    report.check("a chip that is unplugged is told, and what is on elsewhere goes safe", unplugged(stage));
    report.check("a full disk stops the program, and the lamp is dark", full_disk(stage));
}

fn stopped_by_hand(stage: &Stage<'_>) -> Result<String, Failure> {
    stopped(stage, "int", Signal::INT)
}

fn stopped(stage: &Stage<'_>, name: &str, signal: Signal) -> Result<String, Failure> {
    let mut lit = stage.lit(name, stage.arguments)?;

    let sent = lit.run.signal(signal)?;

    let low = dark(&lit.log, sent)?;
    let story = lit.run.end(PATIENCE)?;
    ensure(low <= STOP, || format!("lit for another {low:?}"))?;
    ensure(story.status.success(), || format!("{}: {}", story.status, story.complaint))?;
    ensure(story.last_level(LAMP).is_some_and(|level| level == "low"), || {
        "it does not say that the lamp is off".to_owned()
    })?;
    ensure(story.summary()?["money_conserved"] == true, || "money was lost or made".to_owned())?;
    Ok(format!("{:.1} ms until it was dark, as the witness saw it", low.as_secs_f64() * 1e3))
}

/// Takes away the chip of one of two lamps that are lit.
fn unplugged(stage: &Stage<'_>) -> Result<String, Failure> {
    let near = SimulatedChip::new("coinop-near", &["LAMP1", "LIGHT1"])?;
    let far = SimulatedChip::new("coinop-far", &["LAMP2", "LIGHT2"])?;
    let _worlds =
        (Outside::world(&lamp(&near, "LAMP1", "LIGHT1"))?, Outside::world(&lamp(&far, "LAMP2", "LIGHT2"))?);
    let program = stage.program;
    let (log_near, log_far) =
        (program.log("unplugged-near", "witness"), program.log("unplugged-far", "witness"));
    let _witnesses = (
        Outside::witness(&near.line("LAMP1"), &log_near.to_string_lossy())?,
        Outside::witness(&far.line("LAMP2"), &log_far.to_string_lossy())?,
    );
    let scenario = program.log("unplugged", "toml");
    fs::write(&scenario, TWO_LAMPS)?;
    let scenario = scenario.to_string_lossy();
    let words = ["play", &*scenario, "--headless", "--json", "--board", "gpiochip"];
    let mut run = program.start("unplugged", &words)?;
    for log in [&log_near, &log_far] {
        kill::wait_longer(&log.to_string_lossy(), BEGIN, |seen| seen.level == Level::High)?;
    }

    let gone = micros(SystemTime::now());
    near.unplug()?;

    let low = dark(&log_far, gone)?;
    let story = run.end(PATIENCE)?;
    ensure(low <= TRIP, || format!("the other lamp was lit for another {low:?}"))?;
    let told = story.fault("LAMP1").or_else(|| story.fault("LIGHT1"));
    let told = told.ok_or("it does not say which line failed")?.to_owned();
    ensure(story.last_level("LAMP2").is_some_and(|level| level == "low"), || {
        "the other lamp is not told off".to_owned()
    })?;
    let ended = story.status;
    Ok(format!("the other lamp is dark after {:.1} ms; {told:?}; {ended}", low.as_secs_f64() * 1e3))
}

/// Fills the disk that the run is kept on while the lamp is lit.
fn full_disk(stage: &Stage<'_>) -> Result<String, Failure> {
    let disk = Path::new("/tmp/small");
    fs::create_dir_all(disk)?;
    let mounted =
        Command::new("busybox").args(["mount", "-t", "tmpfs", "-o", DISK, "small"]).arg(disk).status()?;
    ensure(mounted.success(), || format!("no small disk: {mounted}"))?;
    let data = disk.join("data");
    let data = data.to_string_lossy();
    let words = [stage.arguments, &["--data-dir", &*data]].concat();
    let mut lit = stage.lit("full", &words)?;

    let full = micros(SystemTime::now());
    fill(&disk.join("filler"))?;

    let story = lit.run.end(PATIENCE)?;
    let ended = micros(SystemTime::now());
    let low = dark(&lit.log, full)?;
    let complaint = story.complaint.trim();
    ensure(story.status.code() == Some(1), || format!("it ended with {}: {complaint}", story.status))?;
    ensure(complaint.contains("nothing more can be recorded"), || complaint.to_owned())?;
    let after = Duration::from_micros(ended.saturating_sub(full));
    ensure(low <= after + STOP, || format!("dark {low:?} after the disk was full, ended after {after:?}"))?;
    Ok(format!("dark {low:.1?} after the disk was full, ended after {after:.1?}"))
}

/// Writes until there is no more room.
fn fill(path: &Path) -> Result<(), Failure> {
    let mut file = File::create(path)?;
    let block = [0; 4_096];
    loop {
        match file.write_all(&block) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// How long after a moment the witness saw its line go off.
fn dark(log: &Path, since: u64) -> Result<Duration, Failure> {
    let low = kill::wait_until(&log.to_string_lossy(), |seen| {
        seen.level == Level::Low && seen.at_us >= since.saturating_sub(1)
    })?;
    Ok(Duration::from_micros(low.at_us.saturating_sub(since)))
}
