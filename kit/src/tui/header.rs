use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    text::{Line, Span},
};

use crate::run::Pace;

use super::{
    Model, look,
    view::put,
    words::{clip, count, fine_clock, tenths},
};

/// As much of the title is always shown.
const TITLE_MIN: usize = 10;

/// Draws what is true of the whole run.
///
/// ```text
///  The street   ▶ 1×   0:42.3                                  ● money conserved
///  paid 1,234,567 B   312 payments   7.2 a second        ● exposures as agreed
/// ```
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let [first, second] = Layout::vertical([Constraint::Length(1), Constraint::Length(1)]).areas(area);
    let (pace, style) = pace(model.pace);
    let lamp = conserved(model.totals.is_conserved);
    let clock = fine_clock(model.now);
    // The title gives way to the clock and the lamp.
    let rest = pace.chars().count() + clock.len() + lamp.width() + 12;
    let room = usize::from(area.width).saturating_sub(rest).max(TITLE_MIN);
    let run = Line::from(vec![
        Span::raw(" "),
        Span::styled(shortened(&model.title, room), look::STRONG),
        Span::raw("   "),
        Span::styled(pace, style),
        Span::raw("   "),
        Span::styled(clock, look::STRONG),
    ]);
    let totals = &model.totals;
    let sums = Line::from(vec![
        Span::raw(" paid "),
        Span::styled(format!("{} B", count(totals.paid)), look::STRONG),
        Span::raw("   "),
        Span::styled(count(totals.payments), look::STRONG),
        Span::raw(" payments   "),
        Span::styled(tenths(model.payments.tenths(model.now)), look::STRONG),
        Span::raw(" a second"),
    ]);
    row(frame, first, run, lamp);
    let alarm = model.alarmed().map(|(_, line)| alarm(&line.name));
    row(frame, second, sums, alarm.unwrap_or_else(|| exposed(totals.is_beyond)));
}

/// A line with a lamp at its right end; without room for its words the lamp is only its sign.
fn row(frame: &mut Frame<'_>, area: Rect, line: Line<'_>, lamp: Span<'static>) {
    let fits = line.width() + lamp.width() + 2 <= usize::from(area.width);
    let lamp = if fits { lamp } else { Span::styled(sign(&lamp.content), lamp.style) };
    let width = u16::try_from(lamp.width() + 1).unwrap_or(u16::MAX);
    let [left, right] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(width)]).spacing(1).areas(area);
    put(frame, left, line);
    put(frame, right, lamp);
}

fn shortened(title: &str, room: usize) -> String {
    if title.chars().count() <= room {
        return title.to_owned();
    }
    format!("{}…", clip(title, room.saturating_sub(1)).trim_end())
}

fn sign(words: &str) -> String {
    words.chars().take(1).collect()
}

fn pace(pace: Pace) -> (String, ratatui::style::Style) {
    match pace {
        Pace::Max => ("▶▶ as fast as it can".to_owned(), look::GOOD),
        Pace::Real(speed) => (format!("▶ {speed}×"), look::GOOD),
        Pace::Paused(speed) => (format!("‖ PAUSED at {speed}×"), look::HAND),
    }
}

fn conserved(is_conserved: Option<bool>) -> Span<'static> {
    match is_conserved {
        Some(true) => Span::styled("● money conserved", look::GOOD),
        Some(false) => Span::styled("✗ MONEY NOT CONSERVED", look::BAD),
        None => Span::raw("○ money not yet checked"),
    }
}

fn alarm(line: &str) -> Span<'static> {
    Span::styled(format!("✗ ALARM {line} IS NOT OFF"), look::BAD)
}

fn exposed(is_beyond: bool) -> Span<'static> {
    if is_beyond {
        Span::styled("✗ EXPOSED BEYOND THE BOUND", look::BAD)
    } else {
        Span::styled("● exposures as agreed", look::GOOD)
    }
}
