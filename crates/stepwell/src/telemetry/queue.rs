//! Events that wait to be sent: bounded in memory, cut into requests as they come (§10.3).

use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::sync::{Notify, oneshot};
use tokio::time::sleep_until;

use super::error::Stats;
use super::waiting::{Chunk, EVENT_BYTES_MAX, Waiting};

/// What bounds a queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) events_max: usize,
    pub(super) bytes_max: usize,
    /// For how long events are collected.
    pub(super) delay: Duration,
}

/// Whether a queue takes an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Kept,
    Dropped,
}

/// Why events are dropped after they were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    Refused,
    Unreachable,
}

/// Events on their way from code to the thread that sends them.
#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    bounds: Bounds,
    /// What stands in front of the events of each request.
    head: Vec<u8>,
    /// There is something to be sent, or a reason to send it now.
    work: Notify,
    /// Somebody waits, so that a pause is to be cut short.
    pub(super) hurry: Notify,
    /// Somebody waits, whose deadline is to be watched.
    asked: Notify,
    /// The queue was closed.
    closed: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Waiting,
    stats: Stats,
    /// Drops that nobody was told of.
    untold: u64,
    waiters: Vec<Waiter>,
    /// No more is taken, and until when what is there is sent.
    closed: Option<Instant>,
    /// Nothing is sent any more; and whether something was left over.
    is_over: bool,
    has_lost: bool,
}

/// Somebody who waits until what was taken by then has left.
#[derive(Debug)]
struct Waiter {
    until: u64,
    deadline: Instant,
    tell: oneshot::Sender<bool>,
}

/// What to do next.
enum Next {
    Send(Chunk),
    WaitUntil(Instant),
    Wait,
    Over,
}

impl Queue {
    pub(super) fn new(bounds: Bounds, head: Vec<u8>) -> Self {
        Self {
            state: Mutex::default(),
            bounds,
            head,
            work: Notify::new(),
            hurry: Notify::new(),
            asked: Notify::new(),
            closed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event. Where there is no room, the oldest give way that are not on their way; where that is of
    /// no use, it does. Never waits for the network.
    pub(super) fn push(&self, event: &[u8]) -> Taken {
        let mut state = self.state();
        let state = &mut *state;
        state.stats.recorded += 1;
        if state.closed.is_some() {
            state.stats.dropped_stopped += 1;
            return Taken::Dropped;
        }
        let Bounds { events_max, bytes_max, .. } = self.bounds;
        let fits = event.len() < EVENT_BYTES_MAX;
        while fits && !state.waiting.has_room(event.len(), events_max, bytes_max) {
            if !state.waiting.drop_oldest() {
                break;
            }
            state.drops();
        }
        if !fits || !state.waiting.has_room(event.len(), events_max, bytes_max) {
            state.drops();
            return Taken::Dropped;
        }
        if state.waiting.add(event, Instant::now) {
            self.work.notify_one();
        }
        Taken::Kept
    }

    /// Returns the next events to be sent; nothing once the queue is closed and empty.
    pub(super) async fn next(&self) -> Option<Chunk> {
        loop {
            let next = self.state().next(self.bounds.delay, &self.head);
            match next {
                Next::Send(chunk) => return Some(chunk),
                Next::Over => return None,
                Next::Wait => self.work.notified().await,
                Next::WaitUntil(instant) => {
                    let sleep = pin!(sleep_until(instant.into()));
                    select(sleep, pin!(self.work.notified())).await;
                }
            }
        }
    }

    /// Notes that the server has answered for events of a chunk: it took all but so many.
    pub(super) fn on_sent(&self, chunk: &Chunk, refused: usize) {
        let refused = refused.min(chunk.events);
        let mut state = self.state();
        state.stats.sent += (chunk.events - refused) as u64;
        state.stats.dropped_refused += refused as u64;
        state.has_left(chunk);
    }

    /// Notes that the events of a chunk are given up.
    pub(super) fn on_lost(&self, chunk: &Chunk, lost: Lost) {
        let mut state = self.state();
        let count = chunk.events as u64;
        match lost {
            Lost::Refused => state.stats.dropped_refused += count,
            Lost::Unreachable => state.stats.dropped_unreachable += count,
        }
        state.has_left(chunk);
    }

    /// Returns how many events found no room since this was asked last.
    pub(super) fn take_untold(&self) -> usize {
        usize::try_from(std::mem::take(&mut self.state().untold)).unwrap_or(usize::MAX)
    }

    /// Counts an event that went another way, and what became of it.
    pub(super) fn count(&self, note: impl FnOnce(&mut Stats)) {
        note(&mut self.state().stats);
    }

    pub(super) fn stats(&self) -> Stats {
        let state = self.state();
        Stats { waiting: state.waiting.events() as u64, ..state.stats }
    }

    /// Waits until what was taken so far has left, or for so long at most. Tells whether it has.
    pub(super) fn flushed(&self, within: Duration) -> oneshot::Receiver<bool> {
        let (tell, told) = oneshot::channel();
        let mut state = self.state();
        if state.is_over || state.waiting.is_empty() {
            // Whoever asks is there to be told.
            let _ = tell.send(!state.has_lost);
            return told;
        }
        let until = state.waiting.taken();
        state.waiters.push(Waiter { until, deadline: after(within), tell });
        drop(state);
        self.work.notify_one();
        self.hurry.notify_one();
        self.asked.notify_one();
        told
    }

    /// Takes no more events; those that are there may be sent for so long. The first call counts.
    pub(super) fn close(&self, within: Duration) {
        self.state().closed.get_or_insert_with(|| after(within));
        self.work.notify_one();
        self.hurry.notify_one();
        self.closed.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().closed.is_some()
    }

    /// Ends when the time is over that events had after the queue was closed.
    pub(super) async fn time_over(&self) {
        loop {
            let closed = self.state().closed;
            match closed {
                Some(deadline) => return sleep_until(deadline.into()).await,
                None => self.closed.notified().await,
            }
        }
    }

    /// Tells those who wait for too long that they did. Never ends.
    pub(super) async fn watch(&self) {
        loop {
            let next = self.state().next_deadline();
            match next {
                None => self.asked.notified().await,
                Some(deadline) => {
                    let sleep = pin!(sleep_until(deadline.into()));
                    if let Either::Left(_) = select(sleep, pin!(self.asked.notified())).await {
                        self.state().tell(Instant::now());
                    }
                }
            }
        }
    }

    /// Gives up what is still there: nobody sends it any more.
    pub(super) fn abandon(&self) {
        let mut state = self.state();
        let state = &mut *state;
        state.is_over = true;
        state.closed.get_or_insert_with(Instant::now);
        state.has_lost = !state.waiting.is_empty();
        state.stats.dropped_stopped += state.waiting.events() as u64;
        state.waiting.clear();
        for waiter in state.waiters.drain(..) {
            let _ = waiter.tell.send(false);
        }
    }
}

/// A deadline that is never too far for the clock.
fn after(within: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(within).unwrap_or_else(|| now + Duration::from_hours(24))
}

impl State {
    fn drops(&mut self) {
        self.stats.dropped_full += 1;
        self.untold += 1;
    }

    fn next(&mut self, delay: Duration, head: &[u8]) -> Next {
        let Some((since, is_enough)) = self.waiting.first() else {
            return if self.closed.is_some() { Next::Over } else { Next::Wait };
        };
        let due = since + delay;
        let is_due =
            is_enough || self.closed.is_some() || !self.waiters.is_empty() || due <= Instant::now();
        if !is_due {
            return Next::WaitUntil(due);
        }
        self.waiting.take(head).map_or(Next::Wait, Next::Send)
    }

    fn has_left(&mut self, chunk: &Chunk) {
        self.waiting.has_left(chunk);
        let oldest = self.waiting.oldest();
        for waiter in self.waiters.extract_if(.., |waiter| waiter.until <= oldest) {
            // Whoever waited may be gone.
            let _ = waiter.tell.send(true);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.waiters.iter().map(|waiter| waiter.deadline).min()
    }

    fn tell(&mut self, now: Instant) {
        for waiter in self.waiters.extract_if(.., |waiter| waiter.deadline <= now) {
            let _ = waiter.tell.send(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Taken::{Dropped, Kept};
    use super::*;

    fn queue(events_max: usize, bytes_max: usize) -> Queue {
        let bounds = Bounds { events_max, bytes_max, delay: Duration::from_hours(1) };
        Queue::new(bounds, b"{\"events\":[".to_vec())
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    /// §10.3: where there is no room the oldest give way, but not those that are on their way; each is counted.
    #[test]
    fn a_queue_is_bounded_by_events_and_by_bytes() {
        for (events_max, bytes_max) in [(3, usize::MAX), (usize::MAX, 9)] {
            let queue = queue(events_max, bytes_max);
            for event in ["11", "22", "33", "44", "55"] {
                assert_eq!(queue.push(event.as_bytes()), Kept);
            }
            let stats = queue.stats();
            assert_eq!((stats.recorded, stats.waiting, stats.dropped_full), (5, 3, 2));
            assert_eq!((queue.take_untold(), queue.take_untold()), (2, 0));
            let waits = queue.flushed(Duration::from_hours(1));
            let chunk = runtime().block_on(queue.next()).unwrap();
            assert_eq!((&*chunk.body, chunk.events), (&b"{\"events\":[33,44,55]}"[..], 3));
            assert_eq!(queue.push(b"66"), Dropped);
            queue.on_sent(&chunk, 1);
            assert_eq!(runtime().block_on(waits), Ok(true));
            assert_eq!(queue.push(b"77"), Kept);
            assert_eq!(queue.push(&vec![b' '; EVENT_BYTES_MAX]), Dropped);
            let stats = queue.stats();
            assert_eq!((stats.sent, stats.dropped_refused, stats.waiting), (2, 1, 1));
            assert_eq!(stats.recorded, stats.sent + stats.waiting + stats.dropped());
        }
    }

    #[test]
    fn a_closed_queue_gives_what_it_has_and_takes_no_more() {
        let queue = queue(9, 999);
        assert_eq!(queue.push(b"{}"), Kept);
        queue.close(Duration::ZERO);
        assert_eq!(queue.push(b"{}"), Dropped);
        runtime().block_on(async {
            queue.time_over().await;
            let chunk = queue.next().await.unwrap();
            assert!(queue.next().await.is_none());
            queue.on_lost(&chunk, Lost::Unreachable);
        });
        let stats = queue.stats();
        assert_eq!((stats.dropped_unreachable, stats.dropped_stopped, stats.waiting), (1, 1, 0));
    }

    /// Whoever waits for too long is told so; and so is who waits for what is given up.
    #[test]
    fn waiters_are_told() {
        let queue = queue(9, 999);
        queue.push(b"{}");
        let late = queue.flushed(Duration::ZERO);
        runtime().block_on(async {
            let watching = pin!(queue.watch());
            let told = select(watching, late).await;
            let Either::Right((told, _)) = told else { panic!("watching never ends") };
            assert_eq!(told, Ok(false));
            let left = queue.flushed(Duration::from_hours(1));
            queue.abandon();
            assert_eq!(left.await, Ok(false));
            assert_eq!(queue.flushed(Duration::from_hours(1)).await, Ok(false));
        });
        assert_eq!((queue.stats().dropped_stopped, queue.stats().waiting), (1, 0));
    }
}
