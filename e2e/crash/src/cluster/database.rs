//! The database: its ends, and what it says of nodes and runs.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use stepwell_postgres::testing::{Cluster, Durability};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

use crate::error::Error;

/// How long the database has to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A database of the test's own.
pub(super) struct Database {
    cluster: Cluster,
    runtime: Runtime,
    /// Gone once it has broken.
    client: Option<Client>,
}

/// How far the journals of runs have come, by run.
pub(super) type Journals = BTreeMap<String, i64>;

impl Database {
    /// Makes a database, which syncs what it commits.
    pub(super) fn begin() -> Result<Self, Error> {
        let cluster = Cluster::start(Durability::Default).map_err(Error::Database)?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Error::io("a runtime begins"))?;
        Ok(Self { cluster, runtime, client: None })
    }

    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.cluster.port()).into()
    }

    /// Returns its address as a store, by way of a proxy.
    pub(super) fn url_by(&self, proxy: SocketAddr) -> String {
        let own = format!(":{}/", self.cluster.port());
        self.cluster.url().replace(&own, &format!(":{}/", proxy.port()))
    }

    /// Ends it as a crash does, and starts it again after a while.
    pub(super) fn end_and_begin(&mut self, after: Duration) -> Result<(), Error> {
        self.client = None;
        self.cluster.stop();
        std::thread::sleep(after);
        self.cluster.resume().map_err(Error::Database)
    }

    /// Returns the runs with code in progress that a node has, with how far their journals have come.
    pub(super) fn held(&mut self, node: &str) -> Result<Journals, Error> {
        self.journals(&format!(
            "SELECT r.id, coalesce(max(h.at_byte), -1) FROM stepwell.runs r
            JOIN stepwell.members m ON m.id = r.owner AND NOT m.ended AND m.node = '{node}'
            LEFT JOIN stepwell.history h ON h.run = r.id WHERE r.status = 'running' GROUP BY r.id"
        ))
    }

    /// Returns how far the journals of these runs have come.
    pub(super) fn journals_of(&mut self, runs: &Journals) -> Result<Journals, Error> {
        let runs: Vec<String> = runs.keys().map(|run| format!("'{run}'")).collect();
        let runs = runs.join(",");
        self.journals(&format!(
            "SELECT run, max(at_byte) FROM stepwell.history WHERE run IN ({runs}) GROUP BY run"
        ))
    }

    fn journals(&mut self, sql: &str) -> Result<Journals, Error> {
        let rows = self.ask(sql)?.into_iter().filter_map(|row| {
            let mut columns = row.into_iter();
            Some((columns.next()?, columns.next()?.parse().ok()?))
        });
        Ok(rows.collect())
    }

    /// Returns the memberships of a node that have not ended.
    pub(super) fn members(&mut self, node: &str) -> Result<Vec<String>, Error> {
        let sql = format!("SELECT id FROM stepwell.members WHERE node = '{node}' AND NOT ended");
        Ok(self.ask(&sql)?.into_iter().flatten().collect())
    }

    /// Returns how many runs these memberships have.
    pub(super) fn owned_by(&mut self, members: &[String]) -> Result<usize, Error> {
        if members.is_empty() {
            return Ok(0);
        }
        let members = members.join(",");
        let sql = format!("SELECT count(*) FROM stepwell.runs WHERE owner IN ({members})");
        let count = self.ask(&sql)?.into_iter().flatten().next();
        Ok(count.and_then(|count| count.parse().ok()).unwrap_or_default())
    }

    /// Loses a few runs that have ended.
    pub(super) fn forget(&mut self) -> Result<(), Error> {
        let lost =
            "(SELECT id FROM stepwell.runs WHERE ended_at IS NOT NULL ORDER BY id DESC LIMIT 3)";
        self.ask(&format!(
            "DELETE FROM stepwell.history WHERE run IN {lost}; DELETE FROM stepwell.keys WHERE run IN {lost};
            DELETE FROM stepwell.runs WHERE id IN {lost}"
        ))
        .map(drop)
    }

    /// Asks something, again where the connection breaks.
    fn ask(&mut self, sql: &str) -> Result<Vec<Vec<String>>, Error> {
        let begun = Instant::now();
        loop {
            match self.ask_once(sql) {
                Ok(rows) => return Ok(rows),
                Err(error) if begun.elapsed() > PATIENCE => {
                    return Err(Error::Database(error.to_string()));
                }
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }

    fn ask_once(&mut self, sql: &str) -> Result<Vec<Vec<String>>, tokio_postgres::Error> {
        let (url, client) = (self.cluster.url(), self.client.take());
        let (client, rows) = self.runtime.block_on(async {
            let client = if let Some(client) = client.filter(|client| !client.is_closed()) {
                client
            } else {
                let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
                tokio::spawn(connection);
                client
            };
            let rows = client.simple_query(sql).await?;
            Ok::<_, tokio_postgres::Error>((client, rows))
        })?;
        self.client = Some(client);
        let rows = rows.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                let column = |at| row.get(at).unwrap_or_default().to_owned();
                Some((0..row.len()).map(column).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }
}
