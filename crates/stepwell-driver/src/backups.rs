//! Backups: one at a time, on a thread of its own that steps back behind others.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use stepwell_core::code::Code;
use stepwell_core::time::Timestamp;
use stepwell_store::Store;
use stepwell_store::backup::{Ask, Go, Progress, Taken};

use crate::error::Error;
use crate::handle::Handle;

/// How much the thread steps back behind others, by the measure of `nice`.
#[cfg(target_os = "linux")]
const STEP_BACK: i32 = 10;

/// Where backups go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupPlace {
    /// The folder that holds them; made where it is not there.
    pub folder: PathBuf,
    /// How many of this store stay, at least 1.
    pub kept: usize,
    /// Free bytes that stay on its disk.
    pub reserve: u64,
}

/// What makes backups. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Backups {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    node: Handle,
    place: Option<BackupPlace>,
    stopping: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    thread: Option<JoinHandle<()>>,
    told: BackupState,
}

/// How backups are doing since the server started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupState {
    /// The one that is being made.
    pub running: Option<BackupRunning>,
    /// The last one that was made, and how long that took.
    pub last: Option<(Taken, Duration)>,
    /// The last one that was not made.
    pub last_failure: Option<BackupFailure>,
    /// How many were made.
    pub taken: u64,
    /// How many were not made.
    pub failed: u64,
}

/// A backup that is being made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupRunning {
    /// When it was begun.
    pub at: Timestamp,
    /// How far it is.
    pub progress: Progress,
}

/// A backup that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupFailure {
    /// When it was begun.
    pub at: Timestamp,
    /// Why it was not made.
    pub error: Error,
}

/// What became of asking for a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackupAsked {
    /// When the one that is being made was begun.
    pub at: Timestamp,
    /// This asking began it; otherwise it was being made.
    pub begun: bool,
}

impl Backups {
    /// Makes backups in a place, or none without one.
    pub fn new(node: Handle, place: Option<BackupPlace>) -> Self {
        let state = Mutex::default();
        let stopping = AtomicBool::new(false);
        Self { inner: Arc::new(Inner { node, place, stopping, state }) }
    }

    /// Returns where backups go.
    pub fn place(&self) -> Option<&BackupPlace> {
        self.inner.place.as_ref()
    }

    /// Begins a backup, unless one is being made.
    ///
    /// # Errors
    /// SW4005 where no place is set; SW1008 when the store is being opened, is in no folder, or the server
    /// stops.
    pub fn begin(&self) -> Result<BackupAsked, Error> {
        let inner = &self.inner;
        let Some(place) = inner.place.clone() else {
            let text = "`backup_dir` is not set; accepted: a folder for backups, with --backup-dir DIR, \
                        STEPWELL_BACKUP_DIR or `backup_dir` in the file of settings";
            return Err(Error::new(Code::ConfigInvalid, text));
        };
        let store = inner.node.store().ok_or_else(|| Error::unavailable("the store is opened"))?;
        if store.in_folder().is_none() {
            let why = if store.shared().is_some() {
                "what is in a database is backed up by the tools of the database, such as pg_dump"
            } else {
                "what is kept in memory only cannot be backed up"
            };
            return Err(Error::unavailable(why));
        }
        let mut state = inner.state();
        if let Some(BackupRunning { at, .. }) = state.told.running {
            return Ok(BackupAsked { at, begun: false });
        }
        if inner.stopping.load(Ordering::Acquire) {
            return Err(Error::unavailable("the server stops"));
        }
        let wall = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
        let at = Timestamp::from_micros(0).after(wall);
        let thread = std::thread::Builder::new().name("stepwell-backup".into()).spawn({
            let inner = Arc::clone(inner);
            move || inner.make(&*store, &place, at)
        });
        let thread = thread.map_err(|error| {
            Error::unavailable(format!("the operating system gave no thread: {error}"))
        })?;
        state.thread = Some(thread);
        state.told.running = Some(BackupRunning { at, progress: Progress::default() });
        Ok(BackupAsked { at, begun: true })
    }

    /// Returns the backups that are there, of whatever store, oldest first.
    ///
    /// # Errors
    /// SW1008 when the folder cannot be read.
    pub async fn list(&self) -> Result<Vec<Taken>, Error> {
        let Some(place) = &self.inner.place else { return Ok(Vec::new()) };
        let folder = place.folder.clone();
        let read = move |store: &dyn Store| {
            store.in_folder().map_or_else(|| Ok(Vec::new()), |store| store.backups(&folder))
        };
        self.inner.node.read(read).await
    }

    /// Returns when the newest backup of this store that is there was begun.
    ///
    /// # Errors
    /// As [`Backups::list`].
    pub async fn newest(&self) -> Result<Option<Timestamp>, Error> {
        let Some(place) = &self.inner.place else { return Ok(None) };
        let folder = place.folder.clone();
        let read = move |store: &dyn Store| {
            let Some(store) = store.in_folder() else { return Ok(None) };
            let (id, all) = (store.store_id(), store.backups(&folder)?);
            Ok(all.iter().filter(|taken| taken.store == id).map(|taken| taken.at).max())
        };
        self.inner.node.read(read).await
    }

    /// Tells how backups are doing.
    pub fn state(&self) -> BackupState {
        self.inner.state().told.clone()
    }

    /// Gives up the backup that is being made, and begins none any more. May block.
    pub fn stop(&self) {
        self.inner.stopping.store(true, Ordering::Release);
        let thread = self.inner.state().thread.take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that makes backups panicked");
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a backup, and tells what became of it.
    fn make(&self, store: &dyn Store, place: &BackupPlace, at: Timestamp) {
        // Elsewhere than on Linux the whole process would step back.
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(STEP_BACK);
        let begun = Instant::now();
        let watch = |progress: Progress| {
            if progress.total > 0 {
                self.state().told.running = Some(BackupRunning { at, progress });
            }
            // A store that was let go is opened again: its folder has to be free for that.
            let goes = !self.stopping.load(Ordering::Acquire) && self.node.has(store);
            if goes { Go::On } else { Go::Stop }
        };
        let BackupPlace { folder, kept, reserve } = place;
        let ask = Ask { into: folder, at, kept: *kept, reserve: *reserve, watch: &watch };
        let made = match store.in_folder() {
            Some(store) => store.back_up(&ask).map_err(Error::from),
            None => Err(Error::unavailable("the store is in no folder")),
        };
        let took = begun.elapsed();
        let mut state = self.state();
        state.told.running = None;
        match made {
            Ok(taken) => {
                let (name, bytes, ms) = (&taken.name, taken.bytes, took.as_millis());
                tracing::info!(backup = name, bytes, ms, "backed up");
                state.told.taken += 1;
                state.told.last = Some((taken, took));
            }
            Err(error) => {
                tracing::error!(%error, "the backup was not made");
                state.told.failed += 1;
                state.told.last_failure = Some(BackupFailure { at, error });
            }
        }
    }
}
