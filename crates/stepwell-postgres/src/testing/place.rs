//! Schemas for tests.

use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use stepwell_store::Error;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::cluster::{Cluster, Durability, named_folder};
use crate::error::failed;
use crate::member::locked;
use crate::options::Options;
use crate::session::{Purpose, Sessions, quoted};

/// A lease that does not run out while a test is held up by a machine that is busy.
const LEASE: Duration = Duration::from_mins(2);

/// A schema of a test's own. It is dropped with this, where the database is not the test's own too.
pub struct Place {
    options: Options,
    is_ours: bool,
    /// A session for what is done behind the store's back.
    desk: Mutex<Option<Desk>>,
}

struct Desk {
    sessions: Sessions,
    client: Arc<Client>,
}

/// Makes a schema: in a cluster that is started once for this process, of the programs in the folder that
/// `STEPWELL_TEST_POSTGRES` names; where it names none, in the database that `DATABASE_URL` names, or in a cluster of
/// what is installed.
///
/// Returns `None`, and says so, where `STEPWELL_TEST_POSTGRES` is `skip`.
///
/// # Errors
/// Without PostgreSQL: what to install.
pub fn place() -> Result<Option<Place>, String> {
    static CLUSTER: OnceLock<Result<Cluster, String>> = OnceLock::new();
    static MADE: AtomicU32 = AtomicU32::new(0);
    if std::env::var("STEPWELL_TEST_POSTGRES").is_ok_and(|value| value == "skip") {
        let line = b"PostgreSQL: not tested, as STEPWELL_TEST_POSTGRES says\n";
        let _ = std::io::stderr().write_all(line);
        return Ok(None);
    }
    let named = std::env::var("DATABASE_URL").ok();
    let named = named.filter(|url| !url.is_empty() && named_folder().is_none());
    let is_ours = named.is_none();
    let url = match named {
        Some(url) => url,
        None => CLUSTER
            .get_or_init(|| Cluster::start(Durability::None))
            .as_ref()
            .map_err(Clone::clone)?
            .url(),
    };
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let schema = format!("test_{}_{number}", std::process::id());
    let options = Options { schema, lease: LEASE, ..Options::new(url) };
    Ok(Some(Place { options, is_ours, desk: Mutex::default() }))
}

impl Place {
    /// Makes a place in a schema of a database.
    pub fn of(options: Options) -> Self {
        Self { options, is_ours: true, desk: Mutex::default() }
    }

    /// Returns how the store in it is opened.
    pub fn options(&self) -> Options {
        self.options.clone()
    }

    /// Does something behind the store's back, with the schema's tables: statements with `;` between them.
    /// A transaction that they leave open is there the next time. Returns the rows of the last one that has some, as texts.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn sql(&self, statements: &str) -> Result<Vec<Vec<Option<String>>>, Error> {
        let mut desk = locked(&self.desk);
        if desk.as_ref().is_none_or(|desk| desk.client.is_closed()) {
            let sessions = Sessions::start(&self.options)?;
            let client = Arc::new(sessions.connect(Purpose::Read)?);
            *desk = Some(Desk { sessions, client });
        }
        let Some(desk) = &*desk else { return Ok(Vec::new()) };
        let (client, statements) = (Arc::clone(&desk.client), statements.to_owned());
        let found = desk.sessions.line.wait(async move {
            client.simple_query(&statements).await.map_err(|error| failed(&error))
        })??;
        let mut rows = Vec::new();
        for message in found {
            if let SimpleQueryMessage::Row(row) = message {
                rows.push((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect());
            }
        }
        Ok(rows)
    }

    /// Returns the server's version, such as `18.4`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn version(&self) -> Result<String, Error> {
        let told = self.sql("SHOW server_version")?;
        let version = told.into_iter().flatten().flatten().next().unwrap_or_default();
        // Packagers add a word of their own.
        Ok(version.split(' ').next().unwrap_or_default().to_owned())
    }

    /// Empties the store, of which nobody is a member any more: faster than making another one.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn clear(&self) -> Result<(), Error> {
        self.sql(
            "DELETE FROM members; DELETE FROM runners; DELETE FROM workflows; DELETE FROM runs;
            DELETE FROM keys; DELETE FROM history; DELETE FROM searches; DELETE FROM waits;
            DELETE FROM events; DELETE FROM did; DELETE FROM inbox; DELETE FROM answers;
            UPDATE meta SET value = 0 WHERE name IN ('head', 'workflows');
            UPDATE meta SET value = -9223372036854775808 WHERE name = 'high_water'",
        )
        .map(drop)
    }

    /// Sets how far the store's time is ahead of the database's.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub fn set_ahead(&self, ahead: Duration) -> Result<(), Error> {
        let micros = ahead.as_micros();
        self.sql(&format!(
            "CREATE OR REPLACE FUNCTION store_time() RETURNS bigint LANGUAGE sql VOLATILE AS
            'SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + {micros}'"
        ))
        .map(drop)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_ours {
            let schema = quoted(&self.options.schema);
            let _ = self.sql(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"));
        }
    }
}
