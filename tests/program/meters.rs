//! A charging point behind the real reader of a serial line: this test is the smart meter at its far end.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod play;

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use coinop::core::session::Signed;
use coinop_hardware::meter::telegram::{Entry, compose};
use play::coinop;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

/// How often the meter sends.
const EVERY: Duration = Duration::from_millis(250);
/// Eleven kilowatts, in milliwatt-hours a millisecond: 11,000 in 3,600.
const RATED: (u128, u128) = (11_000, 3_600);

/// A serial line: the meter's end, and the path of the head's.
fn line() -> (File, String) {
    let meter = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&meter).unwrap();
    unlockpt(&meter).unwrap();
    let path = ptsname(&meter, Vec::new()).unwrap().into_string().unwrap();
    (File::from(meter), path)
}

/// The scenario of the folder, with the head of its meter at `path`.
fn scenario(path: &str, amount: &str) -> tempfile::NamedTempFile {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/ev-charging-sml.toml");
    let text = fs::read_to_string(folder).unwrap();
    let (scene, _) = text.split_once("[[expect]]").unwrap();
    let meter = format!("meter = {{ sml = \"{path}\", every = \"250ms\" }} #");
    let scene = scene.replace("meter = \"sml\"", &meter).replace("amount = \"60Wh\"", amount);
    let expected = "[[expect]]\noff = \"CONTACTOR\"\n[[expect]]\nsettled = 1\n";
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    fs::write(&file, format!("{scene}{expected}")).unwrap();
    file
}

/// The energy that went through, while the contactor was closed.
struct Meter {
    wire: File,
    number: u32,
    energy: u128,
    at: Instant,
    closed: bool,
}

impl Meter {
    fn send(&mut self) {
        let now = Instant::now();
        if self.closed {
            self.energy += now.duration_since(self.at).as_millis() * RATED.0 / RATED.1;
        }
        self.at = now;
        self.number += 1;
        let shown = 1_234_567_800 + u64::try_from(self.energy).unwrap();
        self.wire.write_all(&compose(self.number, &[Entry::energy(shown)])).unwrap();
    }

    fn hear(&mut self, line: &Value) {
        if line["line"] == "CONTACTOR" && line["kind"] == "line" {
            self.send();
            self.closed = line["level"] == "high";
        }
    }
}

/// Plays in real time, with the meter at the other end, which breaks off after so many telegrams.
fn charge(wire: File, file: &tempfile::NamedTempFile, telegrams: u32) -> (i32, Vec<Value>) {
    let path = file.path().to_str().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_coinop"))
        .args(["play", path, "--headless", "--json", "--for", "22s"])
        .env_remove("COINOP_LOG")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = heard(BufReader::new(child.stdout.take().unwrap()));
    let mut meter = Meter { wire, number: 0, energy: 0, at: Instant::now(), closed: false };
    let (mut told, mut next) = (Vec::new(), Instant::now());
    loop {
        match lines.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                meter.hear(&line);
                told.push(line);
            }
            Err(RecvTimeoutError::Timeout) => {
                next += EVERY;
                if meter.number < telegrams {
                    meter.send();
                }
            }
            Err(RecvTimeoutError::Disconnected) => return (child.wait().unwrap().code().unwrap(), told),
        }
    }
}

fn heard(out: impl std::io::Read + Send + 'static) -> Receiver<Value> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(out).lines() {
            if sender.send(serde_json::from_str(&line.unwrap()).unwrap()).is_err() {
                return;
            }
        }
    });
    lines
}

fn delivered(told: &[Value]) -> u64 {
    let last = told.iter().rfind(|line| line["kind"] == "delivered").unwrap();
    last["units"].as_u64().unwrap()
}

#[test]
fn telegrams_on_a_serial_line_drive_a_session_from_the_offer_to_the_payout() {
    let (wire, path) = line();
    let file = scenario(&path, "amount = \"20Wh\"");

    let (code, told) = charge(wire, &file, u32::MAX);

    let summary = &told.last().unwrap()["summary"];
    assert_eq!(code, 0, "{summary}");
    // No more than a step beside what was wanted, by the meter's word.
    assert!((15_000..=30_000).contains(&delivered(&told)), "{}", delivered(&told));
    assert_eq!(summary["channels_closed"], 1, "{summary}");
}

#[test]
fn a_smart_meter_that_falls_silent_ends_the_power() {
    let (wire, path) = line();
    let file = scenario(&path, "amount = \"200Wh\"");

    let (code, told) = charge(wire, &file, 24);

    let summary = &told.last().unwrap()["summary"];
    assert_eq!(code, 0, "the contactor is open at the end: {summary}");
    let disputed = |line: &Value| line["kind"] == "session" && line["state"] == "disputed";
    assert!(told.iter().any(disputed), "the session ended for another reason");
    let silent = |line: &Value| line["what"].as_str().is_some_and(|what| what.contains("counted nothing"));
    assert!(told.iter().any(silent), "nobody was told");
}

/// What a run in virtual time tells, of one kind.
fn told_of(scenario: &str, kind: &str) -> Vec<Value> {
    let played = coinop(&["play", scenario, "--headless", "--json", "--speed", "max"]);
    let lines = played.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["kind"] == kind).collect()
}

#[test]
fn two_meters_that_disagree_leave_each_side_with_the_others_figure_signed() {
    let parties = told_of("two-meters", "party");
    let address = |who: &str| parties.iter().find(|line| line["who"] == who).unwrap()["address"].clone();

    let disputes = told_of("two-meters", "dispute");

    let [sellers, buyers] = &disputes[..] else { panic!("{disputes:?}") };
    assert_eq!((&sellers["who"], &buyers["who"]), (&"charger".into(), &"dave".into()));
    let stop = Signed::new(sellers["evidence"].clone()).open().unwrap();
    let receipt = Signed::new(buyers["evidence"].clone()).open().unwrap();
    assert_eq!(stop.signer().as_str(), address("dave"));
    assert_eq!(receipt.signer().as_str(), address("charger"));
    assert_eq!(sellers["evidence"]["signed_message"]["seen"], sellers["buyer"]);
    assert_eq!(buyers["evidence"]["signed_message"]["delivered"], buyers["seller"]);
    let (seller, buyer) = (sellers["seller"].as_u64().unwrap(), sellers["buyer"].as_u64().unwrap());
    assert!(seller - buyer > sellers["tolerance"].as_u64().unwrap(), "{sellers}");
}

#[test]
fn missed_and_impossible_pulses_are_told_in_the_run() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/ev-charging.toml");
    let text = fs::read_to_string(path).unwrap();
    let (scene, _) = text.split_once("[[fault]]").unwrap();
    // At a moment the line sticks, so pulses are missed; a debounce longer than their distance leaves some out.
    let stuck = "[[fault]]\nat = \"5s\"\nstuck = \"charger.METER\"\nfor = \"400ms\"\n";
    let kind = "kind = \"charger\"\nprice";
    let slow =
        scene.replacen(kind, "kind = \"charger\"\nmeter = { pulse = 10000, debounce = \"40ms\" }\nprice", 1);
    let expected = "[[expect]]\noff = \"CONTACTOR\"\n";
    for (scene, what) in [(format!("{scene}{stuck}"), "were missed"), (slow, "not counted")] {
        let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
        fs::write(&file, format!("{scene}{expected}")).unwrap();

        let faults = told_of(file.path().to_str().unwrap(), "fault");

        let told = |line: &Value| line["who"] == "charger" && line["what"].as_str().unwrap().contains(what);
        assert!(faults.iter().any(told), "{what}: {faults:?}");
    }
}

#[test]
fn a_head_that_is_not_there_is_refused_with_how_to_mend_it() {
    let file = scenario("/dev/ttyUSB99", "amount = \"20Wh\"");

    let played = coinop(&["play", file.path().to_str().unwrap(), "--headless"]);

    assert_ne!(played.code, 0);
    assert!(played.err.contains("/dev/ttyUSB99: there is no such device"), "{}", played.err);
    assert!(played.err.contains("ls /dev/serial/by-id"), "{}", played.err);
}

#[test]
fn a_real_meter_keeps_real_time() {
    let file = scenario("/dev/ttyUSB99", "amount = \"20Wh\"");

    let played = coinop(&["play", file.path().to_str().unwrap(), "--headless", "--speed", "max"]);

    assert_ne!(played.code, 0);
    assert!(played.err.contains("/dev/ttyUSB99 measures at speed 1 only"), "{}", played.err);
}
