//! How fast a folder's disk is, by the journal's own commits.

use std::{
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use coinop::{
    core::Timestamp,
    journal::{Entry, Journal as _, RedbJournal, Stamp},
};

/// How long the disk is measured.
const SHORTLY: Duration = Duration::from_millis(250);
/// The most commits that are made.
const COMMITS: u32 = 2_000;

/// What a short measurement showed.
pub(super) struct Measured {
    /// Durable commits a second; or why there are none.
    pub(super) commits: Result<u64, String>,
    /// How far the wall clock and the monotonic one went apart meanwhile.
    pub(super) drift: Duration,
}

/// Makes durable commits in a folder of its own within `folder`, and takes it away again.
pub(super) fn commits(folder: &Path) -> Measured {
    let (began, wall) = (Instant::now(), SystemTime::now());
    let commits = durable(folder).map_err(|error| chain(error.as_ref()));
    let lasted = began.elapsed();
    // A wall clock that was set back has gone no way at all.
    let drift = SystemTime::now().duration_since(wall).unwrap_or_default().abs_diff(lasted);
    Measured { commits, drift }
}

fn durable(folder: &Path) -> Result<u64, Box<dyn std::error::Error>> {
    let store = tempfile::Builder::new().prefix("coinop-doctor-").tempdir_in(folder)?;
    let mut journal = RedbJournal::open(&store.path().join("journal.redb"))?.journal;
    let began = Instant::now();
    let mut made = 0_u32;
    while made < COMMITS && began.elapsed() < SHORTLY {
        let at = Timestamp::from_millis(u64::from(made));
        journal.append(Entry { stream: "doctor".to_owned(), stamp: Stamp::Event, at, body: vec![b'0'; 200] });
        journal.commit()?;
        made += 1;
    }
    let seconds = began.elapsed().as_secs_f64().max(1e-6);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
    let rate = (f64::from(made) / seconds) as u64;
    Ok(rate)
}

/// An error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
