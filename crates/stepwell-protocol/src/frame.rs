//! Frames: JSON arrays of messages.

use serde::{Deserialize, Serialize};

/// A frame is not an array of known messages.
#[derive(Debug, thiserror::Error)]
#[error("a frame is a JSON array of messages; this one is not: {0}")]
pub struct ParseError(#[from] serde_json::Error);

/// Takes a frame apart. Payloads in it are borrowed and have been checked to be JSON.
///
/// # Errors
/// [`ParseError`] names the place and what was expected there.
pub fn parse<'a, M: Deserialize<'a>>(frame: &'a [u8]) -> Result<Vec<M>, ParseError> {
    Ok(serde_json::from_slice(frame)?)
}

/// Puts messages together to a frame.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Adds a message.
    pub fn push(&mut self, message: &impl Serialize) {
        self.bytes.push(if self.bytes.is_empty() { b'[' } else { b',' });
        let written = serde_json::to_writer(&mut self.bytes, message);
        debug_assert!(written.is_ok(), "messages hold strings, numbers and checked JSON only");
    }

    /// Adds a message; where the frame grows beyond `bytes` by it and held others already, those
    /// are returned as a closed frame, and the message begins the next one.
    pub fn push_within(&mut self, message: &impl Serialize, bytes: usize) -> Option<Vec<u8>> {
        let before = self.bytes.len();
        self.push(message);
        if before == 0 || self.bytes.len() < bytes {
            return None;
        }
        let mut next = self.bytes.split_off(before);
        if let Some(comma) = next.first_mut() {
            *comma = b'[';
        }
        let full = self.take();
        self.bytes = next;
        full
    }

    /// Returns how many bytes are in the frame so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Tells whether no message is in the frame.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Closes the frame and returns it; `None` where it has no message. The writer is empty again.
    pub fn take(&mut self) -> Option<Vec<u8>> {
        if self.bytes.is_empty() {
            return None;
        }
        self.bytes.push(b']');
        Some(std::mem::take(&mut self.bytes))
    }
}
