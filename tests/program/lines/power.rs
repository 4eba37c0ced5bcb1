//! What was on, and whether somebody's lease covered it: from leases and levels alone.

use std::collections::BTreeMap;

use super::story::{Fact, Level, Story};

/// An output, as it goes.
#[derive(Clone, Copy, Debug, Default)]
struct Output {
    on: bool,
    /// The end of the lease.
    until: u64,
    /// Up to when it is counted.
    at: u64,
    /// How long it was on.
    on_ms: u64,
    /// How long without a lease.
    unleased_ms: u64,
}

impl Output {
    fn advance(&mut self, now: u64) {
        if self.on {
            self.on_ms += now.saturating_sub(self.at);
            self.unleased_ms += now.saturating_sub(self.at.max(self.until));
        }
        self.at = now;
    }
}

/// How long each output was on, and how long without a lease, in milliseconds.
#[derive(Debug)]
pub(crate) struct Power {
    /// By line.
    pub(crate) on_ms: BTreeMap<String, u64>,
    /// All lines together.
    pub(crate) unleased_ms: u64,
}

/// Goes through the leases and levels of a run.
pub(crate) fn power(story: &Story) -> Power {
    let mut outputs: BTreeMap<&str, Output> = BTreeMap::new();
    for line in &story.lines {
        match &line.fact {
            Fact::Thing { lines, .. } => {
                let own = lines.iter().filter(|wire| wire.direction == "output");
                outputs.extend(own.map(|wire| (wire.name.as_str(), Output::default())));
            }
            Fact::Lease { line: name, until } => {
                if let Some(output) = outputs.get_mut(name.as_str()) {
                    output.advance(line.at);
                    output.until = *until;
                }
            }
            Fact::Line { line: name, level } => {
                if let Some(output) = outputs.get_mut(name.as_str()) {
                    output.advance(line.at);
                    output.on = *level == Level::High;
                }
            }
            _ => {}
        }
    }
    for output in outputs.values_mut() {
        output.advance(story.end());
    }
    Power {
        on_ms: outputs.iter().map(|(name, output)| ((*name).to_owned(), output.on_ms)).collect(),
        unleased_ms: outputs.values().map(|output| output.unleased_ms).sum(),
    }
}
