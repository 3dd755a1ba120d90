//! Flows by number: what the fold asks of each run, kept in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;
use rusqlite::{Connection, OptionalExtension, params};
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_telemetry::flow::Flow;
use stepwell_telemetry::status::Patience;

use super::declared::Declared;
use super::store::Shared;
use crate::disk::Disk;
use crate::embedded::guard;

/// How many flows are kept in memory; beyond that they are read again.
const KNOWN_MAX: usize = 10_000;

/// A flow.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: i64,
    /// The number of its namespace.
    pub(super) space: i64,
    /// What is declared of it.
    pub(super) declared: Option<Arc<Flow>>,
    /// How many declarations there were.
    pub(super) declaration: i64,
}

impl Known {
    /// Returns how long it waits.
    pub(super) fn patience(&self) -> Patience {
        self.declared.as_ref().map(|flow| flow.patience).unwrap_or_default()
    }
}

type Names<T> = HashMap<Box<str>, T, RandomState>;

/// Flows that were asked for. It is asked and changed under the lock of the connection that writes.
#[derive(Debug, Default)]
pub(super) struct Flows {
    known: Mutex<Names<Names<Arc<Known>>>>,
}

impl Flows {
    /// Returns a flow, making it where it is not there.
    pub(super) fn find_or_make(
        &self,
        writer: &Connection,
        namespace: &str,
        slug: &str,
    ) -> rusqlite::Result<Arc<Known>> {
        let mut known = guard(&self.known);
        if let Some(flow) = known.get(namespace).and_then(|flows| flows.get(slug)) {
            return Ok(Arc::clone(flow));
        }
        let found = match find(writer, namespace, slug)? {
            Some(found) => found,
            None => make(writer, namespace, slug)?,
        };
        if known.values().map(HashMap::len).sum::<usize>() >= KNOWN_MAX {
            known.clear();
        }
        let found = Arc::new(found);
        known.entry(namespace.into()).or_default().insert(slug.into(), Arc::clone(&found));
        Ok(found)
    }

    /// Forgets what was kept in memory: it was changed, or what was read may not be there after all.
    pub(super) fn forget(&self) {
        guard(&self.known).clear();
    }
}

/// Finds a flow.
pub(super) fn find(
    connection: &Connection,
    namespace: &str,
    slug: &str,
) -> rusqlite::Result<Option<Known>> {
    let sql = "SELECT flows.id, space, declared, declaration FROM flows
        JOIN spaces ON spaces.id = space WHERE namespace = ?1 AND slug = ?2";
    connection.prepare_cached(sql)?.query_row([namespace, slug], read).optional()
}

/// Finds a flow by its number.
pub(super) fn of_id(connection: &Connection, id: i64) -> rusqlite::Result<Option<Known>> {
    let sql = "SELECT id, space, declared, declaration FROM flows WHERE id = ?1";
    connection.prepare_cached(sql)?.query_row([id], read).optional()
}

/// Reads a flow of columns `id, space, declared, declaration`.
pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Known> {
    let declared: Option<String> = row.get(2)?;
    Ok(Known {
        id: row.get(0)?,
        space: row.get(1)?,
        declared: declared.and_then(|text| Declared::read(&text)).map(Arc::new),
        declaration: row.get(3)?,
    })
}

fn make(writer: &Connection, namespace: &str, slug: &str) -> rusqlite::Result<Known> {
    let put = "INSERT OR IGNORE INTO spaces (namespace) VALUES (?1)";
    writer.prepare_cached(put)?.execute([namespace])?;
    let find = "SELECT id FROM spaces WHERE namespace = ?1";
    let space: i64 = writer.prepare_cached(find)?.query_row([namespace], |row| row.get(0))?;
    let put = "INSERT INTO flows (space, slug, declaration) VALUES (?1, ?2, 0)";
    writer.prepare_cached(put)?.execute(params![space, slug])?;
    Ok(Known { id: writer.last_insert_rowid(), space, declared: None, declaration: 0 })
}

impl<D: Disk> Shared<D> {
    /// Keeps what is declared of a flow; its runs are to be judged anew.
    pub(super) fn declare(
        &self,
        namespace: &str,
        slug: &str,
        flow: Option<&Flow>,
    ) -> Result<bool, Error> {
        let changed = self.write(|writer| {
            if flow.is_none() && find(writer, namespace, slug)?.is_none() {
                return Ok(false);
            }
            let known = self.flows.find_or_make(writer, namespace, slug)?;
            if known.declared.as_deref() == flow {
                return Ok(false);
            }
            // From the newest run on, backwards.
            let sql = "UPDATE flows SET declared = ?2, declaration = declaration + 1,
                judged_at = ?3, judged_n = ?3 WHERE id = ?1";
            let declared = flow.map(Declared::text);
            writer.execute(sql, params![known.id, declared, Timestamp::MAX.as_micros()])?;
            // Before the lock is given back: no fold judges by what was declared before.
            self.flows.forget();
            Ok(true)
        });
        let changed = changed?;
        if changed {
            self.lane.nudge();
        }
        Ok(changed)
    }
}
