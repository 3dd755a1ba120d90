//! Which runs fit a filter, newest first.
//!
//! | what is asked for | how it is found |
//! | --- | --- |
//! | an id, a key, a parent | all of these runs, each held against the rest |
//! | app, workflow, status, time | groups of indexes put together (`walk`) |
//! | one value of an attribute | the index of attributes, which knows the rest of a filter too |
//! | one value of several attributes each | their indexes, which are in the order of runs, gone through side by side |
//! | a range of an attribute, and others | the newest runs are looked at; where few of them fit, the index is read whole |
//! | the end of an id, a text | the newest runs are looked at, as long as there is time |
//!
//! The last two are bounded: a page may be short, and says how far it came.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Row, params, params_from_iter};
use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_store::query::{Filter, IdPart};

use super::check::Check;
use super::row::{columns, read as read_row, run_id, status_of};
use super::search::{Span, spans};
use super::walk::{Bounds, Walk};
use crate::options::Effort;

/// What reading a row costs more than looking at an id.
const ROW_WORK: usize = 25;
/// How many runs are looked at between two looks at the clock.
const UNTIMED: usize = 512;

/// Runs that fit.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Newest first.
    pub(super) ids: Vec<RunId>,
    /// Runs older than this one were not looked at.
    pub(super) reached: Option<RunId>,
}

/// How much may be looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    work: usize,
    time: Duration,
}

impl Bound {
    /// The bound of a search that no index leads.
    pub(super) fn of(effort: Effort) -> Self {
        Self { work: effort.looked, time: effort.time }
    }
}

/// Returns up to so many runs.
pub(super) fn ids(
    connection: &Connection,
    filter: &Filter,
    (wanted, effort): (usize, Effort),
) -> rusqlite::Result<Ids> {
    if is_looked_for(filter) || leads_to_few(filter) {
        return look(connection, filter, (wanted, Bound::of(effort)));
    }
    let probe = Bound { work: effort.probed.max(1), time: Duration::MAX };
    let (probed, whole) = match &spans(&filter.search)[..] {
        [] => {
            let mut walk = Walk::new(connection, filter, wanted)?;
            let mut ids = Vec::new();
            while ids.len() < wanted
                && let Some((run, _)) = walk.next()?
            {
                ids.push(run);
            }
            return Ok(Ids { ids, reached: None });
        }
        [span] if span.is_exact() => {
            let bounds = Bounds::of(filter);
            let (sql, values) = span.select("run", filter, &bounds);
            let sql = format!("{sql} ORDER BY run DESC LIMIT {wanted}");
            let mut statement = connection.prepare_cached(&sql)?;
            let ids = statement.query_map(params_from_iter(values), read)?;
            return Ok(Ids { ids: ids.collect::<rusqlite::Result<_>>()?, reached: None });
        }
        [span] => {
            let probed = look(connection, filter, (wanted, probe))?;
            if probed.reached.is_none() {
                return Ok(probed);
            }
            (probed, newest(connection, (filter, span), (wanted, effort.scanned))?)
        }
        spans if spans.iter().all(Span::is_exact) => {
            let ids = meeting(connection, (filter, spans), wanted)?;
            return Ok(Ids { ids, reached: None });
        }
        spans => {
            let probed = look(connection, filter, (wanted, probe))?;
            if probed.reached.is_none() {
                return Ok(probed);
            }
            let runs = common(connection, (filter, spans), effort)?;
            let newest = |mut runs: Vec<(RunId, RunStatus)>| {
                runs.sort_unstable_by_key(|(run, _)| Reverse(*run));
                runs.into_iter().take(wanted).map(|(run, _)| run).collect()
            };
            (probed, runs.map(newest))
        }
    };
    Ok(whole.map_or(probed, |ids| Ids { ids, reached: None }))
}

/// Tells whether no index leads to what a filter asks for.
pub(super) fn is_looked_for(filter: &Filter) -> bool {
    filter.text.is_some() || matches!(filter.id, Some(IdPart::End { .. }))
}

/// Tells whether a filter names runs of which there are few.
pub(super) fn leads_to_few(filter: &Filter) -> bool {
    matches!(filter.id, Some(IdPart::Whole(_))) || filter.key.is_some() || filter.parent.is_some()
}

fn look(
    connection: &Connection,
    filter: &Filter,
    (wanted, bound): (usize, Bound),
) -> rusqlite::Result<Ids> {
    let mut ids = Vec::new();
    let reached = each(connection, filter, bound, |run, _| {
        ids.push(run);
        ids.len() < wanted
    })?;
    Ok(Ids { ids, reached })
}

/// Where runs come from, newest first.
enum Source<'c> {
    Few(std::vec::IntoIter<RunId>),
    Walk(Box<Walk<'c>>),
}

/// Goes through runs that fit, newest first, until `visit` wants no more, there are no more, or the
/// bound is reached; then it returns the last run that it looked at.
pub(super) fn each(
    connection: &Connection,
    filter: &Filter,
    bound: Bound,
    mut visit: impl FnMut(RunId, RunStatus) -> bool,
) -> rusqlite::Result<Option<RunId>> {
    let begun = Instant::now();
    let mut source = match few(connection, filter)? {
        Some(few) => Source::Few(few.into_iter()),
        None => Source::Walk(Box::new(Walk::new(connection, filter, UNTIMED)?)),
    };
    let unwalked = matches!(source, Source::Few(_)) || !filter.search.is_empty();
    let mut check = unwalked.then(|| Check::new(connection, filter)).transpose()?;
    let mut row =
        connection.prepare_cached(&format!("SELECT {} FROM runs WHERE id = ?1", columns()))?;
    // What is named is looked at whole.
    let bounded = is_looked_for(filter) || matches!(source, Source::Walk(_));
    let mut work = 0;
    for looked in 1.. {
        let (run, mut status) = match &mut source {
            Source::Few(few) => match few.next() {
                Some(run) => (run, None),
                None => return Ok(None),
            },
            Source::Walk(walk) => match walk.next()? {
                Some((run, status)) => (run, Some(status)),
                None => return Ok(None),
            },
        };
        work += 1;
        if !filter.id.is_none_or(|id| id.matches(run)) {
            status = None;
        } else if let Some(check) = &mut check {
            status = check.status(run)?;
        }
        if let (Some(text), Some(_)) = (&filter.text, status) {
            work += ROW_WORK;
            let found = row.query_row([run.to_string()], read_row)?;
            status = status.filter(|_| text.is_of(&found));
        }
        if let Some(status) = status
            && !visit(run, status)
        {
            return Ok(None);
        }
        let late = looked % UNTIMED == 0 && begun.elapsed() > bound.time;
        if bounded && (work >= bound.work || late) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// Returns all runs that a filter names, newest first; `None` where it names none.
fn few(connection: &Connection, filter: &Filter) -> rusqlite::Result<Option<Vec<RunId>>> {
    let below = Bounds::of(filter).below;
    let mut found: Vec<RunId> = if let Some(IdPart::Whole(run)) = filter.id {
        vec![run]
            .into_iter()
            .filter(|run| filter.before.is_none_or(|before| *run < before))
            .collect()
    } else if let Some(key) = &filter.key {
        connection
            .prepare_cached(
                "SELECT id FROM runs INDEXED BY runs_key
                WHERE namespace = ?1 AND key = ?2 AND id < ?3",
            )?
            .query_map(params![filter.namespace, key, below], read)?
            .collect::<rusqlite::Result<_>>()?
    } else if let Some(parent) = filter.parent {
        connection
            .prepare_cached(
                "SELECT id FROM runs INDEXED BY runs_parent WHERE parent = ?1 AND id < ?2",
            )?
            .query_map(params![parent.to_string(), below], read)?
            .collect::<rusqlite::Result<_>>()?
    } else {
        return Ok(None);
    };
    found.sort_unstable_by_key(|run| Reverse(*run));
    Ok(Some(found))
}

/// Reads a range of an attribute whole; `None` where it is too long.
fn newest(
    connection: &Connection,
    (filter, span): (&Filter, &Span<'_>),
    (wanted, scanned): (usize, usize),
) -> rusqlite::Result<Option<Vec<RunId>>> {
    let bounds = Bounds::of(filter);
    let (sql, values) = span.select("run", filter, &bounds);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    // The newest so far, the oldest of them on top.
    let mut kept: BinaryHeap<Reverse<RunId>> = BinaryHeap::new();
    let mut read_so_far = 0;
    while let Some(row) = rows.next()? {
        read_so_far += 1;
        if read_so_far > scanned {
            return Ok(None);
        }
        let run = read(row)?;
        if kept.len() < wanted {
            kept.push(Reverse(run));
        } else if kept.peek().is_some_and(|oldest| oldest.0 < run) {
            kept.pop();
            kept.push(Reverse(run));
        }
    }
    // In the order of `Reverse`, which is newest first.
    Ok(Some(kept.into_sorted_vec().into_iter().map(|Reverse(run)| run).collect()))
}

/// Returns the newest runs that have one value of several attributes each: what an index has of one value is in
/// the order of the runs, so a run that all have is met where all stand at it.
fn meeting(
    connection: &Connection,
    (filter, spans): (&Filter, &[Span<'_>]),
    wanted: usize,
) -> rusqlite::Result<Vec<RunId>> {
    let bounds = Bounds::of(filter);
    let mut statements = Vec::with_capacity(spans.len());
    for span in spans {
        let (sql, values) = span.select("run", filter, &bounds);
        let statement = connection.prepare_cached(&format!("{sql} ORDER BY run DESC"))?;
        statements.push((statement, values));
    }
    let begun = statements.iter_mut().map(|(statement, values)| {
        let values = values.iter().map(|value| &**value);
        statement.query(params_from_iter(values))
    });
    let mut all = begun.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut found = Vec::new();
    let mut oldest: Option<RunId> = None;
    // How many in a row stand at `oldest`; all of them, and it is one.
    let mut agreed = 0;
    for at in (0..all.len()).cycle() {
        let Some(rows) = all.get_mut(at) else { break };
        let run = loop {
            match rows.next()? {
                Some(row) => {
                    let run = read(row)?;
                    if oldest.is_none_or(|oldest| run <= oldest) {
                        break run;
                    }
                }
                None => return Ok(found),
            }
        };
        agreed = if oldest == Some(run) { agreed + 1 } else { 1 };
        oldest = Some(run);
        if agreed == spans.len() {
            found.push(run);
            agreed = 0;
            // The next one is older, and nobody stands there yet.
            oldest = None;
        }
        if found.len() == wanted {
            break;
        }
    }
    Ok(found)
}

/// Returns all runs that have several attributes; `None` where finding them takes too much.
pub(super) fn common(
    connection: &Connection,
    (filter, spans): (&Filter, &[Span<'_>]),
    effort: Effort,
) -> rusqlite::Result<Option<Vec<(RunId, RunStatus)>>> {
    let bounds = Bounds::of(filter);
    let read_some = |span: &Span<'_>, most: usize| -> rusqlite::Result<Vec<(RunId, RunStatus)>> {
        let (sql, values) = span.select("run, status", filter, &bounds);
        let sql = format!("{sql} LIMIT {}", most.saturating_add(1));
        let mut statement = connection.prepare_cached(&sql)?;
        let runs = statement
            .query_map(params_from_iter(values), |row| Ok((run_id(row, 0)?, status_of(row, 1)?)))?;
        runs.collect()
    };
    // An attribute that few runs have leads to them.
    for span in spans {
        let mut runs = read_some(span, effort.few)?;
        if runs.len() <= effort.few {
            let mut check = Check::new(connection, filter)?;
            let mut fits = Vec::new();
            for one in runs.drain(..) {
                if check.status(one.0)?.is_some() {
                    fits.push(one);
                }
            }
            return Ok(Some(fits));
        }
    }
    let mut left = effort.scanned;
    let mut common: Option<Vec<(RunId, RunStatus)>> = None;
    for span in spans {
        common = Some(match common {
            None => {
                let mut runs = read_some(span, left)?;
                if runs.len() > left {
                    return Ok(None);
                }
                left -= runs.len();
                runs.sort_unstable_by_key(|(run, _)| *run);
                runs
            }
            Some(mut others) => {
                // The first has told the statuses.
                let (sql, values) = span.select("run", filter, &bounds);
                let sql = format!("{sql} LIMIT {}", left.saturating_add(1));
                let mut statement = connection.prepare_cached(&sql)?;
                let runs = statement.query_map(params_from_iter(values), read)?;
                let mut runs = runs.collect::<rusqlite::Result<Vec<RunId>>>()?;
                if runs.len() > left {
                    return Ok(None);
                }
                left -= runs.len();
                runs.sort_unstable();
                let mut runs = runs.into_iter().peekable();
                others.retain(|(run, _)| {
                    while runs.next_if(|one| one < run).is_some() {}
                    runs.peek() == Some(run)
                });
                others
            }
        });
    }
    Ok(common)
}

fn read(row: &Row<'_>) -> rusqlite::Result<RunId> {
    run_id(row, 0)
}
