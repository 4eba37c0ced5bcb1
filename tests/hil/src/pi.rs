use std::{
    env, fs,
    fs::File,
    io::{self, BufRead, BufReader, Write as _},
    os::unix::fs::FileExt as _,
    process::{Command, ExitCode, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use coinop_core::{
    Timestamp,
    board::{Board, BoardError, BoardErrorKind, Edge, Level, LineSpec},
};
use coinop_hardware::{
    board_file::BoardFile,
    contract::{self, Bench},
    driver::Driver,
    plant::Wires,
    wiring::{Active, Spot, Wire, Wiring},
};

use crate::{
    board::{SETTLE, level_of, output, told},
    chip::SimulatedChip,
    report::{Failure, Report, ensure},
};

/// What rppal maps.
const REGISTERS: &str = "/dev/gpiomem";
/// What rppal asks which Pi this is.
const CPUINFO: &str = "/proc/cpuinfo";
/// The registers of lines 0 to 31, by their place in bytes: function, set, clear, level.
const FUNCTION: u64 = 0x00;
const SET: u64 = 0x1c;
const CLEAR: u64 = 0x28;
const LEVEL: u64 = 0x34;
/// The pins of the contract's lines.
const PINS: &[(&str, u32)] = &[("LAMP", 17), ("VALVE", 22), ("LIGHT", 27), ("DOOR", 5)];

/// A machine that looks like a Raspberry Pi to rppal, as long as this value lives. The kernel's lines are
/// simulated; the registers are a file, and this is the chip behind them.
struct FakePi {
    chip: SimulatedChip,
    registers: Arc<Registers>,
    active: Active,
}

/// The chip behind a file of registers. A file keeps what is written, and a chip does something about it:
/// [`step`](Registers::step) does what the chip does, and is called after each write.
struct Registers {
    file: File,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What each line gives while it is an output.
    latch: u32,
    /// What each line has while it is an input: what the world drives, and the external pulls.
    world: u32,
    /// Two writes came between two steps, so nobody knows which was the later.
    blurred: bool,
}

/// A board whose registers are stepped after each of its writes.
struct Clocked {
    board: Option<Box<dyn Board>>,
    registers: Arc<Registers>,
}

/// Holds the rpi board to the board contract on a faked Pi, and shows its danger.
pub(crate) fn check(report: &mut Report) -> Result<(), Failure> {
    let nowhere = Driver::Rpi.open(&Wiring::default(), vec![output("GPIO17")]);
    report.check(
        "rpi: a machine that is no Pi is told so",
        told(nowhere, BoardErrorKind::NoSuchChip, "no Raspberry Pi"),
    );
    for (active, name) in [(Active::High, "rpi"), (Active::Low, "rpi, active low")] {
        report.board(name, contract::hold(&FakePi::new(active)?));
    }
    let pi = FakePi::new(Active::High)?;
    report.check("rpi: a second process is refused, with the holder's name", pi.another_process());
    report.check("rpi: a line that the header does not have is told so", pi.no_such_pin());
    report.check("the board relay-hat drives its relays active low", pi.relay_hat());
    report.check("DANGER, as documented: the pin of a killed rpi process stays driven", pi.killed());
    Ok(())
}

/// Opens one line by its name on the header, drives it when told to, and keeps it until killed.
pub(crate) fn hold(line: &str) -> Result<ExitCode, Failure> {
    let mut board = Driver::Rpi.open(&Wiring::default(), vec![output(line)])?;
    println!("opened");
    io::stdin().read_line(&mut String::new())?;
    board.drive(line, Level::High)?;
    println!("driven");
    loop {
        thread::park();
    }
}

impl FakePi {
    fn new(active: Active) -> Result<Self, Failure> {
        let names: Vec<String> = (0..54).map(|line| format!("GPIO{line}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        fs::write(REGISTERS, [0; 4096])?;
        fs::write("/tmp/cpuinfo", "Revision\t: a02082\nModel\t\t: Raspberry Pi 3 Model B Rev 1.2\n")?;
        mount(&["mount", "--bind", "/tmp/cpuinfo", CPUINFO])?;
        let file = File::options().read(true).write(true).open(REGISTERS)?;
        let registers = Arc::new(Registers { file, state: Mutex::default() });
        let pi = Self { chip: SimulatedChip::new("pinctrl-bcm2835", &names)?, registers, active };
        for spec in contract::lines() {
            // The external pull of an actuator to its safe level.
            pi.registers.world(pin(&spec.name)?, pi.volts(spec.safe));
        }
        Ok(pi)
    }

    fn volts(&self, level: Level) -> Level {
        level_of(self.active, level)
    }

    fn wiring(&self) -> Wiring {
        let wire = |(line, pin): &(&str, u32)| {
            let wire = Wire { spot: Some(Spot::Offset(*pin)), active: self.active, ..Wire::default() };
            ((*line).to_owned(), wire)
        };
        Wiring { chip: None, lines: PINS.iter().map(wire).collect() }
    }

    fn another_process(&self) -> Result<String, Failure> {
        let _held = self.open()?;

        let other = Command::new(env::current_exe()?).args(["open", "rpi", "GPIO17"]).output()?;

        let said = String::from_utf8_lossy(&other.stdout).trim().to_owned();
        ensure(said.starts_with("Busy") && said.contains("in use by \"coinop\""), || said.clone())?;
        ensure(self.output("LAMP")? == Level::Low, || "it moved the lamp".to_owned())?;
        Ok(said)
    }

    #[expect(clippy::unused_self, reason = "there has to be a Pi")]
    fn no_such_pin(&self) -> Result<String, Failure> {
        let opened = Driver::Rpi.open(&Wiring::default(), vec![output("LAMP")]);

        told(opened, BoardErrorKind::NoSuchLine, "GPIO0 to GPIO27")
    }

    fn relay_hat(&self) -> Result<String, Failure> {
        let file = BoardFile::load("relay-hat")?;
        let (wiring, lines) = file.fit(&[output("LAMP")])?;
        let mut board = file.driver().open(&wiring, lines)?;
        let channel = || self.chip.wires().output("GPIO26");

        ensure(channel()? == Level::High, || "off is not a high voltage".to_owned())?;
        board.drive("LAMP", Level::High)?;
        ensure(channel()? == Level::Low, || "on is not a low voltage".to_owned())?;
        Ok(String::new())
    }

    /// What the documentation warns of is a fact, and the next owner begins safe.
    fn killed(&self) -> Result<String, Failure> {
        let mut holder = Command::new(env::current_exe()?)
            .args(["hold-pi", "GPIO17"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut said = BufReader::new(holder.stdout.take().ok_or("no output")?).lines();
        let mut hear = || said.next().transpose().map(Option::unwrap_or_default);
        let opened = hear()?;
        ensure(opened == "opened", || format!("the holder said {opened:?}"))?;
        self.registers.step()?;
        holder.stdin.take().ok_or("no input")?.write_all(b"\n")?;
        let driven = hear()?;
        ensure(driven == "driven" && self.output("LAMP")? == Level::High, || format!("{driven:?}, not on"))?;

        holder.kill()?;
        holder.wait()?;
        thread::sleep(SETTLE);

        ensure(self.registers.is_output(17)?, || "it is no output any more".to_owned())?;
        ensure(self.output("LAMP")? == Level::High, || "it is off".to_owned())?;
        drop(self.open()?);
        ensure(self.output("LAMP")? == Level::Low, || "the next owner leaves it on".to_owned())?;
        Ok(format!("GPIO17 is an output and high {SETTLE:?} after SIGKILL; the next owner puts it off"))
    }
}

impl Wires for FakePi {
    fn output(&self, line: &str) -> Result<Level, BoardError> {
        self.registers.step()?;
        Ok(self.volts(self.registers.level(pin(line)?)?))
    }

    fn poke(&self, line: &str, level: Level) -> Result<(), BoardError> {
        let pin = pin(line)?;
        self.registers.world(pin, self.volts(level));
        self.registers.step()?;
        // rppal reads the register, and hears of edges from the kernel.
        self.chip.wires().poke(&format!("GPIO{pin}"), self.volts(level))
    }
}

impl Bench for FakePi {
    fn open(&self) -> Result<Box<dyn Board>, BoardError> {
        let board = Driver::Rpi.open(&self.wiring(), contract::lines());
        self.registers.step()?;
        Ok(Box::new(Clocked { board: Some(board?), registers: Arc::clone(&self.registers) }))
    }

    fn settle(&self) {
        thread::sleep(SETTLE);
    }
}

impl Drop for FakePi {
    /// The machine is no Pi again; what fails shows in the next check.
    fn drop(&mut self) {
        let _ = mount(&["umount", CPUINFO]);
        let _ = fs::remove_file(REGISTERS);
    }
}

impl Clocked {
    fn board(&mut self) -> Result<&mut Box<dyn Board>, BoardError> {
        self.board.as_mut().ok_or_else(|| failure("the board is gone"))
    }
}

impl Board for Clocked {
    fn lines(&self) -> &[LineSpec] {
        self.board.as_ref().map_or(&[], |board| board.lines())
    }

    fn read(&mut self, line: &str) -> Result<Level, BoardError> {
        self.board()?.read(line)
    }

    fn drive(&mut self, line: &str, level: Level) -> Result<(), BoardError> {
        self.board()?.drive(line, level)?;
        self.registers.step()
    }

    fn edges(&mut self, now: Timestamp) -> Result<Vec<Edge>, BoardError> {
        self.board()?.edges(now)
    }
}

impl Drop for Clocked {
    fn drop(&mut self) {
        drop(self.board.take());
        // Whoever looks next is told.
        let _ = self.registers.step();
    }
}

impl Registers {
    /// Does what the chip does about what was written: a set and a clear register change the levels of
    /// outputs, and read as nothing; the level register shows the voltage of every line.
    fn step(&self) -> Result<(), BoardError> {
        let mut state = self.state();
        let (set, clear) = (self.get(SET)?, self.get(CLEAR)?);
        self.put(SET, 0)?;
        self.put(CLEAR, 0)?;
        state.blurred |= set & clear != 0;
        state.latch = (state.latch | set) & !clear;
        let mut levels = state.world;
        for pin in 0..28 {
            if self.is_output(pin)? {
                levels = levels & !(1 << pin) | state.latch & 1 << pin;
            }
        }
        self.put(LEVEL, levels)?;
        if state.blurred {
            Err(failure("a line was set and cleared at once; which was later?"))
        } else {
            Ok(())
        }
    }

    fn is_output(&self, pin: u32) -> Result<bool, BoardError> {
        let function = self.get(FUNCTION + u64::from(pin / 10) * 4)?;
        Ok(function >> (pin % 10 * 3) & 0b111 == 0b001)
    }

    fn level(&self, pin: u32) -> Result<Level, BoardError> {
        Ok(if self.get(LEVEL)? >> pin & 1 == 1 { Level::High } else { Level::Low })
    }

    fn world(&self, pin: u32, level: Level) {
        let mut state = self.state();
        match level {
            Level::High => state.world |= 1 << pin,
            Level::Low => state.world &= !(1 << pin),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, place: u64) -> Result<u32, BoardError> {
        let mut bytes = [0; 4];
        self.file.read_exact_at(&mut bytes, place).map_err(|error| failure(&error.to_string()))?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn put(&self, place: u64, value: u32) -> Result<(), BoardError> {
        self.file.write_all_at(&value.to_le_bytes(), place).map_err(|error| failure(&error.to_string()))
    }
}

fn pin(line: &str) -> Result<u32, BoardError> {
    let known = PINS.iter().find(|(name, _)| *name == line);
    known.map(|(_, pin)| *pin).ok_or_else(|| failure(&format!("{line} is not wired")))
}

fn failure(message: &str) -> BoardError {
    BoardError { line: REGISTERS.to_owned(), kind: BoardErrorKind::Io, message: message.to_owned() }
}

fn mount(words: &[&str]) -> Result<(), Failure> {
    let done = Command::new("/bin/busybox").args(words).status()?;
    ensure(done.success(), || format!("busybox {}: {done}", words.join(" ")))
}
