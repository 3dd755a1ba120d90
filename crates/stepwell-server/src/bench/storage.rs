//! Where the servers of a bench keep what they write: in a folder, or in a database.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;
use stepwell_postgres::Options;
use stepwell_postgres::testing::{Cluster, Durability, Place};

use super::used::cpu_with_children;
use crate::cli::Fault;

/// Settings of a database that say what it promises, and what it has to do it with. Others are told where
/// somebody has set them.
const TOLD: &str = "'fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'wal_sync_method', \
    'shared_buffers', 'max_wal_size', 'checkpoint_timeout', 'wal_compression', 'autovacuum', 'commit_delay'";
/// Files and addresses say nothing of how fast it is.
const LEFT_OUT: &str = "name LIKE '%\\_file' OR name LIKE 'lc\\_%' OR name LIKE 'log\\_%'
    OR name LIKE '%director%' OR name IN ('port', 'listen_addresses', 'application_name',
        'client_encoding', 'server_encoding', 'DateStyle', 'TimeZone', 'default_text_search_config',
        'extra_float_digits', 'search_path')";

const MEGABYTE: f64 = 1_048_576.0;

/// A store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Storage {
    /// The embedded one.
    #[default]
    Folder,
    /// A cluster of PostgreSQL that the bench starts, as it comes, with its durability on.
    Postgres,
    /// A schema of its own in this database.
    Url(String),
}

impl Storage {
    /// Returns what kind it is of.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Folder => Kind::Folder,
            Self::Postgres | Self::Url(_) => Kind::Postgres,
        }
    }
}

/// What figures of stores are held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    Folder,
    Postgres,
}

impl FromStr for Storage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "folder" => Ok(Self::Folder),
            "postgres" => Ok(Self::Postgres),
            url if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Self::Url(url.to_owned()))
            }
            _ => Err("accepted are `folder`, `postgres` for a private cluster of the PostgreSQL \
                that is installed here, and the address of a database (postgres://…)"
                .into()),
        }
    }
}

/// What was measured on.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Settings {
    version: String,
    settings: BTreeMap<String, String>,
}

impl Settings {
    /// Shows them to people.
    pub(super) fn text(&self) -> String {
        let each: Vec<String> =
            self.settings.iter().map(|(name, value)| format!("{name} {value}")).collect();
        format!("PostgreSQL {}: {}", self.version, each.join(", "))
    }
}

/// What tables have, with what is set aside from them, and their indexes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) tables_mb: f64,
    pub(super) indexes_mb: f64,
}

/// A schema in a database, which goes with this.
pub(super) struct Database {
    options: Options,
    place: Place,
    /// Ends when it is dropped.
    cluster: Option<Cluster>,
}

impl Database {
    /// Begins one, where servers are to have one.
    pub(super) fn begin(storage: &Storage) -> Result<Option<Self>, Fault> {
        let (url, cluster) = match storage {
            Storage::Folder => return Ok(None),
            Storage::Url(url) => (url.clone(), None),
            Storage::Postgres => {
                let cluster = Cluster::start(Durability::Default).map_err(Fault::Machine)?;
                (cluster.url(), Some(cluster))
            }
        };
        let schema = format!("stepwell_bench_{}", std::process::id());
        let options = Options { schema, ..Options::new(url) };
        let place = Place::of(options.clone());
        Ok(Some(Self { options, place, cluster }))
    }

    /// Returns what a server is told of it, in its environment: addresses may have passwords.
    pub(super) fn environment(&self) -> [(&'static str, &str); 2] {
        [("STEPWELL_STORE", &self.options.url), ("STEPWELL_STORE_SCHEMA", &self.options.schema)]
    }

    /// Asks for its settings.
    pub(super) fn settings(&self) -> Result<Settings, Fault> {
        let asked = format!(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name IN ({TOLD})
                OR source NOT IN ('default', 'client', 'session', 'override') AND NOT ({LEFT_OUT})"
        );
        let pairs = self.ask(&asked)?;
        let settings = pairs.into_iter().filter_map(|row| {
            let mut row = row.into_iter().flatten();
            Some((row.next()?, row.next()?))
        });
        let version = self.ask("SHOW server_version")?;
        let version = version.into_iter().flatten().flatten().next().unwrap_or_default();
        Ok(Settings { version, settings: settings.collect() })
    }

    /// Asks what tables and their indexes have.
    pub(super) fn sizes(&self) -> Result<Sizes, Fault> {
        let told = self.ask(&format!(
            "SELECT sum(pg_table_size(oid)), sum(pg_indexes_size(oid)) FROM pg_class
                WHERE relnamespace = '{}'::regnamespace AND relkind = 'r'",
            self.options.schema
        ))?;
        let told = told.first().and_then(|row| {
            let [tables, indexes] = row.as_slice() else { return None };
            let megabytes = |text: &Option<String>| text.as_ref()?.parse::<f64>().ok();
            Some((megabytes(tables)?, megabytes(indexes)?))
        });
        let none = || Fault::Machine("the database does not tell how large its tables are".into());
        let (tables, indexes) = told.ok_or_else(none)?;
        Ok(Sizes { tables_mb: tables / MEGABYTE, indexes_mb: indexes / MEGABYTE })
    }

    /// Returns how many seconds of processors it used; `None` for one that somebody else has started.
    pub(super) fn cpu_s(&self) -> Option<f64> {
        let started = std::fs::read_to_string(self.cluster.as_ref()?.data().join("postmaster.pid"));
        let pid = started.ok()?.lines().next()?.trim().parse().ok()?;
        Some(cpu_with_children(pid))
    }

    fn ask(&self, sql: &str) -> Result<Vec<Vec<Option<String>>>, Fault> {
        self.place.sql(sql).map_err(|error| Fault::Machine(error.to_string()))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.cluster.is_none() {
            // The database is somebody's: nothing of the bench stays in it.
            let _ = self.ask(&format!("DROP SCHEMA IF EXISTS {} CASCADE", self.options.schema));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_are_named_or_addressed() {
        assert_eq!("folder".parse(), Ok(Storage::Folder));
        assert_eq!("postgres".parse(), Ok(Storage::Postgres));
        let url = "postgres://somebody@somewhere/else";
        assert_eq!(url.parse(), Ok(Storage::Url(url.into())));
        assert!("mysql://".parse::<Storage>().is_err_and(|why| why.contains("postgres://")));
    }
}
