//! The order of a test, and what each answer of the board and of the person before it means: pure, so that
//! any board can be tried on any other.

mod input;
mod output;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use coinop::core::{
    Timestamp,
    board::{BoardErrorKind, Direction, Level, LineSpec},
};
use coinop_hardware::guard::{Report, Trip};

use super::{outcome::Outcome, words::Word};

/// How long everything rests before an output goes on: longer than the guard's dead time.
const REST: Duration = Duration::from_millis(100);
/// How long after it went safe an output is read back.
const SETTLE: Duration = Duration::from_millis(20);
/// How long the guard may take for an answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How long an input that changed is still listened to.
const LISTEN: Duration = Duration::from_millis(300);

/// How the lines are tried.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Whether somebody is asked before and after.
    pub(super) asks: bool,
    /// How long an output is on, if its own limit is not shorter.
    pub(super) on: Duration,
    /// How long an input may take to change.
    pub(super) wait: Duration,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Lease an output until then.
    Lease { line: String, until: Timestamp },
    /// End a lease.
    Release { line: String },
    /// Read a line back.
    Look { line: String },
    /// Show a line of text.
    Say(String),
    /// Show a question, and take what is typed from now on as its answer.
    Ask(String),
}

/// A line, and what is known of it.
#[derive(Clone, Debug)]
struct Tried {
    spec: LineSpec,
    level: Option<Level>,
    edges: u32,
    /// The output that was tried while it changed first.
    with: Option<String>,
    outcome: Option<Outcome>,
}

/// Where the walk is; an output by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    /// Relays let go meanwhile.
    Rest { until: Timestamp },
    /// Somebody is asked whether the output may go on.
    Go(usize),
    /// Lines are being read back.
    Look { output: usize, stage: Stage, open: BTreeSet<String>, by: Timestamp },
    /// The output is on, or is to go on.
    Held { output: usize, look_at: Timestamp, until: Timestamp, was_seen: bool },
    /// It has been driven safe.
    Settles { output: usize, until: Timestamp },
    /// Somebody is asked what the output did.
    Did(usize),
    /// Inputs may change until then; once all did, until `enough`.
    Wait { inputs: Vec<usize>, until: Timestamp, enough: Option<Timestamp> },
    /// Nothing is left to do.
    Over,
}

/// Which look at an output it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Before,
    While { until: Timestamp },
    After,
}

/// A test of lines in its order: each output by itself, then the inputs.
pub(super) struct Walk {
    how: How,
    lines: Vec<Tried>,
    phase: Phase,
    /// The output whose turn it is, or was last.
    output: Option<usize>,
    /// What the outputs read before this one went on.
    before: BTreeMap<String, Level>,
    acts: Vec<Act>,
}

impl Walk {
    /// A walk over these lines, from `now` on.
    pub(super) fn new(lines: &[LineSpec], how: How, now: Timestamp) -> Self {
        let tried =
            |spec: &LineSpec| Tried { spec: spec.clone(), level: None, edges: 0, with: None, outcome: None };
        Self {
            how,
            lines: lines.iter().map(tried).collect(),
            phase: Phase::Rest { until: now.after(REST) },
            output: None,
            before: BTreeMap::new(),
            acts: Vec::new(),
        }
    }

    /// Whether every line has its outcome.
    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Every line with its outcome, in the order of the board.
    pub(super) fn outcomes(&self) -> Vec<(&LineSpec, Outcome)> {
        let outcome = |tried: &Tried| tried.outcome.clone().unwrap_or_else(|| Outcome::untested("the end"));
        self.lines.iter().map(|tried| (&tried.spec, outcome(tried))).collect()
    }

    /// Lives until `now`.
    pub(super) fn step(&mut self, now: Timestamp) -> Vec<Act> {
        match self.phase.clone() {
            Phase::Rest { until } if until <= now => self.next(now),
            Phase::Look { output, open, by, .. } if by <= now => {
                let open: Vec<_> = open.into_iter().collect();
                let what = format!("no answer when {} was read back", open.join(", "));
                self.end_output(now, output, Outcome::failed(what));
            }
            Phase::Held { output, look_at, until, was_seen: false } if look_at <= now => {
                self.look(now, output, Stage::While { until });
            }
            Phase::Held { output, until, .. } if until.after(ANSWER) <= now => {
                self.end_output(now, output, Outcome::failed("the guard did not put it back in time"));
            }
            Phase::Settles { output, until } if until <= now => self.look(now, output, Stage::After),
            Phase::Wait { inputs, until, enough } if enough.unwrap_or(until) <= now => {
                for input in inputs {
                    self.end_input(input);
                }
                self.next(now);
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
        std::mem::take(&mut self.acts)
    }

    /// Hears what the guard has to tell.
    pub(super) fn hear(&mut self, now: Timestamp, report: Report) {
        if self.is_over() {
            return;
        }
        match report {
            Report::Line { line, level, .. } => self.driven(now, &line, level),
            Report::Seen { line, level, .. } => self.seen(now, &line, level),
            Report::Edge(edge) => self.edge(now, &edge),
            Report::Refused { lease, refusal } => {
                self.fail(now, &lease.line, format!("the guard refused it: {refusal}"));
            }
            Report::Fault(error) if error.kind == BoardErrorKind::EdgesLost => {
                self.acts.push(Act::Say(format!("      {error}")));
            }
            Report::Fault(error) => self.fail(now, &error.line, error.message),
            Report::Tripped(trip @ Trip::Silent { .. }) => self.fail_current(now, &trip.to_string()),
            Report::Tripped(trip @ Trip::Board(_)) => {
                self.fail_current(now, &trip.to_string());
                self.end(&trip.to_string());
            }
            Report::Granted { .. } | Report::Mended => {}
        }
    }

    /// Takes what somebody typed; what nobody asked for is no answer, but for the wish to stop.
    pub(super) fn typed(&mut self, now: Timestamp, text: &str) {
        match (self.phase.clone(), Word::of(text)) {
            (Phase::Over, _) => {}
            (_, Word::Quit) => self.stop("you stopped"),
            (Phase::Go(output), Word::Enter | Word::Yes) | (Phase::Did(output), Word::Again) => {
                self.begin(now, output);
            }
            (Phase::Go(output) | Phase::Did(output), Word::Skip) => {
                self.end_output(now, output, Outcome::skipped());
            }
            (Phase::Go(output), Word::No | Word::Again | Word::Other) => self.ask_to_go(output),
            (Phase::Did(output), Word::Yes) => {
                let what = "read back on and off, and you saw it";
                self.end_output(now, output, Outcome::ok(what));
            }
            (Phase::Did(output), Word::No) => {
                let what = "read back on and off, and you saw nothing: look at its wire, relay and supply";
                self.end_output(now, output, Outcome::failed(what));
            }
            (Phase::Did(_), Word::Enter | Word::Other) => self.ask_whether_it_did(),
            (Phase::Wait { inputs, .. }, Word::Skip) => {
                for input in inputs {
                    self.lines[input].outcome.get_or_insert_with(Outcome::skipped);
                }
                self.next(now);
            }
            (Phase::Rest { .. } | Phase::Look { .. } | Phase::Held { .. } | Phase::Settles { .. }, _)
            | (Phase::Wait { .. }, Word::Enter | Word::Yes | Word::No | Word::Again | Word::Other) => {}
        }
    }

    /// Ends here: what is on goes safe, and the lines that are left are not tested.
    pub(super) fn stop(&mut self, why: &str) {
        if let Some(output) = self.output {
            self.acts.push(Act::Release { line: self.name(output) });
        }
        self.end(why);
    }

    fn end(&mut self, why: &str) {
        for tried in &mut self.lines {
            tried.outcome.get_or_insert_with(|| Outcome::untested(why));
        }
        self.phase = Phase::Over;
    }

    /// Goes on with what has no outcome yet: outputs first, since an input may follow one.
    fn next(&mut self, now: Timestamp) {
        let open = |walk: &Self, direction| {
            let is_open = |tried: &Tried| tried.outcome.is_none() && tried.spec.direction == direction;
            let all = walk.lines.iter().enumerate().filter(|(_, tried)| is_open(tried));
            all.map(|(place, _)| place).collect::<Vec<_>>()
        };
        if let Some(output) = open(self, Direction::Output).first() {
            return if self.how.asks { self.ask_to_go(*output) } else { self.begin(now, *output) };
        }
        // What changed with an output has shown that it can.
        for input in open(self, Direction::Input) {
            if self.lines[input].edges > 0 {
                self.end_input(input);
            }
        }
        let mut inputs = open(self, Direction::Input);
        if inputs.is_empty() {
            self.phase = Phase::Over;
            return;
        }
        if self.how.asks {
            inputs.truncate(1);
        }
        self.wait(now, inputs);
    }

    /// A line failed; whoever's turn it is goes on without it.
    fn fail(&mut self, now: Timestamp, line: &str, what: String) {
        let Some(place) = self.place(line) else { return self.fail_current(now, &format!("{line}: {what}")) };
        if self.lines[place].spec.direction == Direction::Output && self.output == Some(place) {
            return self.end_output(now, place, Outcome::failed(what));
        }
        self.acts.push(Act::Say(format!("      FAILED: {line}: {what}")));
        self.lines[place].outcome = Some(Outcome::failed(what));
    }

    fn fail_current(&mut self, now: Timestamp, what: &str) {
        let Some(output) = self.output.filter(|output| self.lines[*output].outcome.is_none()) else { return };
        self.end_output(now, output, Outcome::failed(what));
    }

    fn name(&self, place: usize) -> String {
        self.lines[place].spec.name.clone()
    }

    fn place(&self, line: &str) -> Option<usize> {
        self.lines.iter().position(|tried| tried.spec.name == line)
    }
}
