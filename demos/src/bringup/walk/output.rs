//! The turn of an output: asked, read, driven, read, driven back, read, asked.

use std::{collections::BTreeSet, time::Duration};

use coinop::core::{
    Timestamp,
    board::{Direction, Level},
};

use super::{ANSWER, Act, Phase, REST, SETTLE, Stage, Walk};
use crate::bringup::{
    outcome::{Outcome, State},
    words,
};

impl Walk {
    pub(super) fn ask_to_go(&mut self, output: usize) {
        self.phase = Phase::Go(output);
        let what = self.goes(output);
        self.acts.push(Act::Ask(format!("{what}: [Enter] go, s skip, q quit ")));
    }

    pub(super) fn ask_whether_it_did(&mut self) {
        self.acts.push(Act::Ask("      did it? y/n, r once more, s skip, q quit ".to_owned()));
    }

    fn goes(&self, output: usize) -> String {
        let spec = &self.lines[output].spec;
        format!("{} goes {} for {}", spec.name, words::level(!spec.safe), words::span(self.on(output)))
    }

    fn on(&self, output: usize) -> Duration {
        self.lines[output].spec.max_on.unwrap_or(self.how.on).min(self.how.on)
    }

    /// The turn of an output: every output is read before it goes on.
    pub(super) fn begin(&mut self, now: Timestamp, output: usize) {
        if !self.how.asks {
            self.acts.push(Act::Say(self.goes(output)));
        }
        self.output = Some(output);
        self.before.clear();
        self.look(now, output, Stage::Before);
    }

    pub(super) fn look(&mut self, now: Timestamp, output: usize, stage: Stage) {
        let own = self.name(output);
        let open: BTreeSet<String> = match stage {
            // One that moves with another one is wired to it.
            Stage::Before | Stage::While { .. } => {
                let outputs = self.lines.iter().filter(|tried| tried.spec.direction == Direction::Output);
                outputs.map(|tried| tried.spec.name.clone()).collect()
            }
            Stage::After => [own].into(),
        };
        self.acts.extend(open.iter().map(|line| Act::Look { line: line.clone() }));
        self.phase = Phase::Look { output, stage, open, by: now.after(ANSWER) };
    }

    pub(super) fn driven(&mut self, now: Timestamp, line: &str, level: Level) {
        let Some(place) = self.place(line) else { return };
        self.lines[place].level = Some(level);
        match self.phase {
            Phase::Held { output, was_seen: true, .. }
                if output == place && level == self.lines[place].spec.safe =>
            {
                self.phase = Phase::Settles { output, until: now.after(SETTLE) };
            }
            Phase::Held { output, was_seen: false, .. }
            | Phase::Look { output, stage: Stage::While { .. }, .. }
                if output == place && level == self.lines[place].spec.safe =>
            {
                let what = "went off before it could be read back: this machine is busy; try a longer --on";
                self.end_output(now, output, Outcome::failed(what));
            }
            Phase::Rest { .. }
            | Phase::Go(_)
            | Phase::Look { .. }
            | Phase::Held { .. }
            | Phase::Settles { .. }
            | Phase::Did(_)
            | Phase::Wait { .. }
            | Phase::Over => {}
        }
    }

    pub(super) fn seen(&mut self, now: Timestamp, line: &str, level: Level) {
        let Phase::Look { output, stage, open, .. } = &mut self.phase else { return };
        if !open.remove(line) {
            return;
        }
        let (output, stage, is_last) = (*output, *stage, open.is_empty());
        if let Some(what) = self.objection(output, stage, line, level) {
            return self.end_output(now, output, Outcome::failed(what));
        }
        if is_last {
            self.seen_all(now, output, stage);
        }
    }

    /// What is wrong with what was read back.
    fn objection(&mut self, output: usize, stage: Stage, line: &str, level: Level) -> Option<String> {
        let spec = &self.lines[output].spec;
        let is_own = spec.name == line;
        let (reads, wanted) = (words::level(level), words::level(!spec.safe));
        match stage {
            Stage::Before => {
                self.before.insert(line.to_owned(), level);
                let is_wrong = is_own && level != spec.safe;
                is_wrong.then(|| {
                    format!("reads {reads} before it is driven {wanted}: something outside holds it")
                })
            }
            Stage::While { .. } if is_own => (level == spec.safe).then(|| {
                format!("driven {wanted} and reads {reads}: a short circuit, or another pin than you think")
            }),
            Stage::While { .. } => (self.before.get(line) != Some(&level))
                .then(|| format!("{line} went {reads} with it: the two are wired together")),
            Stage::After => (level != spec.safe)
                .then(|| format!("still reads {reads} after it was driven back: something outside holds it")),
        }
    }

    fn seen_all(&mut self, now: Timestamp, output: usize, stage: Stage) {
        match stage {
            Stage::Before => {
                let (line, on) = (self.name(output), self.on(output));
                let until = now.after(on);
                self.acts.push(Act::Lease { line, until });
                let look_at = now.after(on / 2);
                self.phase = Phase::Held { output, look_at, until, was_seen: false };
            }
            Stage::While { until } => {
                self.phase = Phase::Held { output, look_at: until, until, was_seen: true };
            }
            Stage::After if self.how.asks => {
                self.phase = Phase::Did(output);
                self.ask_whether_it_did();
            }
            Stage::After => self.end_output(now, output, Outcome::ok("read back on and off")),
        }
    }

    pub(super) fn end_output(&mut self, now: Timestamp, output: usize, outcome: Outcome) {
        if outcome.state == State::Failed {
            self.acts.push(Act::Release { line: self.name(output) });
            self.acts.push(Act::Say(format!("      FAILED: {}", outcome.what)));
        }
        self.lines[output].outcome.get_or_insert(outcome);
        self.phase = Phase::Rest { until: now.after(REST) };
    }
}
