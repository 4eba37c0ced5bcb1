//! Another process of this program, which plays a scenario while lines are measured.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use color_eyre::eyre::{OptionExt as _, ensure, eyre};
use serde::{Deserialize, Serialize};

/// How long the first payment may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A run beside this process, until it is dropped.
pub(super) struct Beside {
    scenario: String,
    child: Child,
    payments: Arc<AtomicU64>,
    before: u64,
}

/// What was played beside.
#[derive(Debug, Serialize)]
pub(super) struct Played {
    pub(super) scenario: String,
    /// Payments that were credited there while the lines were measured.
    pub(super) payments: u64,
}

/// As much of a notice as is counted.
#[derive(Deserialize)]
struct Told {
    kind: Option<String>,
}

impl Beside {
    /// Lets it play on a simulated board, in real time; returns when somebody has paid there.
    pub(super) fn start(scenario: &str) -> color_eyre::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["play", scenario, "--headless", "--json", "--board", "sim", "--speed", "1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or_eyre("the process beside says nothing")?;
        let payments = Arc::new(AtomicU64::new(0));
        let mut beside =
            Self { scenario: scenario.to_owned(), child, payments: Arc::clone(&payments), before: 0 };
        let (paid, first) = sync_channel(1);
        thread::spawn(move || count(stdout, &payments, &paid));
        first.recv_timeout(PATIENCE).map_err(|error| {
            eyre!("beside, nobody has paid for anything in {scenario} ({error}): take a scenario with buyers")
        })?;
        beside.before = beside.payments.load(Ordering::Relaxed);
        Ok(beside)
    }

    /// What was played since it started.
    ///
    /// # Errors
    ///
    /// When it came to its end before this, or nobody paid any more: then nothing was measured beside it.
    pub(super) fn end(mut self) -> color_eyre::Result<Played> {
        let scenario = self.scenario.clone();
        ensure!(
            self.child.try_wait()?.is_none(),
            "{scenario} ended before everything was measured: take a longer one, such as street"
        );
        let payments = self.payments.load(Ordering::Relaxed) - self.before;
        ensure!(payments > 0, "nobody paid in {scenario} while the lines were measured: take a busier one");
        Ok(Played { scenario, payments })
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // It plays in memory, for nobody; and it may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Counts payments until the process has said all.
fn count(stdout: ChildStdout, payments: &AtomicU64, paid: &SyncSender<()>) {
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let is_payment = serde_json::from_str::<Told>(&line)
            .is_ok_and(|told| told.kind.is_some_and(|kind| kind == "paid"));
        if is_payment {
            payments.fetch_add(1, Ordering::Relaxed);
            // Only the first one is waited for.
            let _ = paid.try_send(());
        }
    }
}
