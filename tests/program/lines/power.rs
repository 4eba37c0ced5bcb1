//! What was on, and whether somebody's lease covered it: from leases and levels alone.

use std::collections::BTreeMap;

use super::story::{Fact, Level, Story};

/// An output, as it goes.
#[derive(Clone, Copy, Debug, Default)]
struct Output {
    /// Whether it is driven on.
    on: bool,
    /// Its level out there, where that is another one.
    world: Option<bool>,
    /// The end of the lease.
    until: u64,
    /// Up to when it is counted.
    at: u64,
    /// How long it was driven on.
    on_ms: u64,
    /// How long of that without a lease.
    unleased_ms: u64,
    /// How long it was on out there.
    world_ms: u64,
    /// How long of that without a lease.
    leaking_ms: u64,
}

impl Output {
    fn advance(&mut self, now: u64) {
        let (all, unleased) = (now.saturating_sub(self.at), now.saturating_sub(self.at.max(self.until)));
        if self.on {
            self.on_ms += all;
            self.unleased_ms += unleased;
        }
        if self.world.unwrap_or(self.on) {
            self.world_ms += all;
            self.leaking_ms += unleased;
        }
        self.at = now;
    }
}

/// How long each output was on, and how long without a lease, in milliseconds: as the guard drove it, and as
/// it was out there, which a fault can make differ.
#[derive(Debug)]
#[expect(clippy::struct_field_names, reason = "the unit stands in the name")]
pub(crate) struct Power {
    /// Driven, by line.
    pub(crate) on_ms: BTreeMap<String, u64>,
    /// Driven without a lease, all lines together.
    pub(crate) unleased_ms: u64,
    /// Out there, by line.
    pub(crate) world_ms: BTreeMap<String, u64>,
    /// Out there without a lease, by line; only lines that leak.
    pub(crate) leaking_ms: BTreeMap<String, u64>,
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
            Fact::World { line: name, level } => {
                if let Some(output) = outputs.get_mut(name.as_str()) {
                    output.advance(line.at);
                    output.world = level.map(|level| level == Level::High);
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
    let by_line = |which: fn(&Output) -> u64| -> BTreeMap<String, u64> {
        outputs.iter().map(|(name, output)| ((*name).to_owned(), which(output))).collect()
    };
    Power {
        on_ms: by_line(|output| output.on_ms),
        unleased_ms: outputs.values().map(|output| output.unleased_ms).sum(),
        world_ms: by_line(|output| output.world_ms),
        leaking_ms: by_line(|output| output.leaking_ms).into_iter().filter(|(_, ms)| *ms > 0).collect(),
    }
}
