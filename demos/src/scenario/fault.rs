//! What goes wrong in a scenario, on purpose.

use coinop::core::board::{Direction, Level};
use coinop_hardware::sim::SimFault;
use serde::Deserialize;
use toml::Spanned;

use super::{Scenario, Span};
use crate::{
    devices,
    stage::{Intervention, LONGEST_MS, MAX_PULSES, SHORTEST_PULSE_MS},
};

/// Something that goes wrong, on purpose: `at` and exactly one of the others. Lines are written
/// `thing.LINE`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Fault {
    /// When.
    pub(crate) at: Spanned<Span>,
    /// How long, where it has an end.
    #[serde(default, rename = "for")]
    pub(crate) lasts: Option<Span>,
    /// No letter passes between these two.
    #[serde(default)]
    pub(crate) cut: Option<[Spanned<String>; 2]>,
    /// This party loses its process; it restarts from the journal.
    #[serde(default)]
    pub(crate) kill: Option<Spanned<String>>,
    /// The runtime hangs for so long: no actor runs, and nobody beats for the guard.
    #[serde(default)]
    pub(crate) hang: Option<Spanned<Span>>,
    /// This buyer closes its channels with less than it signed.
    #[serde(default)]
    pub(crate) dishonest_close: Option<Spanned<String>>,
    /// This buyer sends its newest and an older package again.
    #[serde(default)]
    pub(crate) replay: Option<Spanned<String>>,
    /// This input keeps its level, or this output is driven and never closes.
    #[serde(default)]
    pub(crate) stuck: Option<Spanned<String>>,
    /// This output stays on once it was, whatever is driven.
    #[serde(default)]
    pub(crate) welded: Option<Spanned<String>>,
    /// Each edge of this input is a burst.
    #[serde(default)]
    pub(crate) bouncing: Option<Spanned<String>>,
    /// The edges of an input come late.
    #[serde(default)]
    pub(crate) late: Option<Late>,
    /// Edges of an input are lost.
    #[serde(default)]
    pub(crate) lost: Option<Lost>,
    /// A meter counts too much or too little.
    #[serde(default)]
    pub(crate) drifting: Option<Drifting>,
    /// The board is without power for so long.
    #[serde(default)]
    pub(crate) brown_out: Option<Spanned<Span>>,
    /// A hand sets an input.
    #[serde(default)]
    pub(crate) poke: Option<Poked>,
    /// A hand gives pulses on an input.
    #[serde(default)]
    pub(crate) pulses: Option<Pulses>,
}

/// `late = { line = "charger.METER", by = "200ms" }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Late {
    line: Spanned<String>,
    by: Span,
}

/// `lost = { line = "charger.METER", every = 5 }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lost {
    line: Spanned<String>,
    every: u32,
}

/// `drifting = { line = "charger.METER", percent = -5 }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Drifting {
    line: Spanned<String>,
    percent: i8,
}

/// `poke = { line = "room.DOOR", level = "low" }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Poked {
    line: Spanned<String>,
    level: Level,
}

/// `pulses = { line = "charger.METER", count = 40, every = "100ms" }`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pulses {
    line: Spanned<String>,
    count: u32,
    every: Span,
}

/// What is wrong with an entry, and the part of the text that it is about.
pub(super) type Wrong = (std::ops::Range<usize>, String);

impl Fault {
    /// What is to be done.
    ///
    /// # Errors
    ///
    /// [`Wrong`] when there is not exactly one thing to do, or it cannot be done.
    pub(crate) fn intervention(&self, scenario: &Scenario) -> Result<Intervention, Wrong> {
        let mut found: Vec<_> = self.of_parties().into_iter().map(Ok).collect();
        found.extend(self.of_lines(scenario));
        found.extend(self.brown_out.as_ref().map(|span| {
            let for_ms = millis(*span.get_ref());
            Ok(Intervention::BrownOut { for_ms })
        }));
        found.extend(self.hang.as_ref().map(|span| {
            let for_ms = millis(*span.get_ref());
            Ok(Intervention::Hang { for_ms })
        }));
        let lasts = self.lasts.map_or(0, millis);
        if lasts > LONGEST_MS {
            return Err((self.at.span(), format!("a fault lasts at most {LONGEST_MS} ms, not {lasts}")));
        }
        match (found.len(), found.pop()) {
            (1, Some(found)) => found,
            (count, _) => Err((
                self.at.span(),
                format!(
                    "a fault has exactly one of cut, kill, hang, dishonest-close, replay, stuck, welded, bouncing, \
                     late, lost, drifting, brown-out, poke, pulses; this has {count}"
                ),
            )),
        }
    }

    fn of_parties(&self) -> Vec<Intervention> {
        let for_ms = self.lasts.map(millis);
        let name = |word: &Spanned<String>| word.get_ref().clone();
        let cut = self.cut.as_ref().map(|[one, other]| Intervention::Cut {
            one: name(one),
            other: name(other),
            for_ms,
        });
        let kill = self.kill.as_ref().map(|word| Intervention::Kill { name: name(word), for_ms });
        let lie = self.dishonest_close.as_ref().map(|word| Intervention::DishonestClose { name: name(word) });
        let replay = self.replay.as_ref().map(|word| Intervention::Replay { name: name(word) });
        [cut, kill, lie, replay].into_iter().flatten().collect()
    }

    fn of_lines(&self, scenario: &Scenario) -> Vec<Result<Intervention, Wrong>> {
        let for_ms = self.lasts.map(millis);
        let late = |late: &Late| SimFault::Late(millis(late.by));
        let broken = [
            self.stuck.as_ref().map(|line| (line, SimFault::Stuck)),
            self.welded.as_ref().map(|line| (line, SimFault::Welded)),
            self.bouncing.as_ref().map(|line| (line, SimFault::Bouncing)),
            self.late.as_ref().map(|it| (&it.line, late(it))),
            self.lost.as_ref().map(|it| (&it.line, SimFault::Lost(it.every))),
            self.drifting.as_ref().map(|it| (&it.line, SimFault::Drifting(it.percent))),
        ];
        let faulty = broken.into_iter().flatten().map(|(word, fault)| {
            let (line, direction) = board_line(scenario, word)?;
            fault.fits(direction).map_err(|what| (word.span(), what))?;
            Ok(Intervention::Fault { line, fault, for_ms })
        });
        let poked = self.poke.as_ref().map(|it| {
            let line = input(scenario, &it.line)?;
            Ok(Intervention::Poke { line, level: it.level })
        });
        let pulses = self.pulses.as_ref().map(|it| {
            let (line, every_ms) = (input(scenario, &it.line)?, millis(it.every));
            if it.count == 0 || it.count > MAX_PULSES || every_ms < SHORTEST_PULSE_MS {
                let what =
                    format!("1 to {MAX_PULSES} pulses can be given, at least {SHORTEST_PULSE_MS} ms apart");
                return Err((it.line.span(), what));
            }
            Ok(Intervention::Pulses { line, count: it.count, every_ms })
        });
        faulty.chain(poked).chain(pulses).collect()
    }
}

fn input(scenario: &Scenario, word: &Spanned<String>) -> Result<String, Wrong> {
    match board_line(scenario, word)? {
        (line, Direction::Input) => Ok(line),
        (_, Direction::Output) => {
            Err((word.span(), format!("{:?} is an output, which only the guard drives", word.get_ref())))
        }
    }
}

/// The board's name of `thing.LINE`, and which way it points.
fn board_line(scenario: &Scenario, word: &Spanned<String>) -> Result<(String, Direction), Wrong> {
    let mut known = Vec::new();
    for thing in &scenario.thing {
        for line in devices::of(thing.kind.get_ref()).map_or(&[][..], |device| device.lines) {
            let name = format!("{}.{}", thing.name.get_ref(), line.name);
            if name == *word.get_ref() {
                return Ok((thing.line(line.name).to_owned(), line.direction));
            }
            known.push(name);
        }
    }
    let what = format!("there is no line {:?}; there are: {}", word.get_ref(), known.join(", "));
    Err((word.span(), what))
}

fn millis(span: Span) -> u64 {
    u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX)
}
