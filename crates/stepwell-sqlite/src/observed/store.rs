//! The store of observed runs: its folder, its log, its tables, its thread.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rusqlite::Connection;
use stepwell_store::Error;

use super::fault::Fault;
use super::flows::Flows;
use super::lane::{Lane, Stop};
use super::options::Options;
use super::{TABLES, schema};
use crate::disk::{Disk, OsDisk};
use crate::embedded::{draw_id, guard};
use crate::folder::{self, Found, OBSERVED};
use crate::log::{Settings, recover};
use crate::options::SEGMENT_MIN;
use crate::tables::{self, Place, Tables};

/// The name of the folder inside of a data folder.
pub(crate) const FOLDER: &str = "observed";

/// Keeps observed runs in a folder, or in memory (§10).
///
/// Dropping it stops its thread; what is not in tables then is read from the log at the next open.
pub struct SqliteObserved<D: Disk = OsDisk> {
    pub(super) shared: Arc<Shared<D>>,
    pub(super) thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread shares with callers.
pub(super) struct Shared<D: Disk> {
    pub(super) lane: Lane<D>,
    pub(super) tables: Tables,
    pub(super) flows: Flows,
    pub(super) options: Options,
    /// There is one connection only: `SQLite` has no snapshots in memory.
    is_in_memory: bool,
}

impl SqliteObserved<OsDisk> {
    /// Opens the observed runs of a data folder that the caller owns, making what is missing, and starts
    /// the thread that puts them into tables.
    ///
    /// # Errors
    /// [`Error::Unusable`] when the folder cannot be made, [`Error::Format`] when what is in it is not
    /// read by this version, [`Error::Corrupt`] when something that was durable is missing or damaged,
    /// [`Error::DiskFull`] and [`Error::Unavailable`] when the disk refuses.
    pub fn open(data: impl AsRef<Path>, options: Options) -> Result<Self, Error> {
        let folder = data.as_ref().join(FOLDER);
        folder::make(&folder)?;
        // What is in it is durable only once the folder itself is.
        OsDisk::new(data.as_ref()).sync_dir().map_err(|error| {
            folder::unusable(&folder, format!("it cannot be made durable: {error}"))
        })?;
        let place = Place::File(folder.join(TABLES));
        let store = Self::open_on(OsDisk::new(&folder), place, options)
            .map_err(|error| folder::located(&folder, error))?;
        store.spawn()?;
        Ok(store)
    }

    /// Keeps observed runs in the memory of this process, for as long as it runs.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the system gives no memory or no thread.
    pub fn in_memory() -> Result<Self, Error> {
        let id = draw_id()?;
        let place = Place::Memory(format!("{FOLDER}-{id:032x}"));
        let tables = Tables::open_as(place, |writer, place| schema::prepare(writer, place, id))?;
        let options = Options::default();
        let lane = Lane::new(None, Vec::new(), 0, options.clone());
        let store = Self::of(Shared::new(lane, tables, options, true));
        store.spawn()?;
        Ok(store)
    }
}

impl<D: Disk> SqliteObserved<D> {
    /// Opens observed runs whose log is on a disk of the caller's, without a thread: the caller sees to it
    /// that there is one owner, and folds.
    ///
    /// # Errors
    /// As [`SqliteObserved::open`].
    pub fn open_on(disk: D, place: Place, options: Options) -> Result<Self, Error> {
        let disk = Arc::new(disk);
        let settings = |store| Settings {
            store,
            segment_bytes: options.segment_bytes.max(SEGMENT_MIN),
            reserve_bytes: options.disk_reserve,
        };
        let open =
            |place, id| Tables::open_as(place, |writer, place| schema::prepare(writer, place, id));
        let (settings, tables) = match folder::look(&*disk, &OBSERVED)? {
            Found::Store { id, .. } => (settings(id), open(place, id)?),
            Found::New => {
                let settings = settings(draw_id()?);
                folder::begin(&*disk)?;
                place.discard()?;
                let tables = open(place, settings.store)?;
                recover::create(&*disk, &settings, 0)?;
                folder::finish(&*disk, &OBSERVED, settings.store)?;
                (settings, tables)
            }
        };
        let position = tables::position(&*tables.reader()?)?;
        let recovered = recover::open(&disk, settings, position)?;
        let lane = Lane::new(Some(recovered.log), recovered.tail, position, options.clone());
        Ok(Self::of(Shared::new(lane, tables, options, false)))
    }

    fn of(shared: Shared<D>) -> Self {
        Self { shared: Arc::new(shared), thread: Mutex::new(None) }
    }
}

impl<D: Disk> Shared<D> {
    fn new(lane: Lane<D>, tables: Tables, options: Options, is_in_memory: bool) -> Self {
        Self { lane, tables, flows: Flows::default(), options, is_in_memory }
    }

    /// Reads the tables as of one instant.
    pub(super) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let at_once = |connection: &Connection| {
            let snapshot = connection.unchecked_transaction()?;
            read(&snapshot)
        };
        let answer = if self.is_in_memory {
            at_once(&guard(&self.tables.writer))
        } else {
            at_once(&*self.tables.reader()?)
        };
        answer.map_err(|error| tables::failed(&error))
    }

    /// Changes the tables, all or nothing.
    pub(super) fn write<T>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, Fault>,
    ) -> Result<T, Error> {
        let mut writer = guard(&self.tables.writer);
        let at_once = || -> Result<T, Fault> {
            let behaviour = rusqlite::TransactionBehavior::Immediate;
            let transaction = writer.transaction_with_behavior(behaviour)?;
            let written = write(&transaction)?;
            transaction.commit()?;
            Ok(written)
        };
        // What was made in a transaction that failed is not there.
        at_once().inspect_err(|_| self.flows.forget()).map_err(Error::from)
    }
}

/// Tells whether any observed run or flow is in a data folder that the caller owns.
///
/// # Errors
/// As [`SqliteObserved::open`].
pub(crate) fn holds(data: &Path) -> Result<bool, Error> {
    let folder = data.join(FOLDER);
    if !folder.is_dir() || folder::look(&OsDisk::new(&folder), &OBSERVED)? == Found::New {
        return Ok(false);
    }
    let place = Place::File(folder.join(TABLES));
    let store = SqliteObserved::open_on(OsDisk::new(&folder), place, Options::default())?;
    let sql = "SELECT EXISTS (SELECT 1 FROM runs) OR EXISTS (SELECT 1 FROM flows)";
    let any = store.shared.read(|tables| tables.query_row(sql, [], |row| row.get::<_, bool>(0)))?;
    Ok(any || store.shared.lane.state().tail_bytes > 0)
}

impl<D: Disk> Drop for SqliteObserved<D> {
    fn drop(&mut self) {
        self.end(Stop::Now);
    }
}

impl<D: Disk> fmt::Debug for SqliteObserved<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lane.state();
        f.debug_struct("SqliteObserved")
            .field("head", &state.head)
            .field("folded", &state.folded)
            .finish_non_exhaustive()
    }
}
