//! Chooses the machine of a target: the file in `src/machine`, and its memory map.

use std::{env, error::Error, fs, path::PathBuf};

/// Targets, the machine each is built for, and the map of its memory.
const MACHINES: [(&str, &str, &str); 3] = [
    ("thumbv6m-none-eabi", "lm3s6965evb", include_str!("memory/lm3s6965evb.x")),
    ("thumbv7em-none-eabi", "mps2_an386", include_str!("memory/mps2_an386.x")),
    ("riscv32imc-unknown-none-elf", "sifive_u", include_str!("memory/sifive_u.x")),
];

fn main() -> Result<(), Box<dyn Error>> {
    let target = env::var("TARGET")?;
    let Some((_, machine, memory)) = MACHINES.iter().find(|(name, ..)| *name == target) else {
        let known = MACHINES.map(|(name, ..)| name).join(", ");
        return Err(format!("no machine for {target}: use --target with one of {known}").into());
    };
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("memory.x"), memory)?;
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-cfg=machine=\"{machine}\"");
    println!("cargo::rerun-if-changed=memory");
    Ok(())
}
