//! Chips, lines and devices, judged.

use std::collections::BTreeSet;

use coinop_hardware::{
    survey::{Access, Chip, Device, Survey, User},
    wiring::Wiring,
};

use super::{
    facts::Machine,
    judge::{Finding, State},
};

/// How many names a finding lists.
const NAMES: usize = 12;

/// What belongs to a kind of device: its name in rules of udev, and the group that usually has it.
struct Family {
    about: &'static str,
    subsystem: &'static str,
    group: &'static str,
}

const CHIPS: Family = Family { about: "chips", subsystem: "gpio", group: "gpio" };
const I2C: Family = Family { about: "i2c", subsystem: "i2c-dev", group: "i2c" };
const REGISTERS: Family = Family { about: "rpi", subsystem: "*gpiomem*", group: "gpio" };
const SERIAL: Family = Family { about: "serial", subsystem: "tty", group: "dialout" };

/// Which chips a run would use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chosen<'a> {
    /// None: the board is simulated.
    Nothing,
    /// Whichever has the lines.
    Any,
    /// All of these, by path, name or label.
    Chips(BTreeSet<&'a str>),
}

impl<'a> Chosen<'a> {
    /// The chips that a wiring names; whichever has the lines when it names none.
    pub(super) fn by(wiring: &'a Wiring) -> Self {
        let of_lines = wiring.lines.values().filter_map(|wire| wire.chip.as_deref());
        let named: BTreeSet<&str> = of_lines.chain(wiring.chip.as_deref()).collect();
        if named.is_empty() { Self::Any } else { Self::Chips(named) }
    }

    const fn is_needed(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Any | Self::Chips(_) => true,
        }
    }

    /// How it is that a chip may not be used, while another one may be or not.
    fn harm(&self, chip: &Chip, another_is_usable: bool) -> State {
        let is_harm = match self {
            Self::Nothing => false,
            Self::Any => !another_is_usable,
            Self::Chips(named) => named.iter().any(|name| chip.is_called(name)),
        };
        if is_harm { State::Wrong } else { State::Note }
    }
}

/// The chips.
pub(super) fn chips(machine: &Machine, chosen: &Chosen<'_>) -> Vec<Finding> {
    let needed = if chosen.is_needed() { State::Wrong } else { State::Note };
    if machine.system != "linux" {
        let what = format!("GPIO chips are there on Linux only, and this is {}", machine.system);
        let mend = "play with --board sim here, and on a Pi with lines";
        return vec![Finding::new(needed, "chips", what, mend)];
    }
    let mut found = Vec::new();
    if !machine.has_null {
        found.push(bare(machine));
    }
    let survey = &machine.survey;
    if survey.chips.is_empty() {
        found.push(no_chip(machine, needed));
        return found;
    }
    if let Chosen::Chips(named) = chosen {
        let missing = named.iter().filter(|name| survey.chosen(Some(name)).next().is_none());
        found.extend(missing.map(|name| other_chips(survey, name)));
    }
    let usable = survey.chips.iter().any(is_usable);
    for chip in &survey.chips {
        found.push(chip_finding(chip, chosen.harm(chip, usable)));
        found.extend(in_use(chip));
    }
    if let Some(switch) = &survey.keeps_outputs {
        let state = if chosen.is_needed() { State::Warning } else { State::Note };
        let what =
            format!("this kernel keeps outputs driven when their program is killed ({})", switch.display());
        let mend = "put dtparam=strict_gpiod into /boot/firmware/config.txt and start the Pi again";
        found.push(Finding::new(state, "kill", what, mend));
    }
    found
}

/// The registers of a Pi's header, which the rpi driver writes.
pub(super) fn registers(survey: &Survey) -> Finding {
    let is_called = |model: &str| survey.model.as_ref().is_some_and(|name| name.starts_with(model));
    let newest = ["Raspberry Pi 5", "Raspberry Pi Compute Module 5"].into_iter().any(is_called);
    let path = if newest { "/dev/gpiomem0" } else { "/dev/gpiomem" };
    let Some(device) = survey.registers.iter().find(|device| device.path == path) else {
        let what = format!("there is no {path}; without it root alone gets at the registers, by /dev/mem");
        let mend = "use the kernel of Raspberry Pi OS, or --board gpiochip, which needs no registers";
        return Finding::new(State::Warning, "rpi", what, mend);
    };
    refused(device, &REGISTERS, State::Wrong)
        .unwrap_or_else(|| Finding::ok("rpi", format!("{path}: the registers may be written")))
}

pub(super) fn is_usable(chip: &Chip) -> bool {
    chip.device.access == Access::Granted && chip.trouble.is_none()
}

/// A `/dev` that is not the machine's.
fn bare(machine: &Machine) -> Finding {
    let (place, mend) = match &machine.container {
        Some(name) => (
            format!("this container ({name})"),
            "start the container with its usual /dev, and each device by --device /dev/NAME",
        ),
        None => ("this process".to_owned(), "sudo mount -t devtmpfs devtmpfs /dev"),
    };
    let what = format!("/dev of {place} is not the machine's: it lacks even /dev/null");
    Finding::new(State::Warning, "/dev", what, mend)
}

fn no_chip(machine: &Machine, state: State) -> Finding {
    let hidden = &machine.survey.hidden;
    if let Some(first) = hidden.first() {
        let what = format!("the kernel has {}, but /dev does not show it", some(hidden));
        let mend = if machine.container.is_some() || !machine.has_null {
            format!("start the container with --device /dev/{first}")
        } else {
            format!("sudo mknod /dev/{first} c $(tr : ' ' </sys/bus/gpio/devices/{first}/dev)")
        };
        return Finding::new(state, "chips", what, mend);
    }
    if machine.container.is_some() || !machine.has_null {
        let mend = "--board sim needs none; else start the container, on a machine with a chip, with \
                    --device /dev/gpiochip0";
        return Finding::new(state, "chips", "no GPIO chip is passed in, and the kernel shows none", mend);
    }
    let mend = "--board sim needs none; else use a machine with lines such as a Pi, plug an adapter in, or let \
                the kernel simulate some: sudo modprobe gpio-sim";
    Finding::new(state, "chips", "this machine has no GPIO chip", mend)
}

fn other_chips(survey: &Survey, wanted: &str) -> Finding {
    let there: Vec<&str> = survey.chips.iter().map(|chip| chip.device.name()).collect();
    let what = format!("no chip has the path, name or label {wanted}; there is {}", some(&there));
    let mend = format!("--board gpiochip:{}", there.first().copied().unwrap_or_default());
    Finding::new(State::Wrong, "chips", what, mend)
}

fn chip_finding(chip: &Chip, state: State) -> Finding {
    let path = &chip.device.path;
    if let Some(finding) = refused(&chip.device, &CHIPS, state) {
        return finding;
    }
    if let Some(trouble) = &chip.trouble {
        let what = format!("{path} does not answer as a GPIO chip: {trouble}");
        return Finding::new(
            state,
            "chips",
            what,
            format!("see what it is: ls -l {path}; sudo dmesg | tail"),
        );
    }
    let names: Vec<&str> =
        chip.lines.iter().map(|line| line.name.as_str()).filter(|name| !name.is_empty()).collect();
    let list = if names.is_empty() { "none has a name".to_owned() } else { some(&names) };
    Finding::ok("chips", format!("{path} ({}), {} lines: {list}", chip.label, chip.lines.len()))
}

/// Who has which lines of a chip.
fn in_use(chip: &Chip) -> Option<Finding> {
    let used = chip.lines.iter().filter_map(|line| {
        let user = line.used_by.as_ref()?;
        let name = if line.name.is_empty() { String::new() } else { format!(" {}", line.name) };
        Some(format!("{}{name} by {}", line.offset, called(user)))
    });
    let used: Vec<String> = used.collect();
    if used.is_empty() {
        return None;
    }
    let what = format!("lines of {} in use: {}", chip.device.name(), some(&used));
    let mend = format!("who wants such a line stops its user first: sudo fuser -v {}", chip.device.path);
    Some(Finding::new(State::Note, "lines", what, mend))
}

pub(super) fn called(user: &User) -> String {
    match user {
        User::Named(name) => format!("\"{name}\""),
        User::Nameless => "the kernel".to_owned(),
    }
}

/// I2C buses and serial devices: a meter may want them, no demo does.
pub(super) fn devices(machine: &Machine) -> Vec<Finding> {
    if machine.system != "linux" {
        return Vec::new();
    }
    let is_a_pi = machine.survey.model.as_ref().is_some_and(|model| model.starts_with("Raspberry Pi"));
    let bus = if is_a_pi { "sudo raspi-config nonint do_i2c 0" } else { "sudo modprobe i2c-dev" };
    let mut found = family(&machine.survey.i2c, &I2C, "no I2C bus; only a power monitor wants one", bus);
    let head = "plug the reading head in and look for its name: sudo dmesg | tail";
    let none = "no serial device; only a smart meter's reading head wants one";
    found.extend(family(&machine.survey.serial, &SERIAL, none, head));
    found
}

fn family(devices: &[Device], family: &Family, none: &str, mend: &str) -> Vec<Finding> {
    if devices.is_empty() {
        return vec![Finding::new(State::Note, family.about, none, mend)];
    }
    let (usable, kept): (Vec<_>, Vec<_>) =
        devices.iter().partition(|device| device.access == Access::Granted);
    let mut found = Vec::new();
    if !usable.is_empty() {
        let paths: Vec<&str> = usable.iter().map(|device| device.path.as_str()).collect();
        found.push(Finding::ok(family.about, some(&paths)));
    }
    found.extend(kept.into_iter().filter_map(|device| refused(device, family, State::Note)));
    found
}

/// Why a device may not be used, if so.
fn refused(device: &Device, family: &Family, state: State) -> Option<Finding> {
    let path = &device.path;
    let (why, mend) = match &device.access {
        Access::Granted => return None,
        Access::Group { group, user } => (
            format!("the group {group} may, and {user} is not in it"),
            format!("sudo usermod -aG {group} {user}, then log out and in again"),
        ),
        Access::Later { group } => (
            format!("this session began before you joined the group {group}"),
            format!("log out and in again; for this terminal only: newgrp {group}"),
        ),
        Access::Owner { owner } => {
            let Family { about, subsystem, group } = family;
            let rule = format!("SUBSYSTEM==\"{subsystem}\", GROUP=\"{group}\", MODE=\"0660\"");
            let mend = format!(
                "sudo groupadd -f {group}; sudo usermod -aG {group} $USER; echo '{rule}' | sudo tee \
                 /etc/udev/rules.d/60-{group}-{about}.rules; sudo udevadm control --reload; sudo udevadm trigger; \
                 then log out and in again"
            );
            (format!("it belongs to {owner} alone"), mend)
        }
    };
    Some(Finding::new(state, family.about, format!("{path} may not be used: {why}"), mend))
}

/// The first names of a list.
pub(super) fn some<T: AsRef<str>>(names: &[T]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES).map(AsRef::as_ref).collect();
    let rest = names.len() - shown.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
