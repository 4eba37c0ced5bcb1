//! Which scenarios and which board files the lines of this machine would do for.

use std::collections::BTreeSet;

use coinop_hardware::{
    survey::{Chip, Line},
    wiring::{Spot, Wiring},
};

use super::{
    facts::{Demo, Facts, Machine},
    judge::{Finding, State},
    lines::{called, is_usable, some},
};

/// The first built-in scenario whose lines are all there and free, and what keeps the others from it.
pub(super) fn demos(
    facts: &Facts,
    wiring: &Wiring,
    known: Option<&BTreeSet<String>>,
) -> (Option<String>, Vec<Finding>) {
    let chips = usable(&facts.machine);
    if chips.is_empty() {
        return (None, Vec::new());
    }
    let trouble = |line: &String| {
        if known.is_some_and(|known| !known.contains(line)) {
            return Some(format!("the board file has no line {line}"));
        }
        trouble(&chips, wiring, line)
    };
    let troubled = |demo: &Demo| demo.lines.iter().filter_map(trouble).collect();
    let mut all: Vec<(&Demo, Vec<String>)> = facts.demos.iter().map(|demo| (demo, troubled(demo))).collect();
    // The one that lacks least says best what to mend.
    all.sort_by_key(|(_, troubles)| troubles.len());
    let (free, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, troubles)| troubles.is_empty());
    let mut found = Vec::new();
    if !free.is_empty() {
        let names: Vec<&str> = free.iter().map(|(demo, _)| demo.name.as_str()).collect();
        found.push(Finding::ok("demos", format!("every line is there and free for {}", some(&names))));
    }
    if let Some((demo, troubles)) = kept.first() {
        let state = if free.is_empty() { State::Wrong } else { State::Note };
        let others: Vec<&str> = kept.iter().skip(1).map(|(demo, _)| demo.name.as_str()).collect();
        let others = if others.is_empty() { String::new() } else { format!(" (nor {})", some(&others)) };
        let what = format!("{} cannot be played{others}: {}", demo.name, some(troubles));
        let mend = "stop who has a line; for lines of other names choose a board file, such as --board pi, or \
                    write one";
        found.push(Finding::new(state, "demos", what, mend));
    }
    (free.first().map(|(demo, _)| demo.name.clone()), found)
}

/// The board files that are built in and whose every line is on this machine.
pub(super) fn boards(facts: &Facts) -> Option<Finding> {
    let chips = usable(&facts.machine);
    if chips.is_empty() {
        return None;
    }
    let is_there = |wiring: &Wiring, line: &str| !matching(&chips, wiring, line).is_empty();
    let fitting = facts
        .boards
        .iter()
        .filter(|board| board.wiring.lines.keys().all(|line| is_there(&board.wiring, line)));
    let fitting: Vec<String> = fitting.map(|board| format!("{} ({})", board.name, board.title)).collect();
    Some(if fitting.is_empty() {
        let mend = "write one: copy hardware/boards/pi.toml, and give each line its chip and offset, then \
                    --board FILE.toml";
        Finding::new(State::Note, "boards", "no board file that ships has all its lines here", mend)
    } else {
        Finding::ok("boards", format!("these board files fit: {}", some(&fitting)))
    })
}

fn usable(machine: &Machine) -> Vec<&Chip> {
    machine.survey.chosen(None).filter(|chip| is_usable(chip)).collect()
}

/// What keeps the lines of a wiring from being had, in the order of their names.
pub(super) fn troubles(machine: &Machine, wiring: &Wiring) -> Vec<String> {
    let chips = usable(machine);
    wiring.lines.keys().filter_map(|line| trouble(&chips, wiring, line)).collect()
}

/// Why a line cannot be had.
fn trouble(chips: &[&Chip], wiring: &Wiring, wanted: &str) -> Option<String> {
    let spot = wiring.wire(wanted).spot(wanted);
    let name = match &spot {
        Spot::Kernel(name) if name == wanted => wanted.to_owned(),
        Spot::Kernel(_) | Spot::Offset(_) => format!("{wanted} ({spot})"),
    };
    match matching(chips, wiring, wanted)[..] {
        [] => Some(format!("there is no line {name}")),
        [(_, line)] => line.used_by.as_ref().map(|user| format!("{name} is in use by {}", called(user))),
        [(one, _), (other, _), ..] => {
            Some(format!("{name} is on {} and on {}: name the chip", one.device.path, other.device.path))
        }
    }
}

/// The lines that a board's line may be.
fn matching<'a>(chips: &[&'a Chip], wiring: &Wiring, wanted: &str) -> Vec<(&'a Chip, &'a Line)> {
    let wire = wiring.wire(wanted);
    let spot = wire.spot(wanted);
    let is_it = |line: &Line| match &spot {
        Spot::Kernel(name) => line.name == *name,
        Spot::Offset(offset) => line.offset == *offset,
    };
    let on = chips.iter().filter(|chip| wire.chip.as_deref().is_none_or(|wanted| chip.is_called(wanted)));
    on.flat_map(|chip| chip.lines.iter().filter(|line| is_it(line)).map(|line| (*chip, line))).collect()
}
