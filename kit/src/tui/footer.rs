use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};

use super::{keys::KEYS, look, view::put};

/// Draws the most important keys of the table.
///
/// ```text
///  q quit  Space pause  +- speed  ↑↓ p poke line  ←→ c cut link  1-5 zoom  ? help
/// ```
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect) {
    let mut spans = Vec::new();
    for (label, word) in KEYS.iter().filter_map(|key| key.foot) {
        spans.push(Span::raw(" "));
        spans.push(Span::styled(label, look::STRONG));
        spans.push(Span::raw(" "));
        spans.push(Span::raw(word));
        spans.push(Span::raw(" "));
    }
    put(frame, area, Line::from(spans));
}
