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
            Command::ToggleLink => {
                let link = self.chosen_link()?;
                return Some(Action::ToggleLink { one: link.one.clone(), other: link.other.clone() });
            }
            Command::NextLine => hand.line = step(hand.line, inputs, 1),
            Command::LineBefore => hand.line = step(hand.line, inputs, inputs.saturating_sub(1)),
            Command::NextLink => hand.link = step(hand.link, links, 1),
            Command::LinkBefore => hand.link = step(hand.link, links, links.saturating_sub(1)),
            Command::Zoom(panel) => hand.zoom = (hand.zoom != Some(panel)).then_some(panel),
            Command::Older => hand.older = (hand.older + PAGE).min(ENTRIES_MAX).min(self.story.len()),
            Command::Newer => hand.older = hand.older.saturating_sub(PAGE),
            Command::Back => *hand = Hand { line: hand.line, link: hand.link, ..Hand::default() },
            Command::Help => hand.help = !hand.help,
        }
        None
    }

    /// The input line that a poke is for, and its thing.
    pub(in crate::tui) fn chosen_line(&self) -> Option<(&str, &Line)> {
        self.inputs().nth(self.hand.line).or_else(|| self.inputs().next())
    }

    /// The link that a cut is for.
    pub(in crate::tui) fn chosen_link(&self) -> Option<&Link> {
        self.links.get(self.hand.link).or_else(|| self.links.front())
    }

    fn inputs(&self) -> impl Iterator<Item = (&str, &Line)> {
        self.things
            .iter()
            .flat_map(|(name, thing)| thing.lines.iter().map(move |line| (name, line)))
            .filter(|(_, line)| !line.is_output)
    }
}

fn step(index: usize, count: usize, by: usize) -> usize {
    if count == 0 { 0 } else { (index.min(count - 1) + by) % count }
}
