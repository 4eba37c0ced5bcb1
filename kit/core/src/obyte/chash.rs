//! Hashes with a checksum woven in: what addresses are made of.

use alloc::{string::String, vec::Vec};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ripemd::{Digest as _, Ripemd160};

use super::hash;

/// Length of the text of a 160-bit chash.
pub const LENGTH_160: usize = 32;
/// Length of the text of a 288-bit chash.
pub const LENGTH_288: usize = 48;

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const CHECKSUM_BITS: usize = 32;
/// Where the checksum's bits stand in 160 bits: running sums of the non-zero decimals of π.
pub const OFFSETS_160: [usize; CHECKSUM_BITS] = offsets(0);
/// Where they stand in 288 bits: the same with 4 more at each step.
pub const OFFSETS_288: [usize; CHECKSUM_BITS] = offsets(4);

/// A text whose length is that of no chash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("wrong encoded length: {0}")]
pub struct LengthError(
    /// The length found, in UTF-16 code units.
    pub usize,
);

/// The 160-bit chash of a text: RIPEMD-160 without its first four bytes, and the checksum, in base32.
pub fn chash160(data: &str) -> String {
    let text = chash160_text(data.as_bytes());
    text.iter().map(|byte| char::from(*byte)).collect()
}

/// The text of the 160-bit chash, as ASCII.
pub(crate) fn chash160_text(data: &[u8]) -> [u8; LENGTH_160] {
    let digest = Ripemd160::digest(data);
    let mut mixed = [0; 20];
    mix(&digest[4..], &OFFSETS_160, &mut mixed);
    base32(&mixed)
}

/// The 288-bit chash of a text: SHA-256 and the checksum, in base64.
pub fn chash288(data: &str) -> String {
    let mut mixed = [0; 36];
    mix(&hash::sha256(data.as_bytes()), &OFFSETS_288, &mut mixed);
    STANDARD.encode(mixed)
}

/// Whether a text is a 160-bit chash in capital letters, its checksum included.
pub fn is_valid160(text: &str) -> bool {
    text.bytes().all(|byte| !byte.is_ascii_lowercase()) && is_valid160_any_case(text)
}

/// Whether a text is a 160-bit chash, small letters taken for capital ones.
pub fn is_valid160_any_case(text: &str) -> bool {
    unbase32(text).is_some_and(|bytes| checks_out(&bytes, &OFFSETS_160))
}

/// Whether a text is a 288-bit chash, its checksum included.
pub fn is_valid288(text: &str) -> bool {
    hash::decode::<36>(text).is_some_and(|bytes| checks_out(&bytes, &OFFSETS_288))
}

/// Whether a text of either length is a chash, in any case of letters.
///
/// # Errors
///
/// [`LengthError`] for any other length.
pub fn is_valid(text: &str) -> Result<bool, LengthError> {
    match text.encode_utf16().count() {
        LENGTH_160 => Ok(is_valid160_any_case(text)),
        LENGTH_288 => Ok(is_valid288(text)),
        other => Err(LengthError(other)),
    }
}

const fn offsets(extra: usize) -> [usize; CHECKSUM_BITS] {
    let decimals_of_pi = b"14159265358979323846264338327950288419716939937510";
    let mut offsets = [0; CHECKSUM_BITS];
    let (mut filled, mut decimal, mut offset) = (0, 0, 0);
    while filled < CHECKSUM_BITS {
        let step = (decimals_of_pi[decimal] - b'0') as usize;
        if step > 0 {
            offset += step + extra;
            offsets[filled] = offset;
            filled += 1;
        }
        decimal += 1;
    }
    offsets
}

fn checksum(clean: &[u8]) -> [u8; 4] {
    let digest = hash::sha256(clean);
    [digest[5], digest[13], digest[21], digest[29]]
}

/// Weaves the checksum's bits into the clean data.
fn mix(clean: &[u8], offsets: &[usize; CHECKSUM_BITS], mixed: &mut [u8]) {
    let checksum = checksum(clean);
    let (mut from_checksum, mut from_clean) = (0, 0);
    for position in 0..mixed.len() * 8 {
        let set = if offsets.get(from_checksum) == Some(&position) {
            from_checksum += 1;
            bit(&checksum, from_checksum - 1)
        } else {
            from_clean += 1;
            bit(clean, from_clean - 1)
        };
        mixed[position / 8] |= u8::from(set) << (7 - position % 8);
    }
}

/// Whether taking the clean data out and weaving its checksum in again gives the same bits.
fn checks_out(mixed: &[u8], offsets: &[usize; CHECKSUM_BITS]) -> bool {
    let mut clean: Vec<u8> = alloc::vec![0; mixed.len() - 4];
    let positions = (0..mixed.len() * 8).filter(|position| !offsets.contains(position));
    for (index, position) in positions.enumerate() {
        clean[index / 8] |= u8::from(bit(mixed, position)) << (7 - index % 8);
    }
    let mut again: Vec<u8> = alloc::vec![0; mixed.len()];
    mix(&clean, offsets, &mut again);
    again == mixed
}

fn bit(bytes: &[u8], position: usize) -> bool {
    bytes[position / 8] >> (7 - position % 8) & 1 == 1
}

fn base32(bytes: &[u8; 20]) -> [u8; LENGTH_160] {
    core::array::from_fn(|index| {
        let digit = (0..5).fold(0, |digit, offset| digit << 1 | usize::from(bit(bytes, index * 5 + offset)));
        ALPHABET[digit]
    })
}

fn unbase32(text: &str) -> Option<[u8; 20]> {
    if text.len() != LENGTH_160 {
        return None;
    }
    let mut bytes = [0; 20];
    for (index, character) in text.bytes().enumerate() {
        let digit = match character.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            number @ b'2'..=b'7' => number - b'2' + 26,
            _ => return None,
        };
        for offset in 0..5 {
            let position = index * 5 + offset;
            bytes[position / 8] |= (digit >> (4 - offset) & 1) << (7 - position % 8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_chash_is_valid_and_one_changed_letter_is_noticed(data: String, at in 0..32_usize, letter in 0..32_usize) {
            let good = chash160(&data);
            let mut bad = good.clone();
            bad.replace_range(at..=at, core::str::from_utf8(&ALPHABET[letter..=letter]).unwrap());

            prop_assert!(is_valid160(&good));
            prop_assert!(is_valid160_any_case(&good.to_lowercase()));
            prop_assert!(is_valid288(&chash288(&data)));
            prop_assert_eq!(is_valid160(&bad), bad == good);
        }
    }

    #[test]
    fn small_letters_are_no_address() {
        let small = chash160("").to_lowercase();

        assert!(!is_valid160(&small));
        assert_eq!(is_valid(&small), Ok(true));
        assert_eq!(is_valid("A"), Err(LengthError(1)));
    }
}
