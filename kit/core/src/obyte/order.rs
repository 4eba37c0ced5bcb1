//! The order of keys in everything that is hashed, and which keys a hash leaves out.

use alloc::{string::String, vec::Vec};
use core::cmp::Ordering;

use serde_json::{Map, Value};

/// What a hash leaves out of an object.
///
/// `below` applies to the value of a key, and to each element when that is an array.
pub(crate) struct Trim {
    /// Keys to leave out here.
    pub(crate) drop: &'static [&'static str],
    /// What to leave out further down.
    pub(crate) below: &'static [(&'static str, Trim)],
}

impl Trim {
    /// Leaves out nothing.
    pub(crate) const NOTHING: &'static Self = &Self { drop: &[], below: &[] };

    /// What to leave out of the value of `key`.
    pub(crate) fn below(&self, key: &str) -> &Self {
        self.below.iter().find(|(name, _)| *name == key).map_or(Self::NOTHING, |(_, trim)| trim)
    }

    fn keeps(&self, key: &str) -> bool {
        !self.drop.contains(&key)
    }
}

/// Calls `visit` for each entry that `trim` keeps, in the order of the keys' UTF-16 code units; gives
/// how many there were.
pub(crate) fn for_each_sorted<'v, E>(
    map: &'v Map<String, Value>,
    trim: &Trim,
    mut visit: impl FnMut(usize, &'v str, &'v Value) -> Result<(), E>,
) -> Result<usize, E> {
    let kept = map.iter().map(|(key, value)| (key.as_str(), value)).filter(|(key, _)| trim.keeps(key));
    let mut count = 0;
    if is_sorted(map) {
        for (key, value) in kept {
            visit(count, key, value)?;
            count += 1;
        }
        return Ok(count);
    }
    let mut entries: Vec<_> = kept.collect();
    entries.sort_by(|(left, _), (right, _)| compare(left, right));
    for (key, value) in entries {
        visit(count, key, value)?;
        count += 1;
    }
    Ok(count)
}

/// Maps are kept in byte order, which is the wanted order unless rare characters meet.
fn is_sorted(map: &Map<String, Value>) -> bool {
    map.keys().is_sorted_by(|left, right| compare(left, right) == Ordering::Less)
}

/// Compares as JavaScript does, by UTF-16 code units.
///
/// UTF-8 bytes order the same way but for one case: U+E000..U+FFFF (lead bytes EE, EF) come after the
/// supplementary characters (F0 and above), whose code units are surrogates (D800..DFFF).
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    let differing = left.bytes().zip(right.bytes()).find(|(l, r)| l != r);
    match differing {
        None => left.len().cmp(&right.len()),
        Some((0xEE | 0xEF, 0xF0..)) => Ordering::Greater,
        Some((0xF0.., 0xEE | 0xEF)) => Ordering::Less,
        Some((l, r)) => l.cmp(&r),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn keys_compare_by_utf_16_code_units(
            left in "[a-c\u{e0}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
            right in "[a-c\u{e0}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
        ) {
            prop_assert_eq!(compare(&left, &right), left.encode_utf16().cmp(right.encode_utf16()));
        }
    }
}
