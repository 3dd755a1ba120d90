//! Checks of what is stored: CRC32C over what it is and where it belongs.

use stepwell_core::id::RunId;
use stepwell_store::event::Event;
use stepwell_store::inbox::{Message, MessageId};

/// Returns the check of a chunk of a journal. It covers the run and the place, so that a row in
/// another's place is told too.
pub(crate) fn chunk(run: RunId, at_byte: i64, bytes: &[u8]) -> i64 {
    let crc = crc32c::crc32c(&run.as_u128().to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &at_byte.to_le_bytes());
    i64::from(crc32c::crc32c_append(crc, bytes))
}

/// Returns the check of an event: over each part, its length before it, none as a length of -1.
pub(crate) fn event(event: &Event) -> i64 {
    let run = event.scope.run.map(RunId::as_u128).map(u128::to_le_bytes);
    let parts = [
        Some(&event.id.namespace),
        Some(&event.id.id),
        Some(&event.name),
        event.data.as_ref(),
        event.offer.as_ref(),
        event.scope.app.as_ref(),
        event.scope.workflow.as_ref(),
        event.scope.key.as_ref(),
    ];
    let crc = crc32c::crc32c(&event.accepted_at.as_micros().to_le_bytes());
    let crc = run.iter().fold(crc, |crc, run| crc32c::crc32c_append(crc, run));
    let crc = parts.iter().fold(crc, |crc, part| {
        let len = part.map_or(-1, |part| i64::try_from(part.len()).unwrap_or(i64::MAX));
        let crc = crc32c::crc32c_append(crc, &len.to_le_bytes());
        part.map_or(crc, |part| crc32c::crc32c_append(crc, part.as_bytes()))
    });
    i64::from(crc)
}

/// Returns the check of a message: over its name and its body.
pub(crate) fn message(message: &Message) -> i64 {
    let MessageId { to, from, kind } = message.id;
    let crc = crc32c::crc32c(&to.as_u128().to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &from.as_u128().to_le_bytes());
    let crc = crc32c::crc32c_append(crc, kind.as_str().as_bytes());
    i64::from(crc32c::crc32c_append(crc, message.body.as_bytes()))
}
