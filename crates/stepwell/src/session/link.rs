//! Frames on their way to the node.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use stepwell_protocol::frame;
use stepwell_protocol::to_node::ToNode;

/// Most bytes of a frame that holds more than one message.
const FRAME_BYTES: usize = 256 * 1024;

/// Frames on their way to the node, filled by the threads that run code.
#[derive(Default)]
pub(crate) struct Link {
    inner: Mutex<Outgoing>,
}

/// What waits to be sent on the present connection.
#[derive(Default)]
pub(crate) struct Outgoing {
    generation: u64,
    open: bool,
    /// Bytes that the node is ready for.
    credit: i64,
    /// What is sent whatever the credit: a runner whose node is slow keeps its grant.
    control: frame::Writer,
    frame: frame::Writer,
    frames: VecDeque<Vec<u8>>,
    /// Woken when something is there to be sent, once until it is taken.
    waker: Option<Waker>,
    woken: bool,
}

impl Outgoing {
    /// Adds a message; `payload_bytes` is about how large it is beyond a small message, so that a
    /// large one is written to its place at once.
    pub(crate) fn push(&mut self, message: &ToNode<'_>, payload_bytes: usize) {
        if !self.frame.is_empty() && self.frame.len() + payload_bytes > FRAME_BYTES {
            self.close_frame();
        }
        let full = self.frame.push_within(message, FRAME_BYTES);
        self.frames.extend(full);
    }

    /// Adds a message about the connection itself, which goes ahead of all others.
    pub(super) fn push_control(&mut self, message: &ToNode<'_>) {
        self.control.push(message);
    }

    fn close_frame(&mut self) {
        self.frames.extend(self.frame.take());
    }
}

impl Link {
    fn lock(&self) -> MutexGuard<'_, Outgoing> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets messages be written for the connection `generation`; does nothing if it is gone.
    pub(crate) fn write(&self, generation: u64, write: impl FnOnce(&mut Outgoing)) {
        let mut outgoing = self.lock();
        if !outgoing.open || outgoing.generation != generation {
            return;
        }
        write(&mut outgoing);
        Self::wake(outgoing);
    }

    fn wake(mut outgoing: MutexGuard<'_, Outgoing>) {
        if !std::mem::replace(&mut outgoing.woken, true)
            && let Some(waker) = outgoing.waker.clone()
        {
            drop(outgoing);
            waker.wake();
        }
    }

    pub(super) fn set_waker(&self, waker: Waker) {
        self.lock().waker = Some(waker);
    }

    /// Begins a connection; returns which one it is.
    pub(super) fn open(&self) -> u64 {
        let mut outgoing = self.lock();
        outgoing.generation += 1;
        outgoing.open = true;
        // The handshake is sent without credit.
        outgoing.credit = i64::MAX;
        outgoing.generation
    }

    /// Ends the connection; what was not sent is gone, and is told again by those who hold it.
    pub(super) fn close(&self) {
        let mut outgoing = self.lock();
        outgoing.open = false;
        outgoing.control = frame::Writer::default();
        outgoing.frame = frame::Writer::default();
        outgoing.frames.clear();
    }

    pub(super) fn set_credit(&self, bytes: u64) {
        self.lock().credit = i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    pub(super) fn add_credit(&self, bytes: u64) {
        let mut outgoing = self.lock();
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        outgoing.credit = outgoing.credit.saturating_add(bytes);
        Self::wake(outgoing);
    }

    /// Takes the next frame, if the node is ready for one. Every byte counts against the credit, since
    /// the node gives every byte back.
    pub(super) fn next_frame(&self) -> Option<Vec<u8>> {
        let mut outgoing = self.lock();
        outgoing.woken = false;
        let control = outgoing.control.take();
        // A frame may be larger than what is left: a credit below one frame would stop everything.
        let may_send = outgoing.open && outgoing.credit > 0;
        let frame = match control {
            Some(frame) => frame,
            None if !may_send => return None,
            None => match outgoing.frames.pop_front() {
                Some(frame) => frame,
                None => outgoing.frame.take()?,
            },
        };
        let bytes = i64::try_from(frame.len()).unwrap_or(i64::MAX);
        outgoing.credit = outgoing.credit.saturating_sub(bytes);
        Some(frame)
    }
}
