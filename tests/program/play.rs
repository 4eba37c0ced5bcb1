//! Runs the program as a user would.

use std::process::Command;

/// What the program said, and how it ended.
#[derive(Debug)]
pub(crate) struct Played {
    /// The exit code.
    pub(crate) code: i32,
    /// What it printed.
    pub(crate) out: String,
    /// What it complained about.
    pub(crate) err: String,
}

/// Runs `coinop` with these words, to its end. Its stdout is a pipe, not a terminal.
pub(crate) fn coinop(words: &[&str]) -> Played {
    let output = Command::new(env!("CARGO_BIN_EXE_coinop"))
        .args(words)
        .env_remove("COINOP_LOG")
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LIB_BACKTRACE")
        .env("NO_COLOR", "1")
        .output()
        .expect("the program was built for this test");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program speaks UTF-8");
    Played {
        code: output.status.code().expect("the program ends by itself"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}
