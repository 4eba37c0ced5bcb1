use std::{
    env, fs,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::FileExt,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use coinop_core::board::Level;

use crate::{report::Failure, world::Outdoors};

/// How often the witness looks.
const LOOK: Duration = Duration::from_micros(200);

/// A process of ours that runs beside the one under test, and ends with this value.
pub(crate) struct Outside(Child);

/// A level that the witness saw begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// When, in microseconds of the machine's clock.
    pub(crate) at_us: u64,
    /// The level.
    pub(crate) level: Level,
}

impl Outside {
    /// Starts a witness of the line in `folder`, which writes what it sees to `log`.
    pub(crate) fn witness(folder: &Path, log: &str) -> Result<Self, Failure> {
        File::create(log)?;
        Self::start(&["witness", &folder.join("value").to_string_lossy(), log])
    }

    /// Starts a world.
    pub(crate) fn world(world: &Outdoors) -> Result<Self, Failure> {
        Self::start(&["world", &serde_json::to_string(world)?])
    }

    /// Joins the input in the folder `to` to the output in the folder `from`.
    pub(crate) fn wire(from: &Path, to: &Path) -> Result<Self, Failure> {
        Self::start(&["wire", &from.join("value").to_string_lossy(), &to.join("pull").to_string_lossy()])
    }

    /// Ends the process by closing its input, and gives what it said last.
    pub(crate) fn end(mut self) -> Result<String, Failure> {
        drop(self.0.stdin.take());
        let mut said = String::new();
        if let Some(stdout) = &mut self.0.stdout {
            stdout.read_to_string(&mut said)?;
        }
        self.0.wait()?;
        Ok(said.trim().to_owned())
    }

    fn start(words: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(env::current_exe()?);
        Ok(Self(command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?))
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Seen {
    /// Reads a witness's file; a line that is still being written is left for later.
    pub(crate) fn all(log: &str) -> Result<Vec<Self>, Failure> {
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        whole.lines().map(Self::one).collect()
    }

    fn one(line: &str) -> Result<Self, Failure> {
        let (at_us, level) = line.split_once(' ').ok_or_else(|| format!("the witness wrote {line:?}"))?;
        let level = match level {
            "high" => Level::High,
            "low" => Level::Low,
            other => return Err(format!("the witness wrote {other:?}").into()),
        };
        Ok(Self { at_us: at_us.parse()?, level })
    }
}

/// Watches a line through sysfs, which the code under test does not use, until its input closes.
pub(crate) fn witness(value: &str, log: &str) -> Result<ExitCode, Failure> {
    let (mut log, value) = (OpenOptions::new().append(true).create(true).open(log)?, File::open(value)?);
    let stop = stop_when_input_closes();
    let mut last = None;
    while !stop.is_finished() {
        let level = level(&value)?;
        if last.replace(level) != Some(level) {
            log.write_all(format!("{} {level}\n", micros(SystemTime::now())).as_bytes())?;
        }
        thread::sleep(LOOK);
    }
    Ok(ExitCode::SUCCESS)
}

/// Is a wire from an output to an input, until its input closes.
pub(crate) fn wire(from: &str, to: &str) -> Result<ExitCode, Failure> {
    let from = File::open(from)?;
    let stop = stop_when_input_closes();
    let mut last = None;
    while !stop.is_finished() {
        let level = level(&from)?;
        if last.replace(level) != Some(level) {
            fs::write(to, if level == Level::High { "pull-up" } else { "pull-down" })?;
        }
        thread::sleep(LOOK);
    }
    Ok(ExitCode::SUCCESS)
}

fn level(value: &File) -> io::Result<Level> {
    let mut text = [0; 1];
    value.read_exact_at(&mut text, 0)?;
    Ok(if text == *b"1" { Level::High } else { Level::Low })
}

/// Microseconds since the epoch.
pub(crate) fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// Ends when its input does.
pub(crate) fn stop_when_input_closes() -> thread::JoinHandle<()> {
    thread::spawn(|| {
        // Closed or broken, it is the end either way.
        let _ = io::stdin().read_to_end(&mut Vec::new());
    })
}
