//! Durations, sizes and addresses as people write them, in flags, variables and the file alike.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use stepwell_core::duration;

/// A duration (§11): `10s`, `7d`, or a number of milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A size: a number of bytes, or a number with `KiB`, `MiB` or `GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bytes(pub u64);

/// An address to listen on: an IP address or `localhost`, a colon and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        duration::parse(text).map(Self).map_err(|e| e.to_string())
    }
}

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "`{text}` is not a size; accepted: a number of bytes, or a number with KiB, MiB \
                 or GiB, such as 4MiB"
            )
        };
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let factor: u64 = match unit.trim() {
            "" | "B" => 1,
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => 1 << 30,
            _ => return Err(refuse()),
        };
        let number: u64 = number.parse().map_err(|_| refuse())?;
        number.checked_mul(factor).map(Self).ok_or_else(refuse)
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let local = text.strip_prefix("localhost:").and_then(|port| port.parse().ok());
        if let Some(port) = local {
            return Ok(Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)));
        }
        text.parse().map(Self).map_err(|_| {
            format!(
                "`{text}` is not an address to listen on; accepted: an IP address and a port, such \
                 as 127.0.0.1:7878 or [::1]:7878"
            )
        })
    }
}

/// Reads a whole number of a flag or a variable.
pub(super) fn count(text: &str) -> Result<u32, String> {
    let refuse = |_| format!("`{text}` is not a count; accepted: a whole number such as 1000");
    text.parse().map_err(refuse)
}

/// A text, or for brevity in the file a number.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a number, or a text with a number and a unit")]
enum Written {
    Number(u64),
    Text(String),
}

fn read<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(source: D) -> Result<T, D::Error> {
    let text = match Written::deserialize(source)? {
        Written::Number(number) => number.to_string(),
        Written::Text(text) => text,
    };
    text.parse().map_err(de::Error::custom)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        read(source)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        read(source)
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        String::deserialize(source)?.parse().map_err(de::Error::custom)
    }
}

/// Shows whole units where the duration has them, so that it reads back as the same.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let units =
            [(604_800_000, "w"), (86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        let whole = units.into_iter().find(|(size, _)| millis > 0 && millis.is_multiple_of(*size));
        match whole {
            Some((size, unit)) => write!(f, "{}{unit}", millis / size),
            None => write!(f, "{millis}ms"),
        }
    }
}

/// Shows whole units where the size has them, so that it reads back as the same.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match units.into_iter().find(|(size, _)| self.0 > 0 && self.0.is_multiple_of(*size)) {
            Some((size, unit)) => write!(f, "{}{unit}", self.0 / size),
            None => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_read_back_as_they_are_shown() {
        for text in ["0", "17", "1KiB", "4MiB", "3GiB"] {
            assert_eq!(text.parse::<Bytes>().unwrap().to_string(), text);
        }
        for text in ["0ms", "1500ms", "10s", "90m", "1d", "2w"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_neither_is_refused_with_what_is_accepted() {
        for text in ["", "MiB", "4MB", "4.5MiB", "-1", "99999999999GiB"] {
            let error = text.parse::<Bytes>().unwrap_err();
            assert!(error.contains("accepted"), "{text}: {error}");
        }
        for text in ["7878", "localhost", "example.org:80", "127.0.0.1:99999"] {
            let error = text.parse::<Listen>().unwrap_err();
            assert!(error.contains("accepted"), "{text}: {error}");
        }
        assert_eq!("localhost:1".parse::<Listen>().unwrap().0.to_string(), "127.0.0.1:1");
    }
}
