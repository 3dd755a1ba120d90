//! Durations as people write them (semantics §11): `10s`, `1d12h`, `30 minutes`, `5000`.

use alloc::string::{String, ToString};
use core::time::Duration;

/// What is accepted, for error texts and documents.
pub const ACCEPTED: &str = "a number of milliseconds, or numbers with a unit: ms, s, m, h, d, w, \
     their long names, and compounds such as 1d12h or `30 minutes`";

/// The text is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a duration; accepted: {ACCEPTED}")]
pub struct ParseError {
    text: String,
}

/// Reads a duration (§11). A plain number is milliseconds; fractions are kept to the microsecond.
///
/// Months, years, signs and the capital `M` are refused, so that nothing is read as something else.
///
/// # Errors
/// [`ParseError`] when the text is anything else, or longer than about 292,000 years.
pub fn parse(text: &str) -> Result<Duration, ParseError> {
    read(text).ok_or_else(|| ParseError { text: text.into() })
}

/// Writes a duration in the one form in which it is recorded and shown: `1d12h`, `90s` as `1m30s`,
/// `1500ms` as `1s500ms`. What is below a millisecond is a fraction (`0.25ms`), kept to the
/// microsecond; [`parse`] reads it back.
pub fn text(duration: Duration) -> String {
    const UNITS: [(u128, &str); 5] = [
        (86_400_000_000, "d"),
        (3_600_000_000, "h"),
        (60_000_000, "m"),
        (1_000_000, "s"),
        (1_000, "ms"),
    ];
    let mut rest = duration.as_micros();
    let mut text = String::new();
    for (unit, name) in UNITS {
        let (count, below) = (rest / unit, rest % unit);
        rest = below;
        if count > 0 || (name == "ms" && below > 0) {
            text += &count.to_string();
            if name == "ms" && below > 0 {
                text += alloc::format!(".{below:03}").trim_end_matches('0');
            }
            text += name;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

fn read(text: &str) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return checked(decimal_micros(text, 1_000)?);
    }
    let mut rest = text;
    let mut micros = 0_i64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let tail = tail.trim_start_matches(' ');
        let end = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        micros = micros.checked_add(decimal_micros(number, unit_micros(unit)?)?)?;
        rest = tail.trim_start_matches(' ');
    }
    checked(micros)
}

fn checked(micros: i64) -> Option<Duration> {
    u64::try_from(micros).ok().map(Duration::from_micros)
}

fn unit_micros(unit: &str) -> Option<i64> {
    Some(match unit {
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => 1_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000_000,
        "d" | "day" | "days" => 86_400_000_000,
        "w" | "week" | "weeks" => 604_800_000_000,
        _ => return None,
    })
}

/// Multiplies a decimal text by a unit without floats, so that every language agrees on the result.
fn decimal_micros(text: &str, unit: i64) -> Option<i64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, "0"),
    };
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') || fraction.len() > 9 {
        return None;
    }
    let micros = whole.parse::<i64>().ok()?.checked_mul(unit)?;
    let scale = 10_i64.pow(u32::try_from(fraction.len()).ok()?);
    let part = i128::from(fraction.parse::<i64>().ok()?) * i128::from(unit) / i128::from(scale);
    micros.checked_add(i64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Vectors {
        accepted: Vec<(String, u64)>,
        refused: Vec<String>,
        written: Vec<(u64, String)>,
    }

    /// §11: runs the vectors that both SDKs share.
    #[test]
    fn shared_vectors_hold() {
        let vectors: Vectors =
            serde_json::from_str(include_str!("../../../spec/durations.json")).unwrap();
        for (text, micros) in vectors.accepted {
            assert_eq!(parse(&text), Ok(Duration::from_micros(micros)), "{text}");
        }
        for text in vectors.refused {
            let error = parse(&text).expect_err(&text).to_string();
            assert!(error.contains("accepted"), "{text}: {error}");
        }
        for (micros, wanted) in vectors.written {
            let duration = Duration::from_micros(micros);
            assert_eq!(text(duration), wanted);
            assert_eq!(parse(&wanted), Ok(duration), "{wanted}");
        }
    }
}
