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
    gpiochip::GpioChip,
    plant::{Wires, sysfs::SysfsWires},
    wiring::{Active, Spot, Wire, Wiring},
};

use crate::{
    chip::SimulatedChip,
    guarded, kill,
    report::{Failure, Report, ensure},
};

/// How long a change of a line takes at most until this kernel has told it; its interrupts are late.
pub(crate) const SETTLE: Duration = Duration::from_millis(30);
/// A user who is nobody to the chips.
const STRANGER: u32 = 4242;

/// A gpiochip board on a simulated chip.
struct KernelBench {
    wires: SysfsWires,
}

impl KernelBench {
    fn new(chip: &SimulatedChip) -> Result<Self, BoardError> {
        let wires = chip.wires();
        for spec in contract::lines().iter().filter(|spec| spec.direction == Direction::Output) {
            // The external pull that a careful builder gives an actuator.
            wires.poke(&spec.name, spec.safe)?;
        }
        Ok(Self { wires })
    }
}

impl Wires for KernelBench {
    fn output(&self, line: &str) -> Result<Level, BoardError> {
        self.wires.output(line)
    }

    fn poke(&self, line: &str, level: Level) -> Result<(), BoardError> {
        self.wires.poke(line, level)
    }
}

impl Bench for KernelBench {
    fn open(&self) -> Result<Box<dyn Board>, BoardError> {
        Ok(Box::new(GpioChip::open(&Wiring::default(), contract::lines())?))
    }

    fn settle(&self) {
        thread::sleep(SETTLE);
    }
}

/// Holds the gpiochip board to the board contract, then to what only real lines can show.
pub(crate) fn check() -> Result<ExitCode, Failure> {
    let mut report = Report::default();
    let nothing = GpioChip::open(&Wiring::default(), vec![output("LAMP")]);
    report
        .check("a machine without chips is told so", told(nothing, BoardErrorKind::NoSuchChip, "simulated"));

    let names: Vec<String> = contract::lines().into_iter().map(|spec| spec.name).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let chip = SimulatedChip::new("coinop-contract", &names)?;
    for finding in contract::hold(&KernelBench::new(&chip)?) {
        let kept = finding.kept.map(|()| String::new());
        report.check(finding.rule, kept.map_err(Into::into));
    }
    report.check("a line in use is told with its holder", holder_is_told());
    report.check("a missing line is told with the lines there are", missing_line_is_told());
    report.check("a missing chip is told with the chips there are", missing_chip_is_told(&chip));
    report.check("a user without permission is told how to get it", stranger_is_told());
    report.check("a failed opening takes no line", nothing_half_taken());
    report.check("a line goes by another name, and active may be low", wiring_is_followed(&chip));
    report.check("a name on two chips wants the chip named", two_chips(&chip));
    guarded::check(&mut report, &chip);
    report.check("the line of a killed process is released", kill::holder(&chip));
    Ok(report.end("the board"))
}

/// Opens a line and says how that went: for a user of its own.
pub(crate) fn open(line: &str) -> ExitCode {
    match GpioChip::open(&Wiring::default(), vec![output(line)]) {
        Ok(_) => println!("opened"),
        Err(error) => println!("{:?} {error}", error.kind),
    }
    ExitCode::SUCCESS
}

pub(crate) fn output(name: &str) -> LineSpec {
    LineSpec::output(name, Level::Low)
}

fn holder_is_told() -> Result<String, Failure> {
    let _held = GpioChip::open(&Wiring::default(), vec![output("LAMP")])?;

    let second = GpioChip::open(&Wiring::default(), vec![output("LAMP")]);

    told(second, BoardErrorKind::Busy, "in use by \"coinop\"")
}

fn missing_line_is_told() -> Result<String, Failure> {
    let opened = GpioChip::open(&Wiring::default(), vec![output("FAN")]);

    told(opened, BoardErrorKind::NoSuchLine, "there is LAMP, VALVE, LIGHT, DOOR")
}

fn missing_chip_is_told(chip: &SimulatedChip) -> Result<String, Failure> {
    let wiring = Wiring::by_name(Some("gpiochip77".to_owned()));

    told(GpioChip::open(&wiring, vec![output("LAMP")]), BoardErrorKind::NoSuchChip, &chip.name)
}

fn stranger_is_told() -> Result<String, Failure> {
    let stranger = Command::new(env::current_exe()?).args(["open", "LAMP"]).uid(STRANGER).output()?;

    let said = String::from_utf8_lossy(&stranger.stdout).trim().to_owned();
    ensure(said.starts_with("Permission") && said.contains("join its group"), || said.clone())?;
    Ok(said)
}

fn nothing_half_taken() -> Result<String, Failure> {
    let held = GpioChip::open(&Wiring::default(), vec![output("VALVE")])?;

    let both =
        GpioChip::open(&Wiring::default(), vec![LineSpec::input("LIGHT"), output("LAMP"), output("VALVE")]);

    told(both, BoardErrorKind::Busy, "VALVE")?;
    drop(held);
    GpioChip::open(&Wiring::default(), vec![output("LAMP"), LineSpec::input("LIGHT")])?;
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
        GpioChip::open(&Wiring::default(), vec![output("LAMP")]),
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
fn told(opened: Result<GpioChip, BoardError>, kind: BoardErrorKind, hint: &str) -> Result<String, Failure> {
    let error = opened.err().ok_or("it was opened")?;
    let text = error.to_string();
    ensure(error.kind == kind && text.contains(hint), || format!("{:?} {text}", error.kind))?;
    Ok(text)
}
