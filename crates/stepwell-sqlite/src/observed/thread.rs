//! What is done in the background: batches into tables, and what time alone changes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use stepwell_core::time::Timestamp;
use stepwell_store::Error;

use super::lane::{Batch, Due, Stop};
use super::store::{Shared, SqliteObserved};
use crate::disk::Disk;
use crate::embedded::guard;

/// How long the thread waits where nothing was appended.
const IDLE: Duration = Duration::from_secs(1);
/// How long it waits after a failure.
const AFTER_FAILURE: Duration = Duration::from_millis(500);
/// How far it steps back behind others, by the measure of `nice`.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;

impl<D: Disk> SqliteObserved<D> {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the system gives no thread.
    pub(super) fn spawn(&self) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        shared.lane.set_threaded(true);
        let named = thread::Builder::new().name("stepwell-observed".into());
        match named.spawn(move || shared.go_on()) {
            Ok(handle) => {
                *guard(&self.thread) = Some(handle);
                Ok(())
            }
            Err(error) => {
                self.shared.lane.set_threaded(false);
                let why = format!("cannot start the thread of observed runs: {error}");
                Err(Error::Unavailable(why))
            }
        }
    }

    /// Puts everything that was appended into tables, for callers without a thread.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::Unavailable`], [`Error::Corrupt`]: the tables are as before, and
    /// the log still holds everything.
    pub fn fold_all(&self) -> Result<(), Error> {
        self.shared.fold_all()
    }

    /// Ends the thread, once.
    pub(super) fn end(&self, how: Stop) {
        self.shared.lane.stop(how);
        if let Some(handle) = guard(&self.thread).take() {
            // A panic of the thread was told by the panic hook; the log holds what it did not fold.
            let _ = handle.join();
        }
    }
}

impl<D: Disk> Shared<D> {
    /// Puts everything that was appended into tables.
    pub(super) fn fold_all(&self) -> Result<(), Error> {
        loop {
            let batches = self.lane.slice();
            if batches.is_empty() {
                return Ok(());
            }
            self.fold(&batches)?;
        }
    }

    /// Waits for the fold of everything that was appended before. Tells whether it was too short.
    pub(super) fn await_fold(&self) -> Result<bool, Error> {
        let head = self.lane.head();
        if self.lane.is_threaded() {
            return Ok(!self.lane.wait(head, self.options.patience));
        }
        self.fold_all()?;
        Ok(false)
    }

    /// Waits for the fold of everything that was appended before, however long it takes.
    pub(super) fn await_all(&self) -> Result<(), Error> {
        let head = self.lane.head();
        while self.lane.is_threaded() {
            if self.lane.wait(head, IDLE) {
                return Ok(());
            }
            self.lane.trouble()?;
        }
        self.fold_all()
    }

    fn go_on(&self) {
        // Whoever waits for a durable run goes first where processors are taken. Elsewhere than on Linux
        // the whole process would step back. A system that does not let a thread step back folds all the
        // same.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(STEP_BACK);
        let mut wait = IDLE;
        loop {
            let batches = match self.lane.due(wait) {
                Due::End => break,
                Due::Fold(batches) => batches,
                Due::Nothing => Vec::new(),
            };
            // A panic must not end the thread: nothing would be folded any more, and nobody told why.
            let turn = catch_unwind(AssertUnwindSafe(|| self.turn(&batches)));
            match turn.unwrap_or_else(|_| Err(self.panicked())) {
                Ok(true) => wait = Duration::ZERO,
                Ok(false) => wait = IDLE,
                Err(_) => {
                    // Why is told to whom it concerns; the log holds what was not folded.
                    self.lane.rest(AFTER_FAILURE);
                    wait = IDLE;
                }
            }
        }
        self.lane.set_threaded(false);
    }

    /// Does what is due. Tells whether there is more to do.
    fn turn(&self, batches: &[Batch]) -> Result<bool, Error> {
        let folded = self.fold(batches);
        self.lane.make_spare();
        folded?;
        self.keep_house(clock())
    }

    fn panicked(&self) -> Error {
        // What was made in the transaction is not there.
        self.flows.forget();
        let error = Error::Unavailable("the fold panicked".into());
        self.lane.failed(&error);
        error
    }
}

/// Returns the time of the machine.
fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::MIN.max(Timestamp::default().after(since))
}
