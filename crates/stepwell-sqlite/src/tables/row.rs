//! Rows of `runs` as summaries.

use std::sync::Arc;

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row};
use stepwell_core::id::{ParseError, RunId};
use stepwell_core::search::from_json;
use stepwell_core::status::RunStatus;
use stepwell_core::summary::{ErrorLine, Summary};
use stepwell_core::time::Timestamp;
use stepwell_store::Error;

use super::connection::failed;
use super::search;

/// Returns the columns of a row, in the order in which [`read`] takes them.
pub(super) fn columns() -> String {
    format!(
        "id, namespace, app, workflow, status, key, created_at, started_at, ended_at, version, \
         ready_at, timer_at, active, steps, steps_ended, steps_failed, blocked, journal_bytes, parent, error, {}",
        search::COLUMN
    )
}

/// Finds the row of a run.
pub(crate) fn find(connection: &Connection, run: RunId) -> Result<Option<Summary>, Error> {
    let find = || {
        connection
            .prepare_cached(&format!("SELECT {} FROM runs WHERE id = ?1", columns()))?
            .query_row([run.to_string()], read)
            .optional()
    };
    find().map_err(|e| failed(&e))
}

/// Reads a row of [`columns`].
pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Summary> {
    let text = |at: usize| row.get_ref(at)?.as_str().map(Arc::<str>::from).map_err(|e| bad(at, e));
    let maybe_text = |at: usize| {
        row.get_ref(at)?
            .as_str_or_null()
            .map(|text| text.map(Arc::<str>::from))
            .map_err(|e| bad(at, e))
    };
    let instant = |at: usize| row.get::<_, i64>(at).map(Timestamp::from_micros);
    let maybe_instant =
        |at: usize| row.get::<_, Option<i64>>(at).map(|one| one.map(Timestamp::from_micros));
    let attributes = row.get_ref(20)?.as_str().map_err(|e| bad(20, e))?;
    Ok(Summary {
        id: run_id(row, 0)?,
        namespace: text(1)?,
        app: text(2)?,
        workflow: text(3)?,
        status: status_of(row, 4)?,
        key: maybe_text(5)?,
        created_at: instant(6)?,
        started_at: maybe_instant(7)?,
        ended_at: maybe_instant(8)?,
        version: maybe_text(9)?,
        ready_since: maybe_instant(10)?,
        timer_at: maybe_instant(11)?,
        active: row.get(12)?,
        steps: row.get(13)?,
        steps_ended: row.get(14)?,
        steps_failed: row.get(15)?,
        blocked: row.get(16)?,
        journal_bytes: u64::try_from(row.get::<_, i64>(17)?).unwrap_or(0),
        parent: maybe_text(18)?
            .map(|run| run.parse().map_err(|e: ParseError| bad(18, e)))
            .transpose()?,
        error: maybe_text(19)?
            .map(|text| {
                let why = || bad(19, Unread(format!("`{text}` is no error")));
                ErrorLine::from_json(&text).ok_or_else(why)
            })
            .transpose()?,
        search: from_json(attributes)
            .ok_or_else(|| bad(20, Unread(format!("`{attributes}` are no attributes"))))?,
    })
}

/// Reads a column that holds the status of a run.
pub(super) fn status_of(row: &Row<'_>, at: usize) -> rusqlite::Result<RunStatus> {
    let status = row.get_ref(at)?.as_str().map_err(|e| bad(at, e))?;
    RunStatus::parse(status)
        .ok_or_else(|| bad(at, Unread(format!("`{status}` is not the status of a run"))))
}

/// Reads a column that holds the id of a run.
pub(super) fn run_id(row: &Row<'_>, at: usize) -> rusqlite::Result<RunId> {
    row.get_ref(at)?.as_str().map_err(|e| bad(at, e))?.parse().map_err(|e| bad(at, e))
}

/// What a column holds that is none of what it may hold.
#[derive(Debug)]
pub(super) struct Unread(pub(super) String);

impl std::fmt::Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unread {}

/// Makes the error of a column that cannot be read.
pub(super) fn bad(
    at: usize,
    error: impl std::error::Error + Send + Sync + 'static,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error))
}
