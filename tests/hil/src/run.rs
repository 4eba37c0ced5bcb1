use std::{
    fs,
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    kill,
    outside::micros,
    report::{Failure, ensure},
    story::Story,
};

/// How often to look whether the program has ended.
const LOOK: Duration = Duration::from_millis(5);

/// The program under test, and where the logs go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Program<'a> {
    pub(crate) path: &'a str,
    pub(crate) logs: &'a Path,
}

/// A run of the program.
pub(crate) struct Run {
    child: Child,
    told: PathBuf,
    complaint: PathBuf,
}

impl Program<'_> {
    /// Starts it; what it says goes to files of this name.
    pub(crate) fn start(self, name: &str, arguments: &[&str]) -> Result<Run, Failure> {
        let (told, complaint) = (self.log(name, "jsonl"), self.log(name, "stderr"));
        let mut command = Command::new(self.path);
        command.args(arguments).stdin(Stdio::null()).stdout(File::create(&told)?);
        let child = command.stderr(File::create(&complaint)?).spawn()?;
        Ok(Run { child, told, complaint })
    }

    /// A file of a run of this name.
    pub(crate) fn log(self, name: &str, what: &str) -> PathBuf {
        self.logs.join(format!("{name}.{what}"))
    }
}

impl Run {
    /// Waits for its end; what it has told.
    pub(crate) fn end(&mut self, patience: Duration) -> Result<Story, Failure> {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait()? {
                Some(status) => break status,
                None if start.elapsed() > patience => {
                    return Err(format!("the program has not ended after {patience:?}").into());
                }
                None => thread::sleep(LOOK),
            }
        };
        self.story(status)
    }

    fn story(&self, status: ExitStatus) -> Result<Story, Failure> {
        let told = fs::read_to_string(&self.told)?;
        let told = told.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok(Story { told, status, complaint: fs::read_to_string(&self.complaint)? })
    }

    /// Sends a signal; gives the moment before it, in microseconds.
    pub(crate) fn signal(&self, signal: Signal) -> Result<u64, Failure> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("no process")?;
        let sent = micros(SystemTime::now());
        kill_process(pid, signal)?;
        Ok(sent)
    }

    /// Kills it, and measures how long the witness behind `log` still saw its line on.
    pub(crate) fn kill(&mut self, log: &Path) -> Result<Duration, Failure> {
        kill::kill(&mut self.child, log)
    }

    /// Does something to a line by the program's own `poke`, in another process.
    pub(crate) fn poke(&self, program: Program<'_>, words: &[&str]) -> Result<(), Failure> {
        let pid = self.child.id().to_string();
        let out = Command::new(program.path).arg("poke").args(words).args(["--pid", &*pid]).output()?;
        ensure(out.status.success(), || String::from_utf8_lossy(&out.stderr).into_owned())
    }

    /// Fails when it has ended.
    pub(crate) fn must_play(&mut self) -> Result<(), Failure> {
        let ended = self.child.try_wait()?;
        ensure(ended.is_none(), || format!("the program has ended: {ended:?}"))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
