//! A batch as the body of a frame.
//!
//! Numbers are little-endian. `at: i64`, number of runs `u32`, then for each run its id `u128`, the
//! length of its records `u32` and the records as they came; number of workflows `u32`, then for
//! each its namespace, app, name and options (length `u32` and text) and two instants `i64`. Where the
//! batch says something of events or messages, the number of what is said of events `u32` follows, and
//! that (`body_event`). Where it says something of messages, their number `u32` follows, not 0, and what
//! is said (`body_inbox`); without them the number of events is not 0.
//! Rows of runs are not written: they follow from the records.

use std::ops::Range;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::batch::{Batch, Workflow};
use stepwell_store::event::EventWrite;
use stepwell_store::inbox::InboxWrite;

use super::{body_event, body_inbox};

/// Where a run's records stand in a body.
pub(crate) type Piece = (RunId, Range<usize>);

/// A body that was read back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) at: Timestamp,
    pub(crate) runs: Vec<Piece>,
    pub(crate) workflows: Vec<Workflow>,
    pub(crate) events: Vec<EventWrite>,
    pub(crate) inbox: Vec<InboxWrite>,
}

/// Returns the length of a batch's body, in bytes.
pub(crate) fn len(batch: &Batch) -> usize {
    let runs: usize = batch.runs.iter().map(|run| 20 + run.records.len()).sum();
    let workflows: usize = batch
        .workflows
        .iter()
        .map(|one| {
            let texts = one.namespace.len() + one.app.len() + one.name.len() + one.options.len();
            16 + texts + 16
        })
        .sum();
    let events: usize = batch.events.iter().map(body_event::len).sum();
    let inbox: usize = InboxWrite::all_of(batch).map(|write| body_inbox::len(&write)).sum();
    let counts = match (events, inbox) {
        (0, 0) => 0,
        (_, 0) => 4,
        _ => 8,
    };
    16 + runs + workflows + counts + events + inbox
}

/// Appends the body of a batch; returns where in the body each run's records stand. Lengths fit 32
/// bits, since the caller bounds the whole.
pub(crate) fn encode(batch: &Batch, bytes: &mut Vec<u8>) -> Vec<Piece> {
    let start = bytes.len();
    let mut pieces = Vec::with_capacity(batch.runs.len());
    bytes.extend_from_slice(&batch.at.as_micros().to_le_bytes());
    put_len(bytes, batch.runs.len());
    for run in &batch.runs {
        bytes.extend_from_slice(&run.run.as_u128().to_le_bytes());
        put_len(bytes, run.records.len());
        let at = bytes.len() - start;
        bytes.extend_from_slice(&run.records);
        pieces.push((run.run, at..at + run.records.len()));
    }
    put_len(bytes, batch.workflows.len());
    for one in &batch.workflows {
        for text in [&one.namespace, &one.app, &one.name, &one.options] {
            put_len(bytes, text.len());
            bytes.extend_from_slice(text.as_bytes());
        }
        bytes.extend_from_slice(&one.first_at.as_micros().to_le_bytes());
        bytes.extend_from_slice(&one.changed_at.as_micros().to_le_bytes());
    }
    let said = batch.messages.len() + batch.consumed.len();
    if !batch.events.is_empty() || said > 0 {
        put_len(bytes, batch.events.len());
        batch.events.iter().for_each(|write| body_event::encode(write, bytes));
    }
    if said > 0 {
        put_len(bytes, said);
        InboxWrite::all_of(batch).for_each(|write| body_inbox::encode(&write, bytes));
    }
    pieces
}

/// Reads a body; `None` when it is not one.
pub(crate) fn decode(bytes: &[u8]) -> Option<Body> {
    let mut reader = Reader { bytes, at: 0 };
    let at = reader.instant()?;
    let count = reader.len()?;
    let mut runs = Vec::with_capacity(count.min(bytes.len() / 20));
    for _ in 0..count {
        let run = RunId::from_u128(u128::from_le_bytes(reader.take()?));
        let len = reader.len()?;
        runs.push((run, reader.skip(len)?));
    }
    let count = reader.len()?;
    let mut workflows = Vec::with_capacity(count.min(bytes.len() / 32));
    for _ in 0..count {
        workflows.push(Workflow {
            namespace: reader.text()?,
            app: reader.text()?,
            name: reader.text()?,
            options: reader.text()?,
            first_at: reader.instant()?,
            changed_at: reader.instant()?,
        });
    }
    let (mut events, mut inbox) = (Vec::new(), Vec::new());
    if reader.at < bytes.len() {
        let count = reader.len()?;
        for _ in 0..count {
            events.push(body_event::decode(&mut reader)?);
        }
        if count == 0 || reader.at < bytes.len() {
            let count = reader.len().filter(|count| *count > 0)?;
            for _ in 0..count {
                inbox.push(body_inbox::decode(&mut reader)?);
            }
        }
    }
    (reader.at == bytes.len()).then_some(Body { at, runs, workflows, events, inbox })
}

pub(super) fn put_len(bytes: &mut Vec<u8>, len: usize) {
    bytes.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
}

/// Reads numbers and texts one after the other.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn skip(&mut self, len: usize) -> Option<Range<usize>> {
        let range = self.at..self.at.checked_add(len)?;
        self.bytes.get(range.clone())?;
        self.at = range.end;
        Some(range)
    }

    pub(super) fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let range = self.skip(N)?;
        self.bytes.get(range)?.try_into().ok()
    }

    /// Returns the next number without going on.
    pub(super) fn peek_len(&self) -> Option<u32> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(4)?)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    }

    pub(super) fn len(&mut self) -> Option<usize> {
        usize::try_from(u32::from_le_bytes(self.take()?)).ok()
    }

    pub(super) fn instant(&mut self) -> Option<Timestamp> {
        Some(Timestamp::from_micros(i64::from_le_bytes(self.take()?)))
    }

    pub(super) fn text(&mut self) -> Option<Arc<str>> {
        let len = self.len()?;
        let range = self.skip(len)?;
        std::str::from_utf8(self.bytes.get(range)?).ok().map(Arc::from)
    }
}

#[cfg(test)]
mod tests {
    use stepwell_store::event::{Did, Event, EventId, Scope};
    use stepwell_store::inbox::{Message, MessageId, MessageKind};

    use super::*;

    /// The body of a batch before there were messages, which is the same without any.
    fn encode_without_inbox(batch: &Batch) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (messages, consumed) = (Vec::new(), Vec::new());
        encode(&Batch { messages, consumed, ..batch.clone() }, &mut bytes);
        bytes
    }

    /// The body of a batch before there were events, which is the same without any.
    fn encode_without_events(batch: &Batch) -> Vec<u8> {
        encode_without_inbox(&Batch { events: Vec::new(), ..batch.clone() })
    }

    fn message(kind: MessageKind) -> Message {
        let id = MessageId { to: RunId::from_u128(u128::MAX), from: RunId::MIN, kind };
        Message { id, body: "{\"é\":1}".into() }
    }

    fn workflow() -> Workflow {
        Workflow {
            namespace: "default".into(),
            app: "shop".into(),
            name: "checköut".into(),
            options: "{}".into(),
            first_at: Timestamp::from_millis(1),
            changed_at: Timestamp::from_millis(2),
        }
    }

    fn events() -> Vec<EventWrite> {
        let id = EventId { namespace: "default".into(), id: "e-1".into() };
        let event = Event {
            id: id.clone(),
            name: "paid".into(),
            accepted_at: Timestamp::from_millis(-3),
            data: Some("{\"é\":1}".into()),
            offer: None,
            scope: Scope { run: Some(RunId::MIN), key: Some("k".into()), ..Scope::default() },
        };
        let plain = Event { id: id.clone(), scope: Scope::default(), data: None, ..event.clone() };
        let (run, step) = (RunId::from_u128(u128::MAX), Some("wait".into()));
        let did = vec![Did { run: RunId::MIN, step: None }, Did { run, step }];
        vec![
            EventWrite::Accepted(Arc::new(event)),
            EventWrite::Accepted(Arc::new(plain)),
            EventWrite::Did(id.clone(), did),
            EventWrite::Did(id.clone(), Vec::new()),
            EventWrite::Routed(id),
        ]
    }

    /// A body cut at any byte, or with a byte behind it, is not a body.
    #[test]
    fn a_body_reads_back_whole_or_not_at_all() {
        let batch = Batch {
            at: Timestamp::from_millis(-5),
            workflows: vec![workflow()],
            events: events(),
            messages: MessageKind::ALL.map(|kind| Arc::new(message(kind))).into(),
            consumed: vec![message(MessageKind::Cancel).id],
            ..Batch::default()
        };
        let mut bytes = Vec::new();
        encode(&batch, &mut bytes);
        assert_eq!(bytes.len(), len(&batch));
        let body = decode(&bytes).unwrap();
        assert_eq!((body.at, &body.workflows), (batch.at, &batch.workflows));
        assert_eq!(body.events, batch.events);
        assert_eq!(body.inbox, InboxWrite::all_of(&batch).collect::<Vec<_>>());
        for cut in 0..bytes.len() {
            let old = [encode_without_events(&batch), encode_without_inbox(&batch)];
            let old = old.iter().any(|old| old.len() == cut);
            assert_eq!(decode(&bytes[..cut]).is_some(), old, "cut at {cut}");
        }
        bytes.push(0);
        assert_eq!(decode(&bytes), None);
        let mut none = encode_without_events(&batch);
        none.extend_from_slice(&[0; 4]);
        assert_eq!(decode(&none), None, "no events are not said");
        none.extend_from_slice(&[0; 4]);
        assert_eq!(decode(&none), None, "no messages are not said");
    }

    /// Messages without events say that there are no events.
    #[test]
    fn messages_without_events_read_back() {
        let consumed = vec![message(MessageKind::ChildEnded).id];
        let batch = Batch { consumed, ..Batch::default() };
        let mut bytes = Vec::new();
        encode(&batch, &mut bytes);
        assert_eq!(bytes.len(), len(&batch));
        let body = decode(&bytes).unwrap();
        assert_eq!((body.events.len(), body.inbox.len()), (0, 1));
        for cut in encode_without_inbox(&batch).len() + 1..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), None, "cut at {cut}");
        }
    }
}
