//! Ids of runs by app, workflow, status and time, newest first, from indexes alone.
//!
//! An index has the runs of one status, or of one workflow and status, in the order of their ids. What
//! is asked for is some of these groups, which are put together here.

use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;
use stepwell_store::query::Filter;

use super::read::rows;
use super::row::run_id;

/// An id tells when its run was created. Ids are made from the same clock as `created_at`; this much
/// they may differ, so that an index can be entered near the place.
const SLACK: Duration = Duration::from_hours(1);
/// Most ids of a group that are read at once.
const AHEAD_MAX: usize = 1_024;
/// What stands behind every id.
const BEHIND_ALL: &str = "run_g";

/// The bounds of a filter, as texts and numbers that statements always take.
pub(super) struct Bounds {
    pub(super) below: String,
    pub(super) at_least: String,
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Bounds {
    pub(super) fn of(filter: &Filter) -> Self {
        let first_after = |at: Timestamp| RunId::new(at, 0).to_string();
        let before = filter.before.map(|run| run.to_string());
        let to = filter.to.map(|at| first_after(at.after(SLACK)));
        let below = before.into_iter().chain(to).min();
        Self {
            below: below.unwrap_or_else(|| BEHIND_ALL.to_owned()),
            at_least: filter.from.map(|at| first_after(at.before(SLACK))).unwrap_or_default(),
            from: filter.from.map_or(i64::MIN, Timestamp::as_micros),
            to: filter.to.map_or(i64::MAX, Timestamp::as_micros),
        }
    }
}

/// An app and a workflow of it.
pub(super) type Pair = (Arc<str>, Arc<str>);

/// Runs of one status, or of one workflow and status.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) pair: Option<Pair>,
    pub(super) status: RunStatus,
    ahead: VecDeque<RunId>,
    /// The last one that was read.
    last: Option<RunId>,
    done: bool,
}

/// Returns the groups that a filter asks for. Its statuses are told apart by the caller.
pub(super) fn groups(
    connection: &Connection,
    filter: &Filter,
    statuses: &[RunStatus],
) -> rusqlite::Result<Vec<Group>> {
    let pairs: Vec<Option<Pair>> = match pairs(connection, filter)? {
        Some(pairs) => pairs.into_iter().map(Some).collect(),
        None => vec![None],
    };
    let group = |pair: &Option<Pair>, status| Group {
        pair: pair.clone(),
        status,
        ahead: VecDeque::new(),
        last: None,
        done: false,
    };
    let of = |pair: Option<Pair>| statuses.iter().map(move |status| group(&pair, *status));
    Ok(pairs.into_iter().flat_map(of).collect())
}

/// Returns the apps and workflows that a filter asks for; `None` where it asks for all.
fn pairs(connection: &Connection, filter: &Filter) -> rusqlite::Result<Option<Vec<Pair>>> {
    let namespace = &filter.namespace;
    let next = match (&filter.app, &filter.workflow) {
        (None, None) => return Ok(None),
        (Some(app), Some(workflow)) => {
            return Ok(Some(vec![(Arc::clone(app), Arc::clone(workflow))]));
        }
        (Some(_), None) => {
            "SELECT workflow FROM runs INDEXED BY runs_app
            WHERE namespace = ?1 AND app = ?2 AND workflow > ?3 ORDER BY workflow LIMIT 1"
        }
        (None, Some(_)) => {
            "SELECT app FROM runs INDEXED BY runs_app
            WHERE namespace = ?1 AND ?2 IS NULL AND app > ?3 ORDER BY app LIMIT 1"
        }
    };
    let mut statement = connection.prepare_cached(next)?;
    let mut pairs: Vec<Pair> = Vec::new();
    let mut last = String::new();
    // A seek for each: rows of one app stand together.
    while let Some(name) = statement
        .query_row(params![namespace, filter.app, last], |row| row.get::<_, String>(0))
        .optional()?
    {
        last.clone_from(&name);
        let name = Arc::from(name);
        pairs.push(match (&filter.app, &filter.workflow) {
            (Some(app), _) => (Arc::clone(app), name),
            (None, workflow) => (name, workflow.clone().unwrap_or_default()),
        });
    }
    Ok(Some(pairs))
}

/// Goes through runs, newest first.
pub(super) struct Walk<'c> {
    connection: &'c Connection,
    namespace: Arc<str>,
    bounds: Bounds,
    groups: Vec<Group>,
    heads: BinaryHeap<(RunId, usize)>,
    ahead: usize,
}

impl<'c> Walk<'c> {
    /// Begins; about so many are wanted.
    pub(super) fn new(
        connection: &'c Connection,
        filter: &Filter,
        wanted: usize,
    ) -> rusqlite::Result<Self> {
        let groups = groups(connection, filter, &statuses(filter))?;
        let mut walk = Self {
            connection,
            namespace: Arc::clone(&filter.namespace),
            bounds: Bounds::of(filter),
            heads: BinaryHeap::with_capacity(groups.len()),
            groups,
            ahead: wanted.clamp(1, AHEAD_MAX),
        };
        for at in 0..walk.groups.len() {
            walk.advance(at)?;
        }
        Ok(walk)
    }

    /// Returns the next one, and its status.
    pub(super) fn next(&mut self) -> rusqlite::Result<Option<(RunId, RunStatus)>> {
        let Some((run, at)) = self.heads.pop() else { return Ok(None) };
        self.advance(at)?;
        Ok(self.groups.get(at).map(|group| (run, group.status)))
    }

    fn advance(&mut self, at: usize) -> rusqlite::Result<()> {
        let Some(group) = self.groups.get_mut(at) else { return Ok(()) };
        if group.ahead.is_empty() && !group.done {
            let limit = if group.last.is_some() { AHEAD_MAX } else { self.ahead };
            let read = page(self.connection, (&self.namespace, &self.bounds), group, limit)?;
            group.done = read.len() < limit;
            group.last = read.back().copied().or(group.last);
            group.ahead = read;
        }
        if let Some(run) = group.ahead.pop_front() {
            self.heads.push((run, at));
        }
        Ok(())
    }
}

/// Returns the statuses that a filter asks for, each once.
pub(super) fn statuses(filter: &Filter) -> Vec<RunStatus> {
    let wanted = |one: &RunStatus| filter.statuses.is_empty() || filter.statuses.contains(one);
    RunStatus::ALL.into_iter().filter(wanted).collect()
}

fn page(
    connection: &Connection,
    (namespace, bounds): (&str, &Bounds),
    group: &Group,
    limit: usize,
) -> rusqlite::Result<VecDeque<RunId>> {
    let last = group.last.map(|run| run.to_string());
    let below = last.as_deref().unwrap_or(&bounds.below);
    let Bounds { at_least, from, to, .. } = bounds;
    let (status, limit) = (group.status.as_str(), rows(limit));
    match &group.pair {
        None => connection
            .prepare_cached(
                "SELECT id FROM runs INDEXED BY runs_status
                WHERE namespace = ?1 AND status = ?2 AND id < ?3 AND id >= ?4
                    AND created_at >= ?5 AND created_at < ?6
                ORDER BY id DESC LIMIT ?7",
            )?
            .query_map(params![namespace, status, below, at_least, from, to, limit], read_id)?
            .collect(),
        Some((app, workflow)) => connection
            .prepare_cached(
                "SELECT id FROM runs INDEXED BY runs_app
                WHERE namespace = ?1 AND app = ?8 AND workflow = ?9 AND status = ?2
                    AND id < ?3 AND id >= ?4 AND created_at >= ?5 AND created_at < ?6
                ORDER BY id DESC LIMIT ?7",
            )?
            .query_map(
                params![namespace, status, below, at_least, from, to, limit, app, workflow],
                read_id,
            )?
            .collect(),
    }
}

fn read_id(row: &rusqlite::Row<'_>) -> rusqlite::Result<RunId> {
    run_id(row, 0)
}
