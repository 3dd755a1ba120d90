//! What goes: runs and statistics because of their age, and whole namespaces.

use rusqlite::{Connection, OptionalExtension};
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_telemetry::keep::Purged;

use super::deltas::{FIVE_MINUTES, floor};
use super::fault::Fault;
use super::store::Shared;
use crate::disk::Disk;

/// How many rows of statistics one transaction takes out, of each kind and flow.
const PARTS: usize = 2_000;
/// How many runs of a namespace that goes one transaction takes out.
const SLICE: usize = 500;

impl<D: Disk> Shared<D> {
    /// Takes out runs without an event since an instant, and statistics from before it.
    pub(super) fn purge(&self, before: Timestamp, most: usize) -> Result<Purged, Error> {
        self.write(|writer| {
            let mut purged = Purged::default();
            let mut flows = writer.prepare_cached("SELECT id FROM flows")?;
            let flows = flows.query_map([], |row| row.get(0))?;
            for flow in flows.collect::<rusqlite::Result<Vec<i64>>>()? {
                let runs = old_runs(writer, flow, before, most.saturating_sub(purged.runs))?;
                delete_runs(writer, &runs)?;
                purged.runs += runs.len();
                // A part that the instant cuts in two stays whole.
                purged.more |= old_parts(writer, flow, floor(before, FIVE_MINUTES))?;
            }
            purged.more |= purged.runs >= most;
            if purged.runs > 0 {
                drop_empty_flows(writer)?;
                self.flows.forget();
            }
            Ok(purged)
        })
    }

    /// Takes out everything of a namespace.
    pub(super) fn remove_namespace(&self, namespace: &str) -> Result<(), Error> {
        // What was appended before goes too.
        self.await_all()?;
        while self.write(|writer| {
            let more = remove_some(writer, namespace)?;
            self.flows.forget();
            Ok(more)
        })? {}
        Ok(())
    }
}

fn old_runs(
    writer: &Connection,
    flow: i64,
    before: Timestamp,
    most: usize,
) -> Result<Vec<i64>, Fault> {
    let sql = "SELECT id FROM runs INDEXED BY runs_last WHERE flow = ?1 AND last_at < ?2
        ORDER BY last_at LIMIT ?3";
    let mut find = writer.prepare_cached(sql)?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let found = find.query_map([flow, before.as_micros(), most], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

fn delete_runs(writer: &Connection, runs: &[i64]) -> Result<(), Fault> {
    let mut row = writer.prepare_cached("DELETE FROM runs WHERE id = ?1")?;
    let mut events = writer.prepare_cached("DELETE FROM records WHERE run = ?1")?;
    for run in runs {
        row.execute([run])?;
        events.execute([run])?;
    }
    Ok(())
}

/// Takes out statistics of a flow from before an instant; tells whether there are more.
fn old_parts(writer: &Connection, flow: i64, before: i64) -> Result<bool, Fault> {
    let most = i64::try_from(PARTS).unwrap_or(i64::MAX);
    let sql = "SELECT at, fingerprint FROM errors WHERE flow = ?1 AND at < ?2
        ORDER BY at LIMIT ?3";
    let mut find = writer.prepare_cached(sql)?;
    let groups = find.query_map([flow, before, most], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let groups: Vec<(i64, i64)> = groups.collect::<rusqlite::Result<_>>()?;
    let mut more = groups.len() >= PARTS;
    let mut thrown = writer.prepare_cached(
        "DELETE FROM thrown WHERE flow = ?1 AND fingerprint = ?2 AND at >= ?3 AND at < ?4",
    )?;
    let mut group = writer
        .prepare_cached("DELETE FROM errors WHERE flow = ?1 AND fingerprint = ?2 AND at = ?3")?;
    for (at, fingerprint) in groups {
        thrown.execute([flow, fingerprint, at, at.saturating_add(FIVE_MINUTES)])?;
        group.execute([flow, fingerprint, at])?;
    }
    for table in ["run_counts", "step_counts"] {
        // Rows of one instant go together.
        let sql = format!(
            "SELECT at FROM {table} WHERE flow = ?1 AND at < ?2 ORDER BY at LIMIT 1 OFFSET ?3"
        );
        let mut find = writer.prepare_cached(&sql)?;
        let cut = find.query_row([flow, before, most], |row| row.get(0)).optional()?;
        more |= cut.is_some();
        let sql = format!("DELETE FROM {table} WHERE flow = ?1 AND at < ?2");
        writer.prepare_cached(&sql)?.execute([flow, cut.map_or(before, |at: i64| at + 1)])?;
    }
    Ok(more)
}

/// Takes out flows that are not declared and have neither runs nor statistics.
fn drop_empty_flows(writer: &Connection) -> Result<(), Fault> {
    let none = |table: &str| format!("NOT EXISTS (SELECT 1 FROM {table} WHERE flow = flows.id)");
    let sql = format!(
        "DELETE FROM flows WHERE declared IS NULL AND {} AND {} AND {} AND {}",
        none("runs"),
        none("run_counts"),
        none("step_counts"),
        none("errors"),
    );
    writer.prepare_cached(&sql)?.execute([])?;
    Ok(())
}

/// Takes out some of what is of a namespace; tells whether there is more.
fn remove_some(writer: &Connection, namespace: &str) -> Result<bool, Fault> {
    let find = "SELECT id FROM spaces WHERE namespace = ?1";
    let space = writer.prepare_cached(find)?.query_row([namespace], |row| row.get(0)).optional()?;
    let Some(space): Option<i64> = space else { return Ok(false) };
    let sql = "SELECT id FROM runs INDEXED BY runs_space WHERE space = ?1 LIMIT ?2";
    let mut find = writer.prepare_cached(sql)?;
    let most = i64::try_from(SLICE).unwrap_or(i64::MAX);
    let runs = find.query_map([space, most], |row| row.get(0))?;
    let runs: Vec<i64> = runs.collect::<rusqlite::Result<_>>()?;
    delete_runs(writer, &runs)?;
    if runs.len() >= SLICE {
        return Ok(true);
    }
    let mut flows = writer.prepare_cached("SELECT id FROM flows WHERE space = ?1")?;
    let flows = flows.query_map([space], |row| row.get(0))?;
    for flow in flows.collect::<rusqlite::Result<Vec<i64>>>()? {
        if old_parts(writer, flow, i64::MAX)? {
            return Ok(true);
        }
    }
    writer.execute("DELETE FROM flows WHERE space = ?1", [space])?;
    writer.execute("DELETE FROM spaces WHERE id = ?1", [space])?;
    Ok(false)
}
