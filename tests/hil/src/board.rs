use std::{
    env,
    os::unix::process::CommandExt,
    process::{Command, ExitCode},
    thread,
    time::Duration,
};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Direction, Level, LineSpec},
};
use coinop_hardware::{
    contract::{self, Bench},
    driver::Driver,
    gpiochip::GpioChip,
    plant::{Wires, sysfs::SysfsWires},
    sim::SimChip,
    wiring::{Active, Spot, Wire, Wiring},
};

use crate::{
    chip::SimulatedChip,
    guarded, kill, pi,
    report::{Failure, Report, ensure},
};

/// How long a change of a line takes at most until this kernel has told it; its interrupts are late.
pub(crate) const SETTLE: Duration = Duration::from_millis(30);
/// A user who is nobody to the chips.
const STRANGER: u32 = 4242;

/// A board of the kernel's lines on a simulated chip.
struct KernelBench {
    wires: SysfsWires,
    driver: Driver,
    active: Active,
}

impl KernelBench {
    fn new(chip: &SimulatedChip, driver: Driver, active: Active) -> Result<Self, BoardError> {
        let wires = chip.wires();
        for spec in contract::lines().iter().filter(|spec| spec.direction == Direction::Output) {
            // The external pull that a careful builder gives an actuator.
            wires.poke(&spec.name, level_of(active, spec.safe))?;
        }
        Ok(Self { wires, driver, active })
    }
}

impl Wires for KernelBench {
    fn output(&self, line: &str) -> Result<Level, BoardError> {
        self.wires.output(line).map(|voltage| level_of(self.active, voltage))
    }

    fn poke(&self, line: &str, level: Level) -> Result<(), BoardError> {
        self.wires.poke(line, level_of(self.active, level))
    }
}

impl Bench for KernelBench {
    fn open(&self) -> Result<Box<dyn Board>, BoardError> {
        let wire = Wire { active: self.active, ..Wire::default() };
        let lines = contract::lines().into_iter().map(|spec| (spec.name, wire.clone())).collect();
        self.driver.open(&Wiring { chip: None, lines }, contract::lines())
    }

    fn settle(&self) {
        thread::sleep(SETTLE);
    }

    fn excuse(&self, rule: &str) -> Option<&'static str> {
        let polls = self.driver == Driver::Linux && rule == contract::KEEPS_EDGES;
        polls.then_some("linux-embedded-hal can only poll: what changes and changes back is not seen")
    }
}

/// What a voltage means, and the voltage that means it.
pub(crate) fn level_of(active: Active, voltage: Level) -> Level {
    match active {
        Active::High => voltage,
        Active::Low => !voltage,
    }
}

/// Holds every board to the board contract, then to what only real lines can show.
pub(crate) fn check() -> Result<ExitCode, Failure> {
    let mut report = Report::default();
    let nothing = Driver::Gpiochip.open(&Wiring::default(), vec![output("LAMP")]);
    report
        .check("a machine without chips is told so", told(nothing, BoardErrorKind::NoSuchChip, "simulated"));
    report.board("sim", contract::hold(&SimChip::new(contract::lines())));
    pi::check(&mut report)?;

    let names: Vec<String> = contract::lines().into_iter().map(|spec| spec.name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let chip = SimulatedChip::new("coinop-contract", &names)?;
    for (driver, active, name) in [
        (Driver::Linux, Active::High, "linux"),
        (Driver::Linux, Active::Low, "linux, active low"),
        (Driver::Gpiochip, Active::Low, "gpiochip, active low"),
        (Driver::Gpiochip, Active::High, "gpiochip"),
    ] {
        report.board(name, contract::hold(&KernelBench::new(&chip, driver, active)?));
    }
    report.check("linux: what changes and changes back between two looks is not seen", polls(&chip));
    for driver in [Driver::Gpiochip, Driver::Linux] {
        report.check(&format!("{driver}: a line in use is told with its holder"), holder_is_told(driver));
    }
    report.check("a missing line is told with the lines there are", missing_line_is_told());
    report.check("a missing chip is told with the chips there are", missing_chip_is_told(&chip));
    report.check("a user without permission is told how to get it", stranger_is_told());
    for driver in [Driver::Gpiochip, Driver::Linux] {
        report.check(&format!("{driver}: a failed opening takes no line"), nothing_half_taken(driver));
    }
    report.check("a line goes by another name, and active may be low", wiring_is_followed(&chip));
    report.check("a line goes by its number, and no two by one", numbers(&chip));
    report.check("a name on two chips wants the chip named", two_chips(&chip));
    guarded::check(&mut report, &chip);
    let released = kill::holder(&chip, Driver::Gpiochip);
    report.check("gpiochip: the line of a killed process is released", released);
    let released = kill::holder(&chip, Driver::Linux);
    report.check("linux: the line of a killed process is released", released);
    Ok(report.end("the board"))
}

/// Opens a line and says how that went: for a user of its own.
pub(crate) fn open(driver: Driver, line: &str) -> ExitCode {
    match driver.open(&Wiring::default(), vec![output(line)]) {
        Ok(_) => println!("opened"),
        Err(error) => println!("{:?} {error}", error.kind),
    }
    ExitCode::SUCCESS
}

pub(crate) fn output(name: &str) -> LineSpec {
    LineSpec::output(name, Level::Low)
}

/// The documented weakness of a board that polls.
fn polls(chip: &SimulatedChip) -> Result<String, Failure> {
    let wires = chip.wires();
    wires.poke("LIGHT", Level::Low)?;
    thread::sleep(SETTLE);
    let mut board = Driver::Linux.open(&Wiring::default(), vec![LineSpec::input("LIGHT")])?;
    for level in [Level::High, Level::Low] {
        wires.poke("LIGHT", level)?;
        thread::sleep(SETTLE);
    }

    let edges = board.edges(Timestamp::default())?;

    ensure(edges.is_empty(), || format!("{edges:?}"))?;
    Ok(String::new())
}

fn holder_is_told(driver: Driver) -> Result<String, Failure> {
    let _held = driver.open(&Wiring::default(), vec![output("LAMP")])?;

    let second = driver.open(&Wiring::default(), vec![output("LAMP")]);

    told(second, BoardErrorKind::Busy, "in use by \"coinop\"")
}

/// The contract's lines are numbered in their order.
fn numbers(chip: &SimulatedChip) -> Result<String, Failure> {
    let first = Wire { spot: Some(Spot::Offset(0)), ..Wire::default() };
    let lines = [("RELAY".to_owned(), first.clone()), ("FAN".to_owned(), first)].into();
    let wiring = Wiring { chip: Some(chip.name.clone()), lines };
    let mut board = GpioChip::open(&wiring, vec![output("RELAY")])?;
    board.drive("RELAY", Level::High)?;
    ensure(chip.wires().output("LAMP")? == Level::High, || "line 0 is not on".to_owned())?;
    drop(board);

    let both = Driver::Gpiochip.open(&wiring, vec![output("RELAY"), output("FAN")]);

    told(both, BoardErrorKind::Busy, "is RELAY's as well")
}

fn missing_line_is_told() -> Result<String, Failure> {
    let opened = Driver::Gpiochip.open(&Wiring::default(), vec![output("FAN")]);

    told(opened, BoardErrorKind::NoSuchLine, "there is LAMP, VALVE, LIGHT, DOOR")
}

fn missing_chip_is_told(chip: &SimulatedChip) -> Result<String, Failure> {
    let wiring = Wiring::by_name(Some("gpiochip77".to_owned()));

    told(Driver::Gpiochip.open(&wiring, vec![output("LAMP")]), BoardErrorKind::NoSuchChip, &chip.name)
}

fn stranger_is_told() -> Result<String, Failure> {
    let stranger =
        Command::new(env::current_exe()?).args(["open", "gpiochip", "LAMP"]).uid(STRANGER).output()?;

    let said = String::from_utf8_lossy(&stranger.stdout).trim().to_owned();
    ensure(said.starts_with("Permission") && said.contains("join its group"), || said.clone())?;
    Ok(said)
}

fn nothing_half_taken(driver: Driver) -> Result<String, Failure> {
    let held = driver.open(&Wiring::default(), vec![output("VALVE")])?;

    let both =
        driver.open(&Wiring::default(), vec![LineSpec::input("LIGHT"), output("LAMP"), output("VALVE")]);

    told(both, BoardErrorKind::Busy, "VALVE")?;
    drop(held);
    driver.open(&Wiring::default(), vec![output("LAMP"), LineSpec::input("LIGHT")])?;
    Ok(String::new())
}

fn wiring_is_followed(chip: &SimulatedChip) -> Result<String, Failure> {
    let relay = Wire { spot: Some(Spot::Kernel("LAMP".to_owned())), active: Active::Low, ..Wire::default() };
    let wiring = Wiring { chip: None, lines: [("RELAY".to_owned(), relay)].into() };
    let mut board = GpioChip::open(&wiring, vec![output("RELAY")])?;
    let wires = chip.wires();

    ensure(wires.output("LAMP")? == Level::High, || "off is not high".to_owned())?;
    board.drive("RELAY", Level::High)?;
    ensure(wires.output("LAMP")? == Level::Low, || "on is not low".to_owned())?;
    ensure(board.read("RELAY")? == Level::High, || "on does not read as on".to_owned())?;
    Ok(String::new())
}

fn two_chips(first: &SimulatedChip) -> Result<String, Failure> {
    let second = SimulatedChip::new("coinop-second", &["LAMP", "BELL", "BUTTON"])?;
    told(
        Driver::Gpiochip.open(&Wiring::default(), vec![output("LAMP")]),
        BoardErrorKind::NoSuchLine,
        "name the chip",
    )?;

    for (name, chip) in
        [(first.name.as_str(), first), (second.name.as_str(), &second), ("coinop-second", &second)]
    {
        let wiring = Wiring::by_name(Some(name.to_owned()));
        let mut board = GpioChip::open(&wiring, vec![output("LAMP")])?;
        board.drive("LAMP", Level::High)?;
        ensure(chip.wires().output("LAMP")? == Level::High, || format!("not the LAMP of {name}"))?;
    }
    edges_of_two_chips(first, &second)?;
    Ok(String::new())
}

fn edges_of_two_chips(first: &SimulatedChip, second: &SimulatedChip) -> Result<(), Failure> {
    let mut board =
        GpioChip::open(&Wiring::default(), vec![LineSpec::input("LIGHT"), LineSpec::input("BUTTON")])?;
    for level in ["pull-up", "pull-down"] {
        for (chip, line) in [(second, "BUTTON"), (first, "LIGHT")] {
            std::fs::write(chip.line(line).join("pull"), level)?;
            thread::sleep(SETTLE);
        }
    }

    let edges = board.edges(Timestamp::default())?;

    let lines: Vec<&str> = edges.iter().map(|edge| edge.line.as_str()).collect();
    ensure(lines == ["BUTTON", "LIGHT", "BUTTON", "LIGHT"], || format!("edges of {lines:?}"))
}

/// Passes when the board was refused for the right kind of reason, in words that hold `hint`.
pub(crate) fn told(
    opened: Result<Box<dyn Board>, BoardError>,
    kind: BoardErrorKind,
    hint: &str,
) -> Result<String, Failure> {
    let error = opened.err().ok_or("it was opened")?;
    let text = error.to_string();
    ensure(error.kind == kind && text.contains(hint), || format!("{:?} {text}", error.kind))?;
    Ok(text)
}
