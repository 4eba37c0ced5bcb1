use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
    widgets::{Block, BorderType, Clear},
};

use super::{keys::KEYS, look, view::put};

/// What the signs on the screen mean.
const SIGNS: [(&str, &str); 17] = [
    ("●  ○", "a line is high, low"),
    ("1.9 s", "paid for that long"),
    ("!", "on, but not paid for"),
    ("≠ on", "out there, not driven"),
    ("◀  ▶", "an output, an input"),
    ("ALARM", "on though driven off"),
    ("─●─▶", "a payment on its way"),
    ("●●─▶", "not yet credited"),
    ("─╳──", "the link is cut"),
    ("┄┄┄▶", "a deposit on its way"),
    ("█", "now"),
    ("▒", "the most so far"),
    ("░", "up to the limit"),
    ("REFUSED", "the rules said no"),
    ("CAUGHT", "a cheater has lost"),
    ("FAULT", "something went wrong"),
    ("HAND", "somebody intervened"),
];

/// Draws all keys of the table, and what the signs mean, over everything else.
///
/// ```text
/// ╭ Help ────────────────────────────────────────────────────────────────╮
/// │ q  Ctrl-C    quit                           ●  ○     a line is high, │
/// │ Space        pause, or go on                ─●─▶     a payment on its│
/// ╰──────────────────────────────────────────────────────────────────────╯
/// ```
pub(super) fn draw(frame: &mut Frame<'_>, screen: Rect) {
    let height = u16::try_from(KEYS.len() + 2).unwrap_or(u16::MAX);
    let area = screen.centered(Constraint::Max(80), Constraint::Max(height));
    let block = Block::bordered().border_type(BorderType::Rounded).title(" Help ").title_style(look::STRONG);
    let room = block.inner(area);
    frame.render_widget(Clear, area);
    frame.render_widget(block, area);
    let [_, keys, signs] =
        Layout::horizontal([Constraint::Length(1), Constraint::Length(47), Constraint::Fill(1)]).areas(room);
    for (row, key) in keys.rows().zip(&KEYS) {
        put(frame, row, pair(key.label, key.help, 13));
    }
    for (row, (sign, meaning)) in signs.rows().zip(&SIGNS) {
        put(frame, row, pair(sign, meaning, 9));
    }
}

fn pair(label: &'static str, meaning: &'static str, width: usize) -> Line<'static> {
    Line::from(vec![Span::styled(format!("{label:width$}"), look::STRONG), Span::raw(meaning)])
}
