//! `coinop board`: what it lists and shows, and that a test tries lines through the guard and under a lease.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod play;

use std::io::Write as _;

use play::{Played, coinop};
use serde_json::Value;
use tempfile::NamedTempFile;

/// Two outputs that exclude each other, one that may not be on for long, and an input nobody moves.
const BOARD: &str = r#"title = "A bench"
driver = "sim"

[[line]]
name = "UP"
direction = "output"
safe = "low"
max-on = "300ms"
never-with = ["DOWN"]

[[line]]
name = "DOWN"
direction = "output"
safe = "low"

[[line]]
name = "BUTTON"
direction = "input"
debounce = "10ms"
"#;

fn file(text: &str) -> NamedTempFile {
    let mut file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// `coinop board` with these words about a board file; `FILE` stands for it.
fn board(text: &str, words: &[&str]) -> Played {
    let file = file(text);
    let path = file.path().to_str().unwrap();
    let words = words.iter().map(|word| if *word == "FILE" { path } else { word });
    coinop(&["board"].into_iter().chain(words).collect::<Vec<_>>())
}

fn json(played: &Played) -> Value {
    serde_json::from_str(&played.out).unwrap_or_else(|error| panic!("{error}: {played:?}"))
}

/// How each line did.
fn states(played: &Played) -> Vec<(String, String)> {
    let report = json(played);
    let word = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
    let lines = report["board_test"]["lines"].as_array().unwrap();
    lines.iter().map(|line| (word(line, "line"), word(line, "state"))).collect()
}

#[test]
fn every_driver_and_board_is_listed_and_says_whether_it_fits() {
    let played = board(BOARD, &["list", "FILE", "--json"]);

    let listed = json(&played);
    let boards = listed["boards"].as_array().unwrap();
    let names: Vec<_> = boards.iter().map(|board| board["name"].as_str().unwrap()).collect();
    assert_eq!(names[..7], ["sim", "gpiochip", "linux", "rpi", "pi", "relay-hat", "gpio-sim"]);
    assert_eq!((played.code, names.len()), (0, 8));
    for board in boards {
        let is_simulated = board["name"] == "sim" || board["title"] == "A bench";
        assert!(!is_simulated || board["fits"] == true, "{board}");
        assert_eq!(board["fits"] == true, board["why_not"].is_null(), "{board}");
    }
}

#[test]
fn a_file_that_is_no_board_is_listed_with_its_line_and_shown_by_none() {
    let wrong = BOARD.replace("safe = \"low\"\nmax-on", "max-on");

    let listed = board(&wrong, &["list", "FILE"]);
    let shown = board(&wrong, &["show", "FILE"]);
    let tested = board(&wrong, &["test", "FILE", "--yes"]);

    assert_eq!((listed.code, shown.code, tested.code), (1, 1, 1));
    let what = ".toml:5: UP is an output without its safe level";
    assert!(listed.out.replace(['\n', ' '], "").contains(&what.replace(' ', "")), "{}", listed.out);
    for played in [shown, tested] {
        assert!(played.err.contains(what), "{}", played.err);
        assert_eq!(played.out, "");
    }
}

#[test]
fn a_board_is_shown_with_where_its_lines_are_and_what_holds_for_them() {
    let played = coinop(&["board", "show", "relay-hat", "--json"]);

    let shown = json(&played);
    let lines = shown["board"]["lines"].as_array().unwrap();
    let lock = lines.iter().find(|line| line["name"] == "LOCK").unwrap();
    assert_eq!(
        (&lock["kernel"], &lock["active"], &lock["safe"]),
        (&"GPIO21".into(), &"low".into(), &"low".into())
    );
    assert_eq!(lock["max_on_ms"], 10_000);
    let meter = lines.iter().find(|line| line["name"] == "METER").unwrap();
    assert_eq!((&meter["direction"], &meter["debounce_ms"]), (&"input".into(), &2.into()));
    assert!(meter["safe"].is_null());
}

#[test]
fn a_rig_is_tested_without_questions_and_its_silent_input_fails_only_when_strict() {
    let words = ["test", "FILE", "--yes", "--on", "200ms", "--wait", "100ms", "--json"];

    let lenient = board(BOARD, &words);
    let strict = board(BOARD, &[&words[..], &["--strict"]].concat());

    for (played, code) in [(lenient, 0), (strict, 1)] {
        let states = states(&played);
        let states: Vec<_> = states.iter().map(|(line, state)| (line.as_str(), state.as_str())).collect();
        assert_eq!(states, [("UP", "ok"), ("DOWN", "ok"), ("BUTTON", "silent")]);
        assert_eq!((played.code, &json(&played)["board_test"]["passed"]), (code, &(code == 0).into()));
    }
}

#[test]
fn the_simulated_devices_move_their_sensors() {
    let played = coinop(&["board", "test", "sim", "LAMP", "LIGHT", "--yes", "--strict", "--json"]);

    assert_eq!(played.code, 0, "{played:?}");
    let light = &json(&played)["board_test"]["lines"][1];
    assert_eq!((&light["line"], &light["what"]), (&"LIGHT".into(), &"2 edges, with LAMP".into()));
}

#[test]
fn without_a_terminal_nobody_can_answer_and_that_is_said_with_its_mend() {
    let played = coinop(&["board", "test", "sim"]);

    assert_eq!((played.code, played.out.as_str()), (1, ""));
    assert!(played.err.contains("stdin is no terminal") && played.err.contains("--yes"), "{}", played.err);
}

#[test]
fn a_line_that_the_board_does_not_have_is_refused_before_anything_moves() {
    let played = board(BOARD, &["test", "FILE", "UP", "SIDEWAYS", "--yes"]);

    assert_eq!((played.code, played.out.as_str()), (1, ""));
    assert!(
        played.err.contains("there is no line SIDEWAYS to test; there are: UP, DOWN, BUTTON"),
        "{}",
        played.err
    );
}

/// `script` gives the program a terminal.
#[cfg(target_os = "linux")]
mod terminal {
    use std::{
        io::{Read as _, Write as _},
        path::Path,
        process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    };

    use super::{BOARD, file};

    struct Seat {
        script: Child,
        keys: ChildStdin,
        screen: ChildStdout,
        shown: String,
    }

    impl Seat {
        fn sits_at(board: &Path, pid: &Path) -> Self {
            let test = format!(
                "echo $$ >{}; exec {} board test {} --on 500ms --wait 100ms",
                pid.display(),
                env!("CARGO_BIN_EXE_coinop"),
                board.display()
            );
            let mut script = Command::new("script")
                .args(["--quiet", "--flush", "--return", "--command", &test, "/dev/null"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let (keys, screen) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
            Self { script, keys, screen, shown: String::new() }
        }

        /// Reads on until these words are shown, anew.
        fn sees(&mut self, words: &str) {
            let mut buffer = [0; 4_096];
            let begun = self.shown.len();
            while !self.shown[begun..].contains(words) {
                let read = self.screen.read(&mut buffer).unwrap();
                assert_ne!(read, 0, "no {words:?} in {}", self.shown);
                self.shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        }

        fn types(&mut self, text: &str) {
            self.keys.write_all(text.as_bytes()).unwrap();
            self.keys.flush().unwrap();
        }

        fn ends(mut self) -> (Option<i32>, String) {
            self.screen.read_to_string(&mut self.shown).unwrap();
            (self.script.wait().unwrap().code(), self.shown)
        }
    }

    #[test]
    fn somebody_is_asked_before_and_after_and_their_no_fails_the_line() {
        let (board, folder) = (file(BOARD), tempfile::tempdir().unwrap());
        let mut seat = Seat::sits_at(board.path(), &folder.path().join("pid"));

        seat.sees("UP goes on for 300 ms: [Enter] go, s skip, q quit");
        seat.types("\n");
        seat.sees("did it? y/n");
        seat.types("y\n");
        seat.sees("DOWN goes on for 500 ms");
        seat.types("\n");
        seat.sees("did it? y/n");
        seat.types("n\n");
        let (code, shown) = seat.ends();

        assert_eq!(code, Some(1), "{shown}");
        let row = |name: &str| shown.lines().rev().find(|line| line.contains(name)).unwrap_or_default();
        assert!(row("  UP  ").starts_with("ok"), "{shown}");
        assert!(row("  DOWN  ").starts_with("FAILED"), "{shown}");
        assert!(row("  BUTTON  ").starts_with("silent"), "{shown}");
    }

    #[test]
    fn a_signal_ends_the_test_in_order() {
        for signal in ["-INT", "-TERM", "-HUP"] {
            let (board, folder) = (file(BOARD), tempfile::tempdir().unwrap());
            let pid = folder.path().join("pid");
            let mut seat = Seat::sits_at(board.path(), &pid);
            seat.sees("UP goes on for 300 ms");
            seat.types("\n");
            seat.sees("did it?");

            let process = std::fs::read_to_string(&pid).unwrap();
            assert!(Command::new("kill").args([signal, process.trim()]).status().unwrap().success());
            let (code, shown) = seat.ends();

            assert_eq!(code, Some(1), "{signal}: {shown}");
            assert!(shown.contains("interrupted"), "{signal}: {shown}");
            assert!(shown.contains("NOT passed"), "{signal}: {shown}");
        }
    }
}
