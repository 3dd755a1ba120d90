//! One run, and flows.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row, params};
use stepwell_core::time::Timestamp;
use stepwell_telemetry::flow::Flow;
use stepwell_telemetry::keep::{Beside, FlowSummary, Window};
use stepwell_telemetry::status::RunStatus;

use super::{flows, list};

/// Most runs that are told of beside a durable one.
const BESIDE_MAX: i64 = 10;

/// Returns the events of a run.
pub(super) fn events(
    connection: &Connection,
    namespace: &str,
    slug: &str,
    run: &str,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let Some(flow) = flows::find(connection, namespace, slug)? else { return Ok(None) };
    let sql = "SELECT encoded FROM runs JOIN records ON records.run = id
        WHERE flow = ?1 AND runs.run = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![flow.id, run], |row| row.get(0)).optional()
}

/// Returns runs that have a name, or are in a trace.
pub(super) fn beside(
    connection: &Connection,
    namespace: &str,
    run: &str,
    trace: Option<u128>,
) -> rusqlite::Result<Vec<Beside>> {
    let read = |row: &Row<'_>| Ok(Beside { flow: row.get(0)?, run: row.get(1)? });
    let mut found: Vec<Beside> = Vec::new();
    let named = "SELECT slug, run FROM spaces JOIN flows ON flows.space = spaces.id
        JOIN runs INDEXED BY runs_name ON flow = flows.id
        WHERE namespace = ?1 AND run = ?2 ORDER BY first_at DESC LIMIT ?3";
    let mut named = connection.prepare_cached(named)?;
    let rows = named.query_map(params![namespace, run, BESIDE_MAX], read)?;
    for row in rows {
        found.push(row?);
    }
    let Some(trace) = trace else { return Ok(found) };
    let traced = "SELECT slug, run FROM runs INDEXED BY runs_trace JOIN flows ON flow = flows.id
        JOIN spaces ON spaces.id = runs.space
        WHERE trace = ?2 AND namespace = ?1 ORDER BY first_at DESC LIMIT ?3";
    let mut traced = connection.prepare_cached(traced)?;
    let trace = trace.to_be_bytes();
    let rows = traced.query_map(params![namespace, &trace[..], BESIDE_MAX], read)?;
    for row in rows {
        let row = row?;
        if !found.contains(&row) && found.len() < usize::try_from(BESIDE_MAX).unwrap_or(usize::MAX)
        {
            found.push(row);
        }
    }
    Ok(found)
}

/// Returns what is declared of a flow.
pub(super) fn declared(
    connection: &Connection,
    namespace: &str,
    slug: &str,
) -> rusqlite::Result<Option<Arc<Flow>>> {
    Ok(flows::find(connection, namespace, slug)?.and_then(|flow| flow.declared))
}

/// Returns the flows of a namespace that are declared or have runs, by slug.
pub(super) fn flows(
    connection: &Connection,
    namespace: &str,
    now: Timestamp,
) -> rusqlite::Result<Vec<FlowSummary>> {
    let sql = "SELECT flows.id, space, declared, declaration, slug,
            (SELECT max(last_at) FROM runs INDEXED BY runs_last WHERE flow = flows.id),
            (SELECT min(first_at) FROM runs INDEXED BY runs_first WHERE flow = flows.id)
        FROM flows JOIN spaces ON spaces.id = space WHERE namespace = ?1 ORDER BY slug";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([namespace])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let known = flows::read(row)?;
        let instant = |at| row.get::<_, Option<i64>>(at).map(|at| at.map(Timestamp::from_micros));
        let first_at = instant(6)?;
        if known.declared.is_none() && first_at.is_none() {
            continue;
        }
        found.push(FlowSummary {
            flow: row.get(4)?,
            first_at,
            last_at: instant(5)?,
            day: day(connection, known.id, now)?,
            running: list::count_open(connection, known.id, RunStatus::Running, now)?,
            stuck: list::count_open(connection, known.id, RunStatus::Stuck, now)?,
            declared: known.declared,
        });
    }
    Ok(found)
}

fn day(connection: &Connection, flow: i64, now: Timestamp) -> rusqlite::Result<(u64, u64)> {
    let sql = "SELECT coalesce(sum(runs), 0), coalesce(sum(failed), 0) FROM run_counts
        WHERE flow = ?1 AND at > ?2";
    let from = now.before(Window::Day.length()).as_micros();
    let number = |n: i64| u64::try_from(n).unwrap_or(0);
    connection
        .prepare_cached(sql)?
        .query_row([flow, from], |row| Ok((number(row.get(0)?), number(row.get(1)?))))
}
