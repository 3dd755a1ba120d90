//! Queues, timers, keys and workflows: questions that have an order and a cursor.

use stepwell_core::id::RunId;
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::batch::Workflow;
use stepwell_store::query::{Cursor, Key, Queue};
use tokio_postgres::Row;
use uuid::Uuid;

use super::row::get;
use crate::session::Sessions;
use crate::value::{Text, Value, rows, run_id, uuid};

/// Runs that are left out, since they are damaged.
type Damaged<'a> = &'a [RunId];

fn behind(after: Cursor) -> (i64, Uuid) {
    // No run has the smallest id, so nothing stands at it.
    after.map_or((i64::MIN, Uuid::nil()), |(at, run)| (at.as_micros(), uuid(run)))
}

fn pair(row: &Row) -> Result<(Timestamp, RunId), Error> {
    Ok((Timestamp::from_micros(get(row, 0)?), run_id(get(row, 1)?)))
}

fn id(row: &Row) -> Result<RunId, Error> {
    get(row, 0).map(run_id)
}

fn left_out(damaged: Damaged<'_>) -> Vec<Uuid> {
    damaged.iter().copied().map(uuid).collect()
}

/// Returns runs whose timer is due, by (timer, run).
pub(crate) fn due(
    sessions: &Sessions,
    until: Timestamp,
    (after, limit, damaged): (Cursor, usize, Damaged<'_>),
) -> Result<Vec<(Timestamp, RunId)>, Error> {
    let (at, run) = behind(after);
    let sql = "SELECT timer_at, id FROM runs
        WHERE timer_at <= $1 AND (timer_at, id) > ($2, $3) AND id <> ALL ($5)
        ORDER BY timer_at, id LIMIT $4";
    let values: Vec<Value> = vec![
        Box::new(until.as_micros()),
        Box::new(at),
        Box::new(run),
        Box::new(rows(limit)),
        Box::new(left_out(damaged)),
    ];
    sessions.ask(sql, values)?.iter().map(pair).collect()
}

/// Returns runs that ended before `until`, by (end, run).
pub(crate) fn ended(
    sessions: &Sessions,
    until: Timestamp,
    (after, limit): (Cursor, usize),
) -> Result<Vec<(Timestamp, RunId)>, Error> {
    let (at, run) = behind(after);
    let sql = "SELECT ended_at, id FROM runs
        WHERE ended_at < $1 AND (ended_at, id) > ($2, $3) ORDER BY ended_at, id LIMIT $4";
    let values: Vec<Value> =
        vec![Box::new(until.as_micros()), Box::new(at), Box::new(run), Box::new(rows(limit))];
    sessions.ask(sql, values)?.iter().map(pair).collect()
}

/// Returns a queue as values.
pub(crate) fn queue_values(queue: &Queue) -> Vec<Value> {
    let Queue { namespace, app, workflow } = queue;
    [namespace, app, workflow].map(|one| -> Value { Box::new(Text::from(one)) }).into()
}

/// Returns runs of a workflow that want a runner, by (ready since, run).
pub(crate) fn ready(
    sessions: &Sessions,
    queue: &Queue,
    (after, limit, damaged): (Cursor, usize, Damaged<'_>),
) -> Result<Vec<(Timestamp, RunId)>, Error> {
    let (at, run) = behind(after);
    let sql = "SELECT ready_at, id FROM runs
        WHERE namespace = $1 AND app = $2 AND workflow = $3 AND ready_at IS NOT NULL
            AND (ready_at, id) > ($4, $5) AND id <> ALL ($7)
        ORDER BY ready_at, id LIMIT $6";
    let mut values = queue_values(queue);
    values.push(Box::new(at));
    values.push(Box::new(run));
    values.push(Box::new(rows(limit)));
    values.push(Box::new(left_out(damaged)));
    sessions.ask(sql, values)?.iter().map(pair).collect()
}

/// Returns runs that a runner holds, by id.
pub(crate) fn active(
    sessions: &Sessions,
    (after, limit, damaged): (Option<RunId>, usize, Damaged<'_>),
) -> Result<Vec<RunId>, Error> {
    let sql = "SELECT id FROM runs WHERE active AND id > $1 AND id <> ALL ($3)
        ORDER BY id LIMIT $2";
    let values: Vec<Value> = vec![
        Box::new(uuid(after.unwrap_or(RunId::MIN))),
        Box::new(rows(limit)),
        Box::new(left_out(damaged)),
    ];
    sessions.ask(sql, values)?.iter().map(id).collect()
}

/// Returns blocked runs of a workflow, by id.
pub(crate) fn blocked(
    sessions: &Sessions,
    queue: &Queue,
    (after, limit, damaged): (Option<RunId>, usize, Damaged<'_>),
) -> Result<Vec<RunId>, Error> {
    let sql = "SELECT id FROM runs
        WHERE namespace = $1 AND app = $2 AND workflow = $3 AND blocked IS NOT NULL
            AND id > $4 AND id <> ALL ($6)
        ORDER BY id LIMIT $5";
    let mut values = queue_values(queue);
    values.push(Box::new(uuid(after.unwrap_or(RunId::MIN))));
    values.push(Box::new(rows(limit)));
    values.push(Box::new(left_out(damaged)));
    sessions.ask(sql, values)?.iter().map(id).collect()
}

/// Finds the run that a key started; where several have it, the one that was written first.
pub(crate) fn key(sessions: &Sessions, key: &Key) -> Result<Option<RunId>, Error> {
    let sql = "SELECT run FROM keys
        WHERE namespace = $1 AND app = $2 AND workflow = $3 AND key = $4";
    let mut values = queue_values(&key.queue);
    values.push(Box::new(Text::from(&key.key)));
    sessions.ask(sql, values)?.first().map(id).transpose()
}

/// Returns every workflow, by namespace, app and name.
pub(crate) fn workflows(sessions: &Sessions) -> Result<Vec<Workflow>, Error> {
    let sql = "SELECT namespace, app, name, options, first_at, changed_at FROM workflows
        ORDER BY namespace, app, name";
    sessions.ask(sql, Vec::new())?.iter().map(workflow).collect()
}

/// Reads a row of `workflows`.
pub(crate) fn workflow(row: &Row) -> Result<Workflow, Error> {
    let text = |at| get::<Text>(row, at).map(|text| text.0);
    Ok(Workflow {
        namespace: text(0)?,
        app: text(1)?,
        name: text(2)?,
        options: text(3)?,
        first_at: Timestamp::from_micros(get(row, 4)?),
        changed_at: Timestamp::from_micros(get(row, 5)?),
    })
}

/// Returns the greatest instant of any batch, of members that are and that were.
pub(crate) fn high_water(sessions: &Sessions) -> Result<Timestamp, Error> {
    let sql = "SELECT greatest((SELECT max(high_water) FROM members),
        (SELECT value FROM meta WHERE name = 'high_water'))";
    let found = sessions.ask(sql, Vec::new())?;
    let at = found.first().map(|row| get(row, 0)).transpose()?;
    Ok(at.map_or(Timestamp::MIN, Timestamp::from_micros))
}
