//! What a board file says holds, and what it cannot say is refused with its line and how to mend it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod play;

use std::fs;

use play::{Played, coinop};

/// A board for `light` that a lamp can be simulated on.
const BOARD: &str = r#"title = "A bench"
driver = "sim"

[[reserved]]
lines = ["GPIO2"]
why = "I2C"

[[line]]
name = "LAMP"
kernel = "GPIO17"
direction = "output"
safe = "low"
max-on = "2s"

[[line]]
name = "LIGHT"
kernel = "GPIO27"
direction = "input"
"#;

/// Plays `light` on the board with one thing changed.
fn on_board(from: &str, to: &str) -> Played {
    assert!(BOARD.contains(from), "{from}");
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    fs::write(&file, BOARD.replacen(from, to, 1)).unwrap();
    let path = file.path().to_str().unwrap();
    coinop(&["play", "light", "--headless", "--json", "--speed", "max", "--board", path])
}

fn board_is_refused(from: &str, to: &str, line: usize, words: &str) {
    let played = on_board(from, to);

    let expected = format!(".toml:{line}: {words}");
    assert_ne!(played.code, 0, "{to}");
    assert!(played.err.contains(&expected), "{to}: not {expected:?} in {:?}", played.err);
    assert!(played.out.is_empty(), "{to}: something was played: {}", played.out);
}

#[test]
fn a_board_file_that_cannot_be_is_refused_with_its_line_and_how_to_mend_it() {
    board_is_refused(
        "kernel = \"GPIO17\"",
        "kernel = \"GPIO2\"",
        9,
        "LAMP is on GPIO2, which this board reserves: I2C",
    );
    board_is_refused("GPIO27", "GPIO17", 16, "GPIO17 is used twice: it is LAMP's, see line 9; give LIGHT");
    board_is_refused("name = \"LIGHT\"", "name = \"LAMP\"", 16, "line LAMP is used twice, see line 9");
    board_is_refused(
        "safe = \"low\"\n",
        "",
        9,
        "LAMP is an output without its safe level; add safe = \"low\"",
    );
    board_is_refused("max-on", "max-of", 13, "unknown field `max-of`, expected one of `name`");
    board_is_refused(
        "name = \"LAMP\"",
        "name = \"LAMB\"",
        1,
        "this board has no line LAMP, which the scenario needs",
    );
    board_is_refused("driver = \"sim\"", "driver = \"arduino\"", 2, "unknown variant `arduino`");
}

#[test]
fn the_limits_of_a_board_file_hold_whoever_pays() {
    let free = on_board("max-on = \"2s\"\n", "");
    let limited = on_board("max-on", "max-on");

    assert_eq!(free.code, 0, "{}", free.err);
    assert_ne!(limited.code, 0, "a lamp that rests every two seconds cannot be lit for 14 s");
    assert!(limited.err.contains("failed: "), "{}", limited.err);
}
