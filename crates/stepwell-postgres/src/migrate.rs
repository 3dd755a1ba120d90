//! Making the tables what this version knows.

use stepwell_store::Error;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, GenericClient, Transaction};

use crate::error::failed;
use crate::moving::mark;
use crate::schema::{LEAST_WRITER, STEPS};
use crate::session::quoted;

/// The format that is written.
pub(crate) const FORMAT: i64 = 2;

/// As [`bring_up`], of a store that nobody moves and that was not moved.
///
/// # Errors
/// [`Error::Refused`] where somebody does or it was; as [`bring_up`].
pub(crate) async fn migrate(client: &mut Client, schema: &str) -> Result<(), Error> {
    mark::check(client, schema).await?;
    bring_up(client, schema).await
}

/// Brings the tables to [`FORMAT`], once, however many nodes ask for it.
///
/// # Errors
/// [`Error::Format`] where a later version wrote what this one may not write into,
/// [`Error::Unavailable`].
pub(crate) async fn bring_up(client: &mut Client, schema: &str) -> Result<(), Error> {
    if is_current(client, schema).await? {
        return Ok(());
    }
    let change = async {
        let transaction = client.transaction().await?;
        // Who comes second waits, for as long as a change of large tables may take.
        transaction
            .batch_execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
            .await?;
        let lock = format!("stepwell tables in {schema}");
        let sql = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
        transaction.execute(sql, &[&lock]).await?;
        Ok(transaction)
    };
    let transaction = change.await.map_err(|e: tokio_postgres::Error| failed(&e))?;
    make_schema(&transaction, schema).await?;
    let found = found(&transaction).await?;
    if allows(found, schema)? {
        return Ok(());
    }
    let from = found.map_or(0, |found| found.format);
    apply(&transaction, from).await.map_err(|e| failed(&e))?;
    transaction.commit().await.map_err(|e| failed(&e))
}

async fn apply(transaction: &Transaction<'_>, from: i64) -> Result<(), tokio_postgres::Error> {
    for step in STEPS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        transaction.batch_execute(step).await?;
    }
    let sql = "INSERT INTO meta (name, value) VALUES ('format', $1), ('least_writer', $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    transaction.execute(sql, &[&FORMAT, &LEAST_WRITER]).await?;
    Ok(())
}

/// Returns the format of a schema, and the least that may write into it; `None` where there is no store.
///
/// # Errors
/// [`Error::Corrupt`], [`Error::Unavailable`].
pub(crate) async fn formats(client: &Client) -> Result<Option<(i64, i64)>, Error> {
    Ok(found(client).await?.map(|found| (found.format, found.least_writer)))
}

/// What tables say that they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    format: i64,
    least_writer: i64,
}

async fn is_current(client: &Client, schema: &str) -> Result<bool, Error> {
    allows(found(client).await?, schema)
}

/// Tells whether nothing is to be done.
fn allows(found: Option<Found>, schema: &str) -> Result<bool, Error> {
    match found {
        None => Ok(false),
        Some(Found { format, least_writer }) if least_writer > FORMAT => Err(Error::Format {
            found: format!(
                "a store of format {format} in the schema `{schema}`, which only formats from \
                    {least_writer} on may write"
            ),
            known: FORMAT.to_string(),
        }),
        Some(Found { format, .. }) => Ok(format >= FORMAT),
    }
}

async fn found(client: &impl GenericClient) -> Result<Option<Found>, Error> {
    let sql = "SELECT to_regclass('meta') IS NOT NULL";
    let there: bool = client.query_one(sql, &[]).await.map_err(|e| failed(&e))?.get(0);
    if !there {
        return Ok(None);
    }
    let sql = "SELECT name, value FROM meta WHERE name IN ('format', 'least_writer')";
    let rows = client.query(sql, &[]).await.map_err(|e| failed(&e))?;
    let value = |name: &str| {
        rows.iter().find(|row| row.get::<_, &str>(0) == name).map(|row| row.get::<_, i64>(1))
    };
    let missing = || Error::Corrupt("the table `meta` does not say of which format it is".into());
    let format = value("format").ok_or_else(missing)?;
    Ok(Some(Found { format, least_writer: value("least_writer").unwrap_or(format) }))
}

/// Makes the schema where it is missing: who may not make one may use one that is there.
async fn make_schema(transaction: &Transaction<'_>, schema: &str) -> Result<(), Error> {
    let make = async {
        let sql = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
        if !transaction.query_one(sql, &[&schema]).await?.get::<_, bool>(0) {
            let sql = format!("CREATE SCHEMA {}", quoted(schema));
            transaction.batch_execute(&sql).await?;
        }
        Ok(())
    };
    make.await.map_err(|error: tokio_postgres::Error| {
        if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) {
            return Error::Refused {
                found: format!("there is no schema `{schema}`, and this role may not make one"),
                accepted: format!(
                    "GRANT CREATE ON DATABASE to it, or CREATE SCHEMA {} AUTHORIZATION it",
                    quoted(schema)
                ),
            };
        }
        failed(&error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program goes on beside a later one that says that it may, and no other.
    #[test]
    fn later_formats_are_refused_where_they_say_so() {
        let found = |format, least_writer| Some(Found { format, least_writer });
        assert_eq!(allows(None, "s"), Ok(false));
        assert_eq!(allows(found(FORMAT, FORMAT), "s"), Ok(true));
        assert_eq!(allows(found(FORMAT + 1, FORMAT), "s"), Ok(true));
        let error = allows(found(FORMAT + 2, FORMAT + 1), "s").unwrap_err();
        assert!(matches!(error, Error::Format { .. }), "{error}");
        assert_eq!(STEPS.len(), usize::try_from(FORMAT).unwrap());
        const { assert!(LEAST_WRITER <= FORMAT) };
    }
}
