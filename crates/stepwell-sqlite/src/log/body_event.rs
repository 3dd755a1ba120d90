//! What a batch says of events, in the body of a frame.
//!
//! Each begins with its kind, a byte. 0, accepted: namespace, id, name, instant `i64`, data, `match`,
//! app, workflow, run and key. 1, did: namespace, id, number of things `u32`, for each the run `u128`
//! and the step. 2, routed: namespace and id. Texts are a length `u32` and the text; where there may be
//! none, a length of 2^32 - 1 says that there is none. A run that may be none is a byte 0, or a byte 1
//! and the run.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_store::event::{Did, Event, EventId, EventWrite, Scope};

use super::body::{Reader, put_len};

/// The length that stands for no text.
const NONE: u32 = u32::MAX;

/// Returns the length of what [`encode`] appends, in bytes.
pub(super) fn len(write: &EventWrite) -> usize {
    let text = |text: &str| 4 + text.len();
    let maybe = |text: Option<&Arc<str>>| 4 + text.map_or(0, |text| text.len());
    let id = |id: &EventId| text(&id.namespace) + text(&id.id);
    1 + match write {
        EventWrite::Accepted(event) => {
            let texts = [&event.data, &event.offer, &event.scope.app, &event.scope.workflow];
            let texts: usize = texts.iter().map(|text| maybe(text.as_ref())).sum();
            let run = if event.scope.run.is_some() { 17 } else { 1 };
            let key = maybe(event.scope.key.as_ref());
            id(&event.id) + text(&event.name) + 8 + texts + run + key
        }
        EventWrite::Did(event, did) => {
            let did: usize = did.iter().map(|did| 16 + maybe(did.step.as_ref())).sum();
            id(event) + 4 + did
        }
        EventWrite::Routed(event) => id(event),
    }
}

/// Appends what is said of an event.
pub(super) fn encode(write: &EventWrite, bytes: &mut Vec<u8>) {
    match write {
        EventWrite::Accepted(event) => {
            bytes.push(0);
            put_id(&event.id, bytes);
            put_text(&event.name, bytes);
            bytes.extend_from_slice(&event.accepted_at.as_micros().to_le_bytes());
            put_maybe(event.data.as_ref(), bytes);
            put_maybe(event.offer.as_ref(), bytes);
            put_maybe(event.scope.app.as_ref(), bytes);
            put_maybe(event.scope.workflow.as_ref(), bytes);
            bytes.push(event.scope.run.is_some().into());
            let run = event.scope.run.map(|run| run.as_u128().to_le_bytes());
            bytes.extend(run.into_iter().flatten());
            put_maybe(event.scope.key.as_ref(), bytes);
        }
        EventWrite::Did(event, did) => {
            bytes.push(1);
            put_id(event, bytes);
            put_len(bytes, did.len());
            for did in did {
                bytes.extend_from_slice(&did.run.as_u128().to_le_bytes());
                put_maybe(did.step.as_ref(), bytes);
            }
        }
        EventWrite::Routed(event) => {
            bytes.push(2);
            put_id(event, bytes);
        }
    }
}

/// Reads what is said of an event; `None` when it is nothing that [`encode`] appends.
pub(super) fn decode(reader: &mut Reader<'_>) -> Option<EventWrite> {
    let [kind] = reader.take()?;
    let id = EventId { namespace: reader.text()?, id: reader.text()? };
    Some(match kind {
        0 => EventWrite::Accepted(Arc::new(Event {
            id,
            name: reader.text()?,
            accepted_at: reader.instant()?,
            data: maybe(reader)?,
            offer: maybe(reader)?,
            scope: Scope {
                app: maybe(reader)?,
                workflow: maybe(reader)?,
                run: match reader.take()? {
                    [0] => None,
                    [1] => Some(run(reader)?),
                    _ => return None,
                },
                key: maybe(reader)?,
            },
        })),
        1 => {
            let count = reader.len()?;
            let did = (0..count).map(|_| Some(Did { run: run(reader)?, step: maybe(reader)? }));
            EventWrite::Did(id, did.collect::<Option<_>>()?)
        }
        2 => EventWrite::Routed(id),
        _ => return None,
    })
}

fn run(reader: &mut Reader<'_>) -> Option<RunId> {
    Some(RunId::from_u128(u128::from_le_bytes(reader.take()?)))
}

/// Reads a text that may be none; the outer `None` says that the bytes are neither.
#[expect(clippy::option_option, reason = "a text that may be none, in bytes that may be none")]
fn maybe(reader: &mut Reader<'_>) -> Option<Option<Arc<str>>> {
    if reader.peek_len()? == NONE {
        reader.len()?;
        return Some(None);
    }
    reader.text().map(Some)
}

fn put_id(id: &EventId, bytes: &mut Vec<u8>) {
    put_text(&id.namespace, bytes);
    put_text(&id.id, bytes);
}

fn put_text(text: &str, bytes: &mut Vec<u8>) {
    put_len(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

fn put_maybe(text: Option<&Arc<str>>, bytes: &mut Vec<u8>) {
    match text {
        Some(text) => put_text(text, bytes),
        None => bytes.extend_from_slice(&NONE.to_le_bytes()),
    }
}
