//! What hardware this machine shows, and who may use it; nothing is taken, driven or changed.
//!
//! The root of the file system is an argument, so that a test can lay out another machine in a folder.

#[cfg(unix)]
mod access;
#[cfg(target_os = "linux")]
mod chip;

use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::{fs, io};

/// The most devices of a kind that are looked at.
#[cfg(unix)]
const DEVICES: usize = 64;
/// How the names of devices begin that a serial meter may be on.
#[cfg(unix)]
const SERIAL: &[&str] = &["ttyUSB", "ttyACM", "ttyAMA", "serial", "cu.usb"];

/// What a machine shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The GPIO chips in `/dev`.
    pub chips: Vec<Chip>,
    /// The chips that the kernel has and `/dev` does not show, by name.
    pub hidden: Vec<String>,
    /// The I2C buses in `/dev`.
    pub i2c: Vec<Device>,
    /// The serial devices in `/dev` that a meter may be on.
    pub serial: Vec<Device>,
    /// The devices in `/dev` through which the registers of a Raspberry Pi are written.
    pub registers: Vec<Device>,
    /// What the machine calls itself, where it has a device tree: `Raspberry Pi 4 Model B Rev 1.4`.
    pub model: Option<String>,
    /// The switch that keeps outputs driven when their program is gone, where it is on.
    pub keeps_outputs: Option<PathBuf>,
}

/// A GPIO chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// Its file.
    pub device: Device,
    /// The label its driver gave it; empty when it could not be asked.
    pub label: String,
    /// Its lines, in their order; none when it could not be asked.
    pub lines: Vec<Line>,
    /// Why it could not be asked, other than for permission.
    pub trouble: Option<String>,
    /// The links in `/dev` that are other names of it.
    pub links: Vec<String>,
}

/// A line of a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number on the chip.
    pub offset: u32,
    /// The kernel's name for it; may be empty.
    pub name: String,
    /// Who uses it.
    pub used_by: Option<User>,
}

/// Who uses a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum User {
    /// Somebody who gave this name.
    Named(String),
    /// Somebody without a name, mostly the kernel itself.
    Nameless,
}

/// A file in `/dev`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its path, as a program on that machine writes it.
    pub path: String,
    /// Whether it may be used.
    pub access: Access,
}

/// Whether this user may read and write a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Yes.
    Granted,
    /// Not yet: this group may, and the user is not in it.
    Group {
        /// The group's name.
        group: String,
        /// The user's name.
        user: String,
    },
    /// Not in this session: the user is in the group, but logged in before.
    Later {
        /// The group's name.
        group: String,
    },
    /// No group may: it belongs to its owner alone.
    Owner {
        /// The owner's name.
        owner: String,
    },
}

impl Survey {
    /// Looks at the machine whose file system begins at `root`.
    #[cfg(unix)]
    pub fn of(root: &Path) -> Self {
        let chips = chips(root);
        let shown = |name: &String| chips.iter().any(|chip| chip.device.name() == *name);
        let hidden = names(&root.join("sys/bus/gpio/devices"), &["gpiochip"]);
        let mut found = Self {
            hidden: hidden.into_iter().filter(|name| !shown(name)).collect(),
            i2c: devices(root, &["i2c-"]),
            serial: devices(root, SERIAL),
            registers: devices(root, &["gpiomem"]),
            model: fs::read_to_string(root.join("proc/device-tree/model"))
                .ok()
                .map(|model| model.trim_end_matches(['\0', '\n']).to_owned()),
            keeps_outputs: None,
            chips,
        };
        found.look_at_switches(root);
        found
    }

    /// There is nothing of this to look at here.
    #[cfg(not(unix))]
    pub fn of(_root: &Path) -> Self {
        Self::default()
    }

    #[cfg(target_os = "linux")]
    fn look_at_switches(&mut self, root: &Path) {
        self.keeps_outputs = crate::gpiochip::switch_under(&root.join("sys/module"));
    }

    #[cfg(all(unix, not(target_os = "linux")))]
    fn look_at_switches(&mut self, _root: &Path) {}

    /// The chips of this path, name or label; all when nothing is said.
    pub fn chosen<'a>(&'a self, wanted: Option<&'a str>) -> impl Iterator<Item = &'a Chip> {
        self.chips.iter().filter(move |chip| wanted.is_none_or(|wanted| chip.is_called(wanted)))
    }
}

impl Chip {
    /// Whether this is its path, name or label, or the path of a link to it.
    pub fn is_called(&self, wanted: &str) -> bool {
        let is_link = || self.links.iter().any(|link| link == wanted);
        self.device.path == wanted || self.device.name() == wanted || self.label == wanted || is_link()
    }
}

impl Device {
    /// The last part of its path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

#[cfg(target_os = "linux")]
fn chips(root: &Path) -> Vec<Chip> {
    let dev = root.join("dev");
    // A link is another name of a chip that is listed by its own.
    let (links, files): (Vec<_>, Vec<_>) =
        names(&dev, &["gpiochip"]).into_iter().partition(|name| dev.join(name).is_symlink());
    let is_of = |file: &str, link: &str| {
        dev.join(link)
            .canonicalize()
            .is_ok_and(|real| dev.join(file).canonicalize().is_ok_and(|it| it == real))
    };
    let links_of = |file: &str| {
        let links = links.iter().filter(|link| is_of(file, link));
        links.map(|link| format!("/dev/{link}")).collect()
    };
    files.iter().map(|name| Chip { links: links_of(name), ..chip::ask(root, device(root, name)) }).collect()
}

#[cfg(all(unix, not(target_os = "linux")))]
fn chips(_root: &Path) -> Vec<Chip> {
    Vec::new()
}

#[cfg(unix)]
fn devices(root: &Path, beginnings: &[&str]) -> Vec<Device> {
    names(&root.join("dev"), beginnings).iter().map(|name| device(root, name)).collect()
}

#[cfg(unix)]
fn device(root: &Path, name: &str) -> Device {
    Device { path: format!("/dev/{name}"), access: access::of(root, &root.join("dev").join(name)) }
}

/// The names in a folder that begin so, as a person sorts them; a folder that cannot be read has none.
#[cfg(unix)]
fn names(folder: &Path, beginnings: &[&str]) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names =
        entries.filter_map(|entry: io::Result<fs::DirEntry>| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> =
        names.filter(|name| beginnings.iter().any(|begin| name.starts_with(begin))).collect();
    names.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    names.truncate(DEVICES);
    names
}

#[cfg(test)]
mod tests;
