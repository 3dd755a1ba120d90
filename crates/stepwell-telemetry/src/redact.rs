//! What is taken out of metadata, messages and stacks (§10.7): values of keys that look secret, and parts of texts that do.
//!
//! Only what has the form of a secret is taken. Nothing is guessed from how random a text looks, so that ids and hashes
//! stay. `spec/redaction.json` holds examples of both kinds, which every client is held against too.

mod key;
mod text;

pub use key::{Kind, kind};
pub use text::text;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// What stands in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Most levels of metadata; what is deeper is taken out.
const DEPTH_MAX: usize = 32;

/// Redacts a JSON text, and writes it without spaces. `None` where it is no JSON.
pub fn json(source: &str) -> Option<String> {
    let mut out = String::with_capacity(source.len());
    let mut reader = serde_json::Deserializer::from_str(source);
    let value = Writer { out: &mut out, kind: Kind::Harmless, depth: 0 };
    value.deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    Some(out)
}

/// Writes a value as it is read.
struct Writer<'o> {
    out: &'o mut String,
    /// Of the key under which it stands.
    kind: Kind,
    depth: usize,
}

impl Writer<'_> {
    fn redacted(self) {
        quoted(self.out, REDACTED);
    }

    fn number(self, number: &serde_json::Number) {
        if self.kind == Kind::Secret {
            return self.redacted();
        }
        self.out.push_str(&number.to_string());
    }

    fn string(self, value: &str) {
        if self.kind != Kind::Harmless && !value.is_empty() {
            return self.redacted();
        }
        quoted(self.out, &text(value));
    }

    /// Tells whether what holds other values is taken out whole.
    fn is_taken(&self) -> bool {
        self.kind != Kind::Harmless || self.depth >= DEPTH_MAX
    }
}

fn quoted(out: &mut String, text: &str) {
    // A text is always JSON.
    if let Ok(json) = serde_json::to_string(text) {
        out.push_str(&json);
    }
}

impl<'de> DeserializeSeed<'de> for Writer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Writer<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.out.push_str("null");
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.out.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.number(&value.into());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.number(&value.into());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        match serde_json::Number::from_f64(value) {
            Some(number) => self.number(&number),
            None => self.out.push_str("null"),
        }
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.string(value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if self.is_taken() {
            while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
            self.redacted();
            return Ok(());
        }
        let (out, depth) = (self.out, self.depth + 1);
        out.push('[');
        let begin = out.len();
        loop {
            let end = out.len();
            if end > begin {
                out.push(',');
            }
            let next = Writer { out: &mut *out, kind: Kind::Harmless, depth };
            if seq.next_element_seed(next)?.is_none() {
                out.truncate(end);
                out.push(']');
                return Ok(());
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        if self.is_taken() {
            while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
            self.redacted();
            return Ok(());
        }
        let (out, depth) = (self.out, self.depth + 1);
        out.push('{');
        let begin = out.len();
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if out.len() > begin {
                out.push(',');
            }
            quoted(out, &text(&key));
            out.push(':');
            map.next_value_seed(Writer { out: &mut *out, kind: kind(&key), depth })?;
        }
        out.push('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Deserialize)]
    struct Example {
        key: String,
        value: Value,
    }

    #[derive(Deserialize)]
    struct Examples {
        secret: Vec<Example>,
        harmless: Vec<Example>,
    }

    fn examples() -> Examples {
        let text = include_str!("../../../spec/redaction.json");
        serde_json::from_str(text).expect("the examples")
    }

    fn redacted(example: &Example) -> Value {
        let source = serde_json::json!({ &*example.key: example.value }).to_string();
        let text = json(&source).expect("JSON");
        serde_json::from_str(&text).expect("JSON again")
    }

    /// A figure of a test, which a script reads.
    fn tell(text: &str) {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").expect("an output");
    }

    /// §10.7: whatever looks like a secret is redacted.
    #[test]
    fn what_looks_like_a_secret_goes() {
        let secret = examples().secret;
        assert!(secret.len() >= 200, "{}", secret.len());
        let kept: Vec<_> = secret
            .iter()
            .filter(|one| {
                let text = redacted(one).to_string();
                let value = one.value.to_string();
                !text.contains(REDACTED) || text.contains(value.trim_matches('"'))
            })
            .map(|one| format!("{}: {}", one.key, one.value))
            .collect();
        assert!(kept.is_empty(), "{kept:#?}");
        tell(&format!(
            "observed secrets: {} of {} are redacted",
            secret.len() - kept.len(),
            secret.len()
        ));
    }

    /// §10.7: what does not look like one stays, to the letter.
    #[test]
    fn what_is_harmless_stays() {
        let harmless = examples().harmless;
        assert!(harmless.len() >= 200, "{}", harmless.len());
        let changed: Vec<_> = harmless
            .iter()
            .filter(|one| redacted(one) != serde_json::json!({ &*one.key: one.value }))
            .map(|one| format!("{}: {}", one.key, one.value))
            .collect();
        assert!(changed.is_empty(), "{changed:#?}");
        tell(&format!("observed secrets: {0} of {0} that are harmless stay", harmless.len()));
    }

    #[test]
    fn values_below_secret_keys_go_whole() {
        let source =
            r#" {"a": [1, {"credentials": {"user": "x"}}], "tokens": ["t"], "deep": {"pin": 12}} "#;
        let text = json(source).expect("JSON");
        let expected = r#"{"a":[1,{"credentials":"[redacted]"}],"tokens":"[redacted]","deep":{"pin":"[redacted]"}}"#;
        assert_eq!(text, expected);
        assert_eq!(json("{\"a\":"), None);
        assert_eq!(json("{} {}"), None);
    }

    #[test]
    fn no_depth_overflows() {
        let text = format!("{}{}", "[".repeat(120), "]".repeat(120));
        assert!(json(&text).expect("JSON").contains(REDACTED));
        assert_eq!(json(&"[".repeat(100_000)), None);
    }
}
