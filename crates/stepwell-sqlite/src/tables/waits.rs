//! Parked waits: one row each, in the order in which events look for them.

use std::sync::Arc;

use rusqlite::{Connection, Params, Row, params};
use stepwell_core::id::RunId;
use stepwell_core::matching::{Leaf, Leaves};
use stepwell_core::time::Timestamp;
use stepwell_core::wait::Wait;
use stepwell_store::Error;
use stepwell_store::query::EventName;

use super::connection::failed;
use super::read::rows;
use super::row::run_id;

const COLUMNS: &str = "leaf, run, step, namespace, app, event, wanted, since";

/// Returns the waits for an event under these leaves, behind `page.0`, at most `page.1`.
pub(crate) fn waits_for(
    connection: &Connection,
    event: &EventName,
    leaves: &Leaves,
    page: (Option<&Wait>, usize),
) -> Result<Vec<Wait>, Error> {
    let (after, limit) = page;
    let place = |wait: &Wait| (wait.leaf, wait.run.to_string(), Arc::clone(&wait.step));
    // No wait has an empty run, so this stands before all of them.
    let start = after.map_or_else(|| (Leaf::NAME, String::new(), "".into()), place);
    let EventName { namespace, name } = event;
    let mut found = Vec::new();
    let mut ask = || {
        let Leaves::Each(leaves) = leaves else {
            let sql = format!(
                "SELECT {COLUMNS} FROM waits WHERE namespace = ?1 AND event = ?2
                    AND (leaf, run, step) > (?3, ?4, ?5) ORDER BY leaf, run, step LIMIT ?6"
            );
            let (leaf, run, step) = &start;
            let values = params![namespace, name, stored(*leaf), run, step, rows(limit)];
            return collect(connection, &sql, values, &mut found);
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM waits WHERE namespace = ?1 AND event = ?2 AND leaf = ?3
                AND (run, step) > (?4, ?5) ORDER BY run, step LIMIT ?6"
        );
        for leaf in leaves.iter().filter(|leaf| **leaf >= start.0) {
            let wanted = limit - found.len();
            if wanted == 0 {
                break;
            }
            let begin = (&start.1, &start.2);
            let (run, step) = if *leaf == start.0 { begin } else { (&String::new(), &"".into()) };
            let values = params![namespace, name, stored(*leaf), run, step, rows(wanted)];
            collect(connection, &sql, values, &mut found)?;
        }
        Ok(())
    };
    ask().map_err(|e: rusqlite::Error| failed(&e))?;
    Ok(found)
}

fn collect(
    connection: &Connection,
    sql: &str,
    values: impl Params,
    found: &mut Vec<Wait>,
) -> rusqlite::Result<()> {
    for wait in connection.prepare_cached(sql)?.query_map(values, read)? {
        found.push(wait?);
    }
    Ok(())
}

/// Puts the waits of runs in place of those that the table has of them.
pub(super) fn put_waits<'a>(
    connection: &Connection,
    runs: impl Iterator<Item = (RunId, &'a [Wait])>,
) -> rusqlite::Result<()> {
    // Where nobody waits, which is told at once, a fold does nothing for it.
    let mut any: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM waits)")?
        .query_row([], |row| row.get(0))?;
    let mut take = connection.prepare_cached("DELETE FROM waits WHERE run = ?1")?;
    let mut put = connection.prepare_cached(&format!(
        "INSERT INTO waits ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    ))?;
    for (run, waits) in runs {
        if any {
            take.execute([run.to_string()])?;
        }
        any |= !waits.is_empty();
        for wait in waits {
            put.execute(params![
                stored(wait.leaf),
                wait.run.to_string(),
                wait.step,
                wait.namespace,
                wait.app,
                wait.event,
                wait.wanted,
                wait.from.as_micros(),
            ])?;
        }
    }
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Wait> {
    Ok(Wait {
        leaf: Leaf::from_u64(row.get::<_, i64>(0)?.cast_unsigned() ^ SIGN),
        run: run_id(row, 1)?,
        step: row.get(2)?,
        namespace: row.get(3)?,
        app: row.get(4)?,
        event: row.get(5)?,
        wanted: row.get(6)?,
        from: Timestamp::from_micros(row.get(7)?),
    })
}

const SIGN: u64 = 1 << 63;

/// A leaf as SQLite keeps it: numbers with a sign, in the order of leaves.
fn stored(leaf: Leaf) -> i64 {
    (leaf.as_u64() ^ SIGN).cast_signed()
}
