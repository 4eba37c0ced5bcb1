use ratatui::{
    Frame,
    layout::{Constraint, Layout, Position, Rect},
    text::Line,
};

use super::{Model, balances, breadboard, exposures, flows, footer, header, help, log, look, things};

/// From this size on the log and the balances get a column of their own.
const WIDE: (u16, u16) = (120, 30);
/// Below this size only one panel is shown.
const SMALL: (u16, u16) = (60, 16);
/// From this height on the narrow layout has room for the balances.
const TALL: u16 = 30;

/// A panel, in the order of their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Panel {
    Things,
    Flows,
    Exposures,
    Log,
    Balances,
    Breadboard,
}

/// Draws the whole screen.
///
/// ```text
/// narrow, 80x24                      wide, 160x48
/// ┌──────────────────────────────┐   ┌───────────────────────────┬──────────────────┐
/// │ header                       │   │ header                                       │
/// ├──────────────────────────────┤   ├───────────────────────────┬──────────────────┤
/// │ things                       │   │ things                    │ log              │
/// ├──────────────────────────────┤   │                           │                  │
/// │ flows                        │   ├───────────────────────────┤                  │
/// │                              │   │ flows                     │                  │
/// ├────────────────┬─────────────┤   │                           │                  │
/// │ exposures      │ log         │   ├───────────────────────────┼──────────────────┤
/// │                │             │   │ exposures                 │ balances         │
/// ├────────────────┴─────────────┤   ├───────────────────────────┴──────────────────┤
/// │ footer                       │   │ footer                                       │
/// └──────────────────────────────┘   └──────────────────────────────────────────────┘
/// ```
///
/// A panel chosen by its key has everything between header and footer. A narrow terminal that is
/// tall enough has the balances below the exposures.
pub fn view(frame: &mut Frame<'_>, model: &Model) {
    let area = frame.area();
    let [head, body, foot] = rows(area);
    header::draw(frame, head, model);
    footer::draw(frame, foot);
    if let Some(panel) = model.hand.zoom {
        panel.draw(frame, body, model);
    } else if area.width < SMALL.0 || area.height < SMALL.1 {
        Panel::Things.draw(frame, body, model);
    } else if area.width >= WIDE.0 && area.height >= WIDE.1 {
        wide(frame, body, model);
    } else {
        narrow(frame, body, model);
    }
    if model.hand.help {
        help::draw(frame, area);
    }
}

/// Header, body and footer.
fn rows(screen: Rect) -> [Rect; 3] {
    Layout::vertical([Constraint::Length(2), Constraint::Min(0), Constraint::Length(1)]).areas(screen)
}

/// The line of the breadboard that is drawn at this place of a screen, by its place on the breadboard.
pub(super) fn line_at(screen: Rect, model: &Model, place: Position) -> Option<usize> {
    let [_, body, _] = rows(screen);
    if model.hand.help || !model.is_breadboard() {
        return None;
    }
    breadboard::line_at(room(body).1, model, place)
}

fn narrow(frame: &mut Frame<'_>, body: Rect, model: &Model) {
    let [things, flows, below] = Layout::vertical([
        Constraint::Length(things_height(model, body.height / 3)),
        Constraint::Fill(1),
        Constraint::Length((body.height * 2 / 5).max(8)),
    ])
    .areas(body);
    let [left, right] =
        Layout::horizontal([Constraint::Length(41), Constraint::Fill(1)]).spacing(1).areas(below);
    let [exposures, balances] = Layout::vertical([
        Constraint::Fill(1),
        Constraint::Length(if body.height >= TALL { below.height / 2 } else { 0 }),
    ])
    .areas(left);
    Panel::Things.draw(frame, things, model);
    Panel::Flows.draw(frame, flows, model);
    Panel::Exposures.draw(frame, exposures, model);
    Panel::Log.draw(frame, right, model);
    Panel::Balances.draw(frame, balances, model);
}

fn wide(frame: &mut Frame<'_>, body: Rect, model: &Model) {
    let [left, right] = Layout::horizontal([Constraint::Fill(2), Constraint::Fill(1)]).spacing(2).areas(body);
    let [things, flows, exposures] = Layout::vertical([
        Constraint::Length(things_height(model, body.height / 3)),
        Constraint::Fill(1),
        Constraint::Fill(1),
    ])
    .areas(left);
    let [log, balances] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(exposures.height)]).areas(right);
    Panel::Things.draw(frame, things, model);
    Panel::Flows.draw(frame, flows, model);
    Panel::Exposures.draw(frame, exposures, model);
    Panel::Log.draw(frame, log, model);
    Panel::Balances.draw(frame, balances, model);
}

/// The things are told once, at the start: their panel has the height for them and keeps it.
fn things_height(model: &Model, most: u16) -> u16 {
    let things = u16::try_from(model.things.len()).unwrap_or(u16::MAX);
    things.saturating_add(1).clamp(4, most.max(4))
}

impl Panel {
    fn draw(self, frame: &mut Frame<'_>, area: Rect, model: &Model) {
        if area.is_empty() {
            return;
        }
        match self {
            Self::Things => things::draw(frame, area, model),
            Self::Flows => flows::draw(frame, area, model),
            Self::Exposures => exposures::draw(frame, area, model),
            Self::Log => log::draw(frame, area, model),
            Self::Balances => balances::draw(frame, area, model),
            Self::Breadboard => breadboard::draw(frame, area, model),
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Things => " 1 Things ",
            Self::Flows => " 2 Flows ",
            Self::Exposures => " 3 Exposures ",
            Self::Log => " 4 Log ",
            Self::Balances => " 5 Balances ",
            Self::Breadboard => " 6 Breadboard ",
        }
    }
}

/// Draws the line above a panel and splits its area into that line and the room below.
pub(super) fn framed(frame: &mut Frame<'_>, area: Rect, panel: Panel) -> (Rect, Rect) {
    let (top, room) = room(area);
    put(frame, top, Line::styled("─".repeat(usize::from(top.width)), look::FAINT));
    let title = Rect { x: top.x.saturating_add(1), width: top.width.saturating_sub(1), ..top };
    put(frame, title, Line::styled(panel.title(), look::HEAD.patch(look::STRONG)));
    (top, room)
}

/// The line above a panel, and the room below it.
fn room(area: Rect) -> (Rect, Rect) {
    let [top, below] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let [_, room] = Layout::horizontal([Constraint::Length(1), Constraint::Min(0)]).areas(below);
    (top, room)
}

/// Writes a column's head into the line above its panel.
pub(super) fn head(frame: &mut Frame<'_>, top: Rect, column: Rect, text: &str) {
    if column.is_empty() {
        return;
    }
    let head = Line::styled(format!("{text} "), look::HEAD);
    let width = u16::try_from(head.width()).unwrap_or(u16::MAX).min(column.width + 1);
    put(frame, Rect { x: column.x, width, ..top }, head);
}

/// The same, for a column of numbers.
pub(super) fn head_right(frame: &mut Frame<'_>, top: Rect, column: Rect, text: &str) {
    if column.is_empty() {
        return;
    }
    let head = Line::styled(format!(" {text}"), look::HEAD);
    let width = u16::try_from(head.width()).unwrap_or(u16::MAX).min(column.width + 1);
    put(frame, Rect { x: column.right().saturating_sub(width), width, ..top }, head);
}

/// Draws one line of text.
pub(super) fn put<'a>(frame: &mut Frame<'_>, area: Rect, line: impl Into<Line<'a>>) {
    frame.render_widget(line.into(), area);
}

/// Which of `count` rows are shown in `height`, so that row `focus` is among them.
pub(super) fn window(count: usize, height: u16, focus: usize) -> std::ops::Range<usize> {
    let height = usize::from(height).min(count);
    let first = (focus + 1).saturating_sub(height).min(count - height);
    first..first + height
}

/// Says in the last row that there is more than fits.
pub(super) fn more(frame: &mut Frame<'_>, room: Rect, shown: usize, count: usize) {
    if shown >= count || room.is_empty() {
        return;
    }
    let text = format!(" +{} more ", count - shown);
    let width = u16::try_from(text.len()).unwrap_or(u16::MAX).min(room.width);
    let corner = Rect { x: room.right() - width, y: room.bottom() - 1, width, height: 1 };
    put(frame, corner, Line::styled(text, look::HEAD.patch(look::CHOSEN)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_holds_the_row_in_focus() {
        assert_eq!(window(10, 4, 0), 0..4);
        assert_eq!(window(10, 4, 5), 2..6);
        assert_eq!(window(3, 4, 2), 0..3);
        assert_eq!(window(0, 4, 9), 0..0);
        assert_eq!(window(5, 0, 2), 3..3);
    }
}
