//! Pages of runs, newest first.
//!
//! An index per (namespace, status) and per (namespace, workflow, status) serves every filter: the
//! statuses asked for are read each in the order of their ids, and put together here.

use std::cmp::Reverse;
use std::time::Duration;

use rusqlite::{Connection, ToSql, params_from_iter};
use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_core::summary::Summary;
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::query::Filter;

use super::connection::failed;
use super::read::rows;
use super::row::{columns, read};
use super::search;

/// An id tells when its run was created. Ids are made from the same clock as `created_at`; this much
/// they may differ, so that the index can be entered near the place.
const SLACK: Duration = Duration::from_hours(1);

/// Returns up to `filter.limit` rows, and whether there are older ones.
pub(crate) fn list(
    connection: &Connection,
    filter: &Filter,
) -> Result<(Vec<Summary>, bool), Error> {
    let limit = filter.limit.max(1);
    let mut found: Vec<Summary> = Vec::new();
    let read = |found: &mut Vec<Summary>, status| {
        let (sql, values) = statement(filter, status, limit + 1);
        let values = values.iter().map(|value| &**value);
        let mut statement = connection.prepare_cached(&sql)?;
        for row in statement.query_map(params_from_iter(values), read)? {
            found.push(row?);
        }
        Ok(())
    };
    for status in RunStatus::ALL {
        if filter.statuses.is_empty() || filter.statuses.contains(&status) {
            read(&mut found, status).map_err(|e: rusqlite::Error| failed(&e))?;
        }
    }
    found.sort_unstable_by_key(|row| Reverse(row.id));
    let more = found.len() > limit;
    found.truncate(limit);
    Ok((found, more))
}

type Values<'a> = Vec<Box<dyn ToSql + 'a>>;

fn statement<'a>(filter: &'a Filter, status: RunStatus, limit: usize) -> (String, Values<'a>) {
    let mut sql = format!("SELECT {} FROM runs WHERE namespace = ? AND status = ?", columns());
    let mut values: Values<'a> = vec![Box::new(&filter.namespace), Box::new(status.as_str())];
    let mut also = |condition: &str, value: Option<Box<dyn ToSql + 'a>>| {
        if let Some(value) = value {
            sql.push_str(condition);
            values.push(value);
        }
    };
    let first_after = |at: Timestamp| RunId::new(at, 0).to_string();
    also(" AND workflow = ?", filter.workflow.as_ref().map(boxed));
    also(" AND app = ?", filter.app.as_ref().map(boxed));
    also(" AND parent = ?", filter.parent.map(|run| boxed(run.to_string())));
    also(" AND key = ?", filter.key.as_ref().map(boxed));
    also(" AND created_at >= ?", filter.from.map(|at| boxed(at.as_micros())));
    also(" AND created_at < ?", filter.to.map(|at| boxed(at.as_micros())));
    also(" AND id >= ?", filter.from.map(|at| boxed(first_after(at.before(SLACK)))));
    also(" AND id < ?", filter.to.map(|at| boxed(first_after(at.after(SLACK)))));
    also(" AND id < ?", filter.before.map(|run| boxed(run.to_string())));
    search::conditions(&filter.namespace, &filter.search, (&mut sql, &mut values));
    sql.push_str(" ORDER BY id DESC LIMIT ?");
    values.push(boxed(rows(limit)));
    (sql, values)
}

fn boxed<'a, T: ToSql + 'a>(value: T) -> Box<dyn ToSql + 'a> {
    Box::new(value)
}
