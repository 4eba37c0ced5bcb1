//! Every line as it is now: a fold of notices, and nothing else.

use std::{cell::RefCell, rc::Rc};

#[cfg(unix)]
use coinop::run::Pace;
use coinop::{
    core::board::{Direction, Level},
    notice::{AlarmState, Bus, Fact, Notice},
    tui::level_word,
};
use serde::{Deserialize, Serialize};

use crate::{args::Play, stage::Stage};

/// One line, as others are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LineNow {
    /// The thing it belongs to.
    pub(crate) thing: String,
    /// The board's name of it.
    pub(crate) line: String,
    /// Which way it points, seen from the program.
    pub(crate) direction: Direction,
    /// The level it is driven to, or reads.
    pub(crate) level: Level,
    /// The same as one says it of such a line.
    pub(crate) word: String,
    /// Its level in the simulated world, where that is another one.
    pub(crate) world: Option<Level>,
    /// For how long it is still leased, in milliseconds of scenario time.
    pub(crate) lease_left_ms: Option<u64>,
    /// What is wrong with it, in words.
    pub(crate) fault: Option<String>,
    /// Whether its meter runs without a lease.
    pub(crate) alarm: bool,
}

/// The lines of a run.
#[derive(Debug, Default)]
pub(crate) struct Breadboard {
    lines: Vec<(LineNow, u64)>,
}

impl Breadboard {
    /// One that hears every notice from now on.
    pub(crate) fn listening_to(bus: &Bus) -> Rc<RefCell<Self>> {
        let breadboard = Rc::new(RefCell::new(Self::default()));
        let heard = Rc::clone(&breadboard);
        bus.listen(move |notice| heard.borrow_mut().update(notice));
        breadboard
    }

    /// Takes note of a notice.
    pub(crate) fn update(&mut self, notice: &Notice) {
        match &notice.fact {
            Fact::Thing { thing, lines, .. } => {
                self.lines.retain(|(line, _)| line.thing != *thing);
                self.lines.extend(lines.iter().map(|line| {
                    let (thing, name) = (thing.clone(), line.name.clone());
                    let word = level_word(&name, false).to_owned();
                    let (direction, level) = (line.direction, Level::Low);
                    let now = LineNow {
                        thing,
                        line: name,
                        direction,
                        level,
                        word,
                        world: None,
                        lease_left_ms: None,
                        fault: None,
                        alarm: false,
                    };
                    (now, 0)
                }));
            }
            Fact::Line { line, level } => self.change(line, |now, _| {
                now.level = *level;
                level_word(line, *level == Level::High).clone_into(&mut now.word);
            }),
            Fact::Lease { line, until } => self.change(line, |_, leased| *leased = *until),
            Fact::World { line, level } => self.change(line, |now, _| now.world = *level),
            Fact::LineFault { line, fault } => self.change(line, |now, _| now.fault.clone_from(fault)),
            Fact::Alarm { line, state, .. } => {
                self.change(line, |now, _| now.alarm = *state == AlarmState::Raised);
            }
            _ => {}
        }
    }

    fn change(&mut self, line: &str, change: impl FnOnce(&mut LineNow, &mut u64)) {
        if let Some((now, leased)) = self.lines.iter_mut().find(|(known, _)| known.line == line) {
            change(now, leased);
        }
    }

    /// The lines at `now`, in milliseconds of scenario time.
    pub(crate) fn at(&self, now: u64) -> Vec<LineNow> {
        let line = |(line, leased): &(LineNow, u64)| {
            let left = leased.saturating_sub(now);
            LineNow { lease_left_ms: (left > 0).then_some(left), ..line.clone() }
        };
        self.lines.iter().map(line).collect()
    }
}

/// Lets other processes of this user look and poke. Not in virtual time, which no hand can follow.
#[cfg(unix)]
pub(crate) fn door(
    options: &Play,
    stage: &Rc<Stage>,
    breadboard: &Rc<RefCell<Breadboard>>,
) -> Option<impl Drop + use<>> {
    if options.speed.0 == Pace::Max {
        return None;
    }
    let opened = crate::remote::open(stage, breadboard, options.data_dir.as_deref());
    opened.inspect_err(|error| tracing::warn!(%error, "`coinop poke` cannot reach this run")).ok()
}

#[cfg(not(unix))]
pub(crate) fn door(_options: &Play, _stage: &Rc<Stage>, breadboard: &Rc<RefCell<Breadboard>>) -> Option<()> {
    tracing::debug!(
        lines = breadboard.borrow().at(0).len(),
        "other processes can look and poke on Unix only"
    );
    None
}
