//! What a fold writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ToSql, Transaction, TransactionBehavior, params};
use stepwell_core::id::RunId;
use stepwell_core::summary::{ErrorLine, Summary};
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::Error;
use stepwell_store::batch::Workflow;
use stepwell_store::event::EventWrite;
use stepwell_store::inbox::InboxWrite;

use super::connection::failed;
use super::events::put_event;
use super::history::check;
use super::inbox::put_inbox;
use super::search;
use super::waits::put_waits;

/// Batches put together: all that a transaction writes.
#[derive(Debug, Default)]
pub(crate) struct FoldWrite {
    /// In the order of ids, which is the order of the tables.
    pub(crate) runs: BTreeMap<RunId, FoldRun>,
    pub(crate) workflows: Vec<Workflow>,
    /// In the order in which they were said.
    pub(crate) events: Vec<EventWrite>,
    /// In the order in which they were said.
    pub(crate) inbox: Vec<InboxWrite>,
    /// The position of the last of these batches.
    pub(crate) position: u64,
    pub(crate) high_water: Timestamp,
}

/// What is new of one run.
#[derive(Debug, Default)]
pub(crate) struct FoldRun {
    pub(crate) records: Vec<Bytes>,
    /// The row after these records; absent when the journal does not replay.
    pub(crate) row: Option<Arc<Summary>>,
    /// The parked waits after these records.
    pub(crate) waits: Arc<[Wait]>,
}

/// Writes batches and their position, all or nothing, and makes them durable.
///
/// # Errors
/// [`Error::DiskFull`], [`Error::Unavailable`], [`Error::Corrupt`]; nothing was written.
pub(crate) fn write(connection: &mut Connection, fold: &FoldWrite) -> Result<(), Error> {
    let mut run = || {
        let behaviour = TransactionBehavior::Immediate;
        let transaction = Transaction::new(connection, behaviour)?;
        {
            let mut writer = Writer::new(&transaction)?;
            for (run, new) in &fold.runs {
                writer.run(*run, new)?;
            }
        }
        put_waits(&transaction, fold.runs.iter().map(|(run, new)| (*run, &*new.waits)))?;
        for one in &fold.workflows {
            put_workflow(&transaction, one)?;
        }
        for write in &fold.events {
            put_event(&transaction, write)?;
        }
        for write in &fold.inbox {
            put_inbox(&transaction, write)?;
        }
        let set = "UPDATE meta SET value = ?2 WHERE name = ?1";
        let position = i64::try_from(fold.position).unwrap_or(i64::MAX);
        transaction.prepare_cached(set)?.execute(params!["position", position])?;
        let set = "UPDATE meta SET value = max(value, ?2) WHERE name = ?1";
        let high_water = fold.high_water.as_micros();
        transaction.prepare_cached(set)?.execute(params!["high_water", high_water])?;
        transaction.commit()
    };
    run().map_err(|e: rusqlite::Error| failed(&e))
}

/// Writes rows of `runs` with their waits in place of those before.
///
/// # Errors
/// [`Error::DiskFull`], [`Error::Unavailable`], [`Error::Corrupt`]; nothing was written.
pub(crate) fn put_rows(
    connection: &mut Connection,
    rows: &[(Summary, Arc<[Wait]>)],
) -> Result<(), Error> {
    let mut run = || {
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
        {
            let mut statement = transaction.prepare_cached(PUT_ROW)?;
            for (row, _) in rows {
                set_row(&mut statement, row)?;
                search::put(&transaction, row)?;
            }
        }
        put_waits(&transaction, rows.iter().map(|(row, waits)| (row.id, &**waits)))?;
        transaction.commit()
    };
    run().map_err(|e: rusqlite::Error| failed(&e))
}

const PUT_ROW: &str = "INSERT INTO runs (id, namespace, app, workflow, status, key, created_at,
        started_at, ended_at, version, ready_at, timer_at, active, steps, steps_ended,
        steps_failed, blocked, journal_bytes, parent, error)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
        ?20)
    ON CONFLICT (id) DO UPDATE SET namespace = excluded.namespace, app = excluded.app,
        workflow = excluded.workflow, status = excluded.status, key = excluded.key,
        created_at = excluded.created_at, started_at = excluded.started_at,
        ended_at = excluded.ended_at, version = excluded.version, ready_at = excluded.ready_at,
        timer_at = excluded.timer_at, active = excluded.active, steps = excluded.steps,
        steps_ended = excluded.steps_ended, steps_failed = excluded.steps_failed,
        blocked = excluded.blocked, journal_bytes = excluded.journal_bytes, parent = excluded.parent,
        error = excluded.error";

fn set_row(statement: &mut CachedStatement<'_>, row: &Summary) -> rusqlite::Result<()> {
    let instant = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
    statement.execute(params![
        row.id.to_string(),
        row.namespace,
        row.app,
        row.workflow,
        row.status.as_str(),
        row.key,
        row.created_at.as_micros(),
        instant(row.started_at),
        instant(row.ended_at),
        row.version,
        instant(row.ready_since),
        instant(row.timer_at),
        row.active,
        row.steps,
        row.steps_ended,
        row.steps_failed,
        row.blocked,
        i64::try_from(row.journal_bytes).unwrap_or(i64::MAX),
        row.parent.map(|run| run.to_string()),
        row.error.as_ref().map(ErrorLine::to_json),
    ])?;
    Ok(())
}

fn put_workflow(connection: &Connection, one: &Workflow) -> rusqlite::Result<()> {
    let sql = "INSERT INTO workflows (namespace, app, name, options, first_at, changed_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (namespace, app, name) DO UPDATE SET options = excluded.options,
            first_at = excluded.first_at, changed_at = excluded.changed_at";
    connection.prepare_cached(sql)?.execute(params![
        one.namespace,
        one.app,
        one.name,
        one.options,
        one.first_at.as_micros(),
        one.changed_at.as_micros(),
    ])?;
    Ok(())
}

struct Writer<'a> {
    put_row: CachedStatement<'a>,
    put_chunk: CachedStatement<'a>,
    next_chunk: CachedStatement<'a>,
    buffer: Vec<u8>,
    connection: &'a Connection,
}

impl<'a> Writer<'a> {
    fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            put_row: connection.prepare_cached(PUT_ROW)?,
            put_chunk: connection.prepare_cached(
                "INSERT INTO history (run, chunk, records, crc) VALUES (?1, ?2, ?3, ?4)",
            )?,
            next_chunk: connection.prepare_cached(
                "SELECT coalesce(max(chunk), -1) + 1 FROM history WHERE run = ?1",
            )?,
            buffer: Vec::new(),
            connection,
        })
    }

    fn run(&mut self, run: RunId, new: &FoldRun) -> rusqlite::Result<()> {
        let id = run.to_string();
        let len: usize = new.records.iter().map(Bytes::len).sum();
        // A run that began in these batches has no chunk yet: nothing to look up.
        let begins = new.row.as_ref().is_some_and(|row| row.journal_bytes == len as u64);
        let chunk: i64 =
            if begins { 0 } else { self.next_chunk.query_row([&id], |row| row.get(0))? };
        let crc = check(run, chunk, &new.records);
        self.buffer.clear();
        let records = match &new.records[..] {
            [whole] => &whole[..],
            parts => {
                for part in parts {
                    self.buffer.extend_from_slice(part);
                }
                &self.buffer
            }
        };
        self.put_chunk.execute(params![id, chunk, Records(records), crc])?;
        if let Some(row) = &new.row {
            set_row(&mut self.put_row, row)?;
            // A new run without attributes has none to take away.
            if !begins || !row.search.is_empty() {
                search::put(self.connection, row)?;
            }
        }
        Ok(())
    }
}

/// Records as text, which SQL can query; bytes that are not text, as they are.
struct Records<'a>(&'a [u8]);

impl ToSql for Records<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match std::str::from_utf8(self.0) {
            Ok(_) => ValueRef::Text(self.0),
            Err(_) => ValueRef::Blob(self.0),
        };
        Ok(ToSqlOutput::Borrowed(value))
    }
}
