//! Strings of a JSON text: the same when their characters are, however these are written.

use alloc::string::String;
use core::cmp::Ordering;

/// A string as it stands between its quotes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text<'a> {
    /// What stands between the quotes. Its syntax has been checked.
    pub(super) raw: &'a str,
    /// It holds escapes, so it is not what it stands for.
    pub(super) escaped: bool,
}

impl<'a> Text<'a> {
    /// Returns the code points in order.
    ///
    /// Half a surrogate pair, which JSON text can write and UTF-8 cannot, stands for itself.
    pub(super) fn points(self) -> Points<'a> {
        Points { rest: self.raw }
    }

    /// Compares by code points, which for UTF-8 is the order of its bytes.
    pub(super) fn compare(self, other: Text<'_>) -> Ordering {
        if self.escaped || other.escaped {
            self.points().cmp(other.points())
        } else {
            self.raw.cmp(other.raw)
        }
    }

    /// Returns the string for people; half a surrogate pair is shown as U+FFFD.
    pub(super) fn shown(self) -> String {
        let shown = |point| char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER);
        self.points().map(shown).collect()
    }
}

/// The code points of a string.
#[derive(Debug)]
pub(super) struct Points<'a> {
    rest: &'a str,
}

impl Points<'_> {
    fn hex(&mut self) -> u32 {
        let (digits, rest) = self.rest.split_at_checked(4).unwrap_or((self.rest, ""));
        self.rest = rest;
        u32::from_str_radix(digits, 16).unwrap_or(0)
    }

    /// Reads what follows `\u`: one code unit, or two that are a pair.
    fn unit(&mut self) -> u32 {
        let high = self.hex();
        if !(0xd800..0xdc00).contains(&high) {
            return high;
        }
        let Some(rest) = self.rest.strip_prefix("\\u") else { return high };
        let mut ahead = Points { rest };
        let low = ahead.hex();
        if !(0xdc00..0xe000).contains(&low) {
            return high;
        }
        self.rest = ahead.rest;
        0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
    }
}

impl Iterator for Points<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let mut take = || {
            let mut chars = self.rest.chars();
            let next = chars.next();
            self.rest = chars.as_str();
            next
        };
        let first = take()?;
        if first != '\\' {
            return Some(first.into());
        }
        Some(match take()? {
            'b' => 0x08,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            'u' => self.unit(),
            itself => itself.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str) -> Text<'_> {
        Text { raw, escaped: raw.contains('\\') }
    }

    /// §8.2: escapes and characters are the same string, and halves of pairs are only themselves.
    #[test]
    fn spelling_makes_no_other_string() {
        for (left, right) in [
            ("", ""),
            ("a\\u0062c", "abc"),
            ("\\ud83e\\udd80", "🦀"),
            ("\\/\\\\\\\"", "\\u002f\\u005C\\u0022"),
            ("\\b\\f\\n\\r\\t", "\\u0008\\u000c\\u000a\\u000d\\u0009"),
            ("\\ud83e\\ud83e\\udd80", "\\uD83E🦀"),
            ("\\ud83ex", "\\uD83Ex"),
        ] {
            assert_eq!(text(left).compare(text(right)), Ordering::Equal, "{left} {right}");
        }
        for (left, right) in [
            ("a", "b"),
            ("a", "a\\u0000"),
            ("\\ud83e", "\\ud83f"),
            ("\\ud83e", "\\ufffd"),
            ("\\ud83e\\u0061", "🦀"),
            ("\u{e9}", "e\u{301}"),
        ] {
            assert_ne!(text(left).compare(text(right)), Ordering::Equal, "{left} {right}");
        }
        assert_eq!(text("\\u00e9\\ud800!").shown(), "é\u{fffd}!");
    }

    #[test]
    fn order_is_that_of_code_points_with_and_without_escapes() {
        let sorted = ["", "A", "a", "\u{ff}", "\u{d7ff}", "\\ud800", "\u{e000}", "🦀"];
        for (at, left) in sorted.iter().enumerate() {
            for (to, right) in sorted.iter().enumerate() {
                assert_eq!(text(left).compare(text(right)), at.cmp(&to), "{left} {right}");
            }
        }
    }
}
