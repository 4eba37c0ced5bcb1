//! The world's end of the kernel's simulated lines (gpio-sim), for a plant in a process of its own.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use coinop_core::board::{BoardError, BoardErrorKind, Level};

use super::Wires;

/// Simulated lines as sysfs shows them: an output is read from `value`, an input is moved by its `pull`.
#[derive(Clone, Debug)]
pub struct SysfsWires {
    lines: BTreeMap<String, PathBuf>,
}

impl SysfsWires {
    /// Wires whose lines lie in these folders, such as
    /// `/sys/devices/platform/gpio-sim.0/gpiochip0/sim_gpio4`, by the names they are to have here.
    pub fn new(lines: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        Self { lines: lines.into_iter().collect() }
    }

    fn folder(&self, line: &str) -> Result<&Path, BoardError> {
        self.lines.get(line).map(PathBuf::as_path).ok_or_else(|| {
            let known: Vec<&str> = self.lines.keys().map(String::as_str).collect();
            BoardError {
                line: line.to_owned(),
                kind: BoardErrorKind::NoSuchLine,
                message: format!("not wired; there is {}", known.join(", ")),
            }
        })
    }
}

impl Wires for SysfsWires {
    fn output(&self, line: &str) -> Result<Level, BoardError> {
        let path = self.folder(line)?.join("value");
        let value = fs::read_to_string(&path).map_err(|error| io_error(line, &path, &error))?;
        Ok(if value.trim() == "1" { Level::High } else { Level::Low })
    }

    fn poke(&self, line: &str, level: Level) -> Result<(), BoardError> {
        let path = self.folder(line)?.join("pull");
        let pull = match level {
            Level::High => "pull-up",
            Level::Low => "pull-down",
        };
        fs::write(&path, pull).map_err(|error| io_error(line, &path, &error))
    }
}

fn io_error(line: &str, path: &Path, error: &io::Error) -> BoardError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => BoardErrorKind::NoSuchChip,
        io::ErrorKind::PermissionDenied => BoardErrorKind::Permission,
        // The system's own list is open.
        _ => BoardErrorKind::Io,
    };
    BoardError { line: line.to_owned(), kind, message: format!("{}: {error}", path.display()) }
}
