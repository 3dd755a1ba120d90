//! Pages of runs, newest first.

use rusqlite::Connection;
use stepwell_core::id::RunId;
use stepwell_core::summary::Summary;
use stepwell_store::Error;
use stepwell_store::query::Filter;

use crate::options::Effort;

use super::connection::failed;
use super::find::{Ids, ids};
use super::row::{columns, read};

/// What was found.
pub(crate) struct Found {
    /// Up to `filter.limit` rows.
    pub(crate) runs: Vec<Summary>,
    /// There are older ones, or may be.
    pub(crate) more: bool,
    /// Runs older than this one were not looked at.
    pub(crate) reached: Option<RunId>,
}

/// Returns a page.
pub(crate) fn list(
    connection: &Connection,
    filter: &Filter,
    effort: Effort,
) -> Result<Found, Error> {
    let limit = filter.limit.max(1);
    let page = || {
        let Ids { mut ids, reached } = ids(connection, filter, (limit + 1, effort))?;
        let more = ids.len() > limit || reached.is_some();
        ids.truncate(limit);
        let mut row =
            connection.prepare_cached(&format!("SELECT {} FROM runs WHERE id = ?1", columns()))?;
        let runs: rusqlite::Result<Vec<Summary>> =
            ids.iter().map(|run| row.query_row([run.to_string()], read)).collect();
        Ok(Found { runs: runs?, more, reached })
    };
    page().map_err(|e: rusqlite::Error| failed(&e))
}
