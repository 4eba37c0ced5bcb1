//! Numbers and names as a person reads them.

/// The longest name of a party, thing, line, session or channel that is kept.
pub(super) const NAME_MAX: usize = 64;
/// The longest sentence that is kept.
pub(super) const TEXT_MAX: usize = 200;
/// How much of a hash is shown.
pub(super) const HASH_SHOWN: usize = 6;
/// A word of at least this length, without anything but the signs of a hash, is taken for one.
const HASH_LEN: usize = 20;

/// A number with its thousands apart: `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// An amount with its unit, at most 12 signs: `12,300 B`, `45.670 MB`.
pub(super) fn money(bytes: u64) -> String {
    const MEGA: u64 = 1_000_000;
    const GIGA: u64 = 1_000 * MEGA;
    match bytes {
        0..10_000_000 => format!("{} B", count(bytes)),
        10_000_000..10_000_000_000 => format!("{}.{:03} MB", count(bytes / MEGA), bytes % MEGA / 1_000),
        10_000_000_000..10_000_000_000_000 => {
            format!("{}.{:03} GB", count(bytes / GIGA), bytes % GIGA / MEGA)
        }
        10_000_000_000_000.. => format!("{} GB", count(bytes / GIGA)),
    }
}

/// The same where the column says that it is bytes, in 8 signs: `12,300`, `1.234 MB`, `45.67 GB`.
pub(super) fn brief(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1_000_000 => return count(bytes),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        1_000_000_000.. => (1_000_000_000, "GB"),
    };
    let (whole, thousandths) = (bytes / unit, bytes % unit / (unit / 1_000));
    match whole {
        0..10 => format!("{whole}.{thousandths:03} {name}"),
        10..100 => format!("{whole}.{:02} {name}", thousandths / 10),
        100..1_000 => format!("{whole}.{} {name}", thousandths / 100),
        1_000.. => format!("{} {name}", count(whole)),
    }
}

/// A number given in tenths: `7.2`.
pub(super) fn tenths(tenths: u64) -> String {
    format!("{}.{}", count(tenths / 10), tenths % 10)
}

/// A moment of scenario time to the second: `0:42`, `1:02:03`.
pub(super) fn clock(millis: u64) -> String {
    let seconds = millis / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        1.. => format!("{}:{minutes:02}:{seconds:02}", count(hours)),
    }
}

/// A moment of scenario time to the tenth of a second: `0:42.3`.
pub(super) fn fine_clock(millis: u64) -> String {
    format!("{}.{}", clock(millis), millis % 1_000 / 100)
}

/// At most `limit` signs of `text`, control characters as blanks.
pub(super) fn clip(text: &str, limit: usize) -> String {
    text.chars().take(limit).map(|sign| if sign.is_control() { ' ' } else { sign }).collect()
}

/// The end of a session's or channel's id: what tells it from its neighbours.
pub(super) fn tail(id: &str) -> String {
    let signs = id.chars().count();
    id.chars().skip(signs.saturating_sub(HASH_SHOWN)).collect()
}

/// A name to show: hashes shortened, `known` asked for a better word first.
pub(super) fn name(text: &str, known: impl Fn(&str) -> Option<String>) -> String {
    if let Some(better) = known(text) {
        return clip(&better, NAME_MAX);
    }
    if is_hash(text) {
        return format!("{}…", text.chars().take(HASH_SHOWN).collect::<String>());
    }
    clip(text, NAME_MAX)
}

/// A sentence to show: every hash in it shortened, or named when `known` has a word for it.
pub(super) fn sentence(text: &str, known: impl Fn(&str) -> Option<String>) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while !rest.is_empty() && shown.len() < TEXT_MAX * 4 {
        let word = rest.find(|sign| !hash_sign(sign)).unwrap_or(rest.len());
        shown.push_str(&name(&rest[..word], &known));
        let next = rest[word..].find(hash_sign).unwrap_or(rest.len() - word);
        shown.push_str(&rest[word..word + next]);
        rest = &rest[word + next..];
    }
    clip(&shown, TEXT_MAX)
}

/// `text` in lines of at most `width` signs, broken between words where that is possible.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if used > 0 && used + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        while word.len() > width.max(1) {
            let rest = word.split_off(width.max(1));
            lines.push(word.into_iter().collect());
            word = rest;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        used += word.len();
        line.extend(word);
    }
    if used > 0 {
        lines.push(line);
    }
    lines
}

fn is_hash(word: &str) -> bool {
    word.len() >= HASH_LEN && word.chars().all(hash_sign) && word.chars().any(|sign| sign.is_ascii_digit())
}

fn hash_sign(sign: char) -> bool {
    sign.is_ascii_alphanumeric() || matches!(sign, '+' | '/' | '=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_unit_and_their_thousands_apart() {
        assert_eq!(money(0), "0 B");
        assert_eq!(money(9_999_999), "9,999,999 B");
        assert_eq!(money(10_000_000), "10.000 MB");
        assert_eq!(money(12_345_678_901), "12.345 GB");
        assert_eq!(money(9_000_000_000_000_000), "9,000,000 GB");
    }

    #[test]
    fn brief_amounts_have_at_most_eight_signs() {
        assert_eq!(brief(999_999), "999,999");
        assert_eq!(brief(1_234_567), "1.234 MB");
        assert_eq!(brief(45_678_900), "45.67 MB");
        assert_eq!(brief(999_999_999), "999.9 MB");
        assert_eq!(brief(1_234_567_890_123), "1,234 GB");
    }

    #[test]
    fn a_clock_has_hours_only_when_there_are_some() {
        assert_eq!(fine_clock(42_390), "0:42.3");
        assert_eq!(clock(3_723_000), "1:02:03");
    }

    #[test]
    fn a_sentence_never_holds_a_whole_hash() {
        let text = "unit x3eHLZ0ANxZk5l6fpvnZTZyUDu9DIBGrBvQ3T8qMkZg= is not known to GFK3RDAPQLLNCMQEVGGD2KCPZTLSG3HN";
        let known = |word: &str| word.starts_with("GFK3").then(|| "alice".to_owned());

        assert_eq!(sentence(text, known), "unit x3eHLZ… is not known to alice");
    }

    #[test]
    fn lines_break_between_words_and_long_words_are_cut() {
        assert_eq!(wrap("pay the lamp now", 8), ["pay the", "lamp now"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("ab", 0), ["a", "b"]);
    }
}
