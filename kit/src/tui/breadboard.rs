use ratatui::{
    Frame,
    layout::{Constraint, Layout, Position, Rect},
    style::Style,
    text::{Line, Span},
};

use super::{
    Model, look, model,
    things::{covered, level_word, sign},
    view::{Panel, framed, head, head_right, more, put, window},
    words::money,
};

/// Draws every line: which way it points, its level, its level out there where that is another one, for how
/// long it is leased, and what is wrong with it. The selected line is drawn in reverse.
///
/// ```text
/// ─ 6 Breadboard ─── line ──────── level ── out there ──── lease ── fault ──────────
///  charger         ◀ CONTACTOR     ○ off    ≠ on                    welded  ALARM 210 B
///                  ▶ METER         ● hi
/// ```
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let (top, room) = framed(frame, area, Panel::Breadboard);
    let [_, line, level, world, lease, fault] = split(room);
    head(frame, top, line, "line");
    head(frame, top, level, "level");
    head(frame, top, world, "out there");
    head_right(frame, top, lease, "lease");
    head(frame, top, fault, "fault");
    let lines: Vec<_> = model.all_lines().collect();
    let shown = window(lines.len(), room.height, model.chosen_place());
    let mut above = None;
    for (index, row) in shown.clone().zip(room.rows()) {
        let (thing, line) = lines[index];
        let name = if above == Some(thing) { "" } else { thing };
        above = Some(thing);
        let style = if index == model.chosen_place() { look::CHOSEN } else { Style::new() };
        draw_line(frame, row, (name, line), model.now, style);
    }
    more(frame, room, shown.len(), lines.len());
}

/// The line that is drawn at a place of the panel's room.
pub(super) fn line_at(room: Rect, model: &Model, place: Position) -> Option<usize> {
    if !room.contains(place) {
        return None;
    }
    let shown = window(model.all_lines().count(), room.height, model.chosen_place());
    let index = shown.start + usize::from(place.y - room.y);
    (index < shown.end).then_some(index)
}

fn split(row: Rect) -> [Rect; 6] {
    Layout::horizontal([
        Constraint::Length(14),
        Constraint::Length(16),
        Constraint::Length(8),
        Constraint::Length(9),
        Constraint::Length(7),
        Constraint::Fill(1),
    ])
    .spacing(1)
    .areas(row)
}

fn draw_line(frame: &mut Frame<'_>, row: Rect, (thing, line): (&str, &model::Line), now: u64, chosen: Style) {
    let [owner, name, level, world, lease, fault] = split(row);
    put(frame, owner, Span::styled(thing.to_owned(), look::STRONG));
    let way = if line.is_output { "◀" } else { "▶" };
    put(frame, name, Span::styled(format!("{way} {}", line.name), chosen));
    let (sign, style) = sign(line, now);
    let text = level_word(&line.name, line.is_high);
    put(frame, level, Line::from(vec![Span::styled(sign, style), Span::raw(format!(" {text}"))]));
    if let Some(is_high) = line.world {
        put(frame, world, Span::styled(format!("≠ {}", level_word(&line.name, is_high)), look::BAD));
    }
    if line.is_output {
        put(frame, lease, Line::raw(covered(line, now)).right_aligned());
    }
    let mut wrong = Vec::new();
    if let Some(leaked) = line.leaked {
        wrong.push(Span::styled(format!("ALARM {} leaked  ", money(leaked)), look::BAD));
    }
    if let Some(words) = &line.fault {
        wrong.push(Span::styled(words.clone(), look::HAND));
    }
    put(frame, fault, Line::from(wrong));
}
