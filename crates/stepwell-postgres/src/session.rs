//! Connections, and what is set on each of them.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod,
};
use stepwell_store::Error;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::address::{Address, place};
use crate::error::{failed, is_lost, no_connection, told};
use crate::lane::Sql;
use crate::line::Line;
use crate::options::Options;
use crate::value::Value;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Commits and claims: the same few statements again and again, which all find rows by index.
    Write,
    /// Questions, whose best plan depends on what is asked for.
    Read,
}

/// Whether a statement stays prepared.
#[derive(Clone, Copy)]
enum Kept {
    Prepared,
    Not,
}

/// Makes connections, and keeps those for reading.
pub(crate) struct Sessions {
    pub(crate) line: Line,
    address: Address,
    settings: Settings,
    readers: Pool,
    patience: Duration,
}

/// What is set on connections.
#[derive(Clone, Debug)]
struct Settings {
    schema: String,
    statement_ms: u128,
    lock_ms: u128,
}

impl Settings {
    fn sql(&self, purpose: Purpose) -> String {
        let Self { schema, statement_ms, lock_ms } = self;
        let plans = match purpose {
            Purpose::Write => {
                "SET plan_cache_mode = force_generic_plan;
                SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
                SET enable_material = off; SET enable_bitmapscan = off;"
            }
            Purpose::Read => "",
        };
        format!(
            "SET search_path = {};
            SET statement_timeout = {statement_ms}; SET lock_timeout = {lock_ms};
            SET idle_in_transaction_session_timeout = {statement_ms}; SET idle_session_timeout = 0;
            SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off;
            SET jit = off; {plans}
            SELECT set_config('synchronous_commit', 'on', false)
                WHERE current_setting('synchronous_commit') = 'off';",
            quoted(schema)
        )
    }
}

/// Quotes a name.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl Sessions {
    /// Starts the thread; connects to nothing yet.
    ///
    /// # Errors
    /// [`Error::Refused`] when the address cannot be used, [`Error::Unavailable`].
    pub(crate) fn start(options: &Options) -> Result<Self, Error> {
        let address = Address::read(options)?;
        let settings = Settings {
            schema: options.schema.clone(),
            statement_ms: options.statement().as_millis(),
            lock_ms: options.lock().as_millis(),
        };
        let manager = Manager::from_config(
            address.config.clone(),
            address.tls.clone(),
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let sql: Arc<str> = settings.sql(Purpose::Read).into();
        let set = Hook::async_fn(move |client: &mut ClientWrapper, _| {
            let sql = Arc::clone(&sql);
            Box::pin(async move { client.batch_execute(&sql).await.map_err(HookError::Backend) })
        });
        let readers = Pool::builder(manager)
            .max_size(options.readers.max(1))
            .post_create(set)
            .build()
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        let patience = options.lease;
        Ok(Self { line: Line::start()?, address, settings, readers, patience })
    }

    /// Opens a connection that is nobody else's.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) fn connect(&self, purpose: Purpose) -> Result<Client, Error> {
        let Address { config, tls } = self.address.clone();
        let sql = self.settings.sql(purpose);
        self.line.wait(async move {
            let (client, connection) = config.connect(tls).await.map_err(|error| {
                let (at, why) = (place(&config), told(&error));
                Error::Unavailable(format!("cannot connect to PostgreSQL at {at}: {why}"))
            })?;
            // It ends with the client; what it says then, the client says too.
            tokio::spawn(async move { drop(connection.await) });
            client.batch_execute(&sql).await.map_err(|e| failed(&e))?;
            Ok(client)
        })?
    }

    /// Returns the connections for reading.
    pub(crate) fn readers(&self) -> Pool {
        self.readers.clone()
    }

    /// Asks something, on a connection for reading. A question may be asked again where a connection was lost.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) fn ask(
        &self,
        sql: impl Into<String>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        self.ask_as(Sql::new(sql, values), Kept::Prepared)
    }

    /// Asks something in other words than ever before, maybe: it is not kept prepared.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(crate) fn ask_once(&self, sql: Sql) -> Result<Vec<Row>, Error> {
        self.ask_as(sql, Kept::Not)
    }

    fn ask_as(&self, sql: Sql, kept: Kept) -> Result<Vec<Row>, Error> {
        let (Sql { text: sql, values }, readers) = (sql, self.readers.clone());
        let asking = async move {
            // Each of those that stood idle may have been lost meanwhile; the last try makes a new one.
            let mut tries = readers.status().max_size;
            loop {
                let client = readers.get().await.map_err(|e| no_connection(&e))?;
                let found = async {
                    let statement = match kept {
                        Kept::Prepared => client.prepare_cached(&sql).await?,
                        Kept::Not => client.prepare(&sql).await?,
                    };
                    client.query(&statement, &borrowed(&values)).await
                };
                match found.await {
                    Ok(rows) => return Ok(rows),
                    Err(error) if is_lost(&error) && tries > 0 => {
                        tries -= 1;
                        drop(Object::take(client));
                    }
                    Err(error) => return Err(failed(&error)),
                }
            }
        };
        self.line.wait(within(self.patience * 2, asking))?
    }

    /// Does something on a connection for reading, in a transaction or several.
    ///
    /// # Errors
    /// [`Error::Unavailable`], and what `work` fails with.
    pub(crate) fn with<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut ClientWrapper) -> Working<'c, T> + Send + 'static,
    {
        let readers = self.readers.clone();
        self.line.wait(within(self.patience * 2, async move {
            let mut client = readers.get().await.map_err(|e| no_connection(&e))?;
            work(&mut client).await
        }))?
    }
}

/// What is being done on a connection.
pub(crate) type Working<'c, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'c>>;

/// Returns values as the driver takes them.
pub(crate) fn borrowed(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| -> &(dyn ToSql + Sync) { &**value }).collect()
}

/// Gives up after a time: what a server that hangs does not answer.
pub(crate) async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let late = || Err(Error::Unavailable(format!("PostgreSQL did not answer within {time:?}")));
    timeout(time, work).await.unwrap_or_else(|_| late())
}
