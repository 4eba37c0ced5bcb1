use std::{collections::BTreeMap, process::ExitStatus};

use coinop_core::board::Level;
use serde_json::Value;

use crate::{
    outside::Seen,
    report::{Failure, ensure},
};

/// How much the outside may differ from what the program tells, for each time a line was on.
pub(crate) const SLACK_MS: u64 = 60;

/// From when to when, in milliseconds.
pub(crate) type Span = (u64, u64);

/// What a run has told.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) told: Vec<Value>,
    pub(crate) status: ExitStatus,
    pub(crate) complaint: String,
}

impl Story {
    /// Whether it came to its end, all it expects came true, nobody risked more than was agreed, and no line
    /// was on without a lease for longer than this, by its own account.
    pub(crate) fn ended_well(&self, late_ms: u64) -> Result<String, Failure> {
        let summary = self.summary()?;
        let expectations = summary["expectations"].as_array().ok_or("no expectations in the summary")?;
        ensure(expectations.iter().all(|one| one["ok"] == true || one["ok"] == "pending"), || {
            let failed: Vec<_> = expectations.iter().filter(|one| one["ok"] == false).collect();
            format!("{failed:?}")
        })?;
        let unleased = summary["unleased_on_ms"].as_u64().ok_or("it does not say what was on unleased")?;
        ensure(unleased <= late_ms, || format!("unleased for {unleased} ms, {late_ms} ms at most"))?;
        // It is stricter with itself than a kernel allows whose timers are late.
        let of_lateness = |line: &str| line.starts_with("broken: outputs were on for ");
        let is_only_late = unleased > 0 && self.complaint.lines().all(of_lateness);
        ensure(self.status.success() || is_only_late, || {
            format!("{}: {}", self.status, self.complaint.trim())
        })?;
        let payments = summary["payments"].as_u64().unwrap_or(0);
        ensure(payments > 0, || "nobody paid".to_owned())?;
        ensure(summary["money_conserved"] == true, || "money was lost or made".to_owned())?;
        Ok(format!("{} expectations, {payments} payments, unleased for {unleased} ms", expectations.len()))
    }

    /// The summary, which is the last that is told.
    pub(crate) fn summary(&self) -> Result<&Value, Failure> {
        let summary = self.told.last().and_then(|last| last.get("summary"));
        Ok(summary.ok_or_else(|| format!("no summary at the end: {}", self.complaint.trim()))?)
    }

    /// From when to when the program says that a line was on.
    pub(crate) fn lit(&self, line: &str) -> Vec<Span> {
        let lines = self.told_of("line", line);
        spans(lines.map(|told| (told["at"].as_u64().unwrap_or(0), told["level"] == "high")))
    }

    /// The level of a line that was told last.
    pub(crate) fn last_level(&self, line: &str) -> Option<&Value> {
        self.told
            .iter()
            .rev()
            .find(|told| told["kind"] == "line" && told["line"] == line)
            .map(|told| &told["level"])
    }

    /// The first fault whose words hold this.
    pub(crate) fn fault(&self, words: &str) -> Option<&str> {
        let faults = self.told.iter().filter(|told| told["kind"] == "fault");
        faults.filter_map(|told| told["what"].as_str()).find(|what| what.contains(words))
    }

    /// Whether the witness saw a line on only while a lease held, comparing the two clocks by the first
    /// moment at which it was on; guard and witness may each be late by so much together.
    pub(crate) fn leased(&self, line: &str, seen: &[Span], late_ms: u64) -> Result<String, Failure> {
        let leases = self.leases(line);
        let told = self.lit(line);
        let (told_first, seen_first) = told
            .first()
            .zip(seen.first())
            .ok_or_else(|| format!("{line} was never on, as told or as seen"))?;
        for (on, off) in seen {
            let bare = (*on..*off).step_by(10).map(|at| at - seen_first.0 + told_first.0);
            if let Some(at) = bare.into_iter().find(|at| !is_covered(*at, &leases, late_ms)) {
                return Err(format!("{line} was on without a lease at {at}; leases are {leases:?}").into());
            }
        }
        Ok(format!("{} leases", leases.len()))
    }

    /// What the signed accounts say that was paid, and how far that may be from what was delivered: a step
    /// of each session.
    pub(crate) fn accounts(&self) -> (u64, u64) {
        let mut steps = BTreeMap::new();
        let mut accounts = BTreeMap::new();
        for told in &self.told {
            let bytes = |field: &str| told[field].as_u64().unwrap_or(0);
            match told["kind"].as_str() {
                Some("session") => drop(steps.insert(told["id"].as_str(), bytes("step"))),
                Some("receipt") => drop(accounts.insert(told["session"].as_str(), bytes("value"))),
                _ => {}
            }
        }
        (accounts.values().sum(), steps.values().sum())
    }

    /// The leases of a line: from when on they hold, and to when.
    fn leases(&self, line: &str) -> Vec<Span> {
        let moment = |told: &Value, field: &str| told[field].as_u64().unwrap_or(0);
        self.told_of("lease", line).map(|told| (moment(told, "at"), moment(told, "until"))).collect()
    }

    fn told_of(&self, kind: &str, line: &str) -> impl Iterator<Item = &Value> {
        self.told.iter().filter(move |told| told["kind"] == kind && told["line"] == line)
    }
}

/// From when to when a witness saw its line on, in milliseconds.
pub(crate) fn seen_lit(seen: &[Seen]) -> Vec<Span> {
    spans(seen.iter().map(|seen| (seen.at_us / 1_000, seen.level == Level::High)))
}

pub(crate) fn length(spans: &[Span]) -> u64 {
    spans.iter().map(|(on, off)| off.saturating_sub(*on)).sum()
}

/// By how much the outside may differ.
pub(crate) fn slack(spans: &[Span]) -> u64 {
    SLACK_MS * (spans.len() as u64).max(1)
}

/// Turns levels as they begin into the spans in which the line was on.
fn spans(levels: impl Iterator<Item = (u64, bool)>) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut since = None;
    for (at, is_on) in levels {
        match (since, is_on) {
            (None, true) => since = Some(at),
            (Some(on), false) => {
                spans.push((on, at));
                since = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }
    spans
}

/// Whether a lease that holds about then is not over by then.
fn is_covered(at: u64, leases: &[Span], late_ms: u64) -> bool {
    leases.iter().enumerate().any(|(index, (from, until))| {
        let replaced = leases.get(index + 1).map_or(u64::MAX - late_ms, |next| next.0);
        *from <= at + late_ms && replaced + late_ms >= at && until + late_ms >= at
    })
}
