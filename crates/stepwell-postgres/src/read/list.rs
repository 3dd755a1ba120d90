//! Pages of runs, and how many there are.

use std::time::Instant;

use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_core::summary::Summary;
use stepwell_store::Error;
use stepwell_store::query::{COUNT_MAX, Count, Filter};

use super::filter::{conditions, is_looked_for, statuses};
use super::row::{COLUMNS, LAST, get, read, status};
use crate::lane::Sql;
use crate::options::Effort;
use crate::session::Sessions;
use crate::value::rows;

/// How many runs are looked at between two looks at the clock.
const UNTIMED: usize = 512;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Up to the limit.
    pub(crate) runs: Vec<Summary>,
    /// There are older ones, or may be.
    pub(crate) more: bool,
    /// Runs older than this one were not looked at.
    pub(crate) reached: Option<RunId>,
}

/// Returns a page, newest first.
pub(crate) fn list(sessions: &Sessions, filter: &Filter, effort: Effort) -> Result<Found, Error> {
    let limit = filter.limit.max(1);
    let wanted = limit.saturating_add(1);
    let mut found = Found::default();
    if is_looked_for(filter) {
        let runs = &mut found.runs;
        found.reached = each(sessions, filter, effort, |run| {
            runs.push(run);
            runs.len() < wanted
        })?;
    } else {
        found.runs = page(sessions, filter, wanted)?;
    }
    found.more = found.runs.len() > limit || found.reached.is_some();
    found.runs.truncate(limit);
    Ok(found)
}

/// Counts the runs of each status, in the order of [`RunStatus::ALL`].
pub(crate) fn counts(
    sessions: &Sessions,
    filter: &Filter,
    effort: Effort,
) -> Result<Vec<(RunStatus, Count)>, Error> {
    let filter = Filter { statuses: Vec::new(), before: None, ..filter.clone() };
    let mut counted: Vec<(RunStatus, u64)> = RunStatus::ALL.map(|status| (status, 0)).into();
    let mut add = |status: RunStatus, runs: u64| {
        if let Some((_, count)) = counted.iter_mut().find(|(one, _)| *one == status) {
            *count += runs;
        }
    };
    let mut is_cut = false;
    if is_looked_for(&filter) {
        let reached = each(sessions, &filter, effort, |run| {
            add(run.status, 1);
            true
        })?;
        is_cut = reached.is_some();
    } else {
        let mut sql = Sql::new(
            "SELECT wanted.status, (SELECT count(*) FROM (SELECT FROM runs WHERE ",
            Vec::new(),
        );
        conditions(&mut sql, &filter);
        let words = sql.value(RunStatus::ALL.map(RunStatus::as_str).to_vec());
        sql.push(&format!(
            " AND runs.status = wanted.status LIMIT {}) AS few)
            FROM unnest({words}::text[]) AS wanted (status)",
            COUNT_MAX + 1
        ));
        for row in sessions.ask_once(sql)? {
            add(status(&row, 0)?, get::<i64>(&row, 1)?.unsigned_abs());
        }
    }
    let count = |(status, runs)| {
        let Count { runs, or_more } = Count::of(runs);
        (status, Count { runs, or_more: or_more || is_cut })
    };
    Ok(counted.into_iter().map(count).collect())
}

/// Goes through runs that fit, newest first, until `visit` wants no more, there are no more, or the
/// bound is reached; then it returns the last run that it looked at.
fn each(
    sessions: &Sessions,
    filter: &Filter,
    effort: Effort,
    mut visit: impl FnMut(Summary) -> bool,
) -> Result<Option<RunId>, Error> {
    let begun = Instant::now();
    let mut rest = filter.clone();
    let mut left = effort.looked.max(1);
    loop {
        let looked = left.min(UNTIMED);
        let page = page(sessions, &rest, looked)?;
        let (count, last) = (page.len(), page.last().map(|run| run.id));
        for run in page {
            if filter.matches(&run) && !visit(run) {
                return Ok(None);
            }
        }
        left -= looked.min(left);
        if count < looked {
            return Ok(None);
        }
        if left == 0 || begun.elapsed() > effort.time {
            return Ok(last);
        }
        rest.before = last;
    }
}

fn page(sessions: &Sessions, filter: &Filter, limit: usize) -> Result<Vec<Summary>, Error> {
    let mut sql = Sql::new(format!("SELECT {COLUMNS} FROM runs {LAST} WHERE "), Vec::new());
    conditions(&mut sql, filter);
    statuses(&mut sql, filter);
    let limit = sql.value(rows(limit));
    sql.push(&format!(" ORDER BY runs.id DESC LIMIT {limit}"));
    sessions.ask_once(sql)?.iter().map(read).collect()
}
