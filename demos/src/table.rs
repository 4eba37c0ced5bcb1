//! Tables of 80 columns.

use std::io::{self, Write};

/// The columns of a terminal that everybody has.
const WIDTH: usize = 80;

/// A text behind a head, broken between words so that it stays within the columns.
pub(crate) fn row(out: &mut dyn Write, head: &str, text: &str) -> io::Result<()> {
    row_behind(out, head, head.chars().count(), text)
}

/// The same behind a head that is shown in so many columns, since a part of it is colour.
pub(crate) fn row_behind(out: &mut dyn Write, head: &str, columns: usize, text: &str) -> io::Result<()> {
    let room = WIDTH.saturating_sub(columns).max(20);
    let mut line = String::new();
    let mut head = head.to_owned();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            writeln!(out, "{head}{line}")?;
            head = " ".repeat(columns);
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{}", format!("{head}{line}").trim_end())
}

/// The width of the longest.
pub(crate) fn widest<'a>(all: impl Iterator<Item = &'a str>) -> usize {
    all.map(|word| word.chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_goes_on_below_its_beginning_and_no_line_is_too_long() {
        let mut out = Vec::new();

        row(&mut out, "LAMP  ", &"words ".repeat(30)).unwrap();

        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().count() > 2);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(
            text.lines().skip(1).all(|line| line.is_empty() || line.starts_with("      words")),
            "{text}"
        );
    }
}
