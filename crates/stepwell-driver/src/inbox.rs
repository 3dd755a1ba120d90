//! The bounded queue in front of the node's thread.
//!
//! Senders are async and wait for room, counted in bytes, so that what runners and clients send is
//! bounded in memory whatever they do; a connection that waits here is not read from, which is what
//! slows its sender down. The node takes everything that is there at once: one wake-up and one lock
//! for a whole batch.
//!
//! What comes from runners' connections is taken before what was asked by others, and the connections
//! have had their turn before anything is taken. So who asks after he saw a runner do something, or
//! die, is answered by a node that knows of it: the sockets had it before the request was there.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_node::{
    ForkRequest, ImportRequest, Reply, RequestId, ResolveRequest, SendRequest, SessionId, Signed,
    StartRequest, Stats,
};
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::Instant;

use crate::meter::Measured;
use crate::outgoing::Outgoing;

/// Room in kibibytes: what may wait for the node in all.
const ROOM_KIB: usize = 64 * 1024;

/// Something for the node's thread.
#[derive(Debug)]
pub(crate) enum Inbound {
    /// A runner connected.
    Connect { session: SessionId, namespace: Arc<str>, outgoing: Outgoing },
    /// A runner sent a frame.
    Frame { session: SessionId, bytes: Bytes },
    /// A runner's connection is gone.
    Disconnect { session: SessionId },
    /// A request that waits for a reply.
    Ask { request: RequestId, ask: Ask, reply: oneshot::Sender<Reply> },
    /// The request's asker is gone.
    Forget { request: RequestId },
    /// Counters are wanted.
    Stats { reply: oneshot::Sender<Stats> },
    /// All that is measured is wanted.
    Measures { reply: oneshot::Sender<Measured> },
    /// The server is about to stop: runners are told.
    Drain,
    /// Runs of a restored store go on.
    LetGo,
    /// Other nodes wrote something, or the lease was lost.
    Hint,
    /// The thread ends, having written what it holds.
    Stop,
}

/// A request as the API makes it.
#[derive(Debug)]
pub(crate) enum Ask {
    Start { start: Box<StartRequest>, then: Then },
    Cancel { namespace: Arc<str>, run: RunId, signed: Signed },
    Operate { namespace: Arc<str>, run: RunId, act: Operation, signed: Signed },
    Resolve { namespace: Arc<str>, run: RunId, resolve: Box<ResolveRequest>, signed: Signed },
    Fork { namespace: Arc<str>, run: RunId, fork: Box<ForkRequest>, signed: Signed },
    Import { namespace: Arc<str>, run: RunId, import: Box<ImportRequest>, signed: Signed },
    Wait { namespace: Arc<str>, run: RunId },
    Runners { namespace: Arc<str> },
    Send { send: Box<SendRequest> },
}

/// When the request of a start is answered.
#[derive(Debug)]
pub(crate) enum Then {
    /// Once the start is durable.
    Answer,
    /// At the run's end. What was started is told here as soon as that is durable.
    Wait(oneshot::Sender<(RunId, Created)>),
}

/// Whether a request started the run, or its key had before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// It did.
    Now,
    /// Its key had.
    Before,
}

impl Inbound {
    fn is_of_connection(&self) -> bool {
        matches!(self, Self::Connect { .. } | Self::Frame { .. } | Self::Disconnect { .. })
    }

    fn kib(&self) -> usize {
        let bytes = match self {
            Self::Frame { bytes, .. } => bytes.len(),
            Self::Ask { ask: Ask::Start { start, .. }, .. } => {
                let len = |raw: &Option<Box<serde_json::value::RawValue>>| {
                    raw.as_ref().map_or(0, |raw| raw.get().len())
                };
                len(&start.input) + len(&start.metadata)
            }
            Self::Ask { ask: Ask::Send { send }, .. } => {
                let len = |raw: &Option<Box<serde_json::value::RawValue>>| {
                    raw.as_ref().map_or(0, |raw| raw.get().len())
                };
                len(&send.data) + len(&send.offer)
            }
            Self::Ask { ask: Ask::Import { import, .. }, .. } => import.journal.len(),
            _ => 0,
        };
        bytes / 1024 + 1
    }
}

/// The node's thread does not take anything any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

/// The queue.
#[derive(Debug)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    ready: Notify,
    room: Semaphore,
}

#[derive(Debug, Default)]
struct State {
    /// With their weights.
    connections: VecDeque<(usize, Inbound)>,
    others: VecDeque<(usize, Inbound)>,
    waiting: bool,
    closed: bool,
}

impl Inbox {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), ready: Notify::new(), room: Semaphore::new(ROOM_KIB) }
    }

    /// Waits for room and puts an item into the queue.
    pub(crate) async fn send(&self, item: Inbound) -> Result<(), Closed> {
        let kib = item.kib().min(ROOM_KIB);
        let count = u32::try_from(kib).unwrap_or(u32::MAX);
        self.room.acquire_many(count).await.map_err(|_| Closed)?.forget();
        self.put(kib, item)
    }

    /// Puts an item of no weight into the queue, at once: ends of things that were let in before.
    pub(crate) fn notify(&self, item: Inbound) {
        // Nobody is left who would have to be told where the queue is closed.
        let _ = self.put(0, item);
    }

    /// Takes up to `max` items of connections and as many others; waits for the first at most
    /// `patience`.
    pub(crate) async fn take(&self, max: usize, patience: Duration, into: &mut Vec<Inbound>) {
        // The first turn looks which sockets have something, the second lets connections read it, and
        // write what the batch before told them.
        tokio::task::yield_now().await;
        let until = Instant::now() + patience;
        loop {
            tokio::task::yield_now().await;
            if self.take_now(max, into) > 0 || patience.is_zero() || Instant::now() >= until {
                return;
            }
            // A permit is kept for who comes to wait after it was given, so no wake-up is missed.
            let _ = tokio::time::timeout_at(until, self.ready.notified()).await;
        }
    }

    fn take_now(&self, max: usize, into: &mut Vec<Inbound>) -> usize {
        let mut state = self.state();
        let before = into.len();
        let mut kib = 0;
        let State { connections, others, .. } = &mut *state;
        for items in [connections, others] {
            let count = items.len().min(max);
            for (weight, item) in items.drain(..count) {
                kib += weight;
                into.push(item);
            }
        }
        let count = into.len() - before;
        state.waiting = count == 0;
        drop(state);
        self.room.add_permits(kib);
        count
    }

    /// Lets nobody put anything in any more, and returns what is left.
    pub(crate) fn close(&self) -> Vec<Inbound> {
        self.room.close();
        let mut state = self.state();
        state.closed = true;
        let State { connections, others, .. } = &mut *state;
        connections.drain(..).chain(others.drain(..)).map(|(_, item)| item).collect()
    }

    fn put(&self, kib: usize, item: Inbound) -> Result<(), Closed> {
        let mut state = self.state();
        if state.closed {
            return Err(Closed);
        }
        let items =
            if item.is_of_connection() { &mut state.connections } else { &mut state.others };
        items.push_back((kib, item));
        let wake = std::mem::replace(&mut state.waiting, false);
        drop(state);
        if wake {
            self.ready.notify_one();
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No user code runs under the lock, so a poisoned one holds a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn frame(bytes: usize) -> Inbound {
        Inbound::Frame { session: SessionId(1), bytes: Bytes::from(vec![b' '; bytes]) }
    }

    fn take(inbox: &Inbox, max: usize) -> usize {
        inbox.take_now(max, &mut Vec::new())
    }

    /// Proves the bound by polling a sender by hand: it is pending exactly until room is made.
    #[test]
    fn a_sender_waits_until_there_is_room() {
        let inbox = Inbox::new();
        let mut context = Context::from_waker(Waker::noop());
        let mut send = |item| {
            let mut sending = Box::pin(inbox.send(item));
            (sending.as_mut().poll(&mut context), sending)
        };
        for _ in 0..15 {
            assert!(send(frame(4 << 20)).0.is_ready());
        }
        let (first, mut waiting) = send(frame(5 << 20));
        assert!(first.is_pending());
        assert_eq!(take(&inbox, 10), 10);
        let again = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(again, Poll::Ready(Ok(())));
        assert_eq!(take(&inbox, 100), 6);
    }

    /// Proves what causes what: a request that was put in before the end of a connection is taken
    /// after it.
    #[test]
    fn what_connections_say_comes_first() {
        let inbox = Inbox::new();
        inbox.notify(Inbound::Drain);
        inbox.notify(frame(1));
        inbox.notify(Inbound::Disconnect { session: SessionId(1) });
        let mut items = Vec::new();
        assert_eq!(inbox.take_now(10, &mut items), 3);
        assert!(
            matches!(
                items.as_slice(),
                [Inbound::Frame { .. }, Inbound::Disconnect { .. }, Inbound::Drain]
            ),
            "{items:?}"
        );
    }

    #[test]
    fn a_closed_queue_takes_nothing_and_gives_back_what_it_held() {
        let inbox = Inbox::new();
        inbox.notify(Inbound::Drain);
        assert_eq!(inbox.close().len(), 1);
        inbox.notify(Inbound::Drain);
        assert_eq!(take(&inbox, 1), 0);
    }
}
