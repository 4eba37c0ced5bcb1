//! What people write by hand: times, numbers with a unit, and the line of a file where something is wrong.

use alloc::{borrow::ToOwned, format, string::String};
use core::ops::Range;

const TIMES: &[(&str, u64)] = &[("ms", 1), ("min", 60_000), ("s", 1_000), ("h", 3_600_000)];

/// Reads a time such as `500ms`, `2s`, `1.5min`, in **milliseconds**.
///
/// # Errors
///
/// What is wrong with it, and what would be right.
pub fn time(text: &str) -> Result<u64, String> {
    quantity(
        text,
        TIMES,
        "a time such as \"500ms\", \"2s\", \"1min\" or \"1h\"",
        "a time fits into 64 bits as ms",
    )
}

/// Reads a decimal number and its unit, exactly, in the smallest of the `units`: `1.5kWh` is 1,500,000 mWh.
/// `wanted` and `most` say in messages what it should have been, and how large it may be.
///
/// # Errors
///
/// What is wrong with it, and what would be right.
pub fn quantity(text: &str, units: &[(&str, u64)], wanted: &str, most: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not {wanted}");
    let (number, scale) = units
        .iter()
        .find_map(|(unit, scale)| text.strip_suffix(unit).map(|number| (number.trim_end(), *scale)))
        .ok_or_else(wrong)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(wrong());
    }
    let too_large = || format!("{text:?} is too large; {most}");
    let mut total =
        whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(scale)).ok_or_else(too_large)?;
    let mut place = scale;
    for digit in fraction.bytes() {
        if place % 10 != 0 && digit != b'0' {
            return Err(format!("{text:?} is finer than the smallest unit"));
        }
        place /= 10;
        total = total.checked_add(u64::from(digit - b'0') * place).ok_or_else(too_large)?;
    }
    Ok(total)
}

/// A file that somebody wrote, to find the line of a word in.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Its name.
    pub file: &'a str,
    /// All of it.
    pub text: &'a str,
}

impl Page<'_> {
    /// The line, from 1, in which a place lies.
    pub fn line(&self, place: &Range<usize>) -> usize {
        let before = self.text.get(..place.start).unwrap_or(self.text);
        before.bytes().filter(|byte| *byte == b'\n').count() + 1
    }

    /// Says what is wrong at a place.
    pub fn wrong(&self, place: &Range<usize>, what: &str) -> Wrong {
        let what = what.trim().replace('\n', ", ");
        Wrong { file: self.file.to_owned(), line: self.line(place), what }
    }
}

/// A file that says what cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {what}")]
pub struct Wrong {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what would be right.
    pub what: String,
}
