//! What was appended: the log, and in memory what of it is not in tables yet.
//!
//! The log knows nothing of what is in it. Without one, in memory, the tail is all there is.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use stepwell_store::Error;

use super::options::Options;
use crate::disk::Disk;
use crate::embedded::guard;
use crate::log::{Log, Prepared, create_slot, slot_name};

/// How long a batch waits for the fold while the tail is over half of its bound.
const YIELD: Duration = Duration::from_millis(50);
/// How long it waits while the tail is over its bound, before it is refused.
const YIELD_LAST: Duration = Duration::from_millis(500);

/// The log and its tail.
pub(super) struct Lane<D: Disk> {
    log: Option<Mutex<Log<D>>>,
    tail: Mutex<Tail>,
    options: Options,
    /// Wakes the thread that folds.
    work: Condvar,
    /// Wakes those who wait for the fold.
    moved: Condvar,
}

/// What is not in tables yet, and what is wanted of the fold.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// Oldest first.
    batches: VecDeque<Batch>,
    bytes: u64,
    head: u64,
    folded: u64,
    /// The position that a reader waits for.
    wanted: u64,
    /// There is a thread that folds.
    is_threaded: bool,
    /// There is something to do that nobody appended.
    is_nudged: bool,
    stop: Option<Stop>,
    /// Why the last fold failed, if it did.
    trouble: Option<Error>,
}

/// How the thread ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    /// Once everything is folded.
    Folded,
    /// At once: the log holds what is not folded.
    Now,
}

/// Bytes that were appended at once.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) position: u64,
    pub(super) body: Bytes,
    received: Instant,
}

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Due {
    /// These batches are to be folded.
    Fold(Vec<Batch>),
    /// Nothing for now.
    Nothing,
    /// The thread is to end.
    End,
}

/// How the lane is doing.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) head: u64,
    pub(super) folded: u64,
    pub(super) tail_bytes: u64,
    pub(super) log_bytes: u64,
    /// Why batches are refused, if they are.
    pub(super) refuses: Option<Error>,
}

impl<D: Disk> Lane<D> {
    /// Goes on with a log and what of it is not in tables; without a log, in memory.
    pub(super) fn new(
        log: Option<Log<D>>,
        tail: Vec<(u64, Bytes)>,
        folded: u64,
        options: Options,
    ) -> Self {
        let received = Instant::now();
        // The frame that began this epoch of the log stands behind the last batch, and is not folded.
        let head = tail.last().map_or(folded, |(position, _)| *position);
        let bytes = tail.iter().map(|(_, body)| body.len() as u64).sum();
        let batches =
            tail.into_iter().map(|(position, body)| Batch { position, body, received }).collect();
        let tail = Tail { batches, bytes, head, folded, ..Tail::default() };
        Self {
            log: log.map(Mutex::new),
            tail: Mutex::new(tail),
            options,
            work: Condvar::new(),
            moved: Condvar::new(),
        }
    }

    /// Appends bytes; they are durable when this returns. Returns their position.
    ///
    /// # Errors
    /// [`Error::DiskFull`] and [`Error::Unavailable`]: nothing was written. [`Error::Unknown`] when
    /// a write or a sync failed, and [`Error::Poisoned`] from then on.
    pub(super) fn append(&self, body: &[u8]) -> Result<u64, Error> {
        self.make_room()?;
        let Some(log) = &self.log else {
            let mut tail = self.tail();
            let position = tail.head + 1;
            tail.push(position, Bytes::copy_from_slice(body));
            return Ok(self.appended(tail, position));
        };
        let (frame, ()) = Prepared::filled(body.len(), |bytes| bytes.extend_from_slice(body))?;
        let mut log = guard(log);
        let (position, body) = log.append(frame)?;
        // Under the lock of the log, so that the tail is in order.
        let mut tail = self.tail();
        tail.push(position, body);
        drop(log);
        Ok(self.appended(tail, position))
    }

    fn appended(&self, tail: MutexGuard<'_, Tail>, position: u64) -> u64 {
        // The first one wakes the thread, which then waits until it is old enough.
        let wakes = tail.batches.len() == 1 || tail.bytes >= self.options.fold_slice;
        drop(tail);
        if wakes {
            self.work.notify_one();
        }
        position
    }

    /// Refuses batches while the disk or the tail is over its bound, and lets the fold go first while
    /// the tail is over half of it.
    fn make_room(&self) -> Result<(), Error> {
        if let Some(error) = self.low_disk() {
            return Err(error);
        }
        let mut tail = self.tail();
        if tail.stop.is_some() {
            return Err(Error::Unavailable("the store of observed runs is closed".into()));
        }
        if tail.bytes > self.options.tail_max / 2 {
            self.work.notify_one();
            if tail.is_threaded && tail.trouble.is_none() {
                let is_over = tail.bytes > self.options.tail_max;
                let (at, most) = (tail.folded, if is_over { YIELD_LAST } else { YIELD });
                let waits = |tail: &mut Tail| tail.folded == at && tail.stop.is_none();
                tail = self
                    .moved
                    .wait_timeout_while(tail, most, waits)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        }
        match self.long_tail(&tail) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn low_disk(&self) -> Option<Error> {
        let log = guard(self.log.as_ref()?);
        let reserve = self.options.disk_reserve;
        // A disk that does not tell is taken as one with room: an append tells for sure.
        let free = log.disk.free_space().unwrap_or(u64::MAX);
        (free < reserve).then_some(Error::DiskFull { free, reserve })
    }

    fn long_tail(&self, tail: &Tail) -> Option<Error> {
        let (bytes, limit) = (tail.bytes, self.options.tail_max);
        let trouble = tail.trouble.as_ref();
        let why =
            trouble.map_or_else(String::new, |error| format!("; the last fold failed: {error}"));
        (bytes > limit).then(|| {
            Error::Unavailable(format!(
                "{bytes} bytes of telemetry wait to be folded into tables, over the limit of \
                 {limit}{why}"
            ))
        })
    }

    /// Returns the position of what was appended last.
    pub(super) fn head(&self) -> u64 {
        self.tail().head
    }

    /// Waits until the tables are at a position, at most so long. Tells whether they are.
    pub(super) fn wait(&self, position: u64, patience: Duration) -> bool {
        let mut tail = self.tail();
        if tail.folded >= position {
            return true;
        }
        tail.wanted = tail.wanted.max(position);
        self.work.notify_one();
        let waits = |tail: &mut Tail| tail.folded < position && tail.stop != Some(Stop::Now);
        let waited = self.moved.wait_timeout_while(tail, patience, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.folded >= position
    }

    /// Tells whether a thread folds.
    pub(super) fn is_threaded(&self) -> bool {
        self.tail().is_threaded
    }

    pub(super) fn set_threaded(&self, is_threaded: bool) {
        self.tail().is_threaded = is_threaded;
    }

    /// Wakes the thread: there is something to do that nobody appended.
    pub(super) fn nudge(&self) {
        self.tail().is_nudged = true;
        self.work.notify_one();
    }

    /// Ends the thread.
    pub(super) fn stop(&self, how: Stop) {
        let mut tail = self.tail();
        tail.stop = tail.stop.max(Some(how));
        self.work.notify_all();
    }

    /// Returns the oldest batches, as many as one transaction takes.
    pub(super) fn slice(&self) -> Vec<Batch> {
        let tail = self.tail();
        let behind = tail.bytes > self.options.tail_max / 4;
        let most = if behind { self.options.fold_slice * 2 } else { self.options.fold_slice };
        let mut bytes = 0;
        let fits = |batch: &&Batch| {
            let first = bytes == 0;
            bytes += batch.body.len() as u64;
            first || bytes <= most
        };
        tail.batches.iter().take_while(fits).cloned().collect()
    }

    /// Tells what is due; waits at most so long until something is.
    pub(super) fn due(&self, wait: Duration) -> Due {
        let is_due = |tail: &Tail| {
            let old = tail.batches.front().is_some_and(|oldest| {
                tail.wanted > tail.folded
                    || tail.bytes >= self.options.fold_slice
                    || oldest.received.elapsed() >= self.options.fold_after
            });
            old || tail.is_nudged || tail.stop.is_some()
        };
        let mut tail = self.tail();
        if !is_due(&tail) {
            let oldest = tail.batches.front().map(|oldest| oldest.received.elapsed());
            let wait = oldest
                .map_or(wait, |age| wait.min(self.options.fold_after.saturating_sub(age)))
                .max(Duration::from_millis(1));
            let waited = self.work.wait_timeout(tail, wait);
            tail = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        tail.is_nudged = false;
        match tail.stop {
            Some(Stop::Now) => return Due::End,
            Some(Stop::Folded) if tail.batches.is_empty() || tail.trouble.is_some() => {
                return Due::End;
            }
            _ => {}
        }
        if !is_due(&tail) {
            return Due::Nothing;
        }
        drop(tail);
        Due::Fold(self.slice())
    }

    /// The tables are at this position, durably.
    pub(super) fn folded(&self, position: u64) {
        if let Some(log) = &self.log {
            let (disk, unused) = {
                let mut log = guard(log);
                (Arc::clone(&log.disk), log.trim(position))
            };
            for number in unused {
                // What cannot be removed now is removed at the next open.
                let _ = disk.remove(&slot_name(number));
            }
        }
        let mut tail = self.tail();
        tail.trouble = None;
        tail.folded = position;
        while tail.batches.front().is_some_and(|oldest| oldest.position <= position) {
            if let Some(batch) = tail.batches.pop_front() {
                tail.bytes -= batch.body.len() as u64;
            }
        }
        self.moved.notify_all();
    }

    /// A fold failed: the tables are as before.
    pub(super) fn failed(&self, error: &Error) {
        self.tail().trouble = Some(error.clone());
    }

    /// Returns the error of the last fold, if it failed.
    pub(super) fn trouble(&self) -> Result<(), Error> {
        self.tail().trouble.clone().map_or(Ok(()), Err)
    }

    /// Waits after a failure, at most so long.
    pub(super) fn rest(&self, pause: Duration) {
        let waits = |tail: &mut Tail| tail.stop.is_none();
        drop(self.work.wait_timeout_while(self.tail(), pause, waits));
    }

    /// Makes a segment before an append needs it.
    pub(super) fn make_spare(&self) {
        let Some(log) = &self.log else { return };
        let (disk, number) = {
            let mut log = guard(log);
            let Some(number) = log.wants_spare() else { return };
            (Arc::clone(&log.disk), number)
        };
        // An append that needs one and finds none makes it itself, and tells what is wrong.
        if let Ok(slot) = create_slot(&*disk, number, self.options.segment_bytes) {
            guard(log).spares.push(slot);
        }
    }

    /// Tells how the lane is doing.
    pub(super) fn state(&self) -> State {
        let (log_bytes, poison) = match &self.log {
            Some(log) => {
                let log = guard(log);
                (log.disk_bytes(), log.poisoned.clone())
            }
            None => (0, None),
        };
        let low = self.low_disk();
        let tail = self.tail();
        let refuses = poison.map(Error::Poisoned).or(low).or_else(|| self.long_tail(&tail));
        State { head: tail.head, folded: tail.folded, tail_bytes: tail.bytes, log_bytes, refuses }
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        guard(&self.tail)
    }
}

impl Tail {
    fn push(&mut self, position: u64, body: Bytes) {
        self.head = position;
        self.bytes += body.len() as u64;
        self.batches.push_back(Batch { position, body, received: Instant::now() });
    }
}
