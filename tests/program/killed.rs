//! `kill -9` at fifty random moments: nothing is lost, nothing is made, nothing is signed twice.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;

/// How many streets are played, each in its own folder with its own seed.
const STREETS: u64 = 5;
/// How often each of them is killed.
const KILLS: u64 = 10;
/// How fast it is played: not so fast that a busy machine is late for a lease.
const SPEED: &str = "3";
/// How many of all kills have to fall after a package was signed in that run.
const AFTER_A_PACKAGE: u64 = 30;
/// How long a run that is to sign something may take to do so.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn fifty_kills_lose_nothing_make_nothing_and_sign_nothing_twice() {
    let seed = std::env::var("COINOP_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(7, |since| since.as_secs())
    });
    eprintln!("COINOP_TEST_SEED={seed}");
    let mut chance = Chance(seed);

    let mut after_a_package = 0;
    for street in 1..=STREETS {
        let folder = tempfile::tempdir().unwrap();
        let mut told = Told::default();
        for kill in 0..KILLS {
            // Most kills follow a payment; every fifth comes at any moment, also before the beginning.
            let anywhere = kill % 5 == 0;
            let signed = run_and_kill(folder.path(), street, anywhere, &mut chance, &mut told);
            after_a_package += u64::from(signed);
            agrees(&told, &audit(folder.path()));
        }
        finish(folder.path(), street, &mut told);
        let audit = audit(folder.path());
        agrees(&told, &audit);
        told.bought_once();
        eprintln!("street {street}: {} packages, {} sessions paid", told.packages.len(), told.paid.len());
    }

    eprintln!("{after_a_package} of {} kills after a package was signed in that run", STREETS * KILLS);
    assert!(after_a_package >= AFTER_A_PACKAGE, "only {after_a_package}");
}

/// Plays on in the folder, kills the process at a random moment, and says whether it had signed a
/// package that no run before it had.
fn run_and_kill(folder: &Path, street: u64, anywhere: bool, chance: &mut Chance, told: &mut Told) -> bool {
    let (mut child, lines) = start(folder, street, SPEED, "60s");
    let known = told.packages.len();
    let mut deadline = Instant::now() + if anywhere { chance.up_to(400) } else { PATIENCE };
    let mut signed = false;
    while let Ok(line) = lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        told.hear(&line);
        if !signed && told.packages.len() > known {
            signed = true;
            deadline = deadline.min(Instant::now() + chance.up_to(150));
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for line in &lines {
        told.hear(&line);
    }
    signed || told.packages.len() > known
}

/// Plays the rest: every session and every channel comes to its end.
///
/// What the scenario expects of an undisturbed run may be missed by what a kill has interrupted.
fn finish(folder: &Path, street: u64, told: &mut Told) {
    let (mut child, lines) = start(folder, street, "max", "90s");
    for line in &lines {
        told.hear(&line);
    }
    child.wait().unwrap();

    // What was at risk meanwhile is a matter of real time on a busy machine; the money is not.
    let summary = &told.summary;
    assert_eq!(summary["money_conserved"], true);
    assert_eq!(summary["channels_opened"], summary["channels_closed"]);
}

fn start(folder: &Path, street: u64, speed: &str, length: &str) -> (Child, Receiver<String>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_coinop"))
        .args(["play", "street", "--headless", "--json", "--speed", speed, "--for", length, "--seed"])
        .arg(street.to_string())
        .arg("--data-dir")
        .arg(folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = String::new();
        // What a killed process left unfinished was not said.
        while out.read_line(&mut line).is_ok_and(|read| read > 0) && line.ends_with('\n') {
            if sender.send(std::mem::take(&mut line)).is_err() {
                return;
            }
        }
    });
    (child, receiver)
}

/// The audit of the folder, which finds nothing wrong.
fn audit(folder: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_coinop")).arg("audit").arg(folder).arg("--json").output();
    let output = output.unwrap();
    let (said, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let nothing_yet = ["before it had begun", "holds no run of coinop"];
    if said.is_empty() && nothing_yet.iter().any(|words| complaint.contains(words)) {
        return Value::Null;
    }
    assert!(output.status.success(), "{said}\n{complaint}");
    serde_json::from_str::<Value>(&said).unwrap()["audit"]["report"].take()
}

/// Everything that was told is still known: no payment that was shown is lost, none is larger than what
/// the buyer meant to pay.
fn agrees(told: &Told, audit: &Value) {
    let sessions = audit["sessions"].as_array().cloned().unwrap_or_default();
    let known = |side: &str| -> BTreeMap<String, u64> {
        let ids = sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned());
        ids.zip(sessions.iter().map(|session| session[side][1].as_u64().unwrap_or(0))).collect()
    };
    let (bought, sold) = (known("buyer"), known("seller"));
    for (session, value) in &told.paid {
        assert!(sold.get(session) >= Some(value), "{session}: {value} told, {:?} kept", sold.get(session));
    }
    for (session, value) in &told.signed {
        assert!(
            bought.get(session) >= Some(value),
            "{session}: {value} told, {:?} kept",
            bought.get(session)
        );
    }
}

/// What all runs of a folder have said.
#[derive(Default)]
struct Told {
    /// The one signed package of each total.
    packages: BTreeMap<(String, u64, u64), Value>,
    paid: BTreeMap<String, u64>,
    signed: BTreeMap<String, u64>,
    buyers: BTreeMap<String, String>,
    summary: Value,
}

impl Told {
    fn hear(&mut self, line: &str) {
        let notice: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| notice[key].as_str().unwrap().to_owned();
        let number = |key: &str| notice[key].as_u64().unwrap();
        match notice["kind"].as_str() {
            Some("package") => {
                let key = (text("channel"), number("period"), number("amount_spent"));
                let package = notice["signed_package"].clone();
                let first = self.packages.entry(key).or_insert_with(|| package.clone());
                assert_eq!(*first, package, "two different packages of one amount");
                grow(&mut self.signed, text("session"), number("session_total"));
            }
            Some("paid") => grow(&mut self.paid, text("session"), number("value")),
            Some("session") => drop(self.buyers.insert(text("id"), text("buyer"))),
            Some(_) => {}
            None => self.summary = notice["summary"].clone(),
        }
    }

    /// Nobody has paid for more sessions than the scenario has purchases.
    fn bought_once(&self) {
        let mut sessions = BTreeMap::<&str, BTreeSet<&str>>::new();
        for id in self.paid.keys() {
            sessions.entry(&self.buyers[id]).or_default().insert(id);
        }
        for (buyer, sessions) in sessions {
            let wanted = if buyer == "bob" { 2 } else { 1 };
            assert!(sessions.len() <= wanted, "{buyer} has bought {} times", sessions.len());
        }
    }
}

fn grow(totals: &mut BTreeMap<String, u64>, session: String, total: u64) {
    let known = totals.entry(session).or_default();
    *known = total.max(*known);
}

/// A small generator of chance: the same seed gives the same moments.
struct Chance(u64);

impl Chance {
    fn up_to(&mut self, millis: u64) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Duration::from_micros((mixed ^ (mixed >> 31)) % (millis * 1_000))
    }
}
