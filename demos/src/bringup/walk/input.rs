//! The inputs: whatever changes is shown, and what has not changed yet is waited for.

use coinop::core::{Timestamp, board::Edge};

use super::{Act, LISTEN, Phase, Walk};
use crate::bringup::{outcome::Outcome, words};

/// How many edges of an input are shown; the others are counted.
const EDGES_SHOWN: u32 = 6;

impl Walk {
    pub(super) fn edge(&mut self, now: Timestamp, edge: &Edge) {
        let Some(place) = self.place(&edge.line) else { return };
        let with = self.output.map(|output| self.name(output));
        let tried = &mut self.lines[place];
        tried.level = Some(edge.level);
        tried.edges = tried.edges.saturating_add(1);
        if tried.edges == 1 {
            tried.with = with;
        }
        if tried.edges <= EDGES_SHOWN {
            let more = if tried.edges == EDGES_SHOWN { "; more are counted" } else { "" };
            self.acts.push(Act::Say(format!("      {} {}{more}", edge.line, words::level(edge.level))));
        }
        if let Phase::Wait { inputs, enough, .. } = &mut self.phase
            && enough.is_none()
            && inputs.iter().all(|input| self.lines[*input].edges > 0)
        {
            *enough = Some(now.after(LISTEN));
        }
    }

    pub(super) fn wait(&mut self, now: Timestamp, inputs: Vec<usize>) {
        self.output = None;
        let level = |input: &usize| {
            let tried = &self.lines[*input];
            let level = tried.level.map_or("unknown", words::level);
            format!("{} ({level})", tried.spec.name)
        };
        let names: Vec<String> = inputs.iter().map(level).collect();
        let (names, wait) = (names.join(", "), words::span(self.how.wait));
        let keys = if self.how.asks { ": s skip, q quit" } else { "" };
        self.acts.push(Act::Say(format!("within {wait}, change {names}{keys}")));
        self.phase = Phase::Wait { inputs, until: now.after(self.how.wait), enough: None };
    }

    pub(super) fn end_input(&mut self, input: usize) {
        let wait = words::span(self.how.wait);
        let tried = &mut self.lines[input];
        let edges = if tried.edges == 1 { "1 edge".to_owned() } else { format!("{} edges", tried.edges) };
        let outcome = match (&tried.with, tried.edges) {
            (_, 0) => Outcome::silent(format!("no edge within {wait}")),
            (Some(output), _) => Outcome::ok(format!("{edges}, with {output}")),
            (None, _) => Outcome::ok(edges),
        };
        tried.outcome.get_or_insert(outcome);
    }
}
