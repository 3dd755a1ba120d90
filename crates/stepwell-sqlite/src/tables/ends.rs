//! Runs that ended, by the minute.

use rusqlite::{Connection, params};
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::query::{EndsAsk, Minute, Tally};

use super::connection::failed;
use super::row::status_of;

/// Counts them, the last to end first, from an index that has all that is asked for.
pub(crate) fn ends(connection: &Connection, ask: &EndsAsk) -> Result<Vec<Minute>, Error> {
    let count = || {
        let mut statement = connection.prepare_cached(
            "SELECT ended_at, status,
                namespace = ?3 AND (?4 IS NULL OR app = ?4) AND (?5 IS NULL OR workflow = ?5)
            FROM runs INDEXED BY runs_over
            WHERE ended_at IS NOT NULL AND ended_at >= ?1 AND ended_at < ?2
            ORDER BY ended_at DESC",
        )?;
        let EndsAsk { namespace, app, workflow, from, .. } = ask;
        let to = Tally::to(ask).as_micros();
        let mut rows = statement.query(params![from.as_micros(), to, namespace, app, workflow])?;
        let mut tally = Tally::new(ask);
        while let Some(row) = rows.next()? {
            let status = row.get::<_, bool>(2)?.then(|| status_of(row, 1)).transpose()?;
            if !tally.add(Timestamp::from_micros(row.get(0)?), status) {
                break;
            }
        }
        Ok(tally.minutes())
    };
    count().map_err(|e: rusqlite::Error| failed(&e))
}
