//! Numbers of a JSON text: the same when their values are, to the last digit.

use core::cmp::Ordering;

/// A number as its sign, its significant digits and the power of ten of the first of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<'a> {
    negative: bool,
    /// Power of ten of the first digit; the nearest bound where it does not fit.
    pub(super) exponent: i64,
    whole: &'a [u8],
    fraction: &'a [u8],
    skipped: usize,
    /// How many digits tell the value: those between the zeros before and behind. 0 for zero.
    pub(super) digits: usize,
}

impl<'a> Number<'a> {
    /// Reads a number whose syntax has been checked.
    pub(super) fn read(text: &'a str) -> Self {
        let unsigned = text.strip_prefix('-');
        let (mantissa, power) = split(unsigned.unwrap_or(text), ['e', 'E']);
        let (whole, fraction) = split(mantissa, ['.', '.']);
        let (whole, fraction) = (whole.as_bytes(), fraction.as_bytes());
        let all = || whole.iter().chain(fraction);
        let skipped = all().take_while(|digit| **digit == b'0').count();
        let behind = all().rev().take_while(|digit| **digit == b'0').count();
        let digits = (whole.len() + fraction.len()).saturating_sub(skipped + behind);
        if digits == 0 {
            // There is one zero, whatever its sign and its exponent.
            let (whole, fraction) = (&[] as &[u8], &[] as &[u8]);
            return Self { negative: false, exponent: 0, whole, fraction, skipped: 0, digits: 0 };
        }
        let place = |len: usize| i64::try_from(len).unwrap_or(i64::MAX);
        let exponent = exponent(power)
            .saturating_add(place(whole.len()))
            .saturating_sub(place(skipped))
            .saturating_sub(1);
        Self { negative: unsigned.is_some(), exponent, whole, fraction, skipped, digits }
    }

    /// Returns the digits that tell the value, as ASCII.
    pub(super) fn significant(self) -> impl Iterator<Item = u8> + 'a {
        self.whole.iter().chain(self.fraction).skip(self.skipped).take(self.digits).copied()
    }

    /// Tells whether it is below zero.
    pub(super) fn is_negative(self) -> bool {
        self.negative
    }

    /// Compares in an order that knows equal numbers, but is not that of their values.
    pub(super) fn compare(self, other: Number<'_>) -> Ordering {
        let shape = (self.negative, self.exponent, self.digits);
        shape
            .cmp(&(other.negative, other.exponent, other.digits))
            .then_with(|| self.significant().cmp(other.significant()))
    }
}

fn split(text: &str, at: [char; 2]) -> (&str, &str) {
    text.split_once(at).unwrap_or((text, ""))
}

fn exponent(power: &str) -> i64 {
    let bound = if power.starts_with('-') { i64::MIN } else { i64::MAX };
    if power.is_empty() { 0 } else { power.parse().unwrap_or(bound) }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    fn same(left: &str, right: &str) -> bool {
        Number::read(left).compare(Number::read(right)) == Ordering::Equal
    }

    /// §8.2: numbers are compared by value.
    #[test]
    fn spelling_makes_no_other_number() {
        for (left, right) in [
            ("1", "1.0"),
            ("1", "1e0"),
            ("1", "10E-1"),
            ("1", "0.1e+1"),
            ("-0", "0"),
            ("0.000", "0e99999999999999999999"),
            ("1200", "1.2e3"),
            ("-0.0012", "-12e-4"),
            ("100000000000000000000000001", "1.00000000000000000000000001e26"),
            ("1e0000000000000000000000005", "100000"),
        ] {
            assert!(same(left, right), "{left} {right}");
        }
        for (left, right) in [
            ("1", "-1"),
            ("1", "10"),
            ("1", "1.0000000000000000000000001"),
            ("9007199254740993", "9007199254740992"),
            ("1e-400", "0"),
            ("1e400", "1e401"),
            ("12", "21"),
        ] {
            assert!(!same(left, right), "{left} {right}");
        }
        let long = "7".repeat(5_000);
        assert!(same(&long, &format!("{long}.000")));
        assert!(!same(&long, &format!("{long}.0001")));
    }
}
