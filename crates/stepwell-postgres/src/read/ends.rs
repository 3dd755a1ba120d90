//! How many runs ended, by the minute; and how many of each workflow have not.

use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::query::{
    EndsAsk, Minute, OPEN_COUNT_MAX, OPEN_WORKFLOWS_MAX, OpenRuns, Queue, Tally,
};

use super::row::{get, status};
use crate::session::Sessions;
use crate::value::{Text, Value, maybe, rows};

/// Counts runs that ended, the last to end first.
pub(crate) fn ends(sessions: &Sessions, ask: &EndsAsk) -> Result<Vec<Minute>, Error> {
    let EndsAsk { namespace, app, workflow, from, looked, .. } = ask;
    let sql = "SELECT ended_at, status, namespace = $3 AND ($4::text IS NULL OR app = $4)
            AND ($5::text IS NULL OR workflow = $5)
        FROM runs WHERE ended_at >= $1 AND ended_at < $2 ORDER BY ended_at DESC, id DESC LIMIT $6";
    let values: Vec<Value> = vec![
        Box::new(from.as_micros()),
        Box::new(Tally::to(ask).as_micros()),
        Box::new(Text::from(namespace)),
        Box::new(maybe(app.as_ref())),
        Box::new(maybe(workflow.as_ref())),
        Box::new(rows(looked.saturating_add(1))),
    ];
    let mut tally = Tally::new(ask);
    for row in &sessions.ask(sql, values)? {
        let status = get::<bool>(row, 2)?.then(|| status(row, 1)).transpose()?;
        if !tally.add(Timestamp::from_micros(get(row, 0)?), status) {
            break;
        }
    }
    Ok(tally.minutes())
}

/// Counts runs that have not ended, by workflow and status.
pub(crate) fn open_runs(sessions: &Sessions) -> Result<Vec<OpenRuns>, Error> {
    let sql = "SELECT namespace, app, workflow, status, count(*) FROM runs WHERE ended_at IS NULL
        GROUP BY namespace, app, workflow, status ORDER BY namespace, app, workflow";
    let mut found = Vec::new();
    for row in &sessions.ask(sql, Vec::new())? {
        let text = |at| get::<Text>(row, at).map(|text| text.0);
        found.push(OpenRuns {
            queue: Queue { namespace: text(0)?, app: text(1)?, workflow: text(2)? },
            status: status(row, 3)?,
            runs: get::<i64>(row, 4)?.unsigned_abs().min(OPEN_COUNT_MAX),
        });
    }
    found.sort_unstable();
    let mut queues = 0;
    let mut last: Option<Queue> = None;
    found.retain(|one| {
        if last.as_ref() != Some(&one.queue) {
            queues += 1;
            last = Some(one.queue.clone());
        }
        queues <= OPEN_WORKFLOWS_MAX
    });
    Ok(found)
}
