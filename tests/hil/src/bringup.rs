use std::{
    fs, io,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use coinop_core::board::{Direction, Level};
use coinop_hardware::{board_file::BoardFile, plant::Wires};
use serde_json::Value;

use crate::{
    board::SETTLE,
    chip::SimulatedChip,
    report::{Failure, Report, ensure},
};

/// The board whose file ships for such a chip.
const BOARD: &str = "gpio-sim";
/// How long an output is on, as the program is told.
const ON: Duration = Duration::from_millis(300);
/// How much longer or shorter that may look from outside, with one processor that others use as well.
const LATENESS: Duration = Duration::from_millis(100);
/// How long a test of all lines may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often the witness looks.
const LOOK: Duration = Duration::from_micros(500);

/// A chip with every line of the board, seen from outside.
struct Rig {
    chip: SimulatedChip,
    outputs: Vec<String>,
    inputs: Vec<String>,
}

/// A change of an output that the witness saw.
#[derive(Clone, Debug)]
struct Seen {
    line: String,
    level: Level,
    at: Instant,
}

/// What one test showed: what the program says, and what was seen of it.
struct Tested {
    status: ExitStatus,
    said: Value,
    seen: Vec<Seen>,
}

/// What `coinop board` does to the kernel's lines, and says of them.
pub(crate) fn check(report: &mut Report, program: &str) -> Result<(), Failure> {
    let rig = Rig::new()?;
    report.check("board list: the board file of such a chip fits", rig.is_listed(program));
    let tested = rig.test(program, &["--strict"], Hand::Moves)?;
    report.check(
        "board test: the witness sees each output go on once, alone and for its time",
        rig.walked(&tested),
    );
    report.check(
        "board test: the inputs that a hand moves are told, and the board passes",
        rig.passed(&tested),
    );
    report
        .check("board test: inputs that nobody moves fail only when that is asked for", rig.silent(program));
    report
        .check("board test: interrupted while an output is on, it leaves it safe", rig.interrupted(program));
    Ok(())
}

/// Whether somebody moves the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hand {
    Moves,
    Rests,
}

impl Rig {
    fn new() -> Result<Self, Failure> {
        let file = BoardFile::load(BOARD)?;
        let (mut outputs, mut inputs) = (Vec::new(), Vec::new());
        for (spec, _) in file.lines() {
            match spec.direction {
                Direction::Output => outputs.push(spec.name.clone()),
                Direction::Input => inputs.push(spec.name.clone()),
            }
        }
        let names: Vec<&str> = outputs.iter().chain(&inputs).map(String::as_str).collect();
        Ok(Self { chip: SimulatedChip::new("coinop-rig", &names)?, outputs, inputs })
    }

    fn is_listed(&self, program: &str) -> Result<String, Failure> {
        let out = Command::new(program).args(["board", "list", "--json"]).output()?;
        let said: Value = serde_json::from_slice(&out.stdout)?;
        let boards = said["boards"].as_array().ok_or("no boards")?;
        let fits = |name: &str| boards.iter().any(|board| board["name"] == name && board["fits"] == true);
        ensure(fits(BOARD) && fits("gpiochip") && !fits("pi") && !fits("rpi"), || said.to_string())?;
        Ok(format!("{} lines on {}", self.outputs.len() + self.inputs.len(), self.chip.name))
    }

    /// Runs the test to its end, watches every output, and moves the inputs once the outputs had their turn.
    fn test(&self, program: &str, words: &[&str], hand: Hand) -> Result<Tested, Failure> {
        let on = format!("{}ms", ON.as_millis());
        let mut command = Command::new(program);
        command.args(["board", "test", BOARD, "--yes", "--json", "--on", &on, "--wait"]);
        command.arg(if hand == Hand::Moves { "20s" } else { "200ms" }).args(words);
        let mut program = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut witness = Witness::new(self)?;
        let begun = Instant::now();
        let mut is_moved = hand == Hand::Rests;
        let status = loop {
            witness.look()?;
            if let Some(status) = program.try_wait()? {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                return Err(give_up(&mut program, "it goes on and on"));
            }
            if !is_moved && witness.seen.len() >= 2 * self.outputs.len() {
                is_moved = true;
                self.move_inputs()?;
            }
            thread::sleep(LOOK);
        };
        witness.look()?;
        let said = io::read_to_string(program.stdout.take().ok_or("no output")?)?;
        Ok(Tested { status, said: serde_json::from_str(&said)?, seen: witness.seen })
    }

    fn move_inputs(&self) -> Result<(), Failure> {
        let wires = self.chip.wires();
        for level in [Level::High, Level::Low] {
            for line in &self.inputs {
                wires.poke(line, level)?;
                thread::sleep(SETTLE);
            }
        }
        Ok(())
    }

    fn walked(&self, tested: &Tested) -> Result<String, Failure> {
        let seen = &tested.seen;
        let told = || format!("{:?}", seen.iter().map(|seen| (&seen.line, seen.level)).collect::<Vec<_>>());
        ensure(seen.len() == 2 * self.outputs.len(), told)?;
        for line in &self.outputs {
            let own: Vec<_> = (0..seen.len()).filter(|place| seen[*place].line == *line).collect();
            let &[on, off] = &own[..] else { return Err(format!("{line}: {}", told()).into()) };
            // Nothing else moved while it was on.
            let is_alone = off == on + 1 && seen[on].level == Level::High && seen[off].level == Level::Low;
            ensure(is_alone, || format!("{line}: {}", told()))?;
            let lasted = seen[off].at.duration_since(seen[on].at);
            ensure(lasted.abs_diff(ON) <= LATENESS, || format!("{line} was on for {lasted:?}, not {ON:?}"))?;
        }
        Ok(format!("{} outputs, {ON:?} each", self.outputs.len()))
    }

    fn passed(&self, tested: &Tested) -> Result<String, Failure> {
        let lines = tested.said["board_test"]["lines"].as_array().ok_or("no lines")?;
        let well = lines.iter().filter(|line| line["state"] == "ok").count();
        ensure(tested.status.success(), || format!("{}: {}", tested.status, tested.said))?;
        ensure(well == self.outputs.len() + self.inputs.len(), || tested.said.to_string())?;
        Ok(format!("{well} lines ok"))
    }

    fn silent(&self, program: &str) -> Result<String, Failure> {
        let lenient = self.test(program, &["LAMP", "DOOR"], Hand::Rests)?;
        let strict = self.test(program, &["LAMP", "DOOR", "--strict"], Hand::Rests)?;
        for (tested, code) in [(lenient, 0), (strict, 1)] {
            let states: Vec<_> =
                (0..2).map(|line| &tested.said["board_test"]["lines"][line]["state"]).collect();
            ensure(states == ["ok", "silent"], || tested.said.to_string())?;
            ensure(tested.status.code() == Some(code), || tested.status.to_string())?;
        }
        Ok(String::new())
    }

    fn interrupted(&self, program: &str) -> Result<String, Failure> {
        let mut command = Command::new(program);
        command.args(["board", "test", BOARD, "LOCK", "--yes", "--on", "10s"]);
        let mut program = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let begun = Instant::now();
        while self.chip.wires().output("LOCK")? == Level::Low {
            if begun.elapsed() > PATIENCE || program.try_wait()?.is_some() {
                return Err(give_up(&mut program, "LOCK never went on"));
            }
            thread::sleep(LOOK);
        }
        let killed =
            Command::new("/bin/busybox").args(["kill", "-INT", &program.id().to_string()]).status()?;
        let interrupted = Instant::now();
        let status = program.wait()?;
        let after = interrupted.elapsed();

        ensure(killed.success() && status.code() == Some(1), || format!("it ended with {status}"))?;
        ensure(self.chip.wires().output("LOCK")? == Level::Low, || "LOCK is still on".to_owned())?;
        Ok(format!("off and gone after {} ms", after.as_millis()))
    }
}

/// Looks at every output through sysfs, which the program does not use.
struct Witness {
    values: Vec<(String, PathBuf, String)>,
    seen: Vec<Seen>,
}

impl Witness {
    fn new(rig: &Rig) -> Result<Self, Failure> {
        let mut values = Vec::new();
        for line in &rig.outputs {
            let value = rig.chip.line(line).join("value");
            let now = fs::read_to_string(&value)?;
            ensure(now.trim() == "0", || format!("{line} is on before the test"))?;
            values.push((line.clone(), value, now));
        }
        Ok(Self { values, seen: Vec::new() })
    }

    fn look(&mut self) -> Result<(), Failure> {
        for (line, path, last) in &mut self.values {
            let value = fs::read_to_string(&*path)?;
            if value != *last {
                let level = if value.trim() == "1" { Level::High } else { Level::Low };
                self.seen.push(Seen { line: line.clone(), level, at: Instant::now() });
                *last = value;
            }
        }
        Ok(())
    }
}

fn give_up(program: &mut Child, why: &str) -> Failure {
    // It may have ended by itself.
    let _ = program.kill();
    let _ = program.wait();
    why.into()
}
