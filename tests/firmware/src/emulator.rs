use std::{
    io::{BufRead, BufReader, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{machine::Machine, report::Failure};

/// How long the emulator may be silent: a signature takes it well below a second.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest line that is read from it, in bytes.
const LONGEST: u64 = 64 * 1024;

/// A running machine: its serial wire, and its monitor. Killed when dropped.
pub(crate) struct Emulator {
    child: Child,
    wire: ChildStdin,
    lines: Receiver<String>,
    monitor: BufReader<UnixStream>,
    /// Holds the monitor's socket.
    _folder: TempDir,
}

impl Emulator {
    /// Starts the firmware. With `pace`, an instruction takes 2 to the power of it in nanoseconds of the
    /// machine's time, whatever the host is busy with.
    pub(crate) fn start(machine: &Machine, firmware: &str, pace: Option<u32>) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("monitor");
        let mut command = Command::new(machine.emulator);
        command.args(machine.arguments).args(["-kernel", firmware]);
        command.args(["-display", "none", "-no-reboot", "-serial", "stdio", "-monitor", "none"]);
        command.arg("-qmp").arg(format!("unix:{},server=on,wait=off", socket.display()));
        if let Some(shift) = pace {
            command.arg("-icount").arg(format!("shift={shift}"));
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{} cannot be started: {error}", machine.emulator))?;
        let (wire, lines) = match (child.stdin.take(), child.stdout.take()) {
            (Some(wire), Some(out)) => (wire, lines_of(out)),
            _ => return Err("the emulator has no wire".into()),
        };
        let monitor = match connect(&socket) {
            Ok(stream) => BufReader::new(stream),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        };
        let mut emulator = Self { child, wire, lines, monitor, _folder: folder };
        emulator.answer()?;
        emulator.ask(&json!({ "execute": "qmp_capabilities" }))?;
        Ok(emulator)
    }

    /// Sends bytes over the wire.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.wire.write_all(bytes)?;
        self.wire.flush()?;
        Ok(())
    }

    /// The next line from the wire.
    pub(crate) fn hear(&mut self) -> Result<Value, Failure> {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => serde_json::from_str(&line).map_err(|error| format!("{line:?}: {error}").into()),
            Err(RecvTimeoutError::Timeout) => Err(format!("the lamp was silent for {PATIENCE:?}").into()),
            Err(RecvTimeoutError::Disconnected) => Err("the emulator ended".into()),
        }
    }

    /// Reads a register of the machine from outside.
    pub(crate) fn register(&mut self, address: u32) -> Result<u32, Failure> {
        let look = format!("xp /1wx {address:#x}");
        let seen = self.ask(&json!({
            "execute": "human-monitor-command", "arguments": { "command-line": look },
        }))?;
        let text = seen.as_str().unwrap_or_default();
        let digits = text.trim().rsplit("0x").next().unwrap_or_default();
        u32::from_str_radix(digits, 16).map_err(|error| format!("the monitor says {text:?}: {error}").into())
    }

    fn ask(&mut self, question: &Value) -> Result<Value, Failure> {
        writeln!(self.monitor.get_mut(), "{question}")?;
        loop {
            let mut answer = self.answer()?;
            if let Some(error) = answer.get("error") {
                return Err(format!("the monitor refuses {question}: {error}").into());
            }
            // What is no answer is an event.
            if let Some(value) = answer.get_mut("return") {
                return Ok(value.take());
            }
        }
    }

    fn answer(&mut self) -> Result<Value, Failure> {
        let mut line = String::new();
        if self.monitor.by_ref().take(LONGEST).read_line(&mut line)? == 0 {
            return Err("the monitor is gone".into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.monitor.get_ref().shutdown(Shutdown::Both);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of the wire, as they come; at most so many wait to be heard.
fn lines_of(out: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = sync_channel(256);
    thread::spawn(move || {
        let mut out = BufReader::new(out);
        let mut line = String::new();
        while out.by_ref().take(LONGEST).read_line(&mut line).is_ok_and(|length| length > 0) {
            if send.send(std::mem::take(&mut line).trim().to_owned()).is_err() {
                return;
            }
        }
    });
    receive
}

/// The monitor, as soon as the emulator has opened it.
fn connect(socket: &std::path::Path) -> Result<UnixStream, Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        match UnixStream::connect(socket) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) if Instant::now() > until => {
                return Err(format!("the emulator opens no monitor: {error}").into());
            }
            Err(_not_yet) => thread::yield_now(),
        }
    }
}
