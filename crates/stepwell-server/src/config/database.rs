//! Settings of a store that several nodes share.

use std::path::PathBuf;
use std::time::Duration;

use super::otlp::SecretText;
use super::settings::Settings;

/// What the address of a database is to be.
pub(crate) const ADDRESS: &str =
    "postgres:// or postgresql://, as in postgres://stepwell:secret@db.example:5432/stepwell";

/// Where a shared store is, and who this node is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseConfig {
    /// The address of the database. Default `None`: everything is in a folder, or in memory.
    pub url: Option<SecretText>,
    /// The schema. Default `stepwell`.
    pub schema: String,
    /// A file of authorities that certificates are trusted of. Default `None`: those of the system alone.
    pub ca_file: Option<PathBuf>,
    /// The name of this node. Default `None`: host and port.
    pub node: Option<String>,
    /// How long a lease of a node lasts. Default 3 s.
    pub lease: Duration,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        let lease = Duration::from_secs(3);
        Self { url: None, schema: "stepwell".into(), ca_file: None, node: None, lease }
    }
}

impl DatabaseConfig {
    /// Takes its part of the settings. Nothing is checked.
    pub(super) fn of(settings: &Settings) -> Self {
        let default = Self::default();
        Self {
            url: settings.store.clone(),
            schema: settings.store_schema.clone().unwrap_or(default.schema),
            ca_file: settings.store_ca_file.clone(),
            node: settings.node.clone(),
            lease: settings.lease.map_or(default.lease, |span| span.0),
        }
    }
}

/// Tells whether a text may be the address of a database.
pub(crate) fn is_address(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}
