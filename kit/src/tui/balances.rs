use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use super::{
    Model, look,
    view::{Panel, framed, head_right, more, put, window},
    words::money,
};

/// From this width on there is room for what a party does.
const ROOMY: u16 = 40;

/// Draws what the parties' wallets hold.
///
/// ```text
/// ─ 5 Balances ─────────── spendable ─── on its way ─
///  alice    buyer         1,000,000 B      2,000 B
/// ```
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let (top, room) = framed(frame, area, Panel::Balances);
    let [_, _, stable, pending] = split(room);
    head_right(frame, top, stable, "spendable");
    head_right(frame, top, pending, "on its way");
    let shown = window(model.wallets.len(), room.height, 0);
    for ((name, wallet), row) in model.wallets.iter().zip(room.rows()) {
        let [label, role, stable, pending] = split(row);
        put(frame, label, Span::styled(name.to_owned(), look::NAME));
        put(frame, role, Span::raw(wallet.role.clone()));
        let Some((spendable, on_its_way)) = wallet.holds else { continue };
        put(frame, stable, Line::raw(money(spendable)).right_aligned());
        let style = if on_its_way == 0 { look::FAINT } else { look::WAIT };
        put(frame, pending, Line::styled(money(on_its_way), style).right_aligned());
    }
    more(frame, room, shown.len(), model.wallets.len());
}

fn split(row: Rect) -> [Rect; 4] {
    Layout::horizontal([
        Constraint::Fill(1),
        Constraint::Length(if row.width < ROOMY { 0 } else { 6 }),
        Constraint::Length(12),
        Constraint::Length(11),
    ])
    .spacing(1)
    .areas(row)
}
