use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};

use super::{
    Model, look,
    model::{Exposure, Session},
    view::{Panel, framed, head, more, put, window},
    words::{brief, money, tenths},
};

/// Draws what each side of each session has at risk against what was agreed: now, and the most so far.
///
/// ```text
/// ─ 3 Exposures ── buyer steps ── seller steps ─
///  alice → lamp     ███▒▒░ 1.2/2  ██▒░░░ 0.3/1
///  bob → charger    ██████ 2.0/2  ░░░░░░ 0.0/1
/// ```
///
/// Narrow it counts in steps, wide in bytes. The shade reaches up to the most so far.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let (top, room) = framed(frame, area, Panel::Exposures);
    let detail = Detail::of(room.width);
    let [_, buyer, _, seller, _] = detail.split(room);
    let (buyers, sellers) = match detail {
        Detail::Steps => ("buyer steps", "seller steps"),
        Detail::MostSteps | Detail::Amounts => ("buyer, at most 2 steps", "seller, at most 1 step"),
    };
    head(frame, top, Rect { width: 24, ..buyer }, buyers);
    head(frame, top, Rect { width: 24.min(top.right() - seller.x.min(top.right())), ..seller }, sellers);
    let sessions = model.exposed();
    let shown = window(sessions.len(), room.height, 0);
    for ((_, session), row) in sessions[shown.clone()].iter().zip(room.rows()) {
        detail.exposed(frame, row, session);
    }
    more(frame, room, shown.len(), sessions.len());
}

/// How much there is room for.
#[derive(Clone, Copy)]
enum Detail {
    /// What is at risk now, in steps.
    Steps,
    /// The most so far as well.
    MostSteps,
    /// The same in bytes.
    Amounts,
}

impl Detail {
    const fn of(width: u16) -> Self {
        match width {
            0..70 => Self::Steps,
            70..88 => Self::MostSteps,
            88.. => Self::Amounts,
        }
    }

    fn split(self, row: Rect) -> [Rect; 5] {
        let (bar, text) = match self {
            Self::Steps => (6, 5),
            Self::MostSteps => (10, 18),
            Self::Amounts => (9, 29),
        };
        Layout::horizontal([
            Constraint::Fill(1),
            Constraint::Length(bar),
            Constraint::Length(text),
            Constraint::Length(bar),
            Constraint::Length(text),
        ])
        .spacing(1)
        .areas(row)
    }

    fn exposed(self, frame: &mut Frame<'_>, row: Rect, session: &Session) {
        let [names, buyer, buyers, seller, sellers] = self.split(row);
        let is_live = session.buyers.now > 0 || session.sellers.now > 0 || session.is_paying();
        let style = if is_live { look::NAME } else { look::FAINT };
        put(frame, names, Span::styled(format!("{} → {}", session.buyer, session.thing), style));
        self.side(frame, (buyer, buyers), (session.buyers, session.buyers_bound(), session.step));
        self.side(frame, (seller, sellers), (session.sellers, session.sellers_bound(), session.step));
    }

    fn side(
        self,
        frame: &mut Frame<'_>,
        (bar, text): (Rect, Rect),
        (exposure, bound, step): (Exposure, u64, u64),
    ) {
        let is_beyond = exposure.most > bound;
        let colour = if is_beyond { look::BAD } else { look::WAIT };
        put(frame, bar, Line::from(look::bar(bar.width, bound, exposure.now, exposure.most, colour)));
        let (now, most) = (in_steps(exposure.now, step), in_steps(exposure.most, step));
        let steps = bound.checked_div(step).unwrap_or(0);
        let words = match self {
            Self::Steps => format!("{now}/{steps}"),
            Self::MostSteps => format!("{now} of {steps}, most {most}"),
            Self::Amounts => {
                format!("{} of {}, most {}", brief(exposure.now), money(bound), brief(exposure.most))
            }
        };
        put(frame, text, Span::styled(words, if is_beyond { look::BAD } else { Style::new() }));
    }
}

/// An amount in tenths of a step, rounded up: what is beyond the bound must not look as if it were on it.
fn in_steps(bytes: u64, step: u64) -> String {
    let parts = u128::from(bytes) * 10;
    let steps = if step == 0 { 0 } else { parts.div_ceil(u128::from(step)) };
    tenths(u64::try_from(steps).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_rounded_up() {
        assert_eq!(in_steps(200, 100), "2.0");
        assert_eq!(in_steps(201, 100), "2.1");
        assert_eq!(in_steps(5, 0), "0.0");
    }
}
