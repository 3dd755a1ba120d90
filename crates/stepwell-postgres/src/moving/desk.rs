//! The connection of a move.

use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use stepwell_store::Error;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::mark;
use crate::address::{Address, place};
use crate::error::failed;
use crate::migrate::{bring_up, formats};
use crate::options::Options;
use crate::server::check;
use crate::session::{Purpose, Sessions, borrowed};
use crate::value::{Text, Value};

/// How long it is waited for the lock of a move that was killed.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it is waited between two tries.
const STEP: Duration = Duration::from_millis(100);
/// How many rows are read ahead.
const AHEAD: usize = 64;

/// Says where a store is, without who asks.
///
/// # Errors
/// [`Error::Refused`] when the address cannot be used.
pub fn describe(options: &Options) -> Result<String, Error> {
    let Address { config, .. } = Address::read(options)?;
    let database = config.get_dbname().or_else(|| config.get_user()).unwrap_or("?");
    let at = place(&config);
    Ok(format!("database {database} at {at}, schema {}", options.schema))
}

/// A connection, with the lock of a move while it is open.
pub(crate) struct Desk {
    pub(crate) sessions: Sessions,
    client: Arc<Client>,
    schema: String,
}

impl Desk {
    /// Connects. Nothing is waited for in vain here, and nothing is too slow: there are no bounds of time.
    pub(crate) fn open(options: &Options) -> Result<Self, Error> {
        let sessions = Sessions::start(options)?;
        let client = sessions.connect(Purpose::Read)?;
        let client = sessions.line.wait(async move {
            check(&client).await?;
            let set = "SET statement_timeout = 0; SET lock_timeout = 0;
                SET idle_in_transaction_session_timeout = 0";
            client.batch_execute(set).await.map_err(|e| failed(&e))?;
            Ok::<_, Error>(client)
        })??;
        Ok(Self { sessions, client: Arc::new(client), schema: options.schema.clone() })
    }

    /// Makes the tables what this version knows, on a connection of its own.
    pub(crate) fn bring_up(&self) -> Result<(), Error> {
        let mut client = self.sessions.connect(Purpose::Read)?;
        let schema = self.schema.clone();
        self.sessions.line.wait(async move { bring_up(&mut client, &schema).await })?
    }

    /// Returns the format of the tables, and the least that may write into them; `None` where there is no store.
    pub(crate) fn formats(&self) -> Result<Option<(i64, i64)>, Error> {
        let client = Arc::clone(&self.client);
        self.sessions.line.wait(async move { formats(&client).await })?
    }

    /// Takes the lock, and looks whether anybody is a member.
    ///
    /// # Errors
    /// [`Error::Refused`] where somebody else moves this store or is a member of it.
    pub(crate) fn take(&self) -> Result<(), Error> {
        let lock = format!("SELECT coalesce(pg_try_advisory_lock({}), true)", mark::LOCK);
        let begun = Instant::now();
        while !self.query(&lock, Vec::new())?.first().is_some_and(|row| row.get(0)) {
            // The session of a move that was killed may not have heard of it yet.
            if begun.elapsed() > PATIENCE {
                return Err(mark::busy(&self.schema));
            }
            std::thread::sleep(STEP);
        }
        let sql = "SELECT node FROM members WHERE NOT ended AND lease_until > store_time() LIMIT 1";
        let Some(row) = self.query(sql, Vec::new())?.into_iter().next() else { return Ok(()) };
        let node: Text = row.get(0);
        Err(Error::Refused {
            found: format!("the node `{}` uses the store in the schema `{}`", node.0, self.schema),
            accepted: "a store all of whose nodes are stopped; one that was killed counts until its lease is \
                       over, a few seconds"
                .into(),
        })
    }

    pub(crate) fn is_there(&self, table: &'static str) -> Result<bool, Error> {
        let client = Arc::clone(&self.client);
        self.sessions.line.wait(async move { mark::is_there(&client, table).await })?
    }

    pub(crate) fn check_moved(&self) -> Result<(), Error> {
        let (client, schema) = (Arc::clone(&self.client), self.schema.clone());
        self.sessions.line.wait(async move { mark::check_moved(&client, &schema).await })?
    }

    /// Returns what names the store and what it holds now, to a target.
    pub(crate) fn identity(&self) -> Result<String, Error> {
        let sql = "SELECT (SELECT system_identifier FROM pg_control_system()),
            current_database()::text, greatest((SELECT max(high_water) FROM members),
                (SELECT value FROM meta WHERE name = 'high_water'))";
        let rows = self.query(sql, Vec::new())?;
        let row = rows.first().ok_or_else(|| Error::Unavailable("there is no answer".into()))?;
        let (system, database): (i64, Text) = (row.get(0), row.get(1));
        let at: i64 = row.get(2);
        Ok(format!(
            "database {} of the cluster {system}, schema {}, as of {at}",
            database.0, self.schema
        ))
    }

    /// Does something, maybe in several statements.
    pub(crate) fn run(&self, sql: &str) -> Result<(), Error> {
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        let done = async move { client.batch_execute(&sql).await.map_err(|e| failed(&e)) };
        self.sessions.line.wait(done)?
    }

    /// Asks something.
    pub(crate) fn query(&self, sql: &str, values: Vec<Value>) -> Result<Vec<Row>, Error> {
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        let asked =
            async move { client.query(&sql, &borrowed(&values)).await.map_err(|e| failed(&e)) };
        self.sessions.line.wait(asked)?
    }

    /// Asks something that has many rows, and tells of each of them; they are never in memory together.
    pub(crate) fn each(
        &self,
        sql: &str,
        values: Vec<Value>,
        mut hear: impl FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let (client, sql) = (Arc::clone(&self.client), sql.to_owned());
        let (tell, told) = sync_channel(AHEAD);
        self.sessions.line.begin(async move {
            let reading = async {
                let rows = client.query_raw(&sql, borrowed(&values)).await?;
                let mut rows = pin!(rows);
                while let Some(row) = rows.next().await {
                    // Who does not hear any more has failed.
                    if tell.send(Ok(row?)).is_err() {
                        break;
                    }
                }
                Ok(())
            };
            if let Err(error) = reading.await {
                let error: tokio_postgres::Error = error;
                let _ = tell.send(Err(failed(&error)));
            }
        });
        for row in told {
            hear(row?)?;
        }
        Ok(())
    }

    /// Writes rows into a table, whose values are of these types.
    pub(crate) fn copy(
        &self,
        (table, names): (&str, &[&str]),
        types: Vec<Type>,
        rows: Vec<Vec<Value>>,
    ) -> Result<(), Error> {
        if rows.is_empty() {
            return Ok(());
        }
        let client = Arc::clone(&self.client);
        let sql = format!("COPY {table} ({}) FROM STDIN BINARY", names.join(", "));
        let writing = async move {
            let sink = client.copy_in(&sql).await?;
            let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
            for row in &rows {
                let values: Vec<&(dyn ToSql + Sync)> = borrowed(row);
                writer.as_mut().write(&values).await?;
            }
            writer.finish().await.map(drop)
        };
        let writing = async move { writing.await.map_err(|e: tokio_postgres::Error| failed(&e)) };
        self.sessions.line.wait(writing)?
    }
}
