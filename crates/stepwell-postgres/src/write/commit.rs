//! The statement of a commit.

use stepwell_store::Error;
use stepwell_store::batch::Batch;

use super::known::Known;
use super::others::{put_events, put_frees, put_messages, put_workflows};
use super::runs::{Plan, put_runs};
use crate::lane::{Lane, Sql, column};
use crate::line::Line;
use crate::member::{Me, NOW};

/// Who commits, and behind which batch.
pub(crate) struct Commit<'a> {
    pub(crate) me: &'a Me,
    /// The number of the last batch.
    pub(crate) head: i64,
    pub(crate) batch: &'a Batch,
}

/// Makes a batch durable: all of it, in one statement, or nothing.
///
/// The statement begins with the fence, which takes the member's row from one head to the next if it
/// is the member's, has not ended, and its lease runs. Everything else does something only where the
/// fence has a row.
///
/// # Errors
/// As [`stepwell_store::Store::commit`].
pub(crate) fn commit(
    commit: &Commit<'_>,
    known: &mut Known,
    (lane, line): (&mut Lane, &Line),
) -> Result<(), Error> {
    let Commit { me, head, batch } = commit;
    let plan = Plan::of(batch, known);
    let mut sql = begin(me, *head, batch);
    let owned = put_runs(&mut sql, &plan, batch);
    put_workflows(&mut sql, batch);
    put_events(&mut sql, batch);
    put_messages(&mut sql, batch);
    put_frees(&mut sql, batch);
    sql.push(&end(owned));
    let rows = lane.write(line, sql)?;
    let fence: i64 = rows.first().map_or(Ok(0), |row| column(row, 0))?;
    if fence == 0 {
        return Err(Error::Fenced);
    }
    plan.note(known);
    for one in &batch.share.released {
        known.forget(one.run);
    }
    Ok(())
}

/// The member, in each commit the first value.
pub(super) const ME: &str = "$1";

fn begin(me: &Me, head: i64, batch: &Batch) -> Sql {
    let at = batch.at.as_micros();
    let mut sql =
        Sql::new("", vec![Box::new(me.id), Box::new(me.nonce), Box::new(head), Box::new(at)]);
    sql.push(&format!(
        "WITH fence AS (
            UPDATE members SET head = $3 + 1, high_water = greatest(high_water, $4)
            WHERE id = {ME} AND nonce = $2 AND NOT ended AND lease_until > {NOW} AND head = $3
            RETURNING 1)"
    ));
    sql
}

/// What is said at the end: whether there was a fence; and that each row that was to be changed was
/// this member's, else it fails (22012), and nothing was written.
fn end(owned: Option<usize>) -> String {
    let Some(count) = owned else {
        return " SELECT (SELECT count(*) FROM fence)".into();
    };
    format!(
        " SELECT fences, 1 / CASE WHEN fences = 0 OR olds = {count} THEN 1 ELSE 0 END
        FROM (SELECT (SELECT count(*) FROM fence) AS fences,
            (SELECT count(*) FROM old_runs) AS olds) AS done"
    )
}
