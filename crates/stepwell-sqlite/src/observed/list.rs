//! Pages of runs, newest first, and how many there are.
//!
//! Each status has an index that leads to its runs, apart from `completed`, which most are. What is asked for
//! is read from some indexes in turn and merged: each gives its runs in the order of the list.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use stepwell_core::time::Timestamp;
use stepwell_telemetry::keep::{After, ListedRun, RunsAsk, RunsPage};
use stepwell_telemetry::status::{Patience, RunStatus};

use super::row;

/// Runs of a status or with a text in their name that are read one by one and sorted; where there are more,
/// they are found soon by walking through all runs.
const FEW: usize = 2_000;
/// More flows than this are not asked one by one.
const FLOWS_MAX: usize = 200;

/// A flow that is asked for.
struct Flow {
    slug: Arc<str>,
    /// None of its runs that began later has ended. Where no step is declared that is the last, runs end by
    /// silence only, and all that began a moment ago need not be looked at.
    ended_before: Timestamp,
}

/// Returns a page.
pub(super) fn page(
    connection: &Connection,
    ask: &RunsAsk,
    now: Timestamp,
) -> rusqlite::Result<RunsPage> {
    let Some(asked) = Asked::of(connection, ask, now)? else { return Ok(RunsPage::default()) };
    let limit = ask.limit.max(1);
    let mut found = asked.runs(connection, limit + 1)?;
    found.sort_unstable_by_key(|(_, run)| std::cmp::Reverse(run.place));
    let more = found.len() > limit;
    found.truncate(limit);
    let named = |(flow, run): (i64, ListedRun)| {
        let flow = asked.flows.get(&flow).map(|flow| Arc::clone(&flow.slug));
        ListedRun { flow: flow.unwrap_or_default(), ..run }
    };
    Ok(RunsPage { runs: found.into_iter().map(named).collect(), more, stale: false })
}

/// Counts runs by status, each up to `most`.
pub(super) fn counts(
    connection: &Connection,
    ask: &RunsAsk,
    now: Timestamp,
    most: u64,
) -> rusqlite::Result<Vec<(RunStatus, u64)>> {
    let asked_for = |status: &RunStatus| ask.status.is_empty() || ask.status.contains(status);
    let statuses = RunStatus::ALL.into_iter().filter(asked_for);
    let ask = RunsAsk { after: None, ..ask.clone() };
    let Some(mut asked) = Asked::of(connection, &ask, now)? else {
        return Ok(statuses.map(|status| (status, 0)).collect());
    };
    if let Some(few) = asked.few_named(connection)? {
        let count = |status| few.iter().filter(|(_, run)| run.status == status).count() as u64;
        return Ok(statuses.map(|status| (status, count(status).min(most))).collect());
    }
    let mut counts = Vec::new();
    for status in statuses {
        asked.status = vec![status];
        let mut count = 0;
        for plan in asked.plans(connection)? {
            count += asked.count(connection, &plan, most.saturating_sub(count))?;
        }
        counts.push((status, count));
    }
    Ok(counts)
}

/// Counts runs of a flow that are in a status which they leave by themselves.
pub(super) fn count_open(
    connection: &Connection,
    flow: i64,
    status: RunStatus,
    now: Timestamp,
) -> rusqlite::Result<u64> {
    let sql = match status {
        RunStatus::Stuck => {
            "SELECT count(*) FROM runs INDEXED BY runs_open
            WHERE flow = ?1 AND turns_to = 'stuck' AND turns_at <= ?2"
        }
        _ => {
            "SELECT count(*) FROM runs INDEXED BY runs_going
            WHERE flow = ?1 AND status = 'running' AND turns_at > ?2"
        }
    };
    let values = [flow, now.as_micros()];
    let count: i64 = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Runs that are read along one index.
struct Plan {
    index: &'static str,
    /// The column that the index begins with, and what is in it.
    key: (&'static str, i64),
    /// In one of these statuses; in any where empty.
    status: Vec<RunStatus>,
}

/// What is asked, with numbers in place of names.
struct Asked<'a> {
    ask: &'a RunsAsk,
    now: Timestamp,
    space: i64,
    /// By number.
    flows: BTreeMap<i64, Flow>,
    /// In one of these statuses, in order; in any where empty.
    status: Vec<RunStatus>,
}

impl<'a> Asked<'a> {
    /// Looks the names up; `None` where there is nothing of what is asked.
    fn of(
        connection: &Connection,
        ask: &'a RunsAsk,
        now: Timestamp,
    ) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT flows.id, slug, space, declared IS NULL FROM flows
            JOIN spaces ON spaces.id = space WHERE namespace = ?1";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([&*ask.namespace])?;
        let (mut flows, mut space) = (BTreeMap::new(), None);
        while let Some(row) = rows.next()? {
            let slug: Arc<str> = row.get(1)?;
            if ask.flows.is_empty() || ask.flows.contains(&slug) {
                let quiet = now.before(Patience::default().quiet_after);
                let ended_before = if row.get(3)? { quiet } else { Timestamp::MAX };
                flows.insert(row.get(0)?, Flow { slug, ended_before });
                space = Some(row.get(2)?);
            }
        }
        let mut status = ask.status.clone();
        status.sort_unstable();
        status.dedup();
        if status.len() == RunStatus::ALL.len() {
            status.clear();
        }
        Ok(space.map(|space| Self { ask, now, space, flows, status }))
    }

    /// Returns at least the first runs, in any order.
    fn runs(
        &self,
        connection: &Connection,
        limit: usize,
    ) -> rusqlite::Result<Vec<(i64, ListedRun)>> {
        if let Some(few) = self.few_named(connection)? {
            return Ok(few);
        }
        let mut found = Vec::new();
        for plan in self.plans(connection)? {
            found.extend(self.read(connection, &plan, limit)?);
        }
        Ok(found)
    }

    /// Returns all runs with the text in their name, where there is one and they are few.
    fn few_named(
        &self,
        connection: &Connection,
    ) -> rusqlite::Result<Option<Vec<(i64, ListedRun)>>> {
        let Some(text) = &self.ask.text else { return Ok(None) };
        let mut ids: Vec<i64> = Vec::new();
        let sql = "SELECT id FROM runs INDEXED BY runs_name
            WHERE flow = ?1 AND instr(run, ?2) > 0 LIMIT ?3";
        let mut statement = connection.prepare_cached(sql)?;
        for flow in self.flows.keys() {
            let left = i64::try_from(FEW + 1 - ids.len()).unwrap_or(0);
            let found = statement.query_map((flow, text, left), |row| row.get(0))?;
            for id in found {
                ids.push(id?);
            }
            if ids.len() > FEW {
                return Ok(None);
            }
        }
        let sql = format!("SELECT {} FROM runs WHERE id = ?1", row::READ);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut few = Vec::with_capacity(ids.len());
        for id in ids {
            let run = statement.query_row([id], |found| row::read(found, self.now))?;
            if self.is_asked(&run.1) {
                few.push(run);
            }
        }
        Ok(Some(few))
    }

    fn is_asked(&self, run: &ListedRun) -> bool {
        let RunsAsk { from, to, after, .. } = self.ask;
        (self.status.is_empty() || self.status.contains(&run.status))
            && from.is_none_or(|from| run.place.at >= from)
            && to.is_none_or(|to| run.place.at < to)
            && after.is_none_or(|after| run.place < after)
    }

    fn plans(&self, connection: &Connection) -> rusqlite::Result<Vec<Plan>> {
        let status = &self.status;
        let walks = status.is_empty() || status.contains(&RunStatus::Completed);
        let all = self.ask.flows.is_empty();
        if all && (status.is_empty() || self.flows.len() > FLOWS_MAX) {
            return Ok(vec![Plan {
                index: "runs_space",
                key: ("space", self.space),
                status: status.clone(),
            }]);
        }
        let mut plans = Vec::new();
        for flow in self.flows.keys() {
            let key = ("flow", *flow);
            if walks {
                plans.push(Plan { index: "runs_first", key, status: status.clone() });
                continue;
            }
            for status in status {
                let index = match status {
                    RunStatus::Failed => "runs_failed",
                    RunStatus::Stuck => "runs_open",
                    RunStatus::Running if self.are_few(connection, *flow)? => "runs_going",
                    RunStatus::Running | RunStatus::Completed => "runs_first",
                };
                plans.push(Plan { index, key, status: vec![*status] });
            }
        }
        Ok(plans)
    }

    /// Tells whether few runs of a flow are running.
    fn are_few(&self, connection: &Connection, flow: i64) -> rusqlite::Result<bool> {
        let plan =
            Plan { index: "runs_going", key: ("flow", flow), status: vec![RunStatus::Running] };
        Ok(self.count(connection, &plan, FEW as u64 + 1)? <= FEW as u64)
    }

    fn read(
        &self,
        connection: &Connection,
        plan: &Plan,
        limit: usize,
    ) -> rusqlite::Result<Vec<(i64, ListedRun)>> {
        let (clause, values) = self.clause(plan);
        let columns = row::READ;
        let sql = format!(
            "SELECT {columns} FROM runs INDEXED BY {} {clause}
            ORDER BY first_at DESC, id DESC LIMIT {limit}",
            plan.index
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let rows =
            statement.query_map(params_from_iter(values), |found| row::read(found, self.now))?;
        rows.collect()
    }

    fn count(&self, connection: &Connection, plan: &Plan, most: u64) -> rusqlite::Result<u64> {
        let (clause, values) = self.clause(plan);
        let sql = format!(
            "SELECT count(*) FROM (SELECT 1 FROM runs INDEXED BY {} {clause} LIMIT {most})",
            plan.index
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let count: i64 = statement.query_row(params_from_iter(values), |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn clause(&self, plan: &Plan) -> (String, Vec<Value>) {
        let RunsAsk { text, from, to, after, .. } = self.ask;
        let (column, key) = plan.key;
        let mut clause = Clause { sql: format!("WHERE {column} = ?1"), values: vec![key.into()] };
        if !plan.status.is_empty() {
            let any: Vec<&str> = plan.status.iter().map(|status| is_in(*status)).collect();
            clause.and(&format!("({})", any.join(" OR ")), self.now.as_micros());
        }
        if !plan.status.is_empty()
            && plan.status.iter().all(|status| status.is_ended())
            && let Some(flow) = self.flows.get(&key).filter(|_| column == "flow")
        {
            clause.and("first_at <= ?", flow.ended_before.as_micros());
        }
        if let Some(text) = text {
            clause.and("instr(run, ?) > 0", text.clone());
        }
        if let Some(from) = from {
            clause.and("first_at >= ?", from.as_micros());
        }
        if let Some(to) = to {
            clause.and("first_at < ?", to.as_micros());
        }
        if let Some(After { at, n }) = after {
            clause.and("first_at <= ?", at.as_micros());
            let at = clause.values.len();
            clause.and(&format!("(first_at < ?{at} OR id < ?)"), *n);
        }
        (clause.sql, clause.values)
    }
}

/// Conditions with their values.
struct Clause {
    sql: String,
    values: Vec<Value>,
}

impl Clause {
    /// Adds a condition; the value stands wherever `?` without a number is.
    fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        let number = format!("?{}", self.values.len());
        self.sql.push_str(" AND ");
        for (at, part) in condition.split('?').enumerate() {
            let is_numbered = part.starts_with(|c: char| c.is_ascii_digit());
            match at {
                0 => {}
                _ if is_numbered => self.sql.push('?'),
                _ => self.sql.push_str(&number),
            }
            self.sql.push_str(part);
        }
    }
}

/// Returns the condition that a run is in a status at `?`; the terms of the index of the status are in it.
fn is_in(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running => "(status = 'running' AND turns_at > ?)",
        RunStatus::Stuck => "(turns_to = 'stuck' AND turns_at <= ?)",
        RunStatus::Failed => "(failed > 0 AND iif(turns_at > ?, status, turns_to) = 'failed')",
        RunStatus::Completed => {
            "(failed = 0 AND iif(turns_at > ?, status, turns_to) = 'completed')"
        }
    }
}
