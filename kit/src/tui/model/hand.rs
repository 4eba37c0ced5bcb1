//! What a key press does to the model, and what it asks of the run.

use coinop_core::board::Level;

use crate::tui::{
    keys::{Action, Command},
    view::Panel,
};

use super::{
    Model,
    parts::{Line, Link},
    story::ENTRIES_MAX,
};

/// How many entries of the log a page is.
const PAGE: usize = 10;

/// What the person has chosen to see and to touch.
#[derive(Default)]
pub(in crate::tui) struct Hand {
    /// Which of all input lines.
    line: usize,
    /// Which of all lines, on the breadboard.
    any: usize,
    /// Which link.
    link: usize,
    /// The panel that is shown alone.
    pub(in crate::tui) zoom: Option<Panel>,
    /// Whether the help is open.
    pub(in crate::tui) help: bool,
    /// How many of the newest entries of the log are passed over.
    pub(in crate::tui) older: usize,
}

impl Model {
    /// Does what a key asked for, and gives back what the run has to do.
    pub(in crate::tui) fn obey(&mut self, command: Command) -> Option<Action> {
        self.changed = true;
        let (inputs, links) = (self.inputs().count(), self.links.len());
        let (all, is_breadboard) = (self.all_lines().count(), self.is_breadboard());
        let hand = &mut self.hand;
        match command {
            Command::Quit => return Some(Action::Quit),
            Command::Pause => return Some(Action::Pause),
            Command::Faster => return Some(Action::Faster),
            Command::Slower => return Some(Action::Slower),
            Command::Poke => {
                let (_, line) = self.chosen_line()?;
                let level = if line.is_high { Level::Low } else { Level::High };
                return Some(Action::Poke { line: line.name.clone(), level });
            }
            Command::NextFault => {
                let (_, line) = self.chosen_line()?;
                return Some(Action::NextFault { line: line.name.clone() });
            }
            Command::BrownOut => return Some(Action::BrownOut),
            Command::ToggleLink => {
                let link = self.chosen_link()?;
                return Some(Action::ToggleLink { one: link.one.clone(), other: link.other.clone() });
            }
            Command::NextLine if is_breadboard => hand.any = step(hand.any, all, 1),
            Command::LineBefore if is_breadboard => hand.any = step(hand.any, all, all.saturating_sub(1)),
            Command::NextLine => hand.line = step(hand.line, inputs, 1),
            Command::LineBefore => hand.line = step(hand.line, inputs, inputs.saturating_sub(1)),
            Command::NextLink => hand.link = step(hand.link, links, 1),
            Command::LinkBefore => hand.link = step(hand.link, links, links.saturating_sub(1)),
            Command::Zoom(panel) => hand.zoom = (hand.zoom != Some(panel)).then_some(panel),
            Command::Older => hand.older = (hand.older + PAGE).min(ENTRIES_MAX).min(self.story.len()),
            Command::Newer => hand.older = hand.older.saturating_sub(PAGE),
            Command::Back => *hand = Hand { zoom: None, help: false, older: 0, ..*hand },
            Command::Help => hand.help = !hand.help,
        }
        None
    }

    /// Selects the line at `index` of the breadboard, as a click does; an input changes its level.
    pub(in crate::tui) fn click(&mut self, index: usize) -> Option<Action> {
        self.changed = true;
        self.hand.any = index;
        let is_input = self.all_lines().nth(index).is_some_and(|(_, line)| !line.is_output);
        if is_input { self.obey(Command::Poke) } else { None }
    }

    /// Whether the breadboard is shown alone.
    pub(in crate::tui) fn is_breadboard(&self) -> bool {
        self.hand.zoom == Some(Panel::Breadboard)
    }

    /// The place of the selected line on the breadboard.
    pub(in crate::tui) fn chosen_place(&self) -> usize {
        if self.hand.any < self.all_lines().count() { self.hand.any } else { 0 }
    }

    /// Every line with its thing, in the order of the breadboard.
    pub(in crate::tui) fn all_lines(&self) -> impl Iterator<Item = (&str, &Line)> {
        self.things.iter().flat_map(|(name, thing)| thing.lines.iter().map(move |line| (name, line)))
    }

    /// The line that a poke or a fault is for, and its thing: an input, on the breadboard any.
    pub(in crate::tui) fn chosen_line(&self) -> Option<(&str, &Line)> {
        if self.is_breadboard() {
            return self.all_lines().nth(self.chosen_place());
        }
        self.inputs().nth(self.hand.line).or_else(|| self.inputs().next())
    }

    /// The link that a cut is for.
    pub(in crate::tui) fn chosen_link(&self) -> Option<&Link> {
        self.links.get(self.hand.link).or_else(|| self.links.front())
    }

    fn inputs(&self) -> impl Iterator<Item = (&str, &Line)> {
        self.all_lines().filter(|(_, line)| !line.is_output)
    }
}

fn step(index: usize, count: usize, by: usize) -> usize {
    if count == 0 { 0 } else { (index.min(count - 1) + by) % count }
}
