//! Engine time: one clock, microseconds since the Unix epoch, never read here.

use alloc::string::String;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// An instant of engine time: microseconds since 1970-01-01T00:00:00Z.
///
/// Engine time is given to the core by its caller and never goes backwards on one node.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The earliest instant, also used as "no bound" in range scans.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant.
    pub const MAX: Self = Self(i64::MAX);

    /// Makes a timestamp from microseconds since the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Makes a timestamp from milliseconds since the Unix epoch, saturating at the ends.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Returns microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Returns whole milliseconds since the Unix epoch, rounded down.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Adds a duration, saturating at [`Timestamp::MAX`].
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(micros))
    }

    /// Subtracts a duration, saturating at [`Timestamp::MIN`].
    #[must_use]
    pub fn before(self, duration: Duration) -> Self {
        let micros = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// Returns the time from `earlier` to this instant, zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads an ISO 8601 instant: `2026-11-21T14:02:05Z`, with optional fraction (up to nine
    /// digits, kept to the microsecond) and `Z` or an offset such as `+02:00`.
    ///
    /// # Errors
    /// [`ParseError`] when the text is not such an instant.
    pub fn parse_iso(text: &str) -> Result<Self, ParseError> {
        iso::parse(text).map(Self).ok_or_else(|| ParseError { text: text.into() })
    }
}

/// Shows the instant as ISO 8601 in UTC with microseconds, `2026-11-21T14:02:05.123456Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        iso::format(self.0, f)
    }
}

/// The text is not an ISO 8601 instant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an instant; accepted: ISO 8601 with a time zone, such as 2026-11-21T14:02:05Z"
)]
pub struct ParseError {
    text: String,
}

/// Civil calendar arithmetic (proleptic Gregorian), after the day-count algorithms in
/// ISO 8601's own terms: years begin in March so that leap days fall at the end.
mod iso {
    use core::fmt;

    const MICROS_A_DAY: i64 = 86_400_000_000;

    fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    fn civil_from_days(days: i64) -> (i64, i64, i64) {
        let days = days + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        (year, month, day)
    }

    pub(super) fn format(micros: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(micros.div_euclid(MICROS_A_DAY));
        let rest = micros.rem_euclid(MICROS_A_DAY);
        let (seconds, fraction) = (rest / 1_000_000, rest % 1_000_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z")
    }

    fn number(text: &str, digits: usize) -> Option<(i64, &str)> {
        let head = text.get(..digits)?;
        if !head.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some((head.parse().ok()?, text.get(digits..)?))
    }

    fn days_in(year: i64, month: i64) -> i64 {
        match month {
            4 | 6 | 9 | 11 => 30,
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            _ => 31,
        }
    }

    fn fraction(text: &str) -> Option<(i64, &str)> {
        let Some(rest) = text.strip_prefix('.') else {
            return Some((0, text));
        };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || digits > 9 {
            return None;
        }
        let mut micros = 0;
        for index in 0..6 {
            let digit = rest.as_bytes().get(index).filter(|_| index < digits);
            micros = micros * 10 + digit.map_or(0, |d| i64::from(d - b'0'));
        }
        Some((micros, rest.get(digits..)?))
    }

    fn offset_minutes(text: &str) -> Option<i64> {
        if text == "Z" {
            return Some(0);
        }
        let sign = if text.starts_with('+') { 1 } else { -1 };
        let rest = text.strip_prefix(['+', '-'])?;
        let (hours, rest) = number(rest, 2)?;
        let (minutes, rest) = number(rest.strip_prefix(':').unwrap_or(rest), 2)?;
        (rest.is_empty() && hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    }

    pub(super) fn parse(text: &str) -> Option<i64> {
        let (year, rest) = number(text, 4)?;
        let (month, rest) = number(rest.strip_prefix('-')?, 2)?;
        let (day, rest) = number(rest.strip_prefix('-')?, 2)?;
        let (hour, rest) = number(rest.strip_prefix('T')?, 2)?;
        let (minute, rest) = number(rest.strip_prefix(':')?, 2)?;
        let (second, rest) = match rest.strip_prefix(':') {
            Some(rest) => number(rest, 2)?,
            None => (0, rest),
        };
        let (micros, rest) = fraction(rest)?;
        let offset = offset_minutes(rest)?;
        let in_range = (1..=12).contains(&month)
            && (1..=days_in(year, month)).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !in_range {
            return None;
        }
        let seconds = days_from_civil(year, month, day) * 86_400
            + hour * 3_600
            + (minute - offset) * 60
            + second;
        Some(seconds * 1_000_000 + micros)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn instants_survive_a_round_trip() {
        for text in [
            "1970-01-01T00:00:00.000000Z",
            "2026-11-21T14:02:05.123456Z",
            "2024-02-29T23:59:59.999999Z",
            "1969-12-31T23:59:59.000001Z",
            "9999-12-31T23:59:59.000000Z",
        ] {
            assert_eq!(Timestamp::parse_iso(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn offsets_and_short_forms_are_read() {
        let at = |text| Timestamp::parse_iso(text).unwrap();
        assert_eq!(at("2026-11-21T14:02:05+02:00"), at("2026-11-21T12:02:05Z"));
        assert_eq!(at("2026-11-21T14:02Z"), at("2026-11-21T14:02:00.000Z"));
        assert_eq!(at("2026-01-01T00:30:00-0045"), at("2026-01-01T01:15:00Z"));
    }

    #[test]
    fn what_is_not_an_instant_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-21T14:02:05",
            "2026-11-21T25:00:00Z",
            "2026-11-21T14:02:05.Z",
            "é026-11-21T14:02:05Z",
        ] {
            let error = Timestamp::parse_iso(text).unwrap_err().to_string();
            assert!(error.contains("ISO 8601"), "{text}: {error}");
        }
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::MAX.after(Duration::from_secs(1)), Timestamp::MAX);
        assert_eq!(Timestamp::MIN.before(Duration::from_secs(1)), Timestamp::MIN);
        assert_eq!(Timestamp::from_millis(1).since(Timestamp::from_millis(5)), Duration::ZERO);
    }
}
