//! Whether one run is as a filter asks, by its row.

use rusqlite::{CachedStatement, Connection, ToSql};
use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_core::time::Timestamp;
use stepwell_store::query::Filter;

use super::row::status_of;
use super::search;

/// The values of a statement, in their order.
pub(super) type Values<'a> = Vec<Box<dyn ToSql + 'a>>;

/// A statement that is asked of many runs.
pub(super) struct Check<'c> {
    statement: CachedStatement<'c>,
}

impl<'c> Check<'c> {
    /// Prepares the question for everything that a filter asks of rows and attributes.
    pub(super) fn new(connection: &'c Connection, filter: &Filter) -> rusqlite::Result<Self> {
        let mut sql = "SELECT status FROM runs WHERE id = ?".to_owned();
        let mut values: Values<'_> = Vec::new();
        sql.push_str(" AND namespace = ?");
        values.push(Box::new(&filter.namespace));
        scalars(filter, &mut sql, &mut values);
        if let Some(key) = &filter.key {
            sql.push_str(" AND key = ?");
            values.push(Box::new(key));
        }
        if let Some(parent) = filter.parent {
            sql.push_str(" AND parent = ?");
            values.push(Box::new(parent.to_string()));
        }
        search::each_exists(&filter.search, &mut sql, &mut values);
        let mut statement = connection.prepare_cached(&sql)?;
        for (at, value) in values.iter().enumerate() {
            statement.raw_bind_parameter(at + 2, value)?;
        }
        Ok(Self { statement })
    }

    /// Returns the status of a run that is as asked.
    pub(super) fn status(&mut self, run: RunId) -> rusqlite::Result<Option<RunStatus>> {
        self.statement.raw_bind_parameter(1, run.to_string())?;
        let mut found = self.statement.raw_query();
        found.next()?.map(|row| status_of(row, 0)).transpose()
    }
}

/// Adds what is asked of the columns that `runs` and `searches` have both.
pub(super) fn scalars<'a>(filter: &'a Filter, sql: &mut String, values: &mut Values<'a>) {
    if let Some(app) = &filter.app {
        sql.push_str(" AND app = ?");
        values.push(Box::new(app));
    }
    if let Some(workflow) = &filter.workflow {
        sql.push_str(" AND workflow = ?");
        values.push(Box::new(workflow));
    }
    if let Some(from) = filter.from {
        sql.push_str(" AND created_at >= ?");
        values.push(Box::new(Timestamp::as_micros(from)));
    }
    if let Some(to) = filter.to {
        sql.push_str(" AND created_at < ?");
        values.push(Box::new(Timestamp::as_micros(to)));
    }
    if !filter.statuses.is_empty() {
        let words: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
        sql.extend([" AND status IN ('", &words.join("', '"), "')"]);
    }
}
