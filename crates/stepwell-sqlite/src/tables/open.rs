//! How many runs of each workflow and status have not ended, of all namespaces.

use rusqlite::{Connection, OptionalExtension, params};
use stepwell_core::status::RunStatus;
use stepwell_store::Error;
use stepwell_store::query::{OPEN_COUNT_MAX, OPEN_WORKFLOWS_MAX, OpenRuns, Queue};

use super::connection::failed;

/// Counts them from an index that has one workflow and status together.
pub(crate) fn open_runs(connection: &Connection) -> Result<Vec<OpenRuns>, Error> {
    count_all(connection).map_err(|e| failed(&e))
}

fn count_all(connection: &Connection) -> rusqlite::Result<Vec<OpenRuns>> {
    let mut found = Vec::new();
    let mut last: Option<Queue> = None;
    for _ in 0..OPEN_WORKFLOWS_MAX {
        let Some(queue) = next(connection, last.as_ref())? else { break };
        for status in RunStatus::ALL.into_iter().filter(|status| !status.is_ended()) {
            let runs = count(connection, &queue, status)?;
            if runs > 0 {
                found.push(OpenRuns { queue: queue.clone(), status, runs });
            }
        }
        last = Some(queue);
    }
    Ok(found)
}

/// Finds the workflow behind another one, by a seek.
fn next(connection: &Connection, last: Option<&Queue>) -> rusqlite::Result<Option<Queue>> {
    let (namespace, app, workflow) = match last {
        Some(last) => (&*last.namespace, &*last.app, &*last.workflow),
        None => ("", "", ""),
    };
    connection
        .prepare_cached(
            "SELECT namespace, app, workflow FROM runs INDEXED BY runs_app
            WHERE (namespace, app, workflow) > (?1, ?2, ?3)
            ORDER BY namespace, app, workflow LIMIT 1",
        )?
        .query_row(params![namespace, app, workflow], |row| {
            let text = |at| row.get::<_, String>(at).map(Into::into);
            Ok(Queue { namespace: text(0)?, app: text(1)?, workflow: text(2)? })
        })
        .optional()
}

fn count(connection: &Connection, queue: &Queue, status: RunStatus) -> rusqlite::Result<u64> {
    let Queue { namespace, app, workflow } = queue;
    let most = i64::try_from(OPEN_COUNT_MAX).unwrap_or(i64::MAX);
    let runs: i64 = connection
        .prepare_cached(
            "SELECT count(*) FROM (SELECT 1 FROM runs INDEXED BY runs_app
                WHERE namespace = ?1 AND app = ?2 AND workflow = ?3 AND status = ?4 LIMIT ?5)",
        )?
        .query_row(params![namespace, app, workflow, status.as_str(), most], |row| row.get(0))?;
    Ok(u64::try_from(runs).unwrap_or(0))
}
