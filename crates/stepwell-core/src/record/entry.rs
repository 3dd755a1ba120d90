//! Records as they stand in a journal: for logs of what happened, and for copies of runs.

use alloc::string::String;
use core::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{DecodeError, Record, decode_at};
use crate::time::Timestamp;

/// A record as it stands in a journal.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The record's name, such as `stepEnded`.
    pub kind: String,
    /// What the record says, as it was written: a JSON object.
    pub content: &'a RawValue,
    /// When it happened; absent where the record does not say.
    pub at: Option<Timestamp>,
    /// Where it ends, with its comma, in bytes from the beginning of the journal.
    pub ends: usize,
}

/// Reads the records of a journal, in order, as they were written.
///
/// Yields a [`DecodeError`] once, as the last item, when the bytes are not a journal.
pub fn entries(journal: &[u8]) -> impl Iterator<Item = Result<Entry<'_>, DecodeError>> {
    let mut begins = 0;
    decode_at(journal).map(move |found| {
        let (ends, record) = found?;
        let text = journal.get(begins..ends.saturating_sub(1)).unwrap_or_default();
        let read = serde_json::from_slice::<Tagged<'_>>(text);
        let tagged = read.map_err(|source| DecodeError { offset: begins, source })?;
        begins = ends;
        Ok(Entry { kind: tagged.kind, content: tagged.content, at: record.at(), ends })
    })
}

impl Record<'_> {
    /// Returns when it happened, as far as the record says: of lines, when the first was logged.
    pub fn at(&self) -> Option<Timestamp> {
        match self {
            Self::Started(one) => Some(one.at),
            Self::Activated(one) => Some(one.at),
            Self::Released(one) => Some(one.at),
            Self::Woken(one) => Some(one.at),
            Self::Lost(one) => Some(one.at),
            Self::StepStarted(one) => Some(one.attempt.started_at),
            Self::AttemptFailed(one) => Some(one.at),
            Self::SleepStarted(one) => Some(one.open.at),
            Self::ChildStarted(one) => Some(one.open.at),
            Self::StepEnded(one) => Some(one.at),
            Self::Logged(one) => one.lines.first().map(|line| line.at),
            Self::OrderChanged(one) => Some(one.at),
            Self::Blocked(one) => Some(one.at),
            Self::Unblocked(one) => Some(one.at),
            Self::Acted(one) => Some(one.at),
            Self::WaitStarted(one) => Some(one.at),
            Self::Looked(_) => None,
            Self::Ending(one) => Some(one.at),
            Self::RaceStarted(one) => Some(one.open.at),
            Self::Verified(one) => Some(one.at),
            Self::SearchSet(one) => Some(one.at),
            Self::Ended(one) => Some(one.at),
            Self::CleanUp(one) => Some(one.at),
            Self::Retried(one) => Some(one.at),
            Self::CancelNoted(one) => Some(one.at),
        }
    }
}

/// A JSON object with one member.
struct Tagged<'a> {
    kind: String,
    content: &'a RawValue,
}

impl<'de> Deserialize<'de> for Tagged<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(OneMember)
    }
}

struct OneMember;

impl<'de> Visitor<'de> for OneMember {
    type Value = Tagged<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object with one member")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Tagged<'de>, A::Error> {
        let first = members.next_entry::<String, &RawValue>()?;
        let (kind, content) = first.ok_or_else(|| de::Error::custom("there is no member"))?;
        if members.next_key::<de::IgnoredAny>()?.is_some() {
            return Err(de::Error::custom("there is another member"));
        }
        Ok(Tagged { kind, content })
    }
}
