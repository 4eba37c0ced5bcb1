use std::{
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use coinop_core::{
    Timestamp,
    board::{Board, Level},
};
use coinop_hardware::{
    gpiochip::GpioChip,
    guard::{Command, Keeper, Lease, Limits, Report as Told, Sentry},
    plant::{Car, CarSpec, Plant, Wires, World},
    wiring::Wiring,
};

use crate::{
    board::{SETTLE, output},
    chip::SimulatedChip,
    report::{Failure, Report, ensure},
};

const LEASE: Duration = Duration::from_millis(500);
const LIMITS: Limits = Limits {
    longest_lease: Duration::from_secs(10),
    heartbeat: Duration::from_millis(700),
    pause: Duration::from_millis(200),
    early: Duration::from_millis(50),
    dead_time: Duration::from_millis(20),
};
/// How late guard and witness may wake, with one processor that others use as well.
const LATENESS: Duration = Duration::from_millis(100);
/// How long a check waits before it has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Puts the guard on real lines, and a plant outside.
pub(crate) fn check(report: &mut Report, chip: &SimulatedChip) {
    report.check("the guard puts a line on for its lease and not longer", lease_is_kept(chip));
    report.check("the guard puts a line off when the heartbeat stops", silence_is_noticed(chip));
    report.check("the guard that is dropped leaves its line safe", dropped_guard(chip));
    report.check("the meter pulses of a plant outside arrive, each once", pulses_arrive());
}

fn lease_is_kept(chip: &SimulatedChip) -> Result<String, Failure> {
    let (sentry, start, _told) = sentry()?;
    lease(&sentry, start, LEASE)?;

    let on = wait_for(chip, Level::High)?;
    let off = wait_for(chip, Level::Low)?;

    let lit = off.duration_since(on);
    ensure(lit <= LEASE, || format!("on for {lit:?} with a lease of {LEASE:?}"))?;
    ensure(lit + LIMITS.early + LATENESS >= LEASE, || {
        format!("on for only {lit:?} with a lease of {LEASE:?}")
    })?;
    ensure(sentry.unleased_on().is_zero(), || format!("{:?} without a lease", sentry.unleased_on()))?;
    Ok(format!("on for {lit:.1?} with a lease of {LEASE:?}"))
}

fn silence_is_noticed(chip: &SimulatedChip) -> Result<String, Failure> {
    let (sentry, start, _told) = sentry()?;
    lease(&sentry, start, LIMITS.longest_lease / 2)?;

    wait_for(chip, Level::High)?;
    let off = wait_for(chip, Level::Low)?;

    let after = off.duration_since(start);
    ensure(after >= LIMITS.heartbeat && after <= LIMITS.heartbeat + LATENESS, || format!("{after:?}"))?;
    Ok(format!("{after:.1?} after the last beat, {:?} allowed", LIMITS.heartbeat))
}

fn dropped_guard(chip: &SimulatedChip) -> Result<String, Failure> {
    let (sentry, start, _told) = sentry()?;
    lease(&sentry, start, LIMITS.longest_lease / 2)?;
    wait_for(chip, Level::High)?;

    drop(sentry);

    ensure(chip.wires().output("LAMP")? == Level::Low, || "still on".to_owned())?;
    Ok(String::new())
}

fn sentry() -> Result<(Sentry, Instant, Receiver<Told>), Failure> {
    let board = GpioChip::open(&Wiring::default(), vec![output("LAMP")])?;
    post(Box::new(board), LIMITS)
}

/// Puts a board under guard, whose clock begins with the moment that is returned.
pub(crate) fn post(
    board: Box<dyn Board>,
    limits: Limits,
) -> Result<(Sentry, Instant, Receiver<Told>), Failure> {
    let start = Instant::now();
    let (tell, told) = channel();
    // Who does not listen any more needs no telling.
    let sentry = Sentry::post(
        Keeper::new(board, limits, at(start.elapsed())),
        move || at(start.elapsed()),
        move |report| {
            drop(tell.send(report));
        },
    )?;
    Ok((sentry, start, told))
}

fn lease(sentry: &Sentry, start: Instant, span: Duration) -> Result<(), Failure> {
    let until = at(start.elapsed() + span);
    Ok(sentry.send(Command::Lease(Lease { line: "LAMP".to_owned(), until }))?)
}

/// A car outside drives the pulls at ten pulses a second; the board counts them from the kernel's edges.
fn pulses_arrive() -> Result<String, Failure> {
    let spec = CarSpec { rated_w: 36_000, pulse_ms: 40, ..CarSpec::default() };
    let car = Car::new(spec);
    let chip = SimulatedChip::new("coinop-car", &["CONTACTOR", "METER", "PLUG"])?;
    let mut board = GpioChip::open(&Wiring::default(), car.lines())?;
    let mut world = World::new(chip.wires(), Box::new(car));
    let start = Instant::now();
    world.step(at(start.elapsed()))?;
    board.drive("CONTACTOR", Level::High)?;

    let mut pulses = 0;
    let mut count = |board: &mut GpioChip| -> Result<(), Failure> {
        let edges = board.edges(at(start.elapsed()))?;
        pulses +=
            edges.iter().filter(|edge| edge.line == "METER" && edge.level == Level::High).count() as u64;
        Ok(())
    };
    while start.elapsed() < Duration::from_millis(2_050) {
        world.step(at(start.elapsed()))?;
        count(&mut board)?;
        thread::sleep(Duration::from_millis(1));
    }
    board.drive("CONTACTOR", Level::Low)?;
    world.step(at(start.elapsed()))?;
    thread::sleep(SETTLE);
    count(&mut board)?;

    let watt_hours = world.plant().truth() / 1_000;
    ensure(pulses == watt_hours && pulses >= 18, || format!("{pulses} pulses for {watt_hours} Wh"))?;
    Ok(format!("{pulses} pulses for {watt_hours} Wh"))
}

/// The moment at which the world saw the lamp at `level`.
fn wait_for(chip: &SimulatedChip, level: Level) -> Result<Instant, Failure> {
    let wires = chip.wires();
    let start = Instant::now();
    loop {
        if wires.output("LAMP")? == level {
            return Ok(Instant::now());
        }
        ensure(start.elapsed() < PATIENCE, || format!("LAMP is not {level} after {PATIENCE:?}"))?;
        thread::sleep(Duration::from_micros(200));
    }
}

pub(crate) fn at(since_start: Duration) -> Timestamp {
    Timestamp::default().after(since_start)
}
