//! What a batch says of the inbox, in the body of a frame.
//!
//! Each begins with its kind, a byte: 0, sent, or 1, consumed. Then receiver and sender `u128` and the
//! kind of the message, a byte (0 cancel, 1 child ended, 2 event, 3 ask). What is sent has its body: a length `u32` and
//! the text.

use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_store::inbox::{InboxWrite, Message, MessageId, MessageKind};

use super::body::{Reader, put_len};

/// Returns the length of what [`encode`] appends, in bytes.
pub(super) fn len(write: &InboxWrite) -> usize {
    34 + match write {
        InboxWrite::Sent(message) => 4 + message.body.len(),
        InboxWrite::Consumed(_) => 0,
    }
}

/// Appends what is said of the inbox.
pub(super) fn encode(write: &InboxWrite, bytes: &mut Vec<u8>) {
    let (tag, body) = match write {
        InboxWrite::Sent(message) => (0, Some(&message.body)),
        InboxWrite::Consumed(_) => (1, None),
    };
    let id = write.id();
    bytes.push(tag);
    bytes.extend_from_slice(&id.to.as_u128().to_le_bytes());
    bytes.extend_from_slice(&id.from.as_u128().to_le_bytes());
    bytes.push(match id.kind {
        MessageKind::Cancel => 0,
        MessageKind::ChildEnded => 1,
        MessageKind::Event => 2,
        MessageKind::Ask => 3,
    });
    if let Some(body) = body {
        put_len(bytes, body.len());
        bytes.extend_from_slice(body.as_bytes());
    }
}

/// Reads what is said of the inbox; `None` when it is nothing that [`encode`] appends.
pub(super) fn decode(reader: &mut Reader<'_>) -> Option<InboxWrite> {
    let [tag] = reader.take()?;
    let (to, from) = (run(reader)?, run(reader)?);
    let kind = match reader.take()? {
        [0] => MessageKind::Cancel,
        [1] => MessageKind::ChildEnded,
        [2] => MessageKind::Event,
        [3] => MessageKind::Ask,
        _ => return None,
    };
    let id = MessageId { to, from, kind };
    match tag {
        0 => Some(InboxWrite::Sent(Arc::new(Message { id, body: reader.text()? }))),
        1 => Some(InboxWrite::Consumed(id)),
        _ => None,
    }
}

fn run(reader: &mut Reader<'_>) -> Option<RunId> {
    Some(RunId::from_u128(u128::from_le_bytes(reader.take()?)))
}
