//! Runs that go: those whose time is over, and those that somebody wants to be gone.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use stepwell_core::id::RunId;
use stepwell_core::record::heard;
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::retention::{Deletion, RunKind, RunRetention};

use super::connection::failed;
use super::history::chunks;
use super::read::{ids, rows};
use super::row::status_of;

/// A namespace, an app and a workflow.
type Named = (Arc<str>, Arc<str>, Arc<str>);

/// Returns runs that ended longer ago than they are kept, at most `limit`.
///
/// Runs of one workflow and status are kept equally long, and stand in an index by their ends: each such
/// group is entered where its oldest run is, so nothing is looked at that stays.
pub(crate) fn expired(
    connection: &Connection,
    retention: &RunRetention,
    limit: usize,
) -> Result<Vec<RunId>, Error> {
    if retention.rules.is_empty() {
        let sql = "SELECT id FROM runs INDEXED BY runs_over
            WHERE ended_at IS NOT NULL AND ended_at < ?1 ORDER BY ended_at, id LIMIT ?2";
        return ids(connection, sql, &[&retention.kept_from.as_micros(), &rows(limit)]);
    }
    let mut found = Vec::new();
    let mut last = None;
    while let Some(named) = next_workflow(connection, last).map_err(|e| failed(&e))? {
        for status in RunStatus::ALL.into_iter().filter(|status| status.is_ended()) {
            let (namespace, app, workflow) = &named;
            let kept_from = retention.kept_from(RunKind { namespace, app, workflow, status });
            let wanted = limit - found.len();
            found.extend(ended_before(connection, (&named, status), kept_from, wanted)?);
            if found.len() >= limit {
                return Ok(found);
            }
        }
        last = Some(named);
    }
    Ok(found)
}

fn ended_before(
    connection: &Connection,
    (named, status): (&Named, RunStatus),
    kept_from: Timestamp,
    limit: usize,
) -> Result<Vec<RunId>, Error> {
    let sql = "SELECT id FROM runs INDEXED BY runs_kept
        WHERE namespace = ?1 AND app = ?2 AND workflow = ?3 AND status = ?4
            AND ended_at IS NOT NULL AND ended_at < ?5
        ORDER BY ended_at, id LIMIT ?6";
    let (namespace, app, workflow) = named;
    let kept_from = kept_from.as_micros();
    ids(connection, sql, &[namespace, app, workflow, &status.as_str(), &kept_from, &rows(limit)])
}

/// Returns the workflow behind the given one of which a run has ended. A seek or three for each: runs of
/// one stand together.
fn next_workflow(connection: &Connection, last: Option<Named>) -> rusqlite::Result<Option<Named>> {
    const FIND: &str = "SELECT namespace, app, workflow FROM runs INDEXED BY runs_kept
        WHERE ended_at IS NOT NULL AND ";
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let Some((namespace, app, workflow)) = last else {
        let sql = format!("{FIND} namespace >= '' ORDER BY namespace, app, workflow LIMIT 1");
        return connection.prepare_cached(&sql)?.query_row([], read).optional();
    };
    let sql =
        format!("{FIND} namespace = ?1 AND app = ?2 AND workflow > ?3 ORDER BY workflow LIMIT 1");
    let next = connection.prepare_cached(&sql)?.query_row([&namespace, &app, &workflow], read);
    if let Some(found) = next.optional()? {
        return Ok(Some(found));
    }
    let sql = format!("{FIND} namespace = ?1 AND app > ?2 ORDER BY app, workflow LIMIT 1");
    let next = connection.prepare_cached(&sql)?.query_row([&namespace, &app], read);
    if let Some(found) = next.optional()? {
        return Ok(Some(found));
    }
    let sql = format!("{FIND} namespace > ?1 ORDER BY namespace, app, workflow LIMIT 1");
    connection.prepare_cached(&sql)?.query_row([&namespace], read).optional()
}

/// Deletes runs with their keys and histories.
///
/// # Errors
/// [`Error::DiskFull`], [`Error::Unavailable`], [`Error::Corrupt`]; nothing was deleted.
pub(crate) fn delete_runs(connection: &mut Connection, runs: &[RunId]) -> Result<(), Error> {
    let mut delete = || {
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
        runs.iter().try_for_each(|run| delete_rows(&transaction, *run))?;
        transaction.commit()
    };
    delete().map_err(|e: rusqlite::Error| failed(&e))
}

/// Deletes a run that has ended, with all that is known of it.
///
/// # Errors
/// [`Error::DiskFull`], [`Error::Unavailable`], [`Error::Corrupt`]; nothing was deleted.
pub(crate) fn delete_run(
    connection: &mut Connection,
    namespace: &str,
    run: RunId,
) -> Result<Deletion, Error> {
    let mut delete = || {
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
        let known = transaction
            .prepare_cached(
                "SELECT status, ended_at IS NOT NULL FROM runs WHERE id = ?1 AND namespace = ?2",
            )?
            .query_row(params![run.to_string(), namespace], |row| {
                Ok((status_of(row, 0)?, row.get::<_, bool>(1)?))
            })
            .optional()?;
        match known {
            None => return Ok(Deletion::Unknown),
            Some((status, false)) => return Ok(Deletion::Open(status)),
            Some((_, true)) => {}
        }
        // Of a damaged journal it is not known what it says: what events did to it goes with the events.
        let journal = chunks(&transaction, run)?.ok().flatten().unwrap_or_default();
        for event in heard(&journal) {
            if is_open(&transaction, namespace, &event)? {
                return Ok(Deletion::Early);
            }
            transaction
                .prepare_cached(
                    "DELETE FROM event_runs WHERE namespace = ?1 AND event = ?2 AND run = ?3",
                )?
                .execute(params![namespace, event, run.to_string()])?;
        }
        delete_rows(&transaction, run)?;
        transaction.commit()?;
        Ok(Deletion::Done)
    };
    delete().map_err(|e: rusqlite::Error| failed(&e))
}

/// Tells whether an event has not done all that it does.
fn is_open(connection: &Connection, namespace: &str, event: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM events
                WHERE namespace = ?1 AND id = ?2 AND routed = 0)",
        )?
        .query_row([namespace, event], |row| row.get(0))
}

fn delete_rows(connection: &Connection, run: RunId) -> rusqlite::Result<()> {
    let id = run.to_string();
    for sql in [
        "DELETE FROM runs WHERE id = ?1",
        "DELETE FROM history WHERE run = ?1",
        "DELETE FROM searches WHERE run = ?1",
        "DELETE FROM waits WHERE run = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([&id])?;
    }
    Ok(())
}
