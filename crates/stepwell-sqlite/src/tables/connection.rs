//! Connections to SQLite.

use std::fs::OpenOptions;
use std::ops::Deref;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};
use stepwell_store::Error;

use super::schema::{DISCARD, LATER, LATER_INDEXES, SCHEMA, STEPS};

/// How long a connection waits for another process that reads the file, such as `sqlite3`.
const BUSY: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps.
const STATEMENTS: usize = 64;
/// Size to which the file beside the tables shrinks when it is used anew, in bytes.
const WAL_KEPT: i64 = 16 << 20;
/// Pages that are kept in memory while tables are copied, in KiB.
const COPY_CACHE_KIB: i64 = 2_048;
/// Format of the tables that is written and read.
const FORMAT: i64 = 1;

/// Where the tables are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file, with SQLite's own files beside it.
    File(PathBuf),
    /// The memory of this process, under a name: there as long as one connection to it is open, and
    /// for stores that one thread uses, since `SQLite` has no snapshots there.
    Memory(String),
}

impl Place {
    /// Opens a connection.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when SQLite refuses, [`Error::Corrupt`] when it finds damage.
    pub(crate) fn connect(&self) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match self {
            Self::File(path) => Connection::open_with_flags(path, flags),
            Self::Memory(name) => Connection::open_with_flags(
                format!("file:/{name}?vfs=memdb"),
                flags | OpenFlags::SQLITE_OPEN_URI,
            ),
        };
        let connection = connection.map_err(|e| failed(&e))?;
        let set = || {
            connection.busy_timeout(BUSY)?;
            // Else a statement is compiled anew each time that other values are bound to it.
            connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.pragma_update(None, "temp_store", "memory")
        };
        set().map_err(|e| failed(&e))?;
        Ok(connection)
    }

    /// Makes empty tables for a copy, and opens a connection that writes them. They are durable once
    /// their file was synced.
    ///
    /// # Errors
    /// As [`Place::connect`].
    pub(crate) fn connect_new(&self) -> Result<Connection, Error> {
        let Self::File(path) = self else { return self.connect() };
        // Made here, since SQLite would let every user of the machine read it.
        private(path)?;
        let connection = self.connect()?;
        let set = || {
            connection.pragma_update(None, "journal_mode", "off")?;
            connection.pragma_update(None, "synchronous", "off")?;
            connection.pragma_update(None, "cache_size", -COPY_CACHE_KIB)
        };
        set().map_err(|e| failed(&e))?;
        Ok(connection)
    }

    /// Removes what an attempt to make a store left behind.
    pub(crate) fn discard(&self) -> Result<(), Error> {
        let path = match self {
            Self::File(path) => path,
            Self::Memory(_) => {
                return self.connect()?.execute_batch(DISCARD).map_err(|e| failed(&e));
            }
        };
        for suffix in ["", "-wal", "-shm", "-journal"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            match std::fs::remove_file(&name) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    let why = format!("cannot remove {}: {error}", name.display());
                    return Err(Error::Unavailable(why));
                }
            }
        }
        Ok(())
    }
}

/// The tables of one store: a connection that writes, and a pool of those that read.
#[derive(Debug)]
pub(crate) struct Tables {
    place: Place,
    /// Held while a fold or a purge writes.
    pub(crate) writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Tables {
    /// Opens the tables, making them where they are missing.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when they are another store's or damaged, [`Error::Format`] when a later
    /// version wrote them, [`Error::Unavailable`] when SQLite refuses.
    pub(crate) fn open(place: Place, store: u128) -> Result<Self, Error> {
        Self::open_as(place, |writer, place| prepare(writer, place, store))
    }

    /// Opens tables that `prepare` makes where they are missing, and checks.
    ///
    /// # Errors
    /// As [`Tables::open`].
    pub(crate) fn open_as(
        place: Place,
        prepare: impl FnOnce(&Connection, &Place) -> Result<(), Error>,
    ) -> Result<Self, Error> {
        if let Place::File(path) = &place {
            private(path)?;
        }
        let writer = place.connect()?;
        prepare(&writer, &place)?;
        Ok(Self { place, writer: Mutex::new(writer), readers: Mutex::default() })
    }

    /// Gives tables to another store. Nobody else has them open but to read.
    ///
    /// # Errors
    /// As [`Tables::open`].
    pub(crate) fn hand_over(place: &Place, store: u128) -> Result<(), Error> {
        let writer = place.connect()?;
        let give = || {
            writer.pragma_update(None, "synchronous", "full")?;
            let set = "UPDATE meta SET value = ?1 WHERE name = 'store'";
            writer.execute(set, [format!("{store:032x}")])?;
            writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        give().map_err(|e| failed(&e))
    }

    /// Returns a connection to read with; it goes back into the pool when dropped.
    pub(crate) fn reader(&self) -> Result<Reader<'_>, Error> {
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = if let Some(connection) = pooled {
            connection
        } else {
            let connection = self.place.connect()?;
            connection.pragma_update(None, "query_only", true).map_err(|e| failed(&e))?;
            connection
        };
        Ok(Reader { tables: self, connection: Some(connection) })
    }

    /// Returns the size of the tables on disk, in bytes; 0 in memory.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let Place::File(path) = &self.place else { return 0 };
        let size = |suffix: &str| {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            std::fs::metadata(name).map_or(0, |file| file.len())
        };
        size("") + size("-wal")
    }
}

/// A connection on loan from the pool.
pub(crate) struct Reader<'a> {
    tables: &'a Tables,
    connection: Option<Connection>,
}

impl Deref for Reader<'_> {
    type Target = Connection;

    #[expect(clippy::expect_used, reason = "the connection is taken in `drop` only")]
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("a reader holds its connection until it is dropped")
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.tables.readers.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

/// Makes a file that only its owner may read, where it is not there.
fn private(path: &Path) -> Result<(), Error> {
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            Err(Error::DiskFull { free: 0, reserve: 0 })
        }
        Err(error) => {
            Err(Error::Unavailable(format!("the tables: cannot open {}: {error}", path.display())))
        }
    }
}

fn prepare(writer: &Connection, place: &Place, store: u128) -> Result<(), Error> {
    let make = || {
        shape(writer, place)?;
        writer.execute_batch("BEGIN IMMEDIATE")?;
        writer.execute_batch(SCHEMA)?;
        for (table, column, add) in LATER {
            let known = "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2)";
            if !writer.query_row(known, params![table, column], |row| row.get::<_, bool>(0))? {
                writer.execute_batch(add)?;
            }
        }
        writer.execute_batch(LATER_INDEXES)?;
        writer.execute_batch(STEPS)?;
        begin_meta(writer, FORMAT, store)?;
        writer.execute(KNOWN, params!["high_water", i64::MIN])?;
        writer.execute_batch("COMMIT")
    };
    make().map_err(|e| failed(&e))?;
    check_meta(writer, FORMAT, store)
}

/// Says how tables behind a log are kept.
pub(crate) fn shape(writer: &Connection, place: &Place) -> rusqlite::Result<()> {
    if let Place::File(_) = place {
        // Journals are some kilobytes: pages of 4 KiB would hold one each and waste the rest.
        writer.pragma_update(None, "page_size", 8_192)?;
        writer.pragma_update(None, "journal_mode", "wal")?;
        // What was folded leaves the log, so a fold must be as durable as the log.
        writer.pragma_update(None, "synchronous", "full")?;
        writer.pragma_update(None, "cache_size", -32_768)?;
        // What a large fold needed beside the tables is given back.
        writer.pragma_update(None, "journal_size_limit", WAL_KEPT)?;
    }
    Ok(())
}

const KNOWN: &str = "INSERT OR IGNORE INTO meta (name, value) VALUES (?1, ?2)";

/// Notes what new tables are, and that they hold nothing of the log.
pub(crate) fn begin_meta(writer: &Connection, format: i64, store: u128) -> rusqlite::Result<()> {
    writer.execute(KNOWN, params!["format", format])?;
    writer.execute(KNOWN, params!["store", format!("{store:032x}")])?;
    writer.execute(KNOWN, params!["position", 0])?;
    Ok(())
}

/// Refuses tables of another format, and those of another store.
pub(crate) fn check_meta(writer: &Connection, format: i64, store: u128) -> Result<(), Error> {
    let meta = |name: &str| {
        writer
            .query_row("SELECT CAST(value AS TEXT) FROM meta WHERE name = ?1", [name], |row| {
                row.get::<_, String>(0)
            })
            .optional()
            .map_err(|e| failed(&e))
            .map(Option::unwrap_or_default)
    };
    let (known, owner) = (meta("format")?, meta("store")?);
    if known != format.to_string() {
        let found = format!("a database of format {known}");
        return Err(Error::Format { found, known: format.to_string() });
    }
    if owner != format!("{store:032x}") {
        let why = format!("the tables belong to store {owner}, the log is of store {store:032x}");
        return Err(Error::Corrupt(why));
    }
    Ok(())
}

/// Makes the error of a call of SQLite that failed.
pub(crate) fn failed(error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::Corrupt(format!("the tables: {error}"))
        }
        Some(ErrorCode::DiskFull) => Error::DiskFull { free: 0, reserve: 0 },
        _ => Error::Unavailable(format!("the tables: {error}")),
    }
}
