//! The ledger in SQLite.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row as SqlRow, params};
use stepwell_access::audit::{Ask, Chain, Entry, Hash as RowHash, Order, ROOT, Row};
use stepwell_access::key::{Hash, Previous};
use stepwell_access::ledger::{BulkAsk, Error, Ledger};
use stepwell_access::{Bulk, Key, KeyId, Namespace, Pepper, Secret};
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;

use super::bulks;
use super::schema::{FORMAT, SCHEMA};

/// How long a connection waits for another process that reads the file, such as `sqlite3`.
const BUSY: Duration = Duration::from_secs(5);

/// A key that nobody has: its hash says whether a pepper is the one of a ledger.
const PROBE: [u8; 32] = [0; 32];

/// Under what it is noted how far traces were exported: the end of a run and its id, 8 and 16 bytes.
pub(crate) const EXPORTED: &str = "exported";

/// A ledger in SQLite, with one connection.
#[derive(Debug)]
pub struct SqliteLedger {
    connection: Mutex<Connection>,
}

pub(super) type Sql<T> = Result<T, rusqlite::Error>;

impl SqliteLedger {
    /// Opens the database of a ledger, making its tables where they are not there.
    pub(super) fn open(file: &Path) -> Result<Self, Error> {
        let connection = Connection::open(file).map_err(|error| failed(&error))?;
        let prepare = || {
            connection.busy_timeout(BUSY)?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            // Each write is durable when it returns.
            connection.pragma_update(None, "synchronous", "full")?;
            connection.execute_batch("BEGIN IMMEDIATE")?;
            connection.execute_batch(SCHEMA)?;
            let known = "INSERT OR IGNORE INTO meta (name, value) VALUES ('format', ?1)";
            connection.execute(known, [FORMAT.to_string().into_bytes()])?;
            connection.execute_batch("COMMIT")
        };
        prepare().map_err(|error| failed(&error))?;
        let ledger = Self { connection: Mutex::new(connection) };
        let format = ledger.meta("format")?.unwrap_or_default();
        if format != FORMAT.to_string().into_bytes() {
            return Err(Error::Corrupt(format!(
                "it has format {}, and this version reads {FORMAT}",
                String::from_utf8_lossy(&format)
            )));
        }
        Ok(ledger)
    }

    /// Tells whether it is noted which pepper is this ledger's.
    pub(super) fn knows_pepper(&self) -> Result<bool, Error> {
        Ok(self.meta("pepper")?.is_some())
    }

    /// Notes which pepper is this ledger's.
    pub(super) fn take_pepper(&self, pepper: &Pepper) -> Result<(), Error> {
        let probe = probe(pepper);
        let note = "INSERT INTO meta (name, value) VALUES ('pepper', ?1)";
        self.run(|sql| sql.execute(note, [probe.as_bytes()]).map(drop))
    }

    /// Tells whether a pepper is this ledger's.
    pub(super) fn is_of(&self, pepper: &Pepper) -> Result<bool, Error> {
        let noted = self.meta("pepper")?;
        let noted = noted.and_then(|bytes| bytes.try_into().ok()).map(Hash::from_bytes);
        Ok(noted == Some(probe(pepper)))
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let ask = "SELECT value FROM meta WHERE name = ?1";
        self.run(|sql| sql.query_row(ask, [name], |row| row.get(0)).optional())
    }

    fn run<T>(&self, run: impl FnOnce(&Connection) -> Sql<T>) -> Result<T, Error> {
        run(&self.connection()).map_err(|error| failed(&error))
    }

    /// Runs in a transaction, which is taken back where something fails.
    fn write<T>(&self, run: impl FnOnce(&Connection) -> Sql<T>) -> Result<T, Error> {
        let mut connection = self.connection();
        let write = || {
            let transaction =
                connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            let done = run(&transaction)?;
            transaction.commit()?;
            Ok(done)
        };
        write().map_err(|error| failed(&error))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger for SqliteLedger {
    fn namespaces(&self) -> Result<Vec<Namespace>, Error> {
        let ask = "SELECT name, created_at, created_by, closed_at FROM namespaces ORDER BY name";
        self.run(|sql| sql.prepare_cached(ask)?.query_map([], namespace)?.collect())
    }

    fn put_namespace(&self, namespace: &Namespace) -> Result<(), Error> {
        let Namespace { name, created_at, created_by, closed_at } = namespace;
        let put = "INSERT OR REPLACE INTO namespaces (name, created_at, created_by, closed_at) \
                   VALUES (?1, ?2, ?3, ?4)";
        let (created_at, closed_at) = (created_at.as_micros(), closed_at.map(Timestamp::as_micros));
        self.write(|sql| {
            sql.execute(put, params![&**name, created_at, created_by, closed_at]).map(drop)
        })
    }

    fn remove_namespace(&self, name: &str) -> Result<(), Error> {
        self.write(|sql| {
            sql.execute("DELETE FROM keys WHERE namespace = ?1", [name])?;
            bulks::forget_namespace(sql, name)?;
            sql.execute("DELETE FROM namespaces WHERE name = ?1", [name]).map(drop)
        })
    }

    fn keys(&self) -> Result<Vec<Key>, Error> {
        let ask = "SELECT id, name, namespace, role, hash, generation, previous_hash, \
                   previous_until, created_at, created_by, expires_at, revoked_at, last_used_at \
                   FROM keys ORDER BY n";
        self.run(|sql| sql.prepare_cached(ask)?.query_map([], key)?.collect())
    }

    fn put_key(&self, key: &Key) -> Result<(), Error> {
        self.write(|sql| put_key(sql, key))
    }

    fn put_first_key(&self, key: &Key) -> Result<bool, Error> {
        let any = "SELECT EXISTS (SELECT 1 FROM keys)";
        self.write(|sql| {
            let is_first = !sql.query_row(any, [], |row| row.get::<_, bool>(0))?;
            if is_first {
                put_key(sql, key)?;
            }
            Ok(is_first)
        })
    }

    fn used(&self, keys: &[(KeyId, Timestamp)]) -> Result<(), Error> {
        self.write(|sql| {
            let mut note = sql.prepare_cached("UPDATE keys SET last_used_at = ?2 WHERE id = ?1")?;
            for (id, at) in keys {
                note.execute(params![id.as_str(), at.as_micros()])?;
            }
            Ok(())
        })
    }

    fn append(&self, entry: Entry) -> Result<Row, Error> {
        let last = "SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1";
        let put = "INSERT INTO audit (n, at, namespace, key, key_name, address, act, object, \
                   reason, outcome, of_n, hash) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        self.write(|sql| {
            let last = sql
                .query_row(last, [], |row| Ok((unsigned(row.get(0)?), RowHash(row.get(1)?))))
                .optional()?;
            let row = Chain::from(last.unwrap_or((0, ROOT))).next(entry);
            let entry = &row.entry;
            let values = params![
                signed(row.n),
                entry.at.as_micros(),
                &*entry.namespace,
                entry.key.as_ref().map(KeyId::as_str),
                entry.key_name,
                entry.from,
                entry.act,
                entry.object,
                entry.reason,
                entry.outcome,
                entry.of.map(signed),
                row.hash.0,
            ];
            sql.execute(put, values)?;
            Ok(row)
        })
    }

    fn audit(&self, ask: &Ask) -> Result<Vec<Row>, Error> {
        let order = match ask.order {
            Order::Oldest => "ASC",
            Order::Newest => "DESC",
        };
        // One statement for each, so that the index is used.
        let of = if ask.namespace.is_some() { "namespace = ?1" } else { "?1 IS NULL" };
        let select = format!(
            "SELECT n, at, namespace, key, key_name, address, act, object, reason, outcome, of_n, \
             hash FROM audit WHERE {of} AND n > ?2 AND n < ?3 AND at >= ?5 AND at < ?6 \
             AND (?7 IS NULL OR key = ?7) \
             AND (?8 IS NULL OR act = ?8 OR substr(act, 1, length(?8) + 1) = ?8 || '.') \
             ORDER BY n {order} LIMIT ?4"
        );
        let limit = i64::try_from(ask.limit).unwrap_or(i64::MAX);
        let values = params![
            ask.namespace.as_deref(),
            signed(ask.after),
            signed(ask.before),
            limit,
            ask.from.as_micros(),
            ask.to.as_micros(),
            ask.key.as_ref().map(KeyId::as_str),
            ask.act,
        ];
        self.run(|sql| sql.prepare_cached(&select)?.query_map(values, row)?.collect())
    }

    fn bulks(&self, ask: &BulkAsk) -> Result<Vec<Bulk>, Error> {
        self.run(|sql| bulks::list(sql, ask))
    }

    fn bulk(&self, id: &str) -> Result<Option<Bulk>, Error> {
        self.run(|sql| bulks::one(sql, id))
    }

    fn bulk_of_key(&self, namespace: &str, key: &str) -> Result<Option<Bulk>, Error> {
        self.run(|sql| bulks::of_key(sql, namespace, key))
    }

    fn put_bulk(&self, bulk: &Bulk, portion: Option<&[RunId]>) -> Result<(), Error> {
        self.write(|sql| bulks::put(sql, bulk, portion))
    }

    fn bulk_portion(&self, id: &str, portion: u32) -> Result<Vec<RunId>, Error> {
        self.run(|sql| bulks::portion(sql, id, portion))
    }

    fn forget_bulks(&self, before: Timestamp) -> Result<(), Error> {
        self.write(|sql| bulks::forget(sql, before))
    }

    fn exported(&self) -> Result<Option<(Timestamp, RunId)>, Error> {
        let Some(bytes) = self.meta(EXPORTED)? else { return Ok(None) };
        let parts = bytes.split_at_checked(8).and_then(|(at, run)| {
            let at = i64::from_be_bytes(at.try_into().ok()?);
            let run = u128::from_be_bytes(run.try_into().ok()?);
            Some((Timestamp::from_micros(at), RunId::from_u128(run)))
        });
        let damaged = || Error::Corrupt(format!("its row `{EXPORTED}` has {} bytes", bytes.len()));
        parts.ok_or_else(damaged).map(Some)
    }

    fn put_exported(&self, (at, run): (Timestamp, RunId)) -> Result<(), Error> {
        let at = at.as_micros().to_be_bytes();
        let bytes = [&at[..], &run.as_u128().to_be_bytes()].concat();
        let put = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
        self.write(|sql| sql.execute(put, params![EXPORTED, bytes]).map(drop))
    }
}

fn put_key(sql: &Connection, key: &Key) -> Sql<()> {
    let put = "INSERT INTO keys (id, name, namespace, role, hash, generation, previous_hash, \
               previous_until, created_at, created_by, expires_at, revoked_at, last_used_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) \
               ON CONFLICT (id) DO UPDATE SET name = ?2, namespace = ?3, role = ?4, hash = ?5, \
               generation = ?6, previous_hash = ?7, previous_until = ?8, created_at = ?9, \
               created_by = ?10, expires_at = ?11, revoked_at = ?12, last_used_at = ?13";
    let micros = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
    let values = params![
        key.id.as_str(),
        key.name,
        &*key.namespace,
        key.role.as_str(),
        key.hash.as_bytes(),
        key.generation,
        key.previous.map(|previous| *previous.hash.as_bytes()),
        key.previous.map(|previous| previous.until.as_micros()),
        key.created_at.as_micros(),
        key.created_by,
        micros(key.expires_at),
        micros(key.revoked_at),
        micros(key.last_used_at),
    ];
    sql.execute(put, values).map(drop)
}

fn probe(pepper: &Pepper) -> Hash {
    pepper.hash(&Secret::new(KeyId::new([0; 7]), PROBE))
}

// Rows are counted from 1, and never to where these differ.
fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or_default()
}

fn at(row: &SqlRow<'_>, column: &str) -> Sql<Timestamp> {
    Ok(Timestamp::from_micros(row.get(column)?))
}

fn maybe_at(row: &SqlRow<'_>, column: &str) -> Sql<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_micros))
}

fn namespace(row: &SqlRow<'_>) -> Sql<Namespace> {
    Ok(Namespace {
        name: row.get("name")?,
        created_at: at(row, "created_at")?,
        created_by: row.get("created_by")?,
        closed_at: maybe_at(row, "closed_at")?,
    })
}

/// Reads a text that has a form; what has another one is damage.
fn parsed<T>(row: &SqlRow<'_>, column: &str) -> Sql<T>
where
    T: std::str::FromStr<Err: std::error::Error + Send + Sync + 'static>,
{
    let text: String = row.get(column)?;
    let kind = rusqlite::types::Type::Text;
    text.parse()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, kind, Box::new(error)))
}

fn key(row: &SqlRow<'_>) -> Sql<Key> {
    let previous: Option<[u8; 32]> = row.get("previous_hash")?;
    let previous = previous.zip(maybe_at(row, "previous_until")?);
    Ok(Key {
        id: parsed(row, "id")?,
        name: row.get("name")?,
        namespace: row.get::<_, Arc<str>>("namespace")?,
        role: parsed(row, "role")?,
        hash: Hash::from_bytes(row.get("hash")?),
        generation: row.get("generation")?,
        previous: previous.map(|(hash, until)| Previous { hash: Hash::from_bytes(hash), until }),
        created_at: at(row, "created_at")?,
        created_by: row.get("created_by")?,
        expires_at: maybe_at(row, "expires_at")?,
        revoked_at: maybe_at(row, "revoked_at")?,
        last_used_at: maybe_at(row, "last_used_at")?,
    })
}

fn row(row: &SqlRow<'_>) -> Sql<Row> {
    let has_key = row.get::<_, Option<Arc<str>>>("key")?.is_some();
    let entry = Entry {
        at: at(row, "at")?,
        namespace: row.get("namespace")?,
        key: if has_key { Some(parsed(row, "key")?) } else { None },
        key_name: row.get("key_name")?,
        from: row.get("address")?,
        act: row.get("act")?,
        object: row.get("object")?,
        reason: row.get("reason")?,
        outcome: row.get("outcome")?,
        of: row.get::<_, Option<i64>>("of_n")?.map(unsigned),
    };
    Ok(Row { n: unsigned(row.get("n")?), entry, hash: RowHash(row.get("hash")?) })
}

fn failed(error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Error::Corrupt(error.to_string())
        }
        Some(ErrorCode::DiskFull) => Error::DiskFull(error.to_string()),
        Some(_) => Error::Unavailable(error.to_string()),
        // What is kept has another type or form than was written.
        None => Error::Corrupt(error.to_string()),
    }
}
