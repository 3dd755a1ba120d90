//! Rows of runs as summaries.

use std::sync::Arc;

use stepwell_core::search::from_json;
use stepwell_core::status::RunStatus;
use stepwell_core::summary::{ErrorLine, Summary};
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use crate::error::unread;
use crate::value::{Text, run_id};

/// The columns that [`read`] takes, of `runs` and the last chunk of its journal, which [`LAST`] adds.
pub(crate) const COLUMNS: &str = "runs.id, namespace, app, workflow, status, key, created_at, started_at, \
    ended_at, version, ready_at, timer_at, active, blocked, parent, error, search, \
    coalesce(last.steps, 0), coalesce(last.steps_ended, 0), coalesce(last.steps_failed, 0), \
    coalesce(last.bytes, 0)";

/// What joins the last chunk of the journal to each row of `runs`.
pub(crate) const LAST: &str = "LEFT JOIN LATERAL (
        SELECT steps, steps_ended, steps_failed, at_byte + octet_length(history.bytes) AS bytes
        FROM history WHERE history.run = runs.id ORDER BY at_byte DESC LIMIT 1
    ) AS last ON true";

/// Reads a row of [`COLUMNS`].
///
/// # Errors
/// [`Error::Corrupt`] when it is none.
pub(crate) fn read(row: &Row) -> Result<Summary, Error> {
    let text = |at| get::<Text>(row, at).map(|text| text.0);
    let maybe = |at| get::<Option<Text>>(row, at).map(|text| text.map(|text| text.0));
    let instant = |at| get::<i64>(row, at).map(Timestamp::from_micros);
    let some = |at| get::<Option<i64>>(row, at).map(|at| at.map(Timestamp::from_micros));
    let count = |at| get::<i64>(row, at).map(|count| u32::try_from(count).unwrap_or(u32::MAX));
    let bad = |what: &str, text: &str| Error::Corrupt(format!("`{text}` is no {what} of a run"));
    let error = |text: Arc<str>| ErrorLine::from_json(&text).ok_or_else(|| bad("error", &text));
    let search = |text: Arc<str>| from_json(&text).ok_or_else(|| bad("attributes", &text));
    Ok(Summary {
        id: run_id(get::<Uuid>(row, 0)?),
        namespace: text(1)?,
        app: text(2)?,
        workflow: text(3)?,
        status: status(row, 4)?,
        key: maybe(5)?,
        created_at: instant(6)?,
        started_at: some(7)?,
        ended_at: some(8)?,
        version: maybe(9)?,
        ready_since: some(10)?,
        timer_at: some(11)?,
        active: get(row, 12)?,
        blocked: maybe(13)?.map(|text| text.to_string()),
        parent: get::<Option<Uuid>>(row, 14)?.map(run_id),
        error: maybe(15)?.map(error).transpose()?,
        search: maybe(16)?.map(search).transpose()?.unwrap_or_default(),
        steps: count(17)?,
        steps_ended: count(18)?,
        steps_failed: count(19)?,
        journal_bytes: get::<i64>(row, 20)?.unsigned_abs(),
    })
}

/// Reads a column that holds the status of a run.
pub(super) fn status(row: &Row, at: usize) -> Result<RunStatus, Error> {
    let text = get::<Text>(row, at)?.0;
    RunStatus::parse(&text)
        .ok_or_else(|| Error::Corrupt(format!("`{text}` is not the status of a run")))
}

/// Reads a column.
///
/// # Errors
/// [`Error::Corrupt`] when it holds something else.
pub(super) fn get<'r, T: FromSql<'r>>(row: &'r Row, at: usize) -> Result<T, Error> {
    row.try_get(at).map_err(|error| unread(&error))
}
