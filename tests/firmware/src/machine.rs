use crate::report::Failure;

/// A machine of QEMU, and where its lamp can be seen from outside.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) name: &'static str,
    /// What the firmware is built for.
    pub(crate) target: &'static str,
    pub(crate) emulator: &'static str,
    pub(crate) arguments: &'static [&'static str],
    /// The register of the lamp's pin, and its bit there.
    pub(crate) pin: (u32, u32),
    /// The most memory there is for it, in bytes.
    pub(crate) memory: usize,
}

const MACHINES: &[Machine] = &[
    Machine {
        name: "lm3s6965evb",
        target: "thumbv6m-none-eabi",
        emulator: "qemu-system-arm",
        arguments: &["-M", "lm3s6965evb"],
        pin: (0x4002_5004, 1),
        memory: 64 * 1024,
    },
    Machine {
        name: "mps2-an386",
        target: "thumbv7em-none-eabi",
        emulator: "qemu-system-arm",
        arguments: &["-M", "mps2-an386"],
        pin: (0x4002_8000, 1),
        memory: 64 * 1024,
    },
    Machine {
        name: "sifive_u",
        target: "riscv32imc-unknown-none-elf",
        emulator: "qemu-system-riscv32",
        arguments: &["-M", "sifive_u,start-in-flash=on", "-smp", "2", "-bios", "none"],
        pin: (0x1006_000C, 1),
        memory: 64 * 1024,
    },
];

/// The machine of this name.
pub(crate) fn named(name: &str) -> Result<&'static Machine, Failure> {
    let machine = MACHINES.iter().find(|machine| machine.name == name);
    machine.ok_or_else(|| format!("no machine is called {name}; there are {}", names()).into())
}

/// All of them.
pub(crate) fn names() -> String {
    MACHINES.iter().map(|machine| machine.name).collect::<Vec<_>>().join(", ")
}
