//! The embedded store: log, overlay and tables as one.

use std::collections::BTreeSet;
use std::fs::File as StdFile;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Instant;

use stepwell_core::id::RunId;
use stepwell_core::run::Run;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::Error;
use stepwell_store::backup::Restored;
use stepwell_store::batch::Workflow;
use stepwell_store::event::EventWrite;
use stepwell_store::inbox::InboxWrite;

use crate::backup::mark;
use crate::disk::{Disk, OsDisk};
use crate::folder::{self, Found, RUNS};
use crate::log::{Log, Settings, body, recover};
use crate::options::{Options, SEGMENT_MIN};
use crate::overlay::{Overlay, TailBatch, TailWrite};
use crate::rights;
use crate::tables::{self, Damage, Place, Reader, Tables};

/// The name of the tables' file in a folder.
pub(crate) const TABLES: &str = "stepwell.db";
/// How much of the log is put together at recovery, in bytes.
const RECOVERY_SLICE: usize = 32 << 20;

/// A store in a folder: a log that is synced before any answer, folded into SQLite tables.
///
/// Dropping it stops the fold thread. What is not folded then is read from the log at the next open.
pub struct Embedded<D: Disk = OsDisk> {
    pub(crate) shared: Arc<Shared<D>>,
    pub(crate) fold_thread: Mutex<Option<JoinHandle<()>>>,
    /// Held as long as the store is open.
    lock: Option<StdFile>,
}

/// What the fold thread shares with callers.
pub(crate) struct Shared<D: Disk> {
    pub(crate) disk: Arc<D>,
    pub(crate) options: Options,
    pub(crate) settings: Settings,
    pub(crate) log: Mutex<Log<D>>,
    pub(crate) overlay: Mutex<Overlay>,
    pub(crate) tables: Tables,
    /// Held by a reader from before it looks into the tables until it has looked into the overlay.
    /// A fold takes it once between writing tables and dropping from the overlay, so no reader sees
    /// tables from before and the overlay from after.
    pub(crate) gate: RwLock<()>,
    pub(crate) progress: Mutex<Progress>,
    /// Wakes the fold thread.
    pub(crate) work: Condvar,
    /// Wakes those who wait for the fold.
    pub(crate) folded: Condvar,
    /// Runs whose stored history was found to be damaged: they are in no queue, so that nobody
    /// asks for them again and again, until the store is opened anew.
    pub(crate) quarantined: Mutex<BTreeSet<RunId>>,
    /// Of which copy the store was made, as it was opened.
    pub(crate) restored: Option<Restored>,
    /// Its runs are held back.
    pub(crate) held: AtomicBool,
    /// Set with the log's poison, to be read without its lock.
    pub(crate) poisoned: AtomicBool,
}

/// How far the fold is and what is wanted of it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The position up to which the tables are.
    pub(crate) folded: u64,
    /// The position that a reader waits for.
    pub(crate) wanted: u64,
    /// There is a fold thread.
    pub(crate) runs: bool,
    pub(crate) stop: bool,
    /// Why the last fold failed, if it did.
    pub(crate) trouble: Option<Error>,
}

impl Embedded<OsDisk> {
    /// Opens the store of a folder, making both where they are missing.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the folder cannot be made or written in, [`Error::Locked`] when
    /// another process has it, [`Error::Format`] when what is in it
    /// is not read by this version, [`Error::Corrupt`] when something that was durable is missing
    /// or damaged (nothing is served and nothing is changed), [`Error::DiskFull`] and
    /// [`Error::Unavailable`] when the disk refuses.
    pub fn open(path: impl AsRef<Path>, options: Options) -> Result<Self, Error> {
        let folder = path.as_ref();
        folder::make(folder)?;
        let lock = folder::lock(folder)?;
        rights::tighten(folder);
        let place = Place::File(folder.join(TABLES));
        let mut store = Self::open_on(OsDisk::new(folder), place, options)
            .map_err(|error| folder::located(folder, error))?;
        store.lock = Some(lock);
        Ok(store)
    }

    /// Tells whether a folder holds a store, of whatever format; changes nothing.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the folder cannot be read.
    pub fn is_there(path: impl AsRef<Path>) -> Result<bool, Error> {
        let folder = path.as_ref();
        match folder::look(&OsDisk::new(folder), &RUNS) {
            Ok(found) => Ok(found != Found::New),
            Err(Error::Format { .. }) => Ok(true),
            Err(error) => Err(folder::unusable(folder, error.to_string())),
        }
    }
}

impl<D: Disk> Embedded<D> {
    /// Opens a store whose log is on a disk of the caller's. The caller sees to it that there is one
    /// owner.
    ///
    /// # Errors
    /// As [`Embedded::open`], but for [`Error::Locked`].
    pub fn open_on(disk: D, place: Place, options: Options) -> Result<Self, Error> {
        let found = folder::look(&disk, &RUNS)?;
        Self::open_found(disk, place, options, found)
    }

    /// As [`Embedded::open_on`], of a folder that was looked at.
    pub(crate) fn open_found(
        disk: D,
        place: Place,
        mut options: Options,
        found: Found,
    ) -> Result<Self, Error> {
        options.segment_bytes = options.segment_bytes.max(SEGMENT_MIN);
        let disk = Arc::new(disk);
        let settings = |store| Settings {
            store,
            segment_bytes: options.segment_bytes,
            reserve_bytes: options.disk_reserve,
        };
        let (settings, tables) = match found {
            Found::Store { id, .. } => (settings(id), Tables::open(place, id)?),
            Found::New => {
                let settings = settings(options.store_id.map_or_else(draw_id, Ok)?);
                folder::begin(&*disk)?;
                place.discard()?;
                let tables = Tables::open(place, settings.store)?;
                recover::create(&*disk, &settings, 0)?;
                folder::finish(&*disk, &RUNS, settings.store)?;
                (settings, tables)
            }
        };
        let (position, high_water) = {
            let reader = tables.reader()?;
            (tables::position(&reader)?, tables::high_water(&reader)?)
        };
        let recovered = recover::open(&disk, settings, position)?;
        if let Found::Store { id, format } = found {
            // Only now: what is damaged keeps all its files as they are.
            folder::upgrade(&*disk, id, format)?;
        }
        let mut overlay = Overlay::new(position, high_water);
        rebuild_overlay(&mut overlay, &tables, recovered.tail)?;
        // The frame that begins this epoch: nothing to fold but its position.
        let opening =
            Group { position: recovered.log.head, at: overlay.high_water, ..Group::default() };
        overlay.push(Arc::new(opening.into_batch(&overlay, &tables.reader()?)?));
        let restored = mark::read(&*disk)?;
        let shared = Shared {
            held: AtomicBool::new(restored.as_ref().is_some_and(|restored| restored.held)),
            restored,
            disk,
            options,
            settings,
            log: Mutex::new(recovered.log),
            overlay: Mutex::new(overlay),
            tables,
            gate: RwLock::new(()),
            progress: Mutex::new(Progress { folded: position, ..Progress::default() }),
            work: Condvar::new(),
            folded: Condvar::new(),
            quarantined: Mutex::default(),
            poisoned: AtomicBool::new(false),
        };
        Ok(Self { shared: Arc::new(shared), fold_thread: Mutex::new(None), lock: None })
    }

    /// Returns the id that the store got when it was made.
    pub fn store_id(&self) -> u128 {
        self.shared.settings.store
    }
}

impl<D: Disk> Shared<D> {
    pub(crate) fn overlay(&self) -> MutexGuard<'_, Overlay> {
        guard(&self.overlay)
    }

    /// Returns a connection to read tables with, unless the store is poisoned: then it is not known
    /// what is durable.
    pub(crate) fn reader(&self) -> Result<Reader<'_>, Error> {
        self.check_poison()?;
        self.tables.reader()
    }

    pub(crate) fn check_poison(&self) -> Result<(), Error> {
        if !self.poisoned.load(Ordering::Acquire) {
            return Ok(());
        }
        let why = guard(&self.log).poisoned.clone();
        Err(Error::Poisoned(why.unwrap_or_else(|| "a write failed".into())))
    }

    /// Returns a run's whole journal.
    pub(crate) fn journal(&self, run: RunId) -> Result<Option<Vec<u8>>, Error> {
        // The overlay first: what a fold moves meanwhile is then in both, told by its position.
        let reader = self.reader()?;
        let pieces = self.overlay().records(run);
        let stored = tables::journal(&reader, run).map_err(|damage| match damage {
            Damage::Run(why) => {
                guard(&self.quarantined).insert(run);
                Error::Quarantined { run, why }
            }
            Damage::Tables(error) => error,
        })?;
        let mut journal = stored.journal;
        for (_, records) in pieces.iter().filter(|(position, _)| *position > stored.position) {
            journal.get_or_insert_default().extend_from_slice(records);
        }
        Ok(journal)
    }
}

/// Locks. A panic elsewhere while the lock was held has broken nothing that is not checked again.
pub(crate) fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts batches that were read back into the overlay, with their rows made anew from the journals.
fn rebuild_overlay(
    overlay: &mut Overlay,
    tables: &Tables,
    tail: Vec<(u64, bytes::Bytes)>,
) -> Result<(), Error> {
    let reader = tables.reader()?;
    let mut group = Group::default();
    for (position, bytes) in tail {
        let Some(body) = body::decode(&bytes) else {
            return Err(Error::Corrupt(format!("position {position} of the log is not a batch")));
        };
        group.at = if group.position == 0 { body.at } else { group.at.max(body.at) };
        group.position = position;
        group.bytes += bytes.len();
        group.workflows.extend(body.workflows);
        group.events.extend(body.events);
        group.inbox.extend(body.inbox);
        group.runs.extend(body.runs.into_iter().map(|(run, at)| (run, bytes.slice(at))));
        if group.bytes >= RECOVERY_SLICE {
            let batch = std::mem::take(&mut group).into_batch(overlay, &reader)?;
            overlay.push(Arc::new(batch));
        }
    }
    if group.position > 0 {
        let batch = group.into_batch(overlay, &reader)?;
        overlay.push(Arc::new(batch));
    }
    Ok(())
}

/// Batches of the log that are put together at recovery.
#[derive(Default)]
struct Group {
    position: u64,
    at: Timestamp,
    bytes: usize,
    runs: Vec<(RunId, bytes::Bytes)>,
    workflows: Vec<Workflow>,
    events: Vec<EventWrite>,
    inbox: Vec<InboxWrite>,
}

impl Group {
    fn into_batch(mut self, overlay: &Overlay, reader: &Reader<'_>) -> Result<TailBatch, Error> {
        // Stable: the records of a run stay in their order.
        self.runs.sort_by_key(|(run, _)| *run);
        let mut writes: Vec<TailWrite> = Vec::with_capacity(self.runs.len());
        for group in self.runs.chunk_by(|one, other| one.0 == other.0) {
            let Some((run, first)) = group.first() else { continue };
            let records = if group.len() == 1 {
                first.clone()
            } else {
                group.iter().flat_map(|(_, records)| records.iter().copied()).collect()
            };
            let run = *run;
            let after = run_after(run, overlay, reader, &records)?;
            let row = after.as_ref().map(|run| Arc::new(Summary::of(run)));
            let waits = after.as_ref().map(Wait::all_of).unwrap_or_default();
            writes.push(TailWrite { run, records, row, waits });
        }
        Ok(TailBatch {
            position: self.position,
            at: self.at,
            received: Instant::now(),
            bytes: self.bytes as u64,
            writes,
            workflows: self.workflows,
            events: self.events,
            inbox: self.inbox,
        })
    }
}

/// Replays a run whose journal goes on with `records`; `None` when it does not replay: then the run is
/// served to no one, and its records are kept.
fn run_after(
    run: RunId,
    overlay: &Overlay,
    reader: &Reader<'_>,
    records: &[u8],
) -> Result<Option<Run>, Error> {
    let stored = match tables::journal(reader, run) {
        Ok(stored) => stored,
        Err(Damage::Run(_)) => return Ok(None),
        Err(Damage::Tables(error)) => return Err(error),
    };
    let mut journal = stored.journal.unwrap_or_default();
    for (_, piece) in overlay.records(run) {
        journal.extend_from_slice(&piece);
    }
    journal.extend_from_slice(records);
    Ok(Run::replay(run, &journal).ok())
}

pub(crate) fn draw_id() -> Result<u128, Error> {
    let mut bytes = [0; 16];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|e| Error::Unavailable(format!("cannot draw the id of the store: {e}")))?;
    Ok(u128::from_le_bytes(bytes))
}
