//! Which servers a store can be on.

use stepwell_store::Error;
use tokio_postgres::Client;

use crate::error::failed;

/// The oldest version, as `server_version_num` has it.
const OLDEST: i32 = 140_000;
/// Words in `version()` of what speaks PostgreSQL's protocol and is something else.
const OTHERS: [&str; 6] =
    ["CockroachDB", "-YB-", "Redshift", "Greenplum", "Materialize", "RisingWave"];
/// How often it is looked whether two sessions get each other's server process.
const LOOKS: usize = 4;

/// What a server says of itself.
#[derive(Debug)]
struct Server {
    version: String,
    number: i32,
    recovers: bool,
    encoding: String,
}

impl Server {
    fn refusal(&self) -> Option<Error> {
        let Self { version, number, recovers, encoding } = self;
        let named = OTHERS.iter().any(|other| version.contains(other));
        if !version.starts_with("PostgreSQL ") || named {
            return Some(refused(format!("the database is `{version}`"), "PostgreSQL 14 or later"));
        }
        if *number < OLDEST {
            return Some(refused(format!("the database is `{version}`"), "PostgreSQL 14 or later"));
        }
        if *recovers {
            return Some(refused(
                "the database is a standby or being restored, and takes no writes".into(),
                "the primary; or all hosts in the address, of which the primary is taken",
            ));
        }
        if encoding != "UTF8" {
            let found = format!("the database keeps texts as {encoding}");
            return Some(refused(found, "a database with encoding UTF8"));
        }
        None
    }
}

fn refused(found: String, accepted: &str) -> Error {
    Error::Refused { found, accepted: accepted.into() }
}

/// Refuses a server that a store cannot be on.
///
/// # Errors
/// [`Error::Refused`] with the reason, [`Error::Unavailable`].
pub(crate) async fn check(client: &Client) -> Result<(), Error> {
    let ask = |sql: &'static str| async move {
        client.query_one(sql, &[]).await.map_err(|error| failed(&error))
    };
    // Alone, since the next question may not be understood elsewhere.
    let version: String = ask("SELECT version()").await?.get(0);
    let mut server = Server { version, number: OLDEST, recovers: false, encoding: "UTF8".into() };
    if let Some(error) = server.refusal() {
        return Err(error);
    }
    let row = ask("SELECT current_setting('server_version_num')::integer, pg_is_in_recovery(),
            pg_encoding_to_char(encoding)::text
        FROM pg_database WHERE datname = current_database()")
    .await?;
    server.number = row.get(0);
    server.recovers = row.get(1);
    server.encoding = row.get(2);
    server.refusal().map_or(Ok(()), Err)
}

/// Refuses a pooler that gives each transaction another server process: what is set on a session, and
/// what is prepared in it, has to be there in its next transaction.
///
/// Two sessions look which process they have, one of them while the other one keeps its own busy.
///
/// # Errors
/// [`Error::Refused`], [`Error::Unavailable`].
pub(crate) async fn check_sessions(one: &Client, other: &Client) -> Result<(), Error> {
    let first = process(one).await?;
    for look in 0..LOOKS {
        let (busy, asked) = if look % 2 == 0 { (other, one) } else { (one, other) };
        busy.batch_execute("BEGIN").await.map_err(|e| failed(&e))?;
        let (theirs, ours) = (process(busy).await?, process(asked).await?);
        busy.batch_execute("COMMIT").await.map_err(|e| failed(&e))?;
        let one_now = if look % 2 == 0 { ours } else { theirs };
        let other_now = if look % 2 == 0 { theirs } else { ours };
        if one_now != first || other_now == first {
            return Err(refused(
                "a pooler gives each transaction of a session another server process, so nothing that is \
                    set or prepared stays"
                    .into(),
                "PostgreSQL itself, or a pooler in session mode",
            ));
        }
    }
    Ok(())
}

async fn process(client: &Client) -> Result<i32, Error> {
    // Not prepared: poolers keep an eye on what is.
    let said = client.simple_query("SELECT pg_backend_pid()").await.map_err(|e| failed(&e))?;
    let found = said.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
        _ => None,
    });
    found.ok_or_else(|| Error::Unavailable("a server process has no number".into()))
}

/// Which history of which cluster a server is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) system: i64,
    pub(crate) timeline: i64,
}

/// Reads the [`Identity`] of a server, in the columns `system` and `timeline`.
pub(crate) const IDENTITY: &str = "(SELECT system_identifier FROM pg_control_system()) AS system,
    ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint AS timeline";

impl Identity {
    pub(crate) fn of(row: &tokio_postgres::Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self { system: row.try_get("system")?, timeline: row.try_get("timeline")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is no place for a store is refused, and it is said what is one.
    #[test]
    fn servers_that_are_no_place_for_a_store_are_refused() {
        let good = ("PostgreSQL 15.14 on x86_64", 150_014, false, "UTF8");
        let cases = [
            (good, None),
            (("PostgreSQL 14.0", 140_000, false, "UTF8"), None),
            (("PostgreSQL 13.22", 130_022, false, "UTF8"), Some("14 or later")),
            (("CockroachDB CCL v25.3", 140_000, false, "UTF8"), Some("14 or later")),
            (("PostgreSQL 15.12-YB-2025.1", 150_012, false, "UTF8"), Some("14 or later")),
            (("PostgreSQL 15.14", 150_014, true, "UTF8"), Some("the primary")),
            (("PostgreSQL 15.14", 150_014, false, "SQL_ASCII"), Some("encoding UTF8")),
        ];
        for ((version, number, recovers, encoding), expected) in cases {
            let (version, encoding) = (version.to_owned(), encoding.to_owned());
            let server = Server { version, number, recovers, encoding };
            let said = server.refusal().map(|error| error.to_string());
            match expected {
                None => assert_eq!(said, None, "{server:?}"),
                Some(part) => assert!(said.unwrap().contains(part), "{server:?}"),
            }
        }
    }
}
