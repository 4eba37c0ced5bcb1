//! Numbers as the agents' language counts: decimals of 15 significant digits.

use core::{cmp::Ordering, fmt};

use serde_json::Value;

/// Significant digits a number keeps.
const DIGITS: u32 = 15;

/// A decimal number of at most 15 significant digits, within the range of a double.
///
/// Agents count in these: every result is rounded, half to even. Sums of ordinary amounts are exact,
/// but a party may *claim* any number, and what the agent then says must be the same everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Number {
    /// Without trailing zeros, so that equal numbers are equal values.
    mantissa: i64,
    exponent: i32,
}

impl Number {
    /// Nothing.
    pub const ZERO: Self = Self { mantissa: 0, exponent: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, exponent: 0 };

    /// The number nearest to `value`.
    pub fn of(value: u64) -> Self {
        Self::rounded(i128::from(value), 0)
    }

    /// Reads a JSON number; `None` when it is not finite.
    pub fn of_json(number: &serde_json::Number) -> Option<Self> {
        // The shortest digits that read back as the same double are the number's text.
        number.as_f64().and_then(|double| Self::of_text(&format!("{double:e}")))
    }

    /// Reads text the way the language does: sign, digits, point and digits, exponent; nothing else.
    pub fn of_text(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix(['+', '-']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        let (digits, exponent) = match rest.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, read_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) if all_digits(fraction) => (whole, fraction),
            Some(_) => return None,
            None => (digits, ""),
        };
        if !all_digits(whole) {
            return None;
        }
        let magnitude = Self::of_digits(whole, fraction, exponent)?;
        Some(if negative { magnitude.negated() } else { magnitude })
    }

    fn of_digits(whole: &str, fraction: &str, exponent: i64) -> Option<Self> {
        let digits = format!("{whole}{fraction}");
        let digits = digits.trim_start_matches('0');
        // What lies beyond 30 digits can only break a tie: one sticky digit stands for all of it.
        let (head, tail) = digits.split_at(digits.len().min(30));
        let sticky = tail.bytes().any(|digit| digit != b'0');
        let mut mantissa = head.parse::<i128>().unwrap_or(0) * 10;
        mantissa += i128::from(sticky);
        let dropped = i64::try_from(tail.len()).ok()?;
        let places = i64::try_from(fraction.len()).ok()?;
        let exponent = exponent.checked_add(dropped)?.checked_sub(places)?.checked_sub(1)?;
        // Far outside the range of a double on either side.
        let exponent = i32::try_from(exponent.clamp(-9_999, 9_999)).ok()?;
        Self::rounded(mantissa, exponent).in_range()
    }

    /// The sum, rounded; `None` when it leaves the range of a double.
    pub fn plus(self, other: Self) -> Option<Self> {
        if self.is_zero() || other.is_zero() {
            return Some(if self.is_zero() { other } else { self });
        }
        let (large, small) = if self.top() >= other.top() { (self, other) } else { (other, self) };
        if large.top() - small.top() > 17 {
            return Some(large);
        }
        // At most 17 places apart and 15 digits each: the exact sum has fewer than 34 digits.
        let floor = large.exponent.min(small.exponent);
        let exact = large.scaled_to(floor) + small.scaled_to(floor);
        Self::rounded(exact, floor).in_range()
    }

    /// The difference, rounded; `None` when it leaves the range of a double.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// Whether there is nothing behind the point.
    pub const fn is_integer(self) -> bool {
        self.exponent >= 0
    }

    /// Whether it is below nothing.
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The number as a whole amount; `None` when it is negative, fractional or too large.
    pub fn to_u64(self) -> Option<u64> {
        let mantissa = u64::try_from(self.mantissa).ok()?;
        let exponent = u32::try_from(self.exponent).ok()?;
        10_u64.checked_pow(exponent)?.checked_mul(mantissa)
    }

    /// The number as JSON.
    pub fn to_json(self) -> Value {
        match (self.to_u64(), self.negated().to_u64().and_then(|size| i64::try_from(size).ok())) {
            (Some(size), _) => Value::from(size),
            (None, Some(size)) => Value::from(-size),
            (None, None) => Value::from(self.to_f64()),
        }
    }

    fn to_f64(self) -> f64 {
        // Decimal text to double is correctly rounded; arithmetic would not be.
        format!("{}e{}", self.mantissa, self.exponent).parse().unwrap_or(f64::INFINITY)
    }

    const fn negated(self) -> Self {
        Self { mantissa: -self.mantissa, exponent: self.exponent }
    }

    /// The place of the leading digit.
    fn top(self) -> i32 {
        let digits = self.mantissa.unsigned_abs().checked_ilog10().unwrap_or(0);
        self.exponent + i32::try_from(digits).unwrap_or(0)
    }

    fn scaled_to(self, floor: i32) -> i128 {
        let places = u32::try_from(self.exponent - floor).unwrap_or(0);
        i128::from(self.mantissa) * 10_i128.pow(places)
    }

    fn rounded(mantissa: i128, exponent: i32) -> Self {
        let (mut size, mut exponent) = (mantissa.unsigned_abs(), exponent);
        let digits = size.checked_ilog10().map_or(0, |top| top + 1);
        if let Some(excess) = digits.checked_sub(DIGITS).filter(|excess| *excess > 0) {
            let unit = 10_u128.pow(excess);
            let (kept, rest) = (size / unit, size % unit);
            let up = match (rest * 2).cmp(&unit) {
                Ordering::Less => false,
                Ordering::Equal => kept % 2 == 1,
                Ordering::Greater => true,
            };
            size = kept + u128::from(up);
            exponent += i32::try_from(excess).unwrap_or(0);
        }
        while size != 0 && size.is_multiple_of(10) {
            size /= 10;
            exponent += 1;
        }
        if size == 0 {
            return Self::ZERO;
        }
        // Fifteen digits always fit.
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        Self { mantissa: if mantissa < 0 { -size } else { size }, exponent }
    }

    fn in_range(self) -> Option<Self> {
        let double = self.to_f64();
        if double.is_infinite() {
            None
        } else if double == 0.0 {
            Some(Self::ZERO)
        } else {
            Some(self)
        }
    }
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !all_digits(digits) {
        return None;
    }
    // Saturates: nothing that large is finite, or distinguishable from nothing.
    let size = digits.parse::<i64>().unwrap_or(99_999);
    Some(if text.starts_with('-') { -size.min(99_999) } else { size.min(99_999) })
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.minus(*other) {
            Some(difference) => difference.mantissa.cmp(&0),
            // Two numbers whose difference overflows lie on either side of nothing.
            None => self.mantissa.signum().cmp(&other.mantissa.signum()),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = coinop_core::obyte::number::format(self.to_f64()).map_err(|_infinite| fmt::Error)?;
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::of_text(text).unwrap()
    }

    #[test]
    fn text_is_read_as_strictly_as_the_language_does() {
        for no_number in ["", "-", ".5", "5.", "1e", "0x10", " 1", "1 ", "1e+", "--1", "1e999", "NaN"] {
            assert_eq!(Number::of_text(no_number), None, "{no_number}");
        }
        assert_eq!(number("+5"), Number::of(5));
        assert_eq!(number("1.50e1"), Number::of(15));
        assert_eq!(number("1e-999"), Number::ZERO);
        assert_eq!(number("-0"), Number::ZERO);
    }

    #[test]
    fn sixteen_digits_are_rounded_half_to_even() {
        assert_eq!(number("1000000000000005").to_string(), "1000000000000000");
        assert_eq!(number("1000000000000015").to_string(), "1000000000000020");
        assert_eq!(number("1000000000000005.0000000000000000000000000001").to_string(), "1000000000000010");
    }

    #[test]
    fn sums_are_exact_before_they_are_rounded() {
        assert_eq!(number("1e23").plus(number("999999999999999")).unwrap().to_string(), "1.00000001e+23");
        assert_eq!(number("0.1").plus(number("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(number("1e300").minus(number("1")).unwrap(), number("1e300"));
        assert_eq!(number("9e307").plus(number("9e307")), None);
    }

    #[test]
    fn numbers_are_ordered_by_size() {
        assert!(number("-1") < Number::ZERO);
        assert!(number("1e20") > number("99999999999999900000"));
        assert!(number("-9e307") < number("9e307"));
    }

    #[test]
    fn json_keeps_whole_numbers_whole() {
        assert_eq!(number("-12").to_json(), Value::from(-12));
        assert_eq!(number("1.5").to_json(), Value::from(1.5));
        assert_eq!(number("1e19").to_json(), Value::from(10_000_000_000_000_000_000_u64));
    }
}
