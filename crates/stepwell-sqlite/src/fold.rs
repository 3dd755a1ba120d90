//! Folding: what the log holds goes into tables, in large transactions, in the background.
//!
//! New runs are put behind others, many to a page. News of runs that are there already are all over the
//! tables: a page for each, which takes as long to write as a full one, and syncs of the log wait behind
//! such writes. So these are folded late and much of it at once, unless somebody waits for them: when
//! nothing is committed, when there is a lot, or when it is old.

use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;
use stepwell_store::Error;

use crate::disk::Disk;
use crate::embedded::{Embedded, Progress, Shared, guard};
use crate::log::create_slot;
use crate::options::Options;
use crate::overlay::{TailBatch, put_together};
use crate::tables;

/// How often the fold thread looks for batches that are old enough.
const TICK: Duration = Duration::from_millis(100);
/// How long the fold thread waits after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(500);
/// How much the fold thread steps back behind others, by the measure of `nice`.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;
/// How much larger transactions are that write all over the tables.
const WIDE: u64 = 4;
/// How many writes are dropped from the overlay between two commits.
const TRIM_SLICE: usize = 512;

/// What one step of the fold did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Batches that went into tables.
    pub batches: usize,
    /// Runs that they changed.
    pub runs: usize,
    /// The position up to which the tables are now.
    pub position: u64,
    /// There is more that is old enough.
    pub more: bool,
}

impl<D: Disk> Embedded<D> {
    /// Starts the thread that folds. It stops when the store is dropped.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the system gives no thread.
    pub fn spawn_fold(&self) -> Result<(), Error> {
        let mut thread = guard(&self.fold_thread);
        if thread.is_some() {
            return Ok(());
        }
        let shared = Arc::clone(&self.shared);
        guard(&shared.progress).runs = true;
        let spawned = thread::Builder::new().name("stepwell-fold".into()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.fold_loop()
        });
        match spawned {
            Ok(handle) => {
                *thread = Some(handle);
                Ok(())
            }
            Err(error) => {
                guard(&shared.progress).runs = false;
                Err(Error::Unavailable(format!("cannot start the fold thread: {error}")))
            }
        }
    }

    /// Does one step of the fold: one transaction, with at most `max_bytes` of what is due at `now`,
    /// engine time. For callers that run without threads.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Unavailable`], [`Error::Corrupt`]: the tables are as before,
    /// and the log still holds everything.
    pub fn fold_once(&self, now: Timestamp, max_bytes: u64) -> Result<Folded, Error> {
        match self.shared.due(|batch| now.since(batch.at)) {
            Some(target) => self.shared.fold_slice(target, max_bytes),
            None => Ok(Folded { position: self.shared.overlay().folded, ..Folded::default() }),
        }
    }

    /// Folds everything that is durable now.
    ///
    /// # Errors
    /// As [`Embedded::fold_once`].
    pub fn fold_all(&self) -> Result<(), Error> {
        let head = self.shared.overlay().head;
        self.shared.fold_to(head)
    }
}

impl<D: Disk> Drop for Embedded<D> {
    fn drop(&mut self) {
        guard(&self.shared.progress).stop = true;
        self.shared.work.notify_all();
        if let Some(handle) = guard(&self.fold_thread).take() {
            // A panic of the thread was told by the panic hook; the log holds what it did not fold.
            let _ = handle.join();
        }
    }
}

impl<D: Disk> Shared<D> {
    /// Folds until the tables are at a position.
    pub(crate) fn fold_to(&self, position: u64) -> Result<(), Error> {
        while self.fold_slice(position, self.options.fold_slice)?.more {}
        Ok(())
    }

    /// Waits until the tables are at a position, at most for `patience`. Without a fold thread it
    /// folds itself, unless there is no patience at all.
    pub(crate) fn await_fold(&self, position: u64, patience: Duration) -> Result<(), Error> {
        let mut progress = guard(&self.progress);
        if progress.folded >= position || patience.is_zero() {
            return Ok(());
        }
        if !progress.runs {
            drop(progress);
            return match self.fold_to(position) {
                // The answer is then of the tables as they are, and says so.
                Err(Error::DiskFull { .. } | Error::Unavailable(_)) | Ok(()) => Ok(()),
                Err(error) => Err(error),
            };
        }
        progress.wanted = progress.wanted.max(position);
        self.work.notify_one();
        let waits = |now: &mut Progress| now.folded < position && !now.stop;
        let _ = self.folded.wait_timeout_while(progress, patience, waits);
        Ok(())
    }

    /// Folds the oldest batches up to a position in one transaction.
    fn fold_slice(&self, to: u64, max_bytes: u64) -> Result<Folded, Error> {
        let mut writer = guard(&self.tables.writer);
        let batches = self.overlay().slice(to, max_bytes);
        let Some(last) = batches.last() else {
            return Ok(Folded { position: self.overlay().folded, ..Folded::default() });
        };
        let position = last.position;
        let fold = put_together(&batches);
        let written = tables::write(&mut writer, &fold).map_err(|error| match error {
            Error::DiskFull { .. } => self.disk_full(),
            other => other,
        });
        guard(&self.progress).trouble = written.as_ref().err().cloned();
        written?;
        // Readers that looked into the tables before this transaction are waited for: they still
        // need the overlay as it is.
        drop(self.gate.write().unwrap_or_else(PoisonError::into_inner));
        self.overlay().folded = position;
        while self.overlay().trim(TRIM_SLICE) {}
        let early = planted::has(Plant::EarlyTrim);
        let unused = guard(&self.log).trim(if early { u64::MAX } else { position });
        for number in unused {
            // What cannot be removed now is removed at the next open.
            let _ = self.disk.remove(&crate::log::slot_name(number));
        }
        drop(writer);
        guard(&self.progress).folded = position;
        self.folded.notify_all();
        let folded =
            Folded { batches: batches.len(), runs: fold.runs.len(), position, more: false };
        Ok(Folded {
            more: self.overlay().oldest().is_some_and(|next| next.position <= to),
            ..folded
        })
    }

    fn disk_full(&self) -> Error {
        let free = self.disk.free_space().unwrap_or(0);
        Error::DiskFull { free, reserve: self.options.disk_reserve }
    }

    fn fold_loop(&self) {
        // Whoever waits for a run goes first where processors are taken. A tail that grows for it makes
        // new runs wait. Elsewhere than on Linux the whole process would step back. A system that does
        // not let a thread step back folds all the same.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(STEP_BACK);
        loop {
            let failed = self.fold_due().is_err();
            self.make_spare();
            let idle = self.overlay().oldest().is_none();
            let progress = guard(&self.progress);
            if progress.stop {
                return;
            }
            if failed {
                let waits = |now: &mut Progress| !now.stop;
                let _ = self.work.wait_timeout_while(progress, AFTER_FAILURE, waits);
            } else if progress.wanted <= progress.folded {
                // A commit wakes the thread without taking this lock, so a wake may be missed: a
                // batch is then folded a tick later.
                let wait = if idle { TICK * 10 } else { TICK };
                let _ = self.work.wait_timeout(progress, wait);
            }
        }
    }

    /// Folds what is due, a slice at a time.
    fn fold_due(&self) -> Result<(), Error> {
        loop {
            let now = Instant::now();
            let Some(target) = self.due(|batch| now.duration_since(batch.received)) else {
                return Ok(());
            };
            let wide = if self.overlay().is_scattered() { WIDE } else { 1 };
            while self.fold_slice(target, self.options.fold_slice * wide)?.more {
                if guard(&self.progress).stop {
                    return Ok(());
                }
            }
        }
    }

    /// Returns up to where is to be folded, by the age of batches.
    fn due(&self, age: impl Fn(&TailBatch) -> Duration) -> Option<u64> {
        let (wanted, stop) = {
            let progress = guard(&self.progress);
            (progress.wanted, progress.stop)
        };
        let Options { fold_after, fold_late, fold_beyond, .. } = self.options;
        let overlay = self.overlay();
        let (oldest, newest) = (overlay.oldest()?, overlay.newest()?);
        let idle = (age(newest) >= fold_after).then_some(newest.position);
        // With what is due goes what is half of it: fewer, larger transactions, and fewer runs whose
        // records are parted.
        let scattered = overlay.is_scattered();
        let bound = if scattered { fold_late } else { fold_after };
        let old = age(oldest) >= bound;
        let aged = overlay.last_where(|batch| old && age(batch) >= bound / 2);
        let room = if scattered { fold_beyond / 2 } else { 0 };
        let long = overlay.bytes() > fold_beyond + room;
        let beyond = overlay.position_beyond(fold_beyond / 2).filter(|_| long);
        let asked = (wanted > overlay.folded).then_some(wanted);
        idle.max(aged).max(beyond).max(asked).filter(|_| !stop)
    }

    /// Makes a segment before a commit needs it.
    fn make_spare(&self) {
        let Some(number) = guard(&self.log).wants_spare() else { return };
        // A commit that needs one and finds none makes it itself, and tells what is wrong.
        if let Ok(slot) = create_slot(&*self.disk, number, self.settings.segment_bytes) {
            guard(&self.log).spares.push(slot);
        }
    }
}
