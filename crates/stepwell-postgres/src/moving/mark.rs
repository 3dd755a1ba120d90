//! Who is refused, and why.

use stepwell_store::Error;
use tokio_postgres::Client;

use crate::error::failed;
use crate::value::Text;

/// The lock of a move, as functions of advisory locks take it. In no schema there is nothing to lock.
pub(crate) const LOCK: &str = "hashtextextended('stepwell move ' || current_schema(), 0)";

/// Returns what asks for that lock together with all who use the store; false while somebody moves.
pub(crate) fn shared() -> String {
    format!("SELECT coalesce(pg_try_advisory_xact_lock_shared({LOCK}), true)")
}

/// Says that somebody moves the store.
pub(crate) fn busy(schema: &str) -> Error {
    Error::Refused {
        found: format!("the store in the schema `{schema}` is being moved just now"),
        accepted: "once `stepwell migrate` is at its end, the store that it moved to".into(),
    }
}

/// Refuses a schema that is being filled, and one whose content was moved.
///
/// # Errors
/// [`Error::Refused`], [`Error::Unavailable`].
pub(crate) async fn check(client: &Client, schema: &str) -> Result<(), Error> {
    check_half(client, schema).await?;
    check_moved(client, schema).await?;
    let free = client.query_one(&shared(), &[]).await.map_err(|e| failed(&e))?;
    if free.get(0) { Ok(()) } else { Err(busy(schema)) }
}

async fn check_half(client: &Client, schema: &str) -> Result<(), Error> {
    if !is_there(client, "moving").await? {
        return Ok(());
    }
    Err(Error::Refused {
        found: format!(
            "the schema `{schema}` is one that a move was filling and that is not whole (the table `moving`)"
        ),
        accepted:
            "the same `stepwell migrate` again, which goes on where it was; or another schema"
                .into(),
    })
}

/// Refuses a schema whose content was moved.
///
/// # Errors
/// [`Error::Refused`], [`Error::Unavailable`].
pub(super) async fn check_moved(client: &Client, schema: &str) -> Result<(), Error> {
    if !is_there(client, "moved").await? {
        return Ok(());
    }
    let sql = "SELECT target FROM moved LIMIT 1";
    let row = client.query_opt(sql, &[]).await.map_err(|e| failed(&e))?;
    let to = row.map_or_else(|| "another store".into(), |row| row.get::<_, Text>(0).0);
    Err(Error::Refused {
        found: format!("the runs of the schema `{schema}` were moved to {to} (the table `moved`)"),
        accepted: format!(
            "the store that they were moved to; or the table dropped (DROP TABLE {}.moved), once it is certain \
             that they go on nowhere else",
            crate::session::quoted(schema)
        ),
    })
}

/// Tells whether a table is in the schema.
pub(super) async fn is_there(client: &Client, table: &str) -> Result<bool, Error> {
    let sql = "SELECT to_regclass($1::text) IS NOT NULL";
    let row = client.query_one(sql, &[&table]).await.map_err(|e| failed(&e))?;
    Ok(row.get(0))
}
