//! What a service manager hears: that the program is ready, that it is alive, that it stops; and nothing
//! once the program hangs.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    io::Read as _,
    os::unix::{net::UnixDatagram, process::ExitStatusExt as _},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

/// The time after which the service manager takes the program for dead: four signs of life.
const WATCHDOG_USEC: &str = "200000";
/// So long that only a program that says nothing passes it.
const PATIENCE: Duration = Duration::from_secs(20);
/// The silence of a program that hangs: forty signs of life.
const SILENCE: Duration = Duration::from_secs(2);
/// More messages than any of these runs has.
const MANY: usize = 2_000;

/// A service manager: the program, and the socket it was given.
struct Manager {
    socket: UnixDatagram,
    child: Child,
    _folder: TempDir,
}

impl Manager {
    fn starts(words: &[&str], environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_coinop"))
            .args(words)
            .env_remove("WATCHDOG_PID")
            .env_remove("WATCHDOG_USEC")
            .env("NOTIFY_SOCKET", &path)
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self { socket, child, _folder: folder }
    }

    /// The next thing it hears, unless nothing comes for so long.
    fn hears(&self, within: Duration) -> Option<String> {
        self.socket.set_read_timeout(Some(within)).unwrap();
        let mut buffer = [0; 256];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// Everything it hears until the program says that it stops.
    fn hears_to_the_end(&self) -> Vec<String> {
        let mut heard = Vec::new();
        while heard.last().is_none_or(|last| last != "STOPPING=1\n") {
            heard.push(self.hears(PATIENCE).unwrap());
            assert!(heard.len() < MANY, "it goes on and on: {:?}", &heard[..5]);
        }
        heard
    }

    fn sends(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // It may be gone, and then this fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn light(speed: &'static str) -> [&'static str; 5] {
    ["play", "light", "--headless", "--speed", speed]
}

#[test]
fn a_run_is_ready_then_alive_and_says_at_its_end_that_it_stops() {
    let manager = Manager::starts(&light("20"), &[("WATCHDOG_USEC", WATCHDOG_USEC)]);

    let heard = manager.hears_to_the_end();

    let [ready, alive @ .., stopping] = &heard[..] else { panic!("{heard:?}") };
    assert_eq!((ready.as_str(), stopping.as_str()), ("READY=1\n", "STOPPING=1\n"));
    assert!(!alive.is_empty());
    assert!(alive.iter().all(|word| word == "WATCHDOG=1\n"), "{heard:?}");
}

#[test]
fn a_service_that_is_told_to_terminate_says_that_it_stops_and_ends_by_itself() {
    let mut manager = Manager::starts(&light("1"), &[("WATCHDOG_USEC", WATCHDOG_USEC)]);
    assert_eq!(manager.hears(PATIENCE).as_deref(), Some("READY=1\n"));

    manager.sends("-TERM");

    assert_eq!(manager.hears_to_the_end().last().map(String::as_str), Some("STOPPING=1\n"));
    assert_eq!(manager.child.wait().unwrap().signal(), None);
}

#[test]
fn without_a_watchdog_there_are_no_signs_of_life() {
    let manager = Manager::starts(&light("20"), &[]);

    assert_eq!(manager.hears_to_the_end(), ["READY=1\n", "STOPPING=1\n"]);
}

#[test]
fn a_watchdog_that_watches_another_process_gets_no_signs_of_life() {
    let environment = [("WATCHDOG_USEC", WATCHDOG_USEC), ("WATCHDOG_PID", "1")];
    let manager = Manager::starts(&light("20"), &environment);

    assert_eq!(manager.hears_to_the_end(), ["READY=1\n", "STOPPING=1\n"]);
}

#[test]
fn a_hung_runtime_gives_no_sign_of_life_until_it_runs_again() {
    // Nobody reads what it prints. When the pipe is full the runtime waits in the middle of its work, while
    // the guard's thread lives on.
    let words = ["play", "street", "--headless", "--json", "--speed", "10", "--seed", "3"];
    let mut manager = Manager::starts(&words, &[("WATCHDOG_USEC", WATCHDOG_USEC)]);
    let mut out = manager.child.stdout.take().unwrap();

    let mut heard = Vec::new();
    while let Some(word) = manager.hears(if heard.is_empty() { PATIENCE } else { SILENCE }) {
        assert_ne!(word, "STOPPING=1\n", "the run came to its end: it never hung");
        heard.push(word);
        assert!(heard.len() < MANY);
    }
    assert_eq!(heard.first().map(String::as_str), Some("READY=1\n"));

    let reader = std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
    assert_eq!(manager.hears(PATIENCE).as_deref(), Some("WATCHDOG=1\n"));
    assert_eq!(manager.hears_to_the_end().last().map(String::as_str), Some("STOPPING=1\n"));
    reader.join().unwrap().unwrap();
}

#[test]
fn a_stopped_process_gives_no_sign_of_life_until_it_is_continued() {
    let manager = Manager::starts(&light("1"), &[("WATCHDOG_USEC", WATCHDOG_USEC)]);
    assert_eq!(manager.hears(PATIENCE).as_deref(), Some("READY=1\n"));

    manager.sends("-STOP");
    let mut late = 0;
    while manager.hears(SILENCE).is_some() {
        late += 1;
        assert!(late < MANY);
    }
    manager.sends("-CONT");

    assert_eq!(manager.hears(PATIENCE).as_deref(), Some("WATCHDOG=1\n"));
}
