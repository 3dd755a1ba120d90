//! Deadlines of runs. A run is in here for its earliest deadline, and for later ones that were its
//! earliest once.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;

use crate::machine::Cell;
use crate::moment::Moment;

/// So many entries are never too many.
const FULL: usize = 4_096;

#[derive(Default)]
pub(crate) struct Timers {
    inner: Mutex<Inner>,
}

struct Inner {
    heap: BinaryHeap<Entry>,
    /// Until then nobody looks.
    looked_at: Moment,
    /// At this size entries of runs that are over are taken out.
    full: usize,
    waker: Option<Waker>,
}

impl Default for Inner {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), looked_at: Moment::MAX, full: FULL, waker: None }
    }
}

/// Ordered so that the earliest is the greatest.
struct Entry {
    at: Moment,
    run: Weak<Cell>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.at.cmp(&self.at)
    }
}

impl Timers {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a deadline; whoever waits for the earliest one is woken where this one is earlier.
    pub(crate) fn push(&self, at: Moment, run: &Arc<Cell>) {
        let mut inner = self.lock();
        inner.heap.push(Entry { at, run: Arc::downgrade(run) });
        if inner.heap.len() >= inner.full {
            inner.heap.retain(|entry| entry.run.strong_count() > 0);
            inner.full = FULL.max(inner.heap.len() * 2);
        }
        if at < inner.looked_at {
            inner.looked_at = at;
            if let Some(waker) = inner.waker.clone() {
                drop(inner);
                waker.wake();
            }
        }
    }

    pub(super) fn set_waker(&self, waker: Waker) {
        self.lock().waker = Some(waker);
    }

    /// Has whoever waits for deadlines look again.
    pub(crate) fn nudge(&self) {
        let waker = self.lock().waker.clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Returns the earliest deadline.
    pub(super) fn next(&self) -> Option<Moment> {
        let mut inner = self.lock();
        let next = inner.heap.peek().map(|entry| entry.at);
        inner.looked_at = next.unwrap_or(Moment::MAX);
        next
    }

    /// Takes out the runs whose deadlines have come.
    pub(super) fn due(&self, now: Moment) -> Vec<Arc<Cell>> {
        let mut inner = self.lock();
        let mut due = Vec::new();
        while inner.heap.peek().is_some_and(|entry| entry.at <= now) {
            due.extend(inner.heap.pop().and_then(|entry| entry.run.upgrade()));
        }
        due
    }
}
