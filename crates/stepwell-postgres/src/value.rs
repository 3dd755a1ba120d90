//! Values as columns hold them.

use std::error::Error as StdError;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::matching::Leaf;
use stepwell_core::search::Value as Attribute;
use stepwell_core::summary::{ErrorLine, Summary};
use stepwell_core::time::Timestamp;
use stepwell_store::inbox::MessageKind;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

/// A value of a statement.
pub(crate) type Value = Box<dyn ToSql + Sync + Send>;

type Failed = Box<dyn StdError + Sync + Send>;

/// A text of any characters.
///
/// PostgreSQL has no NUL in texts. U+0000 and U+0001 are kept as two characters each, U+0001 and one
/// of U+0001 and U+0002: so texts stay in their order, differ where they differed, and are themselves
/// where they hold neither, which is nearly always.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Arc<str>);

const ESCAPE: u8 = 1;

impl From<&Arc<str>> for Text {
    fn from(text: &Arc<str>) -> Self {
        Self(Arc::clone(text))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Arc::from(text))
    }
}

impl ToSql for Text {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Failed> {
        let text = self.0.as_bytes();
        if !text.iter().any(|byte| *byte <= ESCAPE) {
            out.extend_from_slice(text);
            return Ok(IsNull::No);
        }
        for byte in text {
            match byte {
                0..=ESCAPE => out.extend_from_slice(&[ESCAPE, byte + 1]),
                _ => out.extend_from_slice(&[*byte]),
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TEXT
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Text {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Failed> {
        if !raw.contains(&ESCAPE) {
            return Ok(Self(Arc::from(std::str::from_utf8(raw)?)));
        }
        let mut text = Vec::with_capacity(raw.len());
        let mut bytes = raw.iter();
        while let Some(byte) = bytes.next() {
            text.push(match byte {
                &ESCAPE => bytes.next().map_or(ESCAPE, |next| next.saturating_sub(1)),
                _ => *byte,
            });
        }
        Ok(Self(Arc::from(String::from_utf8(text)?)))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TEXT
    }
}

/// Returns the id of a run as columns hold it.
pub(crate) fn uuid(run: RunId) -> Uuid {
    Uuid::from_u128(run.as_u128())
}

/// Returns the id of a run that a column holds.
pub(crate) fn run_id(uuid: Uuid) -> RunId {
    RunId::from_u128(uuid.as_u128())
}

/// Returns ids of runs as an array.
pub(crate) fn uuids(runs: &[RunId]) -> Vec<Uuid> {
    runs.iter().copied().map(uuid).collect()
}

/// Returns a text that may be absent.
pub(crate) fn maybe(text: Option<&Arc<str>>) -> Option<Text> {
    text.map(Text::from)
}

/// Returns an instant that may be absent, in microseconds.
pub(crate) fn micros(at: Option<Timestamp>) -> Option<i64> {
    at.map(Timestamp::as_micros)
}

const SIGN: u64 = 1 << 63;

/// Returns a leaf as columns hold it: numbers with a sign, in the order of leaves.
pub(crate) fn leaf(leaf: Leaf) -> i64 {
    (leaf.as_u64() ^ SIGN).cast_signed()
}

/// Returns the leaf that a column holds.
pub(crate) fn leaf_of(stored: i64) -> Leaf {
    Leaf::from_u64(stored.cast_unsigned() ^ SIGN)
}

/// Returns the kind of a message as columns hold it: its place among all kinds, which is their order.
pub(crate) fn kind(kind: MessageKind) -> i16 {
    let place = MessageKind::ALL.iter().position(|one| *one == kind);
    place.and_then(|place| i16::try_from(place).ok()).unwrap_or(i16::MAX)
}

/// Returns the kind of a message that a column holds.
pub(crate) fn kind_of(stored: i16) -> Option<MessageKind> {
    MessageKind::ALL.get(usize::try_from(stored).ok()?).copied()
}

/// Returns an attribute as columns hold it: its kind, its number, its text.
pub(crate) fn attribute(value: &Attribute) -> (i16, Option<f64>, Option<Text>) {
    match value {
        Attribute::Flag(flag) => (0, Some(f64::from(u8::from(*flag))), None),
        Attribute::Number(number) => (1, number.as_f64(), None),
        Attribute::Text(text) => (2, None, Some(Text::from(&**text))),
    }
}

/// Returns all attributes of a run as its row holds them.
pub(crate) fn attributes_text(row: &Summary) -> Option<Text> {
    let text = || Text::from(&*serde_json::to_string(&row.search).unwrap_or_default());
    (!row.search.is_empty()).then(text)
}

/// Returns the error of a run as its row holds it.
pub(crate) fn error_text(row: &Summary) -> Option<Text> {
    row.error.as_ref().map(|error| Text::from(&*ErrorLine::to_json(error)))
}

/// Returns a limit as statements take it.
pub(crate) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Vec<u8> {
        let mut out = BytesMut::new();
        assert!(matches!(Text::from(text).to_sql(&Type::TEXT, &mut out), Ok(IsNull::No)));
        out.to_vec()
    }

    /// Texts of any characters come back, and stand in the order in which they stood.
    #[test]
    fn texts_of_any_characters_come_back_in_their_order() {
        let mut texts = vec![
            "",
            "\0",
            "\0\0",
            "\0a",
            "\u{1}",
            "\u{1}\0",
            "\u{1}\u{1}",
            "\u{2}",
            "a",
            "a\0",
            "a\0b",
            "a\u{1}",
            "a\u{2}",
            "b",
            "ü",
            "🦀\0",
        ];
        texts.sort_unstable();
        let stored: Vec<_> = texts.iter().map(|text| raw(text)).collect();
        assert!(stored.is_sorted_by(|one, next| one < next), "{stored:?}");
        for (text, stored) in texts.iter().zip(&stored) {
            assert!(!stored.contains(&0));
            assert_eq!(Text::from_sql(&Type::TEXT, stored).unwrap().0, Arc::from(*text));
        }
        assert_eq!(raw("plain ü"), "plain ü".as_bytes());
    }
}
