use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};

use crate::notice::{ChannelState, LinkState};

use super::{
    Model, look,
    model::{Channel, Link, Row},
    view::{Panel, framed, head, head_right, more, put, window},
    words::{brief, clock, count, money},
};

/// From this width on the rate of the last seconds is drawn too.
const ROOMY: u16 = 100;
/// How many seconds of it.
const SECONDS: u16 = 10;

/// Draws each channel with the payments on their way, its balance and its rate; what is over comes
/// last and grey.
///
/// ```text
/// ─ 2 Flows ──────── alice–lamp up ────────────────────── paid of deposit ──── rate ─
///  alice    ───●─────●───▶ lamp       ███░░░░░░░   12,300 of 50,000 B    100 B/s
///  bob      settled at 0:41           charger      19,900 of 20,000 B
/// ```
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let (top, room) = framed(frame, area, Panel::Flows);
    let [_, trace, _, _, sums, rate, recent] = split(room);
    if let Some(link) = model.chosen_link() {
        link_head(frame, top, trace, link);
    }
    head_right(frame, top, sums, "paid of deposit");
    head_right(frame, top, rate, "rate");
    head(frame, top, recent, &format!("last {SECONDS} s"));
    let living = model.channels.iter().filter(|(_, channel)| !channel.is_over());
    let over = model.channels.iter().rev().filter(|(_, channel)| channel.is_over());
    let channels: Vec<&Channel> = living.chain(over).map(|(_, channel)| channel).collect();
    let shown = window(channels.len(), room.height, 0);
    for (channel, row) in channels[shown.clone()].iter().zip(room.rows()) {
        flow(frame, row, channel, model);
    }
    more(frame, room, shown.len(), channels.len());
}

/// The link that a cut is for, and its state.
fn link_head(frame: &mut Frame<'_>, top: Rect, column: Rect, link: &Link) {
    let (state, style) = match link.state {
        LinkState::Up => ("up", look::GOOD),
        LinkState::Cut => ("CUT", look::BAD),
    };
    let text = Line::from(vec![
        Span::styled(format!("{}–{}", link.one, link.other), look::HEAD.patch(look::CHOSEN)),
        Span::styled(format!(" {state} "), style),
    ]);
    let width = u16::try_from(text.width()).unwrap_or(u16::MAX).min(column.width);
    put(frame, Rect { x: column.x, width, ..top }, text);
}

fn split(row: Rect) -> [Rect; 7] {
    let (name, recent) = if row.width >= ROOMY { (10, SECONDS) } else { (8, 0) };
    Layout::horizontal([
        Constraint::Length(name),
        Constraint::Fill(1),
        Constraint::Length(name + 1),
        Constraint::Length(if row.width >= ROOMY { 10 } else { 8 }),
        Constraint::Length(20),
        Constraint::Length(10),
        Constraint::Length(recent),
    ])
    .spacing(1)
    .areas(row)
}

fn flow(frame: &mut Frame<'_>, row: Rect, channel: &Channel, model: &Model) {
    let [buyer, trace, thing, bar, sums, rate, recent] = split(row);
    let link = model.link_of(channel);
    let is_over = channel.is_over();
    let name = match (is_over, is_chosen(link, model)) {
        (true, _) => look::FAINT,
        (false, true) => look::NAME.patch(look::CHOSEN),
        (false, false) => look::NAME,
    };
    put(frame, buyer, Span::styled(channel.buyer.clone(), name));
    put(frame, thing, Span::styled(channel.thing.clone(), name));
    put(frame, trace, way(channel, link, trace.width));
    let style = if is_over { look::FAINT } else { look::GOOD };
    let bar_line = look::bar(bar.width, channel.deposited, channel.spent, 0, style);
    put(frame, bar, Line::from(bar_line));
    let text = if is_over { look::FAINT } else { Style::new() };
    let of = format!("{} of {}", brief(channel.spent), money(channel.deposited));
    if channel.deposited > 0 {
        put(frame, sums, Line::styled(of, text).right_aligned());
    }
    if is_over {
        return;
    }
    let a_second = channel.rate.tenths(model.now) / 10;
    put(frame, rate, Line::raw(format!("{} B/s", count(a_second))).right_aligned());
    let seconds = channel.rate.recent(model.now, usize::from(recent.width));
    put(frame, recent, Span::styled(look::spark(&seconds), look::GOOD));
}

fn is_chosen(link: Option<&Link>, model: &Model) -> bool {
    link.zip(model.chosen_link()).is_some_and(|(link, chosen)| link.joins(&chosen.one, &chosen.other))
}

/// The way from the buyer to the thing, or how it ended.
fn way(channel: &Channel, link: Option<&Link>, width: u16) -> Line<'static> {
    let at = clock(channel.ended);
    match channel.state {
        Some(ChannelState::Closed) => Line::styled(format!("settled at {at}"), look::FAINT),
        Some(ChannelState::Punished) => Line::styled(format!("PUNISHED at {at}"), look::BAD),
        Some(ChannelState::Closing) => Line::styled("closing…", look::WAIT),
        Some(ChannelState::Opening) => Line::from(road(width, "┄", look::WAIT, look::WAIT)),
        Some(ChannelState::Open) | None => trace(channel, link, width),
    }
}

/// The payments on their way; those that wait stand in a queue before the thing, or
/// before the cut.
fn trace(channel: &Channel, link: Option<&Link>, width: u16) -> Line<'static> {
    let tip = if channel.shine > 0 { look::GOOD.patch(look::STRONG) } else { Style::new() };
    let mut cells = road(width, "─", look::FAINT, tip);
    let is_cut = link.is_some_and(|link| link.state == LinkState::Cut);
    let middle = usize::from(width / 2);
    let mut free = usize::from(width.saturating_sub(1));
    for dot in &channel.dots {
        let place = usize::from(dot.place) * usize::from(width) / 1_000;
        if is_cut && !dot.is_credited() {
            free = free.min(middle);
        }
        let Some(place) = free.checked_sub(1).map(|last| place.min(last)) else { break };
        let style = if dot.is_waiting() { look::WAIT } else { look::GOOD.patch(look::STRONG) };
        cells[place] = Span::styled("●", style);
        free = place;
    }
    if is_cut && let Some(middle) = cells.get_mut(middle) {
        *middle = Span::styled("╳", look::BAD);
    }
    Line::from(cells)
}

fn road(width: u16, sign: &'static str, style: Style, tip: Style) -> Vec<Span<'static>> {
    let mut cells = vec![Span::styled(sign, style); usize::from(width)];
    if let Some(last) = cells.last_mut() {
        *last = Span::styled("▶", tip);
    }
    cells
}
