//! The queue to one runner's connection: bounded in bytes, so that a runner that does not read
//! costs a bounded amount of memory and no time of the node's.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

/// Most bytes that may wait for a runner to read them. The node keeps to the runner's credit, so
/// only a runner that asks for more credit than it can take comes here.
const QUEUED_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Something for a runner's connection.
#[derive(Debug, PartialEq, Eq)]
pub enum Outbound {
    /// Send a frame.
    Frame(Vec<u8>),
    /// Close the connection, telling why.
    Close(String),
}

/// What came of a frame for a runner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It waits to be sent.
    Queued,
    /// The runner does not read: too much waits already.
    Full,
    /// The connection is gone.
    Gone,
}

/// The sending end of a connection's queue.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    queue: mpsc::UnboundedSender<Outbound>,
    bytes: Arc<AtomicUsize>,
}

/// The receiving end of a connection's queue.
#[derive(Debug)]
pub struct Outbox {
    queue: mpsc::UnboundedReceiver<Outbound>,
    bytes: Arc<AtomicUsize>,
}

impl Outgoing {
    /// Makes a queue.
    pub(crate) fn new() -> (Self, Outbox) {
        let (queue, receiver) = mpsc::unbounded_channel();
        let bytes = Arc::new(AtomicUsize::new(0));
        (Self { queue, bytes: Arc::clone(&bytes) }, Outbox { queue: receiver, bytes })
    }

    /// Puts a frame into the queue, unless the connection cannot go on.
    pub(crate) fn send(&self, frame: Vec<u8>) -> Sent {
        let queued = self.bytes.fetch_add(frame.len(), Ordering::Relaxed) + frame.len();
        if self.queue.is_closed() {
            Sent::Gone
        } else if queued > QUEUED_BYTES_MAX {
            Sent::Full
        } else if self.queue.send(Outbound::Frame(frame)).is_err() {
            Sent::Gone
        } else {
            Sent::Queued
        }
    }

    /// Closes the connection after what is in the queue.
    pub(crate) fn close(&self, reason: String) {
        // A connection that is gone already needs no closing.
        let _ = self.queue.send(Outbound::Close(reason));
    }
}

impl Outbox {
    /// Waits for the next item; `None` when the node has let go of the connection.
    pub async fn next(&mut self) -> Option<Outbound> {
        let item = self.queue.recv().await;
        item.inspect(|item| self.took(item))
    }

    /// Returns the next item if there is one.
    pub fn try_next(&mut self) -> Option<Outbound> {
        let item = self.queue.try_recv().ok();
        item.inspect(|item| self.took(item))
    }

    fn took(&self, item: &Outbound) {
        if let Outbound::Frame(frame) = item {
            self.bytes.fetch_sub(frame.len(), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_that_does_not_read_is_let_go() {
        let (outgoing, mut outbox) = Outgoing::new();
        for _ in 0..4 {
            assert_eq!(outgoing.send(vec![0; 8 << 20]), Sent::Queued);
        }
        assert_eq!(outgoing.send(vec![0]), Sent::Full);
        assert!(outbox.try_next().is_some());
        assert_eq!(outgoing.send(vec![0]), Sent::Queued);
    }

    #[test]
    fn a_connection_that_is_gone_is_noticed() {
        let (outgoing, outbox) = Outgoing::new();
        drop(outbox);
        assert_eq!(outgoing.send(vec![0; 64 << 20]), Sent::Gone, "whatever waited for it");
    }
}
