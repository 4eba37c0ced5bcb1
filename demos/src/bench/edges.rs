//! How long an edge of an input takes to its notice on a bus, looked for as often as the stage does.

use std::{
    sync::mpsc::{Receiver, sync_channel},
    thread,
    time::{Duration, Instant},
};

use coinop::{
    core::{Timestamp, board::Level},
    notice::{Bus, Fact, Notice},
};
use coinop_hardware::{guard::Report, sim::SimChip};
use color_eyre::eyre::bail;

use super::board::{INPUT, LEASE, OUTPUT, PATIENCE, Post, QUEUE};
use crate::stage::TICK;

/// How long the first edge of an input may take that hangs on the output.
const FIRST: Duration = Duration::from_secs(1);

/// A bus, and when something was heard on it.
struct Ear {
    bus: Bus,
    heard: Receiver<Instant>,
}

/// From an edge that the simulated world makes.
pub(super) fn of_world(post: &Post, chip: &SimChip, rounds: u32) -> color_eyre::Result<Vec<Duration>> {
    let ear = Ear::new();
    let mut latencies = Vec::new();
    let mut level = Level::Low;
    for round in 0..rounds {
        // At another moment between two looks each time.
        let tick = TICK.mul_f64(f64::from(round % 10) / 10.0);
        level = !level;
        let began = Instant::now();
        chip.poke(INPUT, level)?;
        thread::sleep(TICK.saturating_sub(tick));
        let Some(notice) = ear.notices(post, level, began + PATIENCE) else {
            bail!("an edge of the simulated board was not told in {PATIENCE:?}");
        };
        latencies.push(notice.duration_since(began));
    }
    Ok(latencies)
}

/// From an output that is driven to the notice of the input that hangs on it by a wire; `None` when nothing
/// does. What the wire takes counts as well.
pub(super) fn by_wire(post: &Post, rounds: u32) -> color_eyre::Result<Option<Vec<Duration>>> {
    let ear = Ear::new();
    let mut latencies = Vec::new();
    for _ in 0..rounds / 2 {
        // What was told of leases before this one.
        post.reports().for_each(drop);
        post.lease(OUTPUT, LEASE)?;
        for level in [Level::High, Level::Low] {
            let began = post.driven(level)?;
            let patience = if latencies.is_empty() { FIRST } else { PATIENCE };
            match ear.notices(post, level, began + patience) {
                Some(notice) => latencies.push(notice.duration_since(began)),
                None if latencies.is_empty() => return Ok(None),
                None => bail!(
                    "{INPUT} has not followed {OUTPUT} to {level} in {PATIENCE:?}: is the wire between \
                     them loose?"
                ),
            }
        }
    }
    Ok(Some(latencies))
}

impl Ear {
    fn new() -> Self {
        let bus = Bus::default();
        let (tell, heard) = sync_channel(QUEUE);
        bus.listen(move |_: &Notice| {
            // Who does not listen does not count.
            let _ = tell.try_send(Instant::now());
        });
        Self { bus, heard }
    }

    /// When the edge of the input to `level` was on the bus; `None` when it was not until then.
    fn notices(&self, post: &Post, level: Level, until: Instant) -> Option<Instant> {
        loop {
            let told = post.reports().find_map(|report| edge(report, level));
            if let Some(fact) = told {
                self.publish(fact);
            }
            if let Ok(at) = self.heard.try_recv() {
                return Some(at);
            }
            if Instant::now() > until {
                return None;
            }
            thread::sleep(TICK);
        }
    }

    fn publish(&self, fact: Fact) {
        self.bus.publish(&Notice::new(Timestamp::default(), Timestamp::default(), "bench", fact));
    }
}

fn edge(report: Report, level: Level) -> Option<Fact> {
    match report {
        Report::Edge(edge) if edge.line == INPUT && edge.level == level => {
            Some(Fact::Line { line: edge.line, level })
        }
        Report::Edge(_)
        | Report::Line { .. }
        | Report::Seen { .. }
        | Report::Granted { .. }
        | Report::Refused { .. }
        | Report::Fault(_)
        | Report::Tripped(_)
        | Report::Mended => None,
    }
}
