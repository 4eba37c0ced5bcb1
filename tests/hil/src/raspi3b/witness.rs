use std::{
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use coinop_core::board::Level;

use super::{HEARTBEAT, LEASE, LONG_LEASE, Phase, emulator::Emulator};
use crate::report::{Failure, Report, ensure};

/// What lets root reach the chip's registers on a distribution's kernel.
const RELAXED: &str = "iomem=relaxed";
/// How often the witness looks.
const LOOK: Duration = Duration::from_millis(5);
/// How long the lamp is watched where nothing may change.
const WATCHED: Duration = Duration::from_secs(1);
/// How late guest and witness may be: each is one of many on a busy machine.
const LATENESS: Duration = Duration::from_secs(2);

/// Starts the emulated Pi twice, without and with access to its registers, and holds the board `rpi` and the
/// guard to what they promise, as it is seen from outside.
pub(crate) fn check(kernel: &str, tree: &str, initramfs: &str) -> Result<ExitCode, Failure> {
    let mut report = Report::default();
    let mut pi = Emulator::start(kernel, tree, initramfs, "")?;
    report.check("rpi: a kernel that keeps its registers is told, with what to do", refusal(&mut pi));
    drop(pi);

    let mut pi = Emulator::start(kernel, tree, initramfs, RELAXED)?;
    let machine = pi.reaches(Phase::Opened)?;
    report.check(
        "rpi: outside, the lamp is low when the board is opened",
        stays(&mut pi, Level::Low, &machine),
    );
    pi.go()?;
    report.check("rpi: outside, the lamp is high for its lease and not longer", leased(&mut pi));
    pi.go()?;
    report.check("rpi: outside, the lamp is low when the heartbeat stops", silent(&mut pi));
    pi.go()?;
    report.check("rpi: outside, the lamp is low when the guard is dropped", dropped(&mut pi));
    pi.go()?;
    pi.reaches(Phase::Held)?;
    report.check("rpi: outside, the lamp is high while another process has it leased", driven(&mut pi));
    pi.go()?;
    let end = pi.reaches(Phase::Killed)?;
    let fate = killed(&mut pi, &end);
    report.check("DANGER, as documented: outside, the lamp of a killed rpi process is still high", fate);
    report
        .check("rpi: outside, a mainline kernel makes the pin of a killed process an input", let_go(&mut pi));
    pi.go()?;
    pi.reaches(Phase::Reopened)?;
    report.check("rpi: outside, the next owner puts the lamp off", stays(&mut pi, Level::Low, ""));
    Ok(report.end("the emulated Pi"))
}

fn refusal(pi: &mut Emulator) -> Result<String, Failure> {
    let said = pi.reaches(Phase::Refused)?;
    let helps = said.starts_with("Permission ") && said.contains("/dev/mem") && said.contains(RELAXED);
    ensure(helps, || said.clone())?;
    ensure(!pi.is_output()? && pi.lamp()? == Level::Low, || "it moved the lamp".to_owned())?;
    Ok(said)
}

/// The lamp goes on, and off at the end of the lease: there are beats all the time.
fn leased(pi: &mut Emulator) -> Result<String, Failure> {
    pi.reaches(Phase::Leased)?;
    let on = wait_for(pi, Level::High, LEASE)?;
    let off = wait_for(pi, Level::Low, LEASE + LATENESS)?;
    let lit = off.duration_since(on);
    pi.reaches(Phase::Over)?;

    ensure(lit + LATENESS >= LEASE, || format!("on for only {lit:.1?} with a lease of {LEASE:?}"))?;
    stays(pi, Level::Low, &format!("on for {lit:.1?} with a lease of {LEASE:?}"))
}

/// The lamp goes off long before its lease is over.
fn silent(pi: &mut Emulator) -> Result<String, Failure> {
    pi.reaches(Phase::Silent)?;
    let on = wait_for(pi, Level::High, LATENESS)?;
    let off = wait_for(pi, Level::Low, HEARTBEAT + LATENESS)?;

    let lit = off.duration_since(on);
    let note = format!("after {lit:.1?} without a beat, {HEARTBEAT:?} allowed, of a lease of {LONG_LEASE:?}");
    stays(pi, Level::Low, &note)
}

fn dropped(pi: &mut Emulator) -> Result<String, Failure> {
    pi.reaches(Phase::Leased)?;
    watch(pi, Level::High, WATCHED)?;
    pi.go()?;
    pi.reaches(Phase::Dropped)?;
    // It was driven low, and then given back.
    ensure(!pi.is_output()?, || "it is an output still".to_owned())?;
    watch(pi, Level::Low, WATCHED)?;
    Ok("high before, then an input".to_owned())
}

fn driven(pi: &mut Emulator) -> Result<String, Failure> {
    ensure(pi.is_output()?, || "it is no output".to_owned())?;
    // Longer than the guard stands silence: somebody beats.
    watch(pi, Level::High, HEARTBEAT + WATCHED)?;
    Ok(format!("for {:?}", HEARTBEAT + WATCHED))
}

/// No guard is left that would notice the silence, and nobody clears the level.
fn killed(pi: &mut Emulator, end: &str) -> Result<String, Failure> {
    let span = HEARTBEAT * 2;
    watch(pi, Level::High, span)?;
    Ok(format!("{end}; high for {span:?} with a heartbeat of {HEARTBEAT:?}"))
}

/// Closing the claim that keeps others away does it, where the kernel has no habit of keeping outputs. The
/// emulator then shows the last level; at a real pin the external pull decides.
fn let_go(pi: &mut Emulator) -> Result<String, Failure> {
    ensure(!pi.is_output()?, || "it is an output still".to_owned())?;
    Ok("so only an external pull would put it off".to_owned())
}

fn stays(pi: &mut Emulator, level: Level, note: &str) -> Result<String, Failure> {
    ensure(pi.is_output()?, || "it is no output".to_owned())?;
    watch(pi, level, WATCHED)?;
    Ok(note.to_owned())
}

/// Looks all the time; not once may the lamp be otherwise.
fn watch(pi: &mut Emulator, level: Level, span: Duration) -> Result<(), Failure> {
    let start = Instant::now();
    while start.elapsed() < span {
        ensure(pi.lamp()? == level, || format!("not {level} any more after {:.1?}", start.elapsed()))?;
        thread::sleep(LOOK);
    }
    Ok(())
}

/// The moment at which the lamp was seen at `level`.
fn wait_for(pi: &mut Emulator, level: Level, patience: Duration) -> Result<Instant, Failure> {
    let start = Instant::now();
    loop {
        if pi.lamp()? == level {
            return Ok(Instant::now());
        }
        ensure(start.elapsed() < patience, || format!("not {level} after {patience:?}"))?;
        thread::sleep(LOOK);
    }
}
