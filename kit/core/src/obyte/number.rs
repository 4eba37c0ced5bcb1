//! Numbers as text, exactly as JavaScript writes them.

use alloc::string::String;

/// A number that has no place in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a finite number")]
pub struct NumberError;

/// Writes a number as ECMAScript's `Number.toString` does.
///
/// # Errors
///
/// [`NumberError`] for infinities and NaN.
pub fn format(number: f64) -> Result<String, NumberError> {
    if number.is_finite() { Ok(ryu_js::Buffer::new().format_finite(number).into()) } else { Err(NumberError) }
}

/// The number as JavaScript holds it: a double, whatever the text said.
///
/// Integers beyond 2⁵³ are rounded to the nearest double.
#[expect(clippy::cast_precision_loss, reason = "JavaScript rounds large integers just so")]
fn as_double(number: &serde_json::Number) -> f64 {
    match (number.as_u64(), number.as_i64()) {
        (Some(natural), _) => natural as f64,
        (None, Some(integer)) => integer as f64,
        // Neither an u64 nor an i64 means that it was read as a double.
        (None, None) => number.as_f64().unwrap_or(f64::NAN),
    }
}

/// A natural number that doubles hold exactly, also when it is written as `2.0`.
pub(crate) fn whole(number: &serde_json::Number) -> Option<u64> {
    const LARGEST: u64 = 1 << 53;
    let double = as_double(number);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "compared right below")]
    let natural = double as u64;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "exact up to 2⁵³")]
    let is_whole = natural <= LARGEST && natural as f64 == double;
    is_whole.then_some(natural)
}

/// Appends a JSON number as JavaScript writes it.
pub(crate) fn append(out: &mut String, number: &serde_json::Number) -> Result<(), NumberError> {
    match number.as_u64() {
        Some(natural) if natural < (1 << 53) => {
            out.push_str(itoa(natural, &mut [0; 20]));
            Ok(())
        }
        Some(_) | None => {
            let double = as_double(number);
            if !double.is_finite() {
                return Err(NumberError);
            }
            out.push_str(ryu_js::Buffer::new().format_finite(double));
            Ok(())
        }
    }
}

/// Small integers are what amounts and timestamps are; they need no shortest-digits search.
fn itoa(mut natural: u64, digits: &mut [u8; 20]) -> &str {
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(natural % 10).expect("a digit is below 10");
        natural /= 10;
        if natural == 0 {
            break;
        }
    }
    core::str::from_utf8(&digits[start..]).expect("digits are ASCII")
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn infinities_and_nan_have_no_text() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(format(number), Err(NumberError));
        }
    }

    #[test]
    fn whole_is_whole_however_it_is_written() {
        let whole = |text: &str| super::whole(&serde_json::from_str(text).unwrap());

        assert_eq!(
            [whole("2"), whole("2.0"), whole("2e0"), whole("-0")],
            [Some(2), Some(2), Some(2), Some(0)]
        );
        assert_eq!([whole("2.5"), whole("-1"), whole("1e300"), whole("9007199254740994")], [None; 4]);
    }

    #[test]
    fn an_integer_beyond_the_doubles_is_rounded_first() {
        let mut out = String::new();

        append(&mut out, &9_007_199_254_740_993_u64.into()).unwrap();

        assert_eq!(out, "9007199254740992");
    }

    proptest! {
        #[test]
        fn text_reads_back_as_the_same_number(bits: u64) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());

            let again: f64 = format(number).unwrap().parse().unwrap();

            // Zero loses its sign.
            prop_assert_eq!(again.to_bits(), (number + 0.0).to_bits());
        }

        #[test]
        fn integers_are_written_alike_by_both_ways(natural in 0_u64..1 << 53) {
            let mut out = String::new();

            append(&mut out, &natural.into()).unwrap();

            prop_assert_eq!(out, natural.to_string());
        }
    }
}
