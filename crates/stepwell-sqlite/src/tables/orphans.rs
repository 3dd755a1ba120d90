//! Rows that belong to nothing: there have to be none.

use rusqlite::Connection;
use stepwell_store::Error;

use super::connection::failed;

/// Tables whose rows belong to another one's, with what says that they do not.
const OWNED: [(&str, &str, &str); 3] = [
    ("searches", "runs", "run NOT IN (SELECT id FROM runs)"),
    ("waits", "runs", "run NOT IN (SELECT id FROM runs)"),
    (
        "event_runs",
        "events",
        "NOT EXISTS (SELECT 1 FROM events AS e
            WHERE e.namespace = event_runs.namespace AND e.id = event_runs.event)",
    ),
];

/// Says which tables have rows that belong to nothing.
pub(crate) fn orphans(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut found = Vec::new();
    for (table, owner, orphan) in OWNED {
        let sql = format!("SELECT count(*) FROM {table} WHERE {orphan}");
        let count: i64 =
            connection.query_row(&sql, [], |row| row.get(0)).map_err(|e| failed(&e))?;
        if count > 0 {
            found.push(format!("{count} rows of `{table}` are of {owner} that are not there"));
        }
    }
    Ok(found)
}

/// Removes rows that belong to nothing.
pub(crate) fn drop_orphans(connection: &Connection) -> Result<(), Error> {
    for (table, _, orphan) in OWNED {
        let sql = format!("DELETE FROM {table} WHERE {orphan}");
        connection.execute(&sql, []).map_err(|e| failed(&e))?;
    }
    Ok(())
}
