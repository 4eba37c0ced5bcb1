//! A second process looks at a running program and pokes it; another user's may not.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        net::UnixStream,
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::Value;

/// The user that nobody is.
const NOBODY: u32 = 65_534;

/// A room that plays at the speed of life, in a runtime folder of its own.
struct Room {
    child: Child,
    out: BufReader<ChildStdout>,
    runtime: tempfile::TempDir,
}

impl Room {
    fn open(more: &[&str]) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), more)
    }

    fn open_in(runtime: tempfile::TempDir, more: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coinop"))
            .args(["play", "room", "--headless", "--json"])
            .args(more)
            .env("XDG_RUNTIME_DIR", runtime.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut room = Self { child, out, runtime };
        // Everybody is on stage, and the socket is there.
        room.until(|line| line["kind"] == "session" && line["state"] == "accepted");
        room
    }

    /// Reads its lines up to the one that is waited for.
    fn until(&mut self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "the run is over before that");
            let line: Value = serde_json::from_str(&line).unwrap();
            if is_it(&line) {
                return line;
            }
        }
    }

    fn coinop(&self, words: &[&str]) -> (bool, String) {
        coinop_in(self.runtime.path(), words)
    }

    fn socket(&self) -> PathBuf {
        self.runtime.path().join("coinop").join(format!("{}.sock", self.child.id()))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn coinop_in(runtime: &Path, words: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_coinop"))
        .args(words)
        .env("XDG_RUNTIME_DIR", runtime)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn is_line(line: &Value, name: &str, level: &str) -> bool {
    line["kind"] == "line" && line["line"] == name && line["level"] == level
}

#[test]
fn a_poke_changes_the_running_scenario_and_is_told() {
    let mut room = Room::open(&[]);

    let (done, said) = room.coinop(&["poke", "DOOR", "open"]);

    assert_eq!((done, said.as_str()), (true, "DOOR is poked low\n"));
    let told = room.until(|line| line["kind"] == "intervention");
    assert_eq!(told["what"], "DOOR is poked low");
    assert_eq!(told["again"]["poke"], serde_json::json!({"line": "DOOR", "level": "low"}));
    room.until(|line| is_line(line, "DOOR", "low"));
}

#[test]
fn pulses_are_given_one_after_the_other() {
    let mut room = Room::open(&[]);
    room.coinop(&["poke", "DOOR", "open"]);

    let (done, said) = room.coinop(&["poke", "DOOR", "--pulses", "3", "--every", "40ms"]);

    assert_eq!((done, said.as_str()), (true, "DOOR gives 3 pulses, one each 40 ms\n"));
    for _ in 0..3 {
        room.until(|line| is_line(line, "DOOR", "high"));
        room.until(|line| is_line(line, "DOOR", "low"));
    }
}

#[test]
fn a_line_is_broken_shown_so_and_mended() {
    let mut room = Room::open(&[]);

    let broken = room.coinop(&["poke", "SIGN", "--fault", "stuck"]);
    room.until(|line| line["kind"] == "line_fault" && line["fault"] == "stuck");
    let (_, shown) = room.coinop(&["lines"]);
    let (_, json) = room.coinop(&["lines", "--json"]);
    let mended = room.coinop(&["poke", "SIGN", "--mend"]);

    assert_eq!(broken, (true, "SIGN is stuck\n".to_owned()));
    let row = shown.lines().find(|row| row.contains("SIGN")).unwrap();
    assert!(row.contains("output") && row.contains("FAULT stuck"), "{shown}");
    let lines: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(lines["lines"].as_array().unwrap().len(), 3);
    assert_eq!(mended, (true, "SIGN is mended\n".to_owned()));
    room.until(|line| line["kind"] == "line_fault" && line["fault"].is_null());
}

#[test]
fn a_watch_shows_what_changes() {
    let room = Room::open(&[]);
    let mut watch = Command::new(env!("CARGO_BIN_EXE_coinop"))
        .args(["lines", "--watch"])
        .env("XDG_RUNTIME_DIR", room.runtime.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut rows = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    rows.find(|row| row.contains("DOOR") && row.contains("shut")).unwrap();

    room.coinop(&["poke", "DOOR", "open"]);

    rows.find(|row| row.contains("DOOR") && row.contains("open")).unwrap();
    watch.kill().unwrap();
    watch.wait().unwrap();
}

#[test]
fn what_cannot_be_done_is_refused_with_the_reason() {
    let room = Room::open(&[]);

    for (words, reason) in [
        (&["poke", "LOCK", "free"][..], "LOCK is an output: only the guard drives it"),
        (&["poke", "DOOR", "ajar"], "\"ajar\" is no level of DOOR: shut (high) or open (low)"),
        (&["poke", "WINDOW", "high"], "there is no line \"WINDOW\"; there are: SIGN, LOCK, DOOR"),
        (&["poke", "DOOR", "--fault", "welded"], "only an output can be welded"),
        (&["poke", "DOOR", "--fault", "cursed"], "a fault is stuck, welded, bounce"),
        (&["poke", "DOOR", "--fault", "brown-out"], "say for how long"),
        (&["poke", "DOOR"], "required arguments were not provided"),
        (&["poke", "DOOR", "--pulses", "20000"], "at most 10000 pulses"),
    ] {
        let (done, said) = room.coinop(words);

        assert!(!done && said.contains(reason), "{words:?}: {said}");
    }
}

#[test]
fn a_run_with_a_folder_is_found_by_it_and_a_stale_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let socket = folder.path().join("coinop.sock");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());

    let room = Room::open(&["--data-dir", data]);

    let (done, said) = room.coinop(&["poke", "DOOR", "open", "--data-dir", data]);
    assert!(done, "{said}");
    assert!(room.coinop(&["poke", "DOOR", "shut"]).0, "the only one there is");
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn several_runs_are_listed_and_none_is_said_to_be_none() {
    let runtime = tempfile::tempdir().unwrap();
    let (done, said) = coinop_in(runtime.path(), &["lines"]);
    assert!(!done && said.contains("no coinop of yours is running"), "{said}");

    let one = Room::open_in(runtime, &[]);
    let mut two = Command::new(env!("CARGO_BIN_EXE_coinop"))
        .args(["play", "room", "--headless", "--json"])
        .env("XDG_RUNTIME_DIR", one.runtime.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Kept until the end: a run that nobody hears ends.
    let mut heard = BufReader::new(two.stdout.take().unwrap()).lines().map(Result::unwrap);
    heard.find(|line| line.contains("\"accepted\"")).unwrap();

    let (done, said) = one.coinop(&["lines"]);
    let (chosen, _) = one.coinop(&["lines", "--pid", &two.id().to_string()]);
    two.kill().unwrap();
    two.wait().unwrap();
    drop(heard);

    assert!(!done && said.contains("2 of your coinops are running"), "{said}");
    assert!(said.contains(&format!("--pid {}", one.child.id())), "{said}");
    assert!(chosen);
}

#[test]
fn nothing_but_a_request_of_bounded_length_is_heard() {
    let room = Room::open(&[]);
    let said = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(room.socket()).unwrap();
        // It may have been cut off before all was written.
        let _ = stream.write_all(bytes);
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    };

    assert!(said(b"open the door\n").contains("that is no request"));
    assert!(said(&[b'x'; 4_096]).contains("that is no request of at most 4096 bytes"));
    assert!(said(b"\"lines\"\n").contains("DOOR"));
}

#[test]
fn another_user_s_process_is_refused() {
    let room = Room::open(&[]);
    if fs::metadata(room.runtime.path()).unwrap().uid() != 0 {
        eprintln!("NOT SHOWN: only root can start a process of another user");
        return;
    }
    let poke = || {
        let output = Command::new(env!("CARGO_BIN_EXE_coinop"))
            .args(["poke", "DOOR", "open", "--pid", &room.child.id().to_string()])
            .env("XDG_RUNTIME_DIR", room.runtime.path())
            .uid(NOBODY)
            .gid(NOBODY)
            .output();
        output.map(|output| String::from_utf8(output.stderr).unwrap())
    };
    let Ok(shut_out) = poke() else {
        eprintln!("NOT SHOWN: another user cannot start the program where it was built");
        return;
    };
    // By the modes of folder and socket.
    assert!(shut_out.contains("belongs to another user"), "{shut_out}");

    // Somebody has opened both to everybody: the program asks who it is.
    for (path, mode) in [
        (room.runtime.path().to_owned(), 0o755),
        (room.runtime.path().join("coinop"), 0o755),
        (room.socket(), 0o666),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let refused = poke().unwrap();
    assert!(refused.contains("this run belongs to the user with number 0, and you are 65534"), "{refused}");
}
