//! Ids of runs.

use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

use crate::time::Timestamp;

/// The id of a run: a version 7 UUID (RFC 9562), so that ids sort by the time of their start.
///
/// Shown as `run_` and 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(u128);

const PREFIX: &str = "run_";

impl RunId {
    /// The smallest id, also used as "from the start" in scans.
    pub const MIN: Self = Self(0);

    /// Makes the id of a run that starts at `now`; `entropy` gives its random bits.
    ///
    /// The bits behind the milliseconds hold their fraction (RFC 9562, §6.2, method 3).
    pub fn new(now: Timestamp, entropy: u128) -> Self {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        let micros = u64::try_from(now.as_micros()).unwrap_or(0) % 1_000;
        let mut random = [0; 10];
        for (to, from) in random.iter_mut().zip(entropy.to_be_bytes()) {
            *to = from;
        }
        let fraction = u16::try_from(micros * 0x1000 / 1_000).unwrap_or(0).to_be_bytes();
        random[..2].copy_from_slice(&fraction);
        // Room to count up in: see `after`.
        random[2] &= 0x1f;
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
        Self(uuid.as_u128())
    }

    /// Makes the id of a run that starts at `now` and after the run `last`, which may have started
    /// in the same microsecond: ids of one node are in the order of their starts.
    pub fn after(last: Self, now: Timestamp, entropy: u128) -> Self {
        let id = Self::new(now, entropy);
        // A step of some random width (RFC 9562, §6.2, method 2): 61 random bits bear 2^30 of them.
        let width = (entropy & u128::from(u32::MAX)) + 1;
        if id > last || last.created() > id.created() {
            return id;
        }
        Self(last.0 + width)
    }

    /// Returns the random bits of the id of a child: always the same for a run and the step of it that
    /// invokes the child.
    pub fn entropy_of_child(parent: Self, step: &str) -> u128 {
        // FNV-1a with 128 bits.
        let bytes = parent.0.to_le_bytes().into_iter().chain(step.bytes());
        let mixed = bytes.fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128, |hash, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        });
        // Its low bits change least.
        mixed ^ mixed.rotate_left(64)
    }

    /// Returns the id as a number, the form in which logs and indexes keep it.
    pub const fn as_u128(self) -> u128 {
        self.0
    }

    /// Makes an id from the number that [`RunId::as_u128`] gave.
    pub const fn from_u128(value: u128) -> Self {
        Self(value)
    }

    /// Returns the millisecond of engine time in which the id was made.
    pub fn created(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.0 >> 80).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{:032x}", self.0)
    }
}

impl fmt::Debug for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not the id of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a run id; accepted: run_ and 32 hexadecimal digits")]
pub struct ParseError {
    text: String,
}

impl FromStr for RunId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError { text: text.chars().take(80).collect() };
        let hex = text.strip_prefix(PREFIX).ok_or_else(error)?;
        let plain = hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        let uuid = Uuid::try_parse(hex).ok().filter(|_| plain).ok_or_else(error)?;
        Ok(Self(uuid.as_u128()))
    }
}

impl Serialize for RunId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RunId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(|e: ParseError| de::Error::custom(e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_time_and_survive_text() {
        let early = RunId::new(Timestamp::from_millis(1_000), u128::MAX);
        let late = RunId::new(Timestamp::from_millis(1_001), 0);
        assert!(early < late);
        assert_eq!(early.to_string().parse(), Ok(early));
        assert_eq!(late.created(), Timestamp::from_millis(1_001));
    }

    #[test]
    fn ids_of_one_instant_sort_by_their_making() {
        let at = |micros| Timestamp::from_micros(micros);
        let mut last = RunId::new(at(1_000_000), u128::MAX);
        for n in 0..1_000_u32 {
            let entropy = u128::MAX / u128::from(n + 2);
            let next = RunId::after(last, at(1_000_000), entropy);
            assert!(next > last && next.created() == at(1_000_000), "{n}");
            last = next;
        }
        assert!(RunId::after(last, at(1_000_001), 0) > last);
        assert!(RunId::new(at(1_000_999), u128::MAX) < RunId::new(at(1_001_000), 0));
        // A clock that went back gives the ids of its time.
        assert!(RunId::after(last, at(5_000), 7) < last);
    }

    #[test]
    fn ids_of_children_follow_from_run_and_step() {
        let [one, other] = [7, 8].map(RunId::from_u128);
        let bits = RunId::entropy_of_child(one, "ship");
        assert_eq!(bits, RunId::entropy_of_child(one, "ship"));
        assert_ne!(bits, RunId::entropy_of_child(one, "shop"));
        assert_ne!(bits, RunId::entropy_of_child(other, "ship"));
        let at = Timestamp::from_millis(1_000);
        let id = |step| RunId::new(at, RunId::entropy_of_child(one, step));
        assert_ne!(id("a"), id("b"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "run_",
            "run_123",
            "0193b5e4",
            "run_zz93b5e4000070008000000000000000",
            "run_0193b5e4-0000-7000-8000-000000000000",
        ] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }
}
