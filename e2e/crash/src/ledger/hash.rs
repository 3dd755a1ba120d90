//! What stands in the ledger for a value.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

/// A hash of a JSON value: 64 bits of FNV-1a over a form that does not depend on the order of members.
///
/// It stands against mistakes, not against malice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hash(u64);

impl Hash {
    /// Hashes a value.
    pub fn of(value: &Value) -> Self {
        let mut text = String::new();
        canonical(value, &mut text);
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(hash)
    }

    /// Returns another hash, for ledgers that are wrong on purpose.
    #[must_use]
    pub fn other(self) -> Self {
        Self(!self.0)
    }
}

/// Writes members in the order of their names.
fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (name, member) in members {
                text.push_str(&Value::from(name.as_str()).to_string());
                text.push(':');
                canonical(member, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let read = Some(text.as_str())
            .filter(|text| text.len() == 16)
            .and_then(|text| u64::from_str_radix(text, 16).ok());
        read.map(Self)
            .ok_or_else(|| de::Error::custom(format!("`{text}` is not a hash of 16 hex digits")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_members_does_not_count_and_all_else_does() {
        let one: Value = serde_json::from_str(r#"{"a":1,"b":[2,{"c":3,"d":4}]}"#).unwrap();
        let same: Value = serde_json::from_str(r#"{"b":[2,{"d":4,"c":3}],"a":1}"#).unwrap();
        assert_eq!(Hash::of(&one), Hash::of(&same));
        let others = [json!({"a":1,"b":[{"c":3,"d":4},2]}), json!({"a":1}), json!("1"), json!(1)];
        for (at, other) in others.iter().enumerate() {
            assert_ne!(Hash::of(&one), Hash::of(other), "{other}");
            assert!(others[..at].iter().all(|before| Hash::of(before) != Hash::of(other)));
        }
    }

    #[test]
    fn a_hash_reads_back_as_it_was_written() {
        let hash = Hash::of(&json!([1]));
        let text = serde_json::to_string(&hash).unwrap();
        assert_eq!(serde_json::from_str::<Hash>(&text).unwrap(), hash);
        let error = serde_json::from_str::<Hash>("\"12\"").unwrap_err().to_string();
        assert!(error.contains("16 hex digits"), "{error}");
    }
}
