//! Payloads: JSON text that is checked once and then passed on as it came.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Deepest nesting of arrays and objects in a payload.
pub const DEPTH_MAX: usize = 128;

/// Why a payload is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The payload has more bytes than the limit.
    #[error("{bytes} bytes are over the limit of {limit} bytes")]
    Large {
        /// Bytes of the payload.
        bytes: usize,
        /// The limit in force.
        limit: usize,
    },
    /// The payload nests deeper than [`DEPTH_MAX`].
    #[error("its arrays and objects nest deeper than {DEPTH_MAX}")]
    Deep,
}

/// Checks the size and the nesting of JSON text whose syntax has been checked already.
///
/// # Errors
/// [`Error`] says which bound the payload breaks.
pub fn check(payload: &RawValue, bytes_max: usize) -> Result<(), Error> {
    let text = payload.get();
    if text.len() > bytes_max {
        return Err(Error::Large { bytes: text.len(), limit: bytes_max });
    }
    // Nesting needs a bracket a level: what is shorter than that cannot be too deep.
    if text.len() > DEPTH_MAX && depth(text.as_bytes()) > DEPTH_MAX {
        return Err(Error::Deep);
    }
    Ok(())
}

fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text {
        if in_string {
            in_string = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Reads a payload that is there, `null` included: for members that have no value when absent (§2.6).
///
/// Used as `#[serde(default, deserialize_with = "…")]`, since an `Option` alone takes `null` for
/// absent.
///
/// # Errors
/// Those of the deserializer.
pub fn present<'de: 'a, 'a, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'a RawValue>, D::Error> {
    <&'a RawValue>::deserialize(deserializer).map(Some)
}

/// Tells whether two payloads are the same JSON value, whatever their spelling.
pub fn same(left: Option<&RawValue>, right: Option<&RawValue>) -> bool {
    let value = |raw: &RawValue| serde_json::from_str::<serde_json::Value>(raw.get()).ok();
    match (left, right) {
        (None, None) => true,
        (Some(left), Some(right)) => left.get() == right.get() || value(left) == value(right),
        (Some(one), None) | (None, Some(one)) => one.get() == "null",
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    fn raw(text: &str) -> alloc::boxed::Box<RawValue> {
        RawValue::from_string(String::from(text)).unwrap()
    }

    #[test]
    fn size_and_nesting_are_bounded() {
        assert_eq!(check(&raw("\"1234\""), 6), Ok(()));
        assert_eq!(check(&raw("\"12345\""), 6), Err(Error::Large { bytes: 7, limit: 6 }));
        let deep = |n: usize| raw(&("[".repeat(n) + &"]".repeat(n)));
        assert_eq!(check(&deep(128), 1_000), Ok(()));
        assert_eq!(check(&deep(129), 1_000), Err(Error::Deep));
        let brackets_in_text =
            raw(&alloc::format!("\"{}\\\"{}\"", "[".repeat(200), "{".repeat(90)));
        assert_eq!(check(&brackets_in_text, 1_000), Ok(()));
    }

    #[test]
    fn spelling_does_not_make_another_value() {
        assert!(same(Some(&raw("{\"a\": 1, \"b\": 2}")), Some(&raw("{\"b\":2,\"a\":1}"))));
        assert!(same(Some(&raw("null")), None));
        assert!(!same(Some(&raw("[1,2]")), Some(&raw("[2,1]"))));
    }
}
