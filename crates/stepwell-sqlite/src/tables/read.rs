//! Questions to the tables that have an order and a cursor.

use rusqlite::{Connection, OptionalExtension, ToSql, params};
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::batch::Workflow;
use stepwell_store::query::{Cursor, Key, Queue};

use super::connection::failed;
use super::row::run_id;

/// Returns the position up to which the log is folded.
pub(crate) fn position(connection: &Connection) -> Result<u64, Error> {
    let position = meta(connection, "position")?.unwrap_or(0);
    u64::try_from(position)
        .map_err(|_| Error::Corrupt(format!("the tables end at position {position}")))
}

/// Returns the greatest instant of what was folded.
pub(crate) fn high_water(connection: &Connection) -> Result<Timestamp, Error> {
    Ok(meta(connection, "high_water")?.map_or(Timestamp::MIN, Timestamp::from_micros))
}

fn meta(connection: &Connection, name: &str) -> Result<Option<i64>, Error> {
    let find = || {
        connection
            .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()
    };
    find().map_err(|e| failed(&e))
}

/// Returns runs whose timer is due, by (timer, run).
pub(crate) fn due(
    connection: &Connection,
    until: Timestamp,
    after: Cursor,
    limit: usize,
) -> Result<Vec<(Timestamp, RunId)>, Error> {
    let sql = "SELECT timer_at, id FROM runs
        WHERE timer_at IS NOT NULL AND (timer_at, id) > (?1, ?2) AND timer_at <= ?3
        ORDER BY timer_at, id LIMIT ?4";
    let (at, run) = behind(after);
    pairs(connection, sql, &[&at, &run, &until.as_micros(), &rows(limit)])
}

/// Returns runs that ended before `until`, by (end, run).
pub(crate) fn ended(
    connection: &Connection,
    until: Timestamp,
    after: Cursor,
    limit: usize,
) -> Result<Vec<(Timestamp, RunId)>, Error> {
    let sql = "SELECT ended_at, id FROM runs INDEXED BY runs_over
        WHERE ended_at IS NOT NULL AND (ended_at, id) > (?1, ?2) AND ended_at < ?3
        ORDER BY ended_at, id LIMIT ?4";
    let (at, run) = behind(after);
    pairs(connection, sql, &[&at, &run, &until.as_micros(), &rows(limit)])
}

/// Returns runs of a workflow that want a runner, by (ready since, run).
pub(crate) fn ready(
    connection: &Connection,
    queue: &Queue,
    after: Cursor,
    limit: usize,
) -> Result<Vec<(Timestamp, RunId)>, Error> {
    let sql = "SELECT ready_at, id FROM runs
        WHERE namespace = ?1 AND app = ?2 AND workflow = ?3
            AND ready_at IS NOT NULL AND (ready_at, id) > (?4, ?5)
        ORDER BY ready_at, id LIMIT ?6";
    let (at, run) = behind(after);
    let Queue { namespace, app, workflow } = queue;
    pairs(connection, sql, &[namespace, app, workflow, &at, &run, &rows(limit)])
}

/// Returns runs that a runner holds, by id.
pub(crate) fn active(
    connection: &Connection,
    after: Option<RunId>,
    limit: usize,
) -> Result<Vec<RunId>, Error> {
    let sql = "SELECT id FROM runs WHERE active = 1 AND id > ?1 ORDER BY id LIMIT ?2";
    ids(connection, sql, &[&text(after), &rows(limit)])
}

/// Returns blocked runs of a workflow, by id.
pub(crate) fn blocked(
    connection: &Connection,
    queue: &Queue,
    after: Option<RunId>,
    limit: usize,
) -> Result<Vec<RunId>, Error> {
    let sql = "SELECT id FROM runs
        WHERE namespace = ?1 AND app = ?2 AND workflow = ?3 AND blocked IS NOT NULL AND id > ?4
        ORDER BY id LIMIT ?5";
    let Queue { namespace, app, workflow } = queue;
    ids(connection, sql, &[namespace, app, workflow, &text(after), &rows(limit)])
}

/// Returns any runs that have a row or a history, by id.
pub(crate) fn runs_behind(
    connection: &Connection,
    after: Option<RunId>,
    limit: usize,
) -> Result<Vec<RunId>, Error> {
    let sql = "SELECT id FROM (
            SELECT id FROM runs WHERE id > ?1
            UNION SELECT run FROM history WHERE run > ?1
        ) ORDER BY id LIMIT ?2";
    ids(connection, sql, &[&text(after), &rows(limit)])
}

/// Finds the run that a key started; the first, should there be several.
pub(crate) fn find_key(connection: &Connection, key: &Key) -> Result<Option<RunId>, Error> {
    let sql = "SELECT id FROM runs
        WHERE namespace = ?1 AND key = ?2 AND app = ?3 AND workflow = ?4 ORDER BY id LIMIT 1";
    let Queue { namespace, app, workflow } = &key.queue;
    Ok(ids(connection, sql, &[namespace, &key.key, app, workflow])?.first().copied())
}

/// Returns every workflow, by namespace, app and name.
pub(crate) fn workflows(connection: &Connection) -> Result<Vec<Workflow>, Error> {
    let read = || {
        connection
            .prepare_cached(
                "SELECT namespace, app, name, options, first_at, changed_at FROM workflows
                ORDER BY namespace, app, name",
            )?
            .query_map(params![], |row| {
                Ok(Workflow {
                    namespace: row.get(0)?,
                    app: row.get(1)?,
                    name: row.get(2)?,
                    options: row.get(3)?,
                    first_at: Timestamp::from_micros(row.get(4)?),
                    changed_at: Timestamp::from_micros(row.get(5)?),
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|e| failed(&e))
}

/// Lets SQLite check its file; returns what it finds wrong.
pub(crate) fn integrity(connection: &Connection) -> Result<Vec<String>, Error> {
    let read = || {
        connection
            .prepare("PRAGMA integrity_check(100)")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<Vec<String>>>()
    };
    let mut found = read().map_err(|e| failed(&e))?;
    found.retain(|line| line != "ok");
    Ok(found)
}

/// A limit as SQLite takes it.
pub(super) fn rows(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn behind(after: Cursor) -> (i64, String) {
    // The empty text sorts before every id.
    after.map_or((i64::MIN, String::new()), |(at, run)| (at.as_micros(), run.to_string()))
}

fn text(after: Option<RunId>) -> String {
    after.map_or_else(String::new, |run| run.to_string())
}

fn pairs(
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<(Timestamp, RunId)>, Error> {
    let read = || {
        connection
            .prepare_cached(sql)?
            .query_map(values, |row| Ok((Timestamp::from_micros(row.get(0)?), run_id(row, 1)?)))?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|e| failed(&e))
}

pub(super) fn ids(
    connection: &Connection,
    sql: &str,
    values: &[&dyn ToSql],
) -> Result<Vec<RunId>, Error> {
    let read = || {
        connection
            .prepare_cached(sql)?
            .query_map(values, |row| run_id(row, 0))?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|e| failed(&e))
}
