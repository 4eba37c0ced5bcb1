use std::{
    io::{BufRead, BufReader, Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, sync_channel},
    thread,
    time::{Duration, Instant},
};

use coinop_core::board::Level;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{GO, GUEST, MARK, PIN, Phase};
use crate::report::{Failure, ensure};

const EMULATOR: &str = "qemu-system-aarch64";
/// How long the guest may take from one phase to the next: it starts in twenty seconds, and in more on a machine that is busy.
const PHASE: Duration = Duration::from_mins(4);
/// How long the emulator's monitor may take.
const PATIENCE: Duration = Duration::from_mins(1);
/// The longest line that is read, in bytes, and how many may wait.
const LONGEST: u64 = 64 * 1024;
const WAITING: usize = 256;
/// The chip's registers, in its memory: the function of lines 10 to 19, the levels of lines 0 to 31.
const FUNCTION: u32 = 0x3f20_0004;
const LEVELS: u32 = 0x3f20_0034;

/// A running Pi, its serial wire, and the view from outside. Switched off when dropped.
pub(super) struct Emulator {
    child: Child,
    wire: ChildStdin,
    lines: Receiver<String>,
    monitor: BufReader<UnixStream>,
    /// Holds the monitor's socket.
    _folder: TempDir,
}

impl Emulator {
    /// Starts a Pi with a kernel, its device tree, its first files, and a word to the kernel.
    pub(super) fn start(kernel: &str, tree: &str, initramfs: &str, word: &str) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("monitor");
        let mut child = Command::new(EMULATOR)
            .args(["-M", "raspi3b", "-m", "1G", "-kernel", kernel, "-dtb", tree, "-initrd", initramfs])
            .arg("-append")
            .arg(format!("console=ttyS1,115200 loglevel=1 panic=1 {word} rdinit=/init -- {GUEST}"))
            .args(["-display", "none", "-no-reboot", "-monitor", "none", "-nic", "none"])
            // The first serial port hears nothing: the kernel keeps it for the Pi's Bluetooth.
            .args(["-serial", "null", "-serial", "stdio"])
            .arg("-qmp")
            .arg(format!("unix:{},server=on,wait=off", socket.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{EMULATOR} cannot be started: {error}"))?;
        let (Some(wire), Some(out)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the emulator has no wire".into());
        };
        let monitor = match connect(&socket) {
            Ok(stream) => BufReader::new(stream),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                return Err(error);
            }
        };
        let mut emulator = Self { child, wire, lines: lines_of(out), monitor, _folder: folder };
        emulator.answer()?;
        emulator.ask(&json!({ "execute": "qmp_capabilities" }))?;
        Ok(emulator)
    }

    /// Waits until the guest is there: what it adds. Whatever else is on the wire is printed.
    pub(super) fn reaches(&mut self, phase: Phase) -> Result<String, Failure> {
        let until = Instant::now() + PHASE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).map_err(|error| match error {
                RecvTimeoutError::Timeout => format!("the guest is not {} after {PHASE:?}", phase.word()),
                RecvTimeoutError::Disconnected => "the emulator ended".to_owned(),
            })?;
            if let Some(note) = arrived(&line, phase)? {
                return Ok(note);
            }
        }
    }

    /// Lets the guest go on.
    pub(super) fn go(&mut self) -> Result<(), Failure> {
        writeln!(self.wire, "{GO}")?;
        Ok(self.wire.flush()?)
    }

    /// The lamp's pin, as the chip has it.
    pub(super) fn lamp(&mut self) -> Result<Level, Failure> {
        let levels = self.register(LEVELS)?;
        Ok(if levels >> PIN & 1 == 1 { Level::High } else { Level::Low })
    }

    /// Whether the chip drives the lamp's pin.
    pub(super) fn is_output(&mut self) -> Result<bool, Failure> {
        Ok(self.register(FUNCTION)? >> (PIN % 10 * 3) & 0b111 == 0b001)
    }

    fn register(&mut self, address: u32) -> Result<u32, Failure> {
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
        ensure(self.monitor.by_ref().take(LONGEST).read_line(&mut line)? > 0, || {
            "the monitor is gone".to_owned()
        })?;
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

/// What the guest adds, if this line says that it is there; an error, if it is elsewhere.
fn arrived(line: &str, phase: Phase) -> Result<Option<String>, Failure> {
    // The console repeats what it is told.
    if line.is_empty() || line == GO {
        return Ok(None);
    }
    let Some((_, said)) = line.split_once(MARK) else {
        println!("console {line}");
        return Ok(None);
    };
    let (word, note) = said.trim_start().split_once(' ').unwrap_or((said.trim(), ""));
    ensure(word == phase.word(), || format!("the guest says {said:?}; it is not {}", phase.word()))?;
    Ok(Some(note.to_owned()))
}

/// The lines of the wire, as they come.
fn lines_of(out: impl Read + Send + 'static) -> Receiver<String> {
    let (send, receive) = sync_channel(WAITING);
    thread::spawn(move || {
        let mut out = BufReader::new(out);
        let mut line = Vec::new();
        while out.by_ref().take(LONGEST).read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
            let text = String::from_utf8_lossy(&line).trim().to_owned();
            line.clear();
            if send.send(text).is_err() {
                return;
            }
        }
    });
    receive
}

/// The monitor, as soon as the emulator has opened it.
fn connect(socket: &Path) -> Result<UnixStream, Failure> {
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
            Err(_not_yet) => thread::sleep(Duration::from_millis(5)),
        }
    }
}
