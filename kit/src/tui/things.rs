use coinop_core::board::Level;
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::Style,
    text::{Line, Span},
};

use super::{
    Model, look,
    model::{self, Session, Thing},
    view::{Panel, framed, head, head_right, more, put, window},
    words::{brief, clip, count, tail, tenths},
};

/// From this width on there is room for session ids and what a thing has earned.
const ROOMY: u16 = 100;

/// Draws each thing with its lines, who is paying and how far they are.
///
/// ```text
/// ─ 1 Things ───────────────────────────────── paying ── paid B ── got B ── step B ─
///  lamp      LAMP ● on   LIGHT ● light          alice    12,300   12,200      100
/// ```
///
/// With more room an output that is on says for how long it is still paid. `got` is what was truly delivered for it. The selected input line is drawn in reverse.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let (top, room) = framed(frame, area, Panel::Things);
    let longest = model.things.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let columns = Columns { name: u16::try_from(longest).unwrap_or(12).clamp(7, 12) };
    columns.heads(frame, top, room);
    let chosen = model.chosen_line().map(|(thing, _)| thing);
    let focus = model.things.iter().position(|(name, _)| Some(name) == chosen).unwrap_or(0);
    let shown = window(model.things.len(), room.height, focus);
    for ((name, thing), row) in model.things.iter().skip(shown.start).zip(room.rows()) {
        columns.row(frame, row, name, thing, model);
    }
    more(frame, room, shown.len(), model.things.len());
}

struct Columns {
    name: u16,
}

impl Columns {
    fn split(&self, row: Rect) -> [Rect; 7] {
        let (payer, earned) = if row.width >= ROOMY { (15, 8) } else { (8, 0) };
        let [name, lines, payer, paid, got, step, earned] = Layout::horizontal([
            Constraint::Length(self.name),
            Constraint::Fill(1),
            Constraint::Length(payer),
            Constraint::Length(8),
            Constraint::Length(8),
            Constraint::Length(7),
            Constraint::Length(earned),
        ])
        .spacing(1)
        .areas(row);
        [name, lines, payer, paid, got, step, earned]
    }

    fn heads(&self, frame: &mut Frame<'_>, top: Rect, room: Rect) {
        let [_, _, payer, paid, got, step, earned] = self.split(room);
        head(frame, top, payer, "paying");
        head_right(frame, top, paid, "paid B");
        head_right(frame, top, got, "got B");
        head_right(frame, top, step, "step B");
        head_right(frame, top, earned, "earned B");
    }

    fn row(&self, frame: &mut Frame<'_>, row: Rect, name: &str, thing: &Thing, model: &Model) {
        let [label, lines, payer, paid, got, step, earned] = self.split(row);
        put(frame, label, Span::styled(name.to_owned(), look::STRONG));
        put(frame, lines, line_levels(name, thing, model, lines.width));
        let sessions = model.sessions_at(name);
        let is_live = sessions.iter().any(|(_, session)| session.is_paying());
        let style = if is_live { Style::new() } else { look::FAINT };
        let who = if is_live { payers(&sessions, payer.width) } else { "–".to_owned() };
        put(frame, payer, Span::styled(who, if is_live { look::NAME } else { look::FAINT }));
        let sum = |part: fn(&Session) -> u64| {
            sessions.iter().fold(0_u64, |sum, (_, session)| sum.saturating_add(part(session)))
        };
        number(frame, paid, sum(|session| session.paid), style);
        number(frame, got, sum(|session| session.delivered), style);
        number(frame, step, thing.step, Style::new());
        number(frame, earned, thing.earned, Style::new());
    }
}

fn number(frame: &mut Frame<'_>, area: Rect, bytes: u64, style: Style) {
    put(frame, area, Line::styled(brief(bytes), style).right_aligned());
}

/// Who pays: with the session where there is room, by number where there is not.
fn payers(sessions: &[(&str, &Session)], width: u16) -> String {
    if let [(id, session)] = sessions
        && width >= 15
    {
        return format!("{} #{}", session.buyer, tail(id));
    }
    let names: Vec<_> = sessions.iter().map(|(_, session)| session.buyer.as_str()).collect();
    let all = names.join(", ");
    match names.as_slice() {
        [first, rest @ ..] if !rest.is_empty() && all.chars().count() > usize::from(width) => {
            format!("{} +{}", clip(first, usize::from(width.saturating_sub(3))), rest.len())
        }
        _ => all,
    }
}

/// The levels of a thing's lines in sign and word, closer together the less room there is.
fn line_levels(name: &str, thing: &Thing, model: &Model, width: u16) -> Line<'static> {
    let chosen = model.chosen_line().filter(|(owner, _)| *owner == name).map(|(_, line)| line.name.as_str());
    let written = |gap: &'static str, after: &'static str, has_words: bool, has_leases: bool| {
        let mut spans = Vec::new();
        for line in &thing.lines {
            let word = if has_words { level_word(&line.name, line.is_high) } else { "" };
            let width = if has_words { word_width(&line.name) } else { 0 };
            let (sign, style) = sign(line, model.now);
            let is_chosen = chosen == Some(line.name.as_str());
            let text = if is_chosen { look::CHOSEN } else { Style::new() };
            spans.push(Span::styled(format!("{} ", short_line(name, &line.name)), text));
            spans.push(Span::styled(sign, style.patch(text)));
            spans.push(Span::styled(format!("{gap}{word}"), text));
            spans.push(Span::raw(" ".repeat(width.saturating_sub(word.len()))));
            if has_leases && line.is_output {
                spans.push(Span::raw(format!(" {:>5}", covered(line, model.now))));
            }
            spans.push(Span::raw(after));
        }
        Line::from(spans)
    };
    let fits = |line: &Line<'_>| line.width() <= usize::from(width) + 1;
    [written(" ", "  ", true, true), written(" ", "  ", true, false), written("", " ", true, false)]
        .into_iter()
        .find(fits)
        .unwrap_or_else(|| written("", " ", false, false))
}

/// For how long an output that is on is still paid: `1.9 s`.
pub(super) fn covered(line: &model::Line, now: u64) -> String {
    match line.leased_until.saturating_sub(now) / 100 {
        _ if !line.is_high => String::new(),
        left @ 0..1_000 => format!("{} s", tenths(left)),
        left => format!("{} s", count(left / 10)),
    }
}

pub(super) fn sign(line: &model::Line, now: u64) -> (&'static str, Style) {
    if line.leaked.is_some() {
        return ("!", look::BAD);
    }
    match (line.is_high, line.is_unpaid(now)) {
        (true, true) => ("!", look::BAD),
        (true, false) if line.is_output => ("●", look::GOOD),
        (true, false) => ("●", look::WAIT),
        (false, _) => ("○", Style::new()),
    }
}

/// A line's name without that of its thing before it.
fn short_line(thing: &str, line: &str) -> String {
    let rest = line
        .get(..thing.len())
        .filter(|start| start.eq_ignore_ascii_case(thing))
        .map(|_| &line[thing.len()..]);
    let rest = rest.and_then(|rest| rest.strip_prefix(['.', '-', '_', '/', ':']));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(line).to_owned()
}

/// A level in words, as one says it of such a line: a door is `open` or `shut`, a lamp `on` or `off`.
pub fn level_word(line: &str, is_high: bool) -> &'static str {
    let (low, high) = words(line);
    if is_high { high } else { low }
}

/// The level that such a word means for a line: one of the line's own words, or `high`, `low`, `on`, `off`.
///
/// # Errors
///
/// The words that would do.
pub fn level_of(line: &str, word: &str) -> Result<Level, String> {
    let (low, high) = words(line);
    let word = word.to_ascii_lowercase();
    // The line's own words first: a door that is `open` is low.
    for (known, level) in [
        (low, Level::Low),
        (high, Level::High),
        ("low", Level::Low),
        ("high", Level::High),
        ("off", Level::Low),
        ("on", Level::High),
    ] {
        if word == known {
            return Ok(level);
        }
    }
    Err(format!("{word:?} is no level of {line}: {high} (high) or {low} (low)"))
}

/// Whether such a line only pulses: no single change of it is worth a word.
pub(super) fn is_pulsed(line: &str) -> bool {
    words(line) == PULSE
}

fn word_width(line: &str) -> usize {
    let (low, high) = words(line);
    low.len().max(high.len())
}

/// What a line that pulses is called.
const PULSE: (&str, &str) = ("lo", "hi");

/// What low and high are called, by the last word of the line's name.
fn words(line: &str) -> (&'static str, &'static str) {
    let last = line.rsplit(['.', '-', '_', '/', ':']).next().unwrap_or(line);
    match last.to_ascii_uppercase().trim_end_matches(|sign: char| sign.is_ascii_digit()) {
        "DOOR" | "CONTACT" | "GATE" => ("open", "shut"),
        "LOCK" => ("locked", "free"),
        "LIGHT" => ("dark", "light"),
        "PLUG" => ("out", "in"),
        "METER" => PULSE,
        "BUTTON" => ("up", "down"),
        _ => ("off", "on"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_has_the_word_of_its_kind_of_line() {
        assert_eq!(level_word("LAMP", true), "on");
        assert_eq!(level_word("room.DOOR", false), "open");
        assert_eq!(level_word("LOCK2", true), "free");
    }

    #[test]
    fn a_word_means_the_level_of_its_kind_of_line() {
        assert_eq!(level_of("DOOR", "open"), Ok(Level::Low));
        assert_eq!(level_of("DOOR", "HIGH"), Ok(Level::High));
        assert_eq!(level_of("LIGHT2", "dark"), Ok(Level::Low));
        let refused = level_of("DOOR", "ajar").unwrap_err();
        assert_eq!(refused, "\"ajar\" is no level of DOOR: shut (high) or open (low)");
    }

    #[test]
    fn the_thing_s_own_name_is_not_repeated_in_its_lines() {
        assert_eq!(short_line("lamp", "lamp.LIGHT"), "LIGHT");
        assert_eq!(short_line("lamp", "LAMP_SENSOR"), "SENSOR");
        assert_eq!(short_line("lamp", "LAMP"), "LAMP");
        assert_eq!(short_line("lamp", "ä"), "ä");
    }
}
