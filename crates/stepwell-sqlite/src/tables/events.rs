//! Events and what they did.

use std::sync::Arc;

use rusqlite::{
    Connection, OptionalExtension, Params, Row, Transaction, TransactionBehavior, params,
};
use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::event::{Did, Event, EventId, EventRetention, EventWrite, Known, Place, Scope};
use stepwell_store::query::EventList;

use super::connection::failed;
use super::read::rows;
use super::row::{bad, run_id};

const COLUMNS: &str = "namespace, id, name, accepted_at, data, offer, app, workflow, run, key, \
    routed, kept, crc";

/// Finds an event.
///
/// # Errors
/// [`Error::Corrupt`] when it is not what was written.
pub(crate) fn event(connection: &Connection, id: &EventId) -> Result<Option<Known>, Error> {
    let find = || {
        connection
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM events WHERE namespace = ?1 AND id = ?2"
            ))?
            .query_row([&id.namespace, &id.id], read)
            .optional()
    };
    match find().map_err(|e| failed(&e))? {
        Some((known, true)) => Ok(Some(known)),
        Some((known, false)) => Err(Error::Corrupt(damage(&known.event))),
        None => Ok(None),
    }
}

/// Reads every event; tells those that are not what was written.
pub(crate) fn damaged_events(connection: &Connection) -> Result<Vec<String>, Error> {
    let read_all = || {
        let mut damaged = Vec::new();
        let mut all = connection.prepare(&format!("SELECT {COLUMNS} FROM events"))?;
        for found in all.query_map([], read)? {
            let (known, whole) = found?;
            damaged.extend((!whole).then(|| damage(&known.event)));
        }
        Ok(damaged)
    };
    read_all().map_err(|e: rusqlite::Error| failed(&e))
}

fn damage(event: &Event) -> String {
    let EventId { namespace, id } = &event.id;
    format!("the event `{id}` of namespace `{namespace}` is not what was written (CRC32C)")
}

/// Returns events of a namespace that are kept, in the order that is asked for.
pub(crate) fn events_list(
    connection: &Connection,
    list: &EventList,
    (after, limit): (Option<&Place>, usize),
) -> Result<Vec<Place>, Error> {
    let EventList { namespace, name, from, newest } = list;
    let index = if name.is_some() { "events_name" } else { "events_age" };
    let named = if name.is_some() { "AND name = ?2" } else { "AND ?2 IS NULL" };
    let from = from.as_micros();
    let after = after.map(|place| (place.accepted_at.as_micros(), &*place.id.id));
    // One bound on the side where the page begins: with two, SQLite may begin at the wrong one.
    let (bounds, order, (at, id)) = if *newest {
        let bounds = "accepted_at >= ?3 AND accepted_at <= ?4 AND (accepted_at, id) < (?4, ?5)";
        (bounds, "DESC", after.unwrap_or((i64::MAX, "")))
    } else {
        let bounds = "?3 <= ?4 AND accepted_at >= ?4 AND (accepted_at, id) > (?4, ?5)";
        // No event has an empty id.
        (bounds, "ASC", after.filter(|(at, _)| *at >= from).unwrap_or((from, "")))
    };
    let sql = format!(
        "SELECT accepted_at, namespace, id FROM events INDEXED BY {index}
        WHERE kept = 1 AND namespace = ?1 {named} AND {bounds}
        ORDER BY accepted_at {order}, id {order} LIMIT ?6"
    );
    places(connection, &sql, params![namespace, name, from, at, id, rows(limit)])
}

/// Returns events that have not done all that they do, by (instant, namespace, id).
pub(crate) fn unrouted(
    connection: &Connection,
    after: Option<&Place>,
    limit: usize,
) -> Result<Vec<Place>, Error> {
    let sql = "SELECT accepted_at, namespace, id FROM events
        WHERE routed = 0 AND (accepted_at, namespace, id) > (?1, ?2, ?3)
        ORDER BY accepted_at, namespace, id LIMIT ?4";
    let (at, namespace, id) = begin(after);
    places(connection, sql, params![at, namespace, id, rows(limit)])
}

/// Returns what an event did, by (run, step).
pub(crate) fn did(
    connection: &Connection,
    event: &EventId,
    after: Option<&Did>,
    limit: usize,
) -> Result<Vec<Did>, Error> {
    let sql = "SELECT run, step FROM event_runs
        WHERE namespace = ?1 AND event = ?2 AND (run, step) > (?3, ?4)
        ORDER BY run, step LIMIT ?5";
    let run = after.map(|did| did.run.to_string());
    // Without a cursor the empty run comes before all; with one, no step comes before any step.
    let step = after.and_then(|did| did.step.as_deref());
    let read = || {
        let values = params![
            event.namespace,
            event.id,
            run.unwrap_or_default(),
            step.unwrap_or_default(),
            rows(limit)
        ];
        connection
            .prepare_cached(sql)?
            .query_map(values, |row| {
                let step = row.get_ref(1)?.as_str().map_err(|e| bad(1, e))?;
                let step = (!step.is_empty()).then(|| Arc::from(step));
                Ok(Did { run: run_id(row, 0)?, step })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|e| failed(&e))
}

/// Writes what a batch says of an event.
pub(super) fn put_event(connection: &Connection, write: &EventWrite) -> rusqlite::Result<()> {
    match write {
        EventWrite::Accepted(event) => {
            connection
                .prepare_cached(&format!(
                    "INSERT OR IGNORE INTO events ({COLUMNS})
                    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, 1, ?11)"
                ))?
                .execute(params![
                    event.id.namespace,
                    event.id.id,
                    event.name,
                    event.accepted_at.as_micros(),
                    event.data,
                    event.offer,
                    event.scope.app,
                    event.scope.workflow,
                    event.scope.run.map(|run| run.to_string()),
                    event.scope.key,
                    check(event),
                ])?;
        }
        EventWrite::Did(event, did) => {
            let mut put = connection.prepare_cached(
                "INSERT OR IGNORE INTO event_runs (namespace, event, run, step)
                VALUES (?1, ?2, ?3, ?4)",
            )?;
            for did in did {
                let step = did.step.as_deref().unwrap_or_default();
                put.execute(params![event.namespace, event.id, did.run.to_string(), step])?;
            }
        }
        EventWrite::Routed(event) => {
            connection
                .prepare_cached("UPDATE events SET routed = 1 WHERE namespace = ?1 AND id = ?2")?
                .execute([&event.namespace, &event.id])?;
        }
    }
    Ok(())
}

/// Drops what is older than it is to be kept, of at most `limit` events, oldest first; returns of how
/// many.
///
/// # Errors
/// [`Error::DiskFull`], [`Error::Unavailable`], [`Error::Corrupt`]; nothing was dropped.
pub(crate) fn purge_events(
    connection: &mut Connection,
    retention: EventRetention,
    limit: usize,
) -> Result<usize, Error> {
    let EventRetention { kept_from, known_from } = retention;
    let mut purge = || {
        let transaction = Transaction::new(connection, TransactionBehavior::Immediate)?;
        let old = {
            let sql = format!(
                "SELECT {COLUMNS} FROM (
                    SELECT * FROM events WHERE kept = 1 AND accepted_at < ?1 AND routed = 1
                    UNION ALL SELECT * FROM events
                    WHERE kept = 0 AND accepted_at < min(?1, ?2) AND routed = 1
                ) ORDER BY accepted_at, namespace, id LIMIT ?3"
            );
            let values = params![kept_from.as_micros(), known_from.as_micros(), rows(limit)];
            let mut old = transaction.prepare_cached(&sql)?;
            old.query_map(values, read)?.collect::<rusqlite::Result<Vec<_>>>()?
        };
        for (known, _) in &old {
            let Event { id: EventId { namespace, id }, accepted_at, .. } = &*known.event;
            transaction
                .prepare_cached("DELETE FROM event_runs WHERE namespace = ?1 AND event = ?2")?
                .execute([namespace, id])?;
            if *accepted_at < known_from {
                transaction
                    .prepare_cached("DELETE FROM events WHERE namespace = ?1 AND id = ?2")?
                    .execute([namespace, id])?;
            } else {
                transaction
                    .prepare_cached(
                        "UPDATE events SET data = NULL, offer = NULL, kept = 0, crc = ?3
                        WHERE namespace = ?1 AND id = ?2",
                    )?
                    .execute(params![namespace, id, check(&known.event.forgotten())])?;
            }
        }
        transaction.commit()?;
        Ok(old.len())
    };
    purge().map_err(|e: rusqlite::Error| failed(&e))
}

/// Reads a row of [`COLUMNS`], and whether it is what was written.
fn read(row: &Row<'_>) -> rusqlite::Result<(Known, bool)> {
    let run: Option<String> = row.get(8)?;
    let run = run.map(|run| run.parse().map_err(|e| bad(8, e))).transpose()?;
    let event = Event {
        id: EventId { namespace: row.get(0)?, id: row.get(1)? },
        name: row.get(2)?,
        accepted_at: Timestamp::from_micros(row.get(3)?),
        data: row.get(4)?,
        offer: row.get(5)?,
        scope: Scope { app: row.get(6)?, workflow: row.get(7)?, run, key: row.get(9)? },
    };
    let whole = i64::from(check(&event)) == row.get::<_, i64>(12)?;
    Ok((Known { event: Arc::new(event), routed: row.get(10)?, kept: row.get(11)? }, whole))
}

/// Returns the check of an event: over each part, its length before it, none as a length of -1.
pub(crate) fn check(event: &Event) -> u32 {
    let run = event.scope.run.map(RunId::as_u128).map(u128::to_le_bytes);
    let parts = [
        Some(&event.id.namespace),
        Some(&event.id.id),
        Some(&event.name),
        event.data.as_ref(),
        event.offer.as_ref(),
        event.scope.app.as_ref(),
        event.scope.workflow.as_ref(),
        event.scope.key.as_ref(),
    ];
    let crc = crc32c::crc32c(&event.accepted_at.as_micros().to_le_bytes());
    let crc = run.iter().fold(crc, |crc, run| crc32c::crc32c_append(crc, run));
    parts.iter().fold(crc, |crc, part| {
        let len = part.map_or(-1, |part| i64::try_from(part.len()).unwrap_or(i64::MAX));
        let crc = crc32c::crc32c_append(crc, &len.to_le_bytes());
        part.map_or(crc, |part| crc32c::crc32c_append(crc, part.as_bytes()))
    })
}

/// Where a scan begins; the empty text sorts before every id.
fn begin(after: Option<&Place>) -> (i64, &str, &str) {
    after.map_or((i64::MIN, "", ""), |place| {
        (place.accepted_at.as_micros(), &place.id.namespace, &place.id.id)
    })
}

fn places(connection: &Connection, sql: &str, values: impl Params) -> Result<Vec<Place>, Error> {
    let read = || {
        connection
            .prepare_cached(sql)?
            .query_map(values, |row| {
                Ok(Place {
                    accepted_at: Timestamp::from_micros(row.get(0)?),
                    id: EventId { namespace: row.get(1)?, id: row.get(2)? },
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(|e| failed(&e))
}
