use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};

use super::{
    Model, look,
    model::Tone,
    view::{Panel, framed, head, put},
    words::{clock, count, wrap},
};

/// Draws what happened, newest first; refusals, faults and hands from outside stand out.
///
/// ```text
/// ─ 4 Log ──────────────────────────────────
///  0:42  FAULT charger: the meter is stuck
///  0:41  alice and lamp have settled:
///        12,300 B
/// ```
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let (top, room) = framed(frame, area, Panel::Log);
    if model.hand.older > 0 {
        let note = Rect { x: top.x + top.width.min(9), width: top.width.saturating_sub(9), ..top };
        head(frame, top, note, &format!(" {} newer: PgUp ", model.hand.older));
    }
    let mut rows = room.rows();
    for entry in model.story.newest_first().skip(model.hand.older) {
        let (tag, style) = tone(entry.tone);
        let times = if entry.times > 1 { format!(" (×{})", count(entry.times)) } else { String::new() };
        let text = format!("{tag}{}{times}", entry.text);
        let [_, words] = split(room);
        for (index, line) in wrap(&text, usize::from(words.width)).into_iter().enumerate() {
            let Some(row) = rows.next() else { return };
            let [time, words] = split(row);
            if index == 0 {
                put(frame, time, Line::from(clock(entry.at)));
            }
            put(frame, words, Span::styled(line, style));
        }
    }
}

fn split(row: Rect) -> [Rect; 2] {
    Layout::horizontal([Constraint::Length(5), Constraint::Fill(1)]).spacing(1).areas(row)
}

fn tone(tone: Tone) -> (&'static str, Style) {
    match tone {
        Tone::Plain => ("", Style::new()),
        Tone::Good => ("", look::GOOD),
        Tone::Refused => ("REFUSED ", look::WAIT.patch(look::STRONG)),
        Tone::Fault => ("FAULT ", look::BAD),
        Tone::Caught => ("CAUGHT ", look::BAD),
        Tone::Hand => ("HAND ", look::HAND),
    }
}
