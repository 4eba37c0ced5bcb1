use std::{fs, io, path::PathBuf};

use coinop_hardware::plant::sysfs::SysfsWires;

const CONFIGFS: &str = "/sys/kernel/config/gpio-sim";

/// A chip simulated by the kernel (gpio-sim), as long as this value lives.
#[derive(Debug)]
pub(crate) struct SimulatedChip {
    folder: PathBuf,
    lines: Vec<String>,
    /// Its name, `gpiochip0`.
    pub(crate) name: String,
    /// Its sysfs folder, in which each line has one.
    sysfs: PathBuf,
}

impl SimulatedChip {
    /// Makes a chip with one line for each name.
    pub(crate) fn new(label: &str, lines: &[&str]) -> io::Result<Self> {
        let folder = PathBuf::from(CONFIGFS).join(label);
        let bank = folder.join("bank0");
        fs::create_dir(&folder)?;
        fs::create_dir(&bank)?;
        fs::write(bank.join("label"), label)?;
        fs::write(bank.join("num_lines"), lines.len().to_string())?;
        for (offset, line) in lines.iter().enumerate() {
            let line_folder = bank.join(format!("line{offset}"));
            fs::create_dir(&line_folder)?;
            fs::write(line_folder.join("name"), line)?;
        }
        fs::write(folder.join("live"), "1")?;
        let name = fs::read_to_string(bank.join("chip_name"))?.trim().to_owned();
        let device = fs::read_to_string(folder.join("dev_name"))?.trim().to_owned();
        let sysfs = PathBuf::from("/sys/devices/platform").join(device).join(&name);
        Ok(Self { folder, lines: lines.iter().map(ToString::to_string).collect(), name, sysfs })
    }

    /// The folder in which the kernel shows a line: `value` is its level, `pull` moves it.
    pub(crate) fn line(&self, name: &str) -> PathBuf {
        let offset = self.lines.iter().position(|line| line == name).unwrap_or(self.lines.len());
        self.sysfs.join(format!("sim_gpio{offset}"))
    }

    /// Takes it away, whoever has its lines.
    pub(crate) fn unplug(&self) -> io::Result<()> {
        fs::write(self.folder.join("live"), "0")
    }

    /// The world's end of its lines.
    pub(crate) fn wires(&self) -> SysfsWires {
        SysfsWires::new(self.lines.iter().map(|line| (line.clone(), self.line(line))))
    }
}

impl Drop for SimulatedChip {
    /// The kernel ends with the checks; what is left behind then only matters to the next chip of that name.
    fn drop(&mut self) {
        let bank = self.folder.join("bank0");
        let _ = fs::write(self.folder.join("live"), "0");
        for offset in 0..self.lines.len() {
            let _ = fs::remove_dir(bank.join(format!("line{offset}")));
        }
        let _ = fs::remove_dir(bank);
        let _ = fs::remove_dir(&self.folder);
    }
}
