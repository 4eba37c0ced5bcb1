//! The few styles there are, and small drawings. Only the 16 colours every terminal has, and never
//! colour alone: what matters also has a sign or a word.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;

/// Lines around panels, and what is over.
pub(super) const FAINT: Style = Style::new().fg(Color::DarkGray);
/// Words written into such a line, in the terminal's own colour.
pub(super) const HEAD: Style = Style::new().fg(Color::Reset);
/// Headings and what the eye should find first.
pub(super) const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
/// Parties and things.
pub(super) const NAME: Style = Style::new().fg(Color::Cyan);
/// On, paid, in order.
pub(super) const GOOD: Style = Style::new().fg(Color::Green);
/// On its way, or close to a limit.
pub(super) const WAIT: Style = Style::new().fg(Color::Yellow);
/// Wrong.
pub(super) const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
/// A hand from outside.
pub(super) const HAND: Style = Style::new().fg(Color::Magenta).add_modifier(Modifier::BOLD);
/// What the next key press is about.
pub(super) const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);

/// `part` of `whole` as a bar of `width` cells, with a shade up to `reached`: `███▒▒░░░`.
pub(super) fn bar(width: u16, whole: u64, part: u64, reached: u64, style: Style) -> Vec<Span<'static>> {
    let now = cells(width, whole, part);
    let most = cells(width, whole, reached).max(now);
    let run = |sign: &str, cells: u16| sign.repeat(usize::from(cells));
    vec![
        Span::styled(run("█", now), style),
        Span::styled(run("▒", most - now), style),
        Span::styled(run("░", width - most), FAINT),
    ]
}

/// How many of `width` cells are `part` of `whole`; at least one when there is anything at all.
fn cells(width: u16, whole: u64, part: u64) -> u16 {
    if part == 0 || whole == 0 || width == 0 {
        return 0;
    }
    let cells = u128::from(part.min(whole)) * u128::from(width) / u128::from(whole);
    u16::try_from(cells).unwrap_or(width).clamp(1, width)
}

/// The newest of `values`, last, as columns of eight heights: `▁▂▅█`.
pub(super) fn spark(values: &[u64]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = values.iter().copied().max().unwrap_or(0).max(1);
    let height = |value: u64| usize::try_from(u128::from(value) * 7 / u128::from(top)).unwrap_or(7);
    values.iter().map(|value| if *value == 0 { ' ' } else { HEIGHTS[height(*value)] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(spans: &[Span<'_>]) -> String {
        spans.iter().map(|span| span.content.as_ref()).collect()
    }

    #[test]
    fn a_bar_is_as_wide_as_asked_whatever_the_numbers() {
        assert_eq!(text(&bar(8, 200, 75, 125, GOOD)), "███▒▒░░░");
        assert_eq!(text(&bar(8, 200, 1, 0, GOOD)), "█░░░░░░░");
        assert_eq!(text(&bar(4, 0, 9, 9, GOOD)), "░░░░");
        assert_eq!(text(&bar(4, 1, u64::MAX, 0, GOOD)), "████");
        assert_eq!(text(&bar(0, 1, 1, 1, GOOD)), "");
    }

    #[test]
    fn a_trace_of_values_keeps_their_proportions() {
        assert_eq!(spark(&[0, 1, 4, 8]), " ▁▄█");
    }
}
