//! The fold of what happens to lines.

use coinop_core::board::Level;

use crate::{
    notice::AlarmState,
    tui::{
        things,
        words::{NAME_MAX, clip, money},
    },
};

use super::{Model, parts::Line, story::Tone};

/// For how long an input must have been steady before its change is news, in milliseconds.
const STEADY: u64 = 3_000;

impl Model {
    pub(super) fn lease(&mut self, thing: &str, line: &str, until: u64) {
        if let Some(line) = self.find_line(thing, line) {
            line.leased_until = until;
        }
    }

    pub(super) fn line(&mut self, at: u64, thing: &str, name: &str, level: Level) {
        let Some(line) = self.find_line(thing, name) else { return };
        let is_high = match level {
            Level::High => true,
            Level::Low => false,
        };
        if line.is_high == is_high {
            return;
        }
        let is_steady = !things::is_pulsed(name) && at.saturating_sub(line.since) >= STEADY;
        let is_news = line.is_output || is_steady;
        line.is_high = is_high;
        line.since = at;
        let text = format!("{thing}: {name} {}", things::level_word(&line.name, is_high));
        if is_news {
            self.tell(at, Tone::Plain, &text);
        }
    }

    pub(super) fn world(&mut self, thing: &str, line: &str, level: Option<Level>) {
        if let Some(line) = self.find_line(thing, line) {
            line.world = level.map(|level| level == Level::High);
        }
    }

    pub(super) fn alarm(&mut self, at: u64, thing: &str, line: &str, (state, leaked): (AlarmState, u64)) {
        let is_raised = state == AlarmState::Raised;
        let Some(known) = self.find_line(thing, line) else { return };
        let was_raised = std::mem::replace(&mut known.leaked, is_raised.then_some(leaked)).is_some();
        let leaked = money(leaked);
        let (tone, text) = match (was_raised, state) {
            (true, AlarmState::Raised) => return,
            (false, AlarmState::Raised) => {
                (Tone::Fault, format!("ALARM {thing}: {line} is driven off and its meter runs; out of order"))
            }
            (_, AlarmState::Mended) => {
                (Tone::Good, format!("{thing}: {line} is mended; {leaked} leaked, which nobody owes"))
            }
        };
        self.tell(at, tone, &text);
    }

    pub(super) fn find_line(&mut self, thing: &str, line: &str) -> Option<&mut Line> {
        let thing = self.things.find_mut(&clip(thing, NAME_MAX))?;
        thing.lines.iter_mut().find(|known| known.name == clip(line, NAME_MAX))
    }
}
