//! The one table of keys: events are mapped by it, the help screen and the footer are drawn from it.

use coinop_core::board::Level;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::view::Panel;

/// What a person wants from the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Stop.
    Quit,
    /// Pause, or go on.
    Pause,
    /// Let time run faster.
    Faster,
    /// Let time run slower.
    Slower,
    /// Put an input line to a level.
    Poke {
        /// The line's name on the board, as told.
        line: String,
        /// The level it should have.
        level: Level,
    },
    /// Break a line in the next way there is; after the last it is mended.
    NextFault {
        /// The line's name on the board, as told.
        line: String,
    },
    /// Take the board's power away for a moment.
    BrownOut,
    /// Cut the link between two parties, or mend it.
    ToggleLink {
        /// One end, as told.
        one: String,
        /// The other end, as told.
        other: String,
    },
}

/// What a key does: an action, or a change of what is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Quit,
    Pause,
    Faster,
    Slower,
    NextLine,
    LineBefore,
    Poke,
    NextFault,
    BrownOut,
    NextLink,
    LinkBefore,
    ToggleLink,
    Zoom(Panel),
    Older,
    Newer,
    Back,
    Help,
}

/// A row of the table.
pub(super) struct Key {
    /// The keys that do it.
    codes: &'static [KeyCode],
    pub(super) command: Command,
    /// The keys in words.
    pub(super) label: &'static str,
    /// What it does, in words.
    pub(super) help: &'static str,
    /// How the footer says it, when it is important enough.
    pub(super) foot: Option<(&'static str, &'static str)>,
}

/// All keys there are, in the order of the help screen.
pub(super) const KEYS: [Key; 22] = [
    key(&[KeyCode::Char('q')], Command::Quit, "q  Ctrl-C", "quit").in_footer("q", "quit"),
    key(&[KeyCode::Char(' ')], Command::Pause, "Space", "pause, or go on").in_footer("Space", "pause"),
    key(&[KeyCode::Char('+'), KeyCode::Char('=')], Command::Faster, "+", "faster").in_footer("+-", "speed"),
    key(&[KeyCode::Char('-')], Command::Slower, "-", "slower"),
    key(&[KeyCode::Down, KeyCode::Tab], Command::NextLine, "↓  Tab", "select the next input line"),
    key(
        &[KeyCode::Up, KeyCode::BackTab],
        Command::LineBefore,
        "↑  Shift-Tab",
        "select the input line before",
    ),
    key(&[KeyCode::Char('p'), KeyCode::Enter], Command::Poke, "p  Enter", "poke the selected input line")
        .in_footer("↑↓ p", "poke line"),
    key(&[KeyCode::Char('f')], Command::NextFault, "f", "break the selected line, then mend"),
    key(&[KeyCode::Char('b')], Command::BrownOut, "b", "the board browns out for a moment"),
    key(&[KeyCode::Right], Command::NextLink, "→", "select the next link"),
    key(&[KeyCode::Left], Command::LinkBefore, "←", "select the link before"),
    key(&[KeyCode::Char('c')], Command::ToggleLink, "c", "cut the selected link, or mend it")
        .in_footer("←→ c", "cut link"),
    key(&[KeyCode::Char('1')], Command::Zoom(Panel::Things), "1", "things alone, or all again")
        .in_footer("1-6", "zoom"),
    key(&[KeyCode::Char('2')], Command::Zoom(Panel::Flows), "2", "flows alone, or all again"),
    key(&[KeyCode::Char('3')], Command::Zoom(Panel::Exposures), "3", "exposures alone, or all again"),
    key(&[KeyCode::Char('4')], Command::Zoom(Panel::Log), "4", "the log alone, or all again"),
    key(&[KeyCode::Char('5')], Command::Zoom(Panel::Balances), "5", "balances alone, or all again"),
    key(&[KeyCode::Char('6')], Command::Zoom(Panel::Breadboard), "6", "the breadboard, or all again"),
    key(&[KeyCode::PageDown], Command::Older, "PgDn", "older entries of the log"),
    key(&[KeyCode::PageUp], Command::Newer, "PgUp", "newer entries of the log"),
    key(&[KeyCode::Esc, KeyCode::Char('0')], Command::Back, "Esc  0", "all panels again"),
    key(&[KeyCode::Char('?'), KeyCode::Char('h')], Command::Help, "?  h", "this help").in_footer("?", "help"),
];

/// What a key event asks for; releases and unknown keys ask for nothing.
pub(super) fn command(event: KeyEvent) -> Option<Command> {
    match event.kind {
        KeyEventKind::Press | KeyEventKind::Repeat => {}
        KeyEventKind::Release => return None,
    }
    if event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        // In raw mode Ctrl-C is a key like any other, not a signal.
        let interrupt = event.code == KeyCode::Char('c') && event.modifiers == KeyModifiers::CONTROL;
        return interrupt.then_some(Command::Quit);
    }
    KEYS.iter().find(|key| key.codes.contains(&event.code)).map(|key| key.command)
}

const fn key(codes: &'static [KeyCode], command: Command, label: &'static str, help: &'static str) -> Key {
    Key { codes, command, label, help, foot: None }
}

impl Key {
    const fn in_footer(mut self, label: &'static str, word: &'static str) -> Self {
        self.foot = Some((label, word));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_twice_in_the_table() {
        let codes: Vec<KeyCode> = KEYS.iter().flat_map(|key| key.codes.iter().copied()).collect();

        for (index, code) in codes.iter().enumerate() {
            assert!(!codes[..index].contains(code), "{code:?} stands twice");
        }
    }

    #[test]
    fn every_key_of_the_table_does_what_its_row_says() {
        for key in &KEYS {
            for code in key.codes {
                assert_eq!(command(KeyEvent::new(*code, KeyModifiers::NONE)), Some(key.command));
            }
        }
    }

    #[test]
    fn ctrl_c_quits_and_c_alone_does_not() {
        let c = KeyCode::Char('c');

        assert_eq!(command(KeyEvent::new(c, KeyModifiers::CONTROL)), Some(Command::Quit));
        assert_eq!(command(KeyEvent::new(c, KeyModifiers::NONE)), Some(Command::ToggleLink));
    }

    #[test]
    fn a_released_key_does_nothing() {
        let released = KeyEvent::new_with_kind(KeyCode::Char('q'), KeyModifiers::NONE, KeyEventKind::Release);

        assert_eq!(command(released), None);
    }
}
