//! What runs beside coinop on the kernel's simulated lines: the checks of the board, the outside witness,
//! the outside plant. `tests/hil/run` puts it into a kernel of its own.
#![expect(clippy::print_stdout, reason = "the log of a machine that has nothing but a console")]

#[cfg(target_os = "linux")]
mod board;
#[cfg(target_os = "linux")]
mod bringup;
#[cfg(target_os = "linux")]
mod chip;
#[cfg(target_os = "linux")]
mod ends;
#[cfg(target_os = "linux")]
mod guarded;
#[cfg(target_os = "linux")]
mod kill;
#[cfg(target_os = "linux")]
mod outside;
#[cfg(target_os = "linux")]
mod pi;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod raspi3b;
#[cfg(target_os = "linux")]
mod report;
#[cfg(target_os = "linux")]
mod run;
#[cfg(target_os = "linux")]
mod scenarios;
#[cfg(target_os = "linux")]
mod story;
#[cfg(target_os = "linux")]
mod tools;
#[cfg(target_os = "linux")]
mod world;

use std::process::ExitCode;

/// Runs one of its parts; the exit code says whether every check held.
#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let fate = match words[..] {
        ["board"] => board::check(),
        ["program", log, program, ref arguments @ ..] => program::check(log, program, arguments),
        ["scenarios", log, program] => scenarios::check(log, program),
        ["witness", value, log] => outside::witness(value, log),
        ["wire", from, to] => outside::wire(from, to),
        ["world", world] => world::live(world),
        ["hold", driver, line] => driver_of(driver).and_then(|driver| kill::hold(driver, line)),
        ["hold-pi", line] => pi::hold(line),
        ["raspi3b", kernel, tree, initramfs] => raspi3b::check(kernel, tree, initramfs),
        [raspi3b::GUEST] => raspi3b::guest(),
        [raspi3b::HOLDER] => raspi3b::holder(),
        ["open", driver, line] => driver_of(driver).map(|driver| board::open(driver, line)),
        _ => Err("board | program LOG PROGRAM ARGUMENTS… | scenarios LOG PROGRAM | witness VALUE LOG | wire VALUE PULL | world JSON \
                  | hold DRIVER LINE | hold-pi LINE | open DRIVER LINE | raspi3b KERNEL TREE INITRAMFS \
                  | raspi3b-guest | raspi3b-holder"
            .into()),
    };
    fate.unwrap_or_else(|error| {
        println!("FAILED: {error}");
        ExitCode::FAILURE
    })
}

#[cfg(target_os = "linux")]
fn driver_of(word: &str) -> Result<coinop_hardware::driver::Driver, report::Failure> {
    word.parse().map_err(|()| format!("{word} is no driver").into())
}

/// There are no kernel lines elsewhere.
#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    println!("only Linux has GPIO lines to simulate");
    ExitCode::FAILURE
}
