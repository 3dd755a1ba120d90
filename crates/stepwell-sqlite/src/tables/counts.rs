//! How many runs of each status fit a filter.

use rusqlite::{Connection, params, params_from_iter};
use stepwell_core::status::RunStatus;
use stepwell_store::Error;
use stepwell_store::query::{COUNT_MAX, Count, Filter};

use super::connection::failed;
use super::find::{Bound, common, each, is_looked_for, leads_to_few};
use super::row::status_of;
use super::search::spans;
use super::walk::{Bounds, Group, groups};
use crate::options::Effort;

/// Counts by status, and whether there may be more of any than was counted.
struct Tally {
    runs: [u64; RunStatus::ALL.len()],
    cut: bool,
}

impl Tally {
    fn add(&mut self, status: RunStatus, runs: u64) {
        if let Some(at) = RunStatus::ALL.iter().position(|one| *one == status)
            && let Some(count) = self.runs.get_mut(at)
        {
            *count += runs;
        }
    }
}

/// Counts runs; the statuses and the page of a filter are not looked at.
pub(crate) fn counts(
    connection: &Connection,
    filter: &Filter,
    effort: Effort,
) -> Result<Vec<(RunStatus, Count)>, Error> {
    let filter = Filter { statuses: Vec::new(), before: None, ..filter.clone() };
    let tally = tally(connection, &filter, effort).map_err(|e| failed(&e))?;
    let count = |(status, runs)| {
        let Count { runs, or_more } = Count::of(runs);
        (status, Count { runs, or_more: or_more || tally.cut })
    };
    Ok(RunStatus::ALL.into_iter().zip(tally.runs).map(count).collect())
}

fn tally(connection: &Connection, filter: &Filter, effort: Effort) -> rusqlite::Result<Tally> {
    let mut tally = Tally { runs: [0; RunStatus::ALL.len()], cut: false };
    let spans = spans(&filter.search);
    if !is_looked_for(filter) && !leads_to_few(filter) {
        match &spans[..] {
            [] => {
                for group in groups(connection, filter, &RunStatus::ALL)? {
                    tally.add(group.status, count(connection, filter, &group)?);
                }
                return Ok(tally);
            }
            [span] => {
                let bounds = Bounds::of(filter);
                let (sql, values) = span.select("status", filter, &bounds);
                let sql = format!("{sql} LIMIT {}", effort.scanned.saturating_add(1));
                let mut statement = connection.prepare_cached(&sql)?;
                let mut rows = statement.query(params_from_iter(values))?;
                let mut left = effort.scanned;
                while let Some(row) = rows.next()? {
                    tally.cut = left == 0;
                    left = left.saturating_sub(1);
                    tally.add(status_of(row, 0)?, 1);
                }
                return Ok(tally);
            }
            spans => {
                if let Some(all) = common(connection, (filter, spans), effort)? {
                    for (_, status) in all {
                        tally.add(status, 1);
                    }
                    return Ok(tally);
                }
            }
        }
    }
    let reached = each(connection, filter, Bound::of(effort), |_, status| {
        tally.add(status, 1);
        true
    })?;
    tally.cut = reached.is_some();
    Ok(tally)
}

/// Counts a group, to one more than is told.
fn count(connection: &Connection, filter: &Filter, group: &Group) -> rusqlite::Result<u64> {
    let Bounds { below, at_least, from, to } = Bounds::of(filter);
    let (namespace, status) = (&filter.namespace, group.status.as_str());
    let most = i64::try_from(COUNT_MAX + 1).unwrap_or(i64::MAX);
    let runs: i64 = match &group.pair {
        None => connection
            .prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM runs INDEXED BY runs_status
                    WHERE namespace = ?1 AND status = ?2 AND id < ?3 AND id >= ?4
                        AND created_at >= ?5 AND created_at < ?6 LIMIT ?7)",
            )?
            .query_row(params![namespace, status, below, at_least, from, to, most], |row| {
                row.get(0)
            })?,
        Some((app, workflow)) => connection
            .prepare_cached(
                "SELECT count(*) FROM (SELECT 1 FROM runs INDEXED BY runs_app
                    WHERE namespace = ?1 AND app = ?8 AND workflow = ?9 AND status = ?2
                        AND id < ?3 AND id >= ?4 AND created_at >= ?5 AND created_at < ?6 LIMIT ?7)",
            )?
            .query_row(
                params![namespace, status, below, at_least, from, to, most, app, workflow],
                |row| row.get(0),
            )?,
    };
    Ok(u64::try_from(runs).unwrap_or(0))
}
