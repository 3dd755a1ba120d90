//! Where a store is that a command opens by itself, without a server.

use std::path::PathBuf;

use clap::Args;
use stepwell_postgres::{Options, moving};

use super::fault::Fault;
use crate::config::{DATABASE_ADDRESS, is_database_address};

/// The database of nodes.
#[derive(Clone, Debug, Args)]
pub(super) struct Database {
    /// Look into this database, without a server; without a value the one that `STEPWELL_STORE` names
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "")]
    store: Option<String>,
    /// The schema in the database [default: stepwell]
    #[arg(long, value_name = "NAME")]
    store_schema: Option<String>,
    /// File of authorities that the database's certificate is trusted of (PEM), beside those of the system
    #[arg(long, value_name = "FILE")]
    store_ca_file: Option<PathBuf>,
}

impl Database {
    /// Returns how the database is opened; `None` where none was named.
    pub(super) fn options(&self) -> Result<Option<Options>, Fault> {
        let Some(given) = &self.store else {
            if self.store_schema.is_some() || self.store_ca_file.is_some() {
                let text = format!("--store is missing; accepted: {DATABASE_ADDRESS}");
                return Err(Fault::Usage(text));
            }
            return Ok(None);
        };
        // What goes with the address of the environment stands there too.
        let by_env = |name: &str| given.is_empty().then(|| std::env::var(name).ok()).flatten();
        let url = by_env("STEPWELL_STORE").unwrap_or_else(|| given.clone());
        let schema = self.store_schema.clone().or_else(|| by_env("STEPWELL_STORE_SCHEMA"));
        let by_env = || by_env("STEPWELL_STORE_CA_FILE").map(PathBuf::from);
        let ca_file = self.store_ca_file.clone().or_else(by_env);
        database("--store", &url, (schema.as_deref(), ca_file)).map(Some)
    }
}

/// A store.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a data folder.
    Folder(PathBuf),
    /// In a database.
    Database(Options),
}

impl Place {
    /// Reads what a flag says.
    pub(super) fn read(
        flag: &str,
        text: &str,
        (schema, ca_file): (Option<&str>, Option<PathBuf>),
    ) -> Result<Self, Fault> {
        if text.contains("://") {
            return database(flag, text, (schema, ca_file)).map(Self::Database);
        }
        if text.is_empty() {
            let text =
                format!("{flag}: it is empty; accepted: a data folder, or {DATABASE_ADDRESS}");
            return Err(Fault::Usage(text));
        }
        for (given, more) in [(schema.is_some(), "schema"), (ca_file.is_some(), "ca-file")] {
            if given {
                let text = format!(
                    "{flag}-{more} is for databases, and {flag} {text} is a folder; accepted: {DATABASE_ADDRESS}"
                );
                return Err(Fault::Usage(text));
            }
        }
        Ok(Self::Folder(text.into()))
    }

    /// Says where it is, for people.
    pub(super) fn describe(&self) -> Result<String, Fault> {
        match self {
            Self::Folder(folder) => {
                let path = std::path::absolute(folder).unwrap_or_else(|_| folder.clone());
                Ok(format!("the folder {}", path.display()))
            }
            Self::Database(options) => {
                let refused = |error| Fault::from(stepwell_http::problem::Problem::from(error));
                moving::describe(options).map_err(refused)
            }
        }
    }
}

fn database(
    flag: &str,
    url: &str,
    (schema, ca_file): (Option<&str>, Option<PathBuf>),
) -> Result<Options, Fault> {
    if !is_database_address(url) {
        // The text itself may hold a password.
        let text = format!("{flag} is no address of a database; accepted: {DATABASE_ADDRESS}");
        return Err(Fault::Usage(text));
    }
    let options = Options::new(url);
    let schema = schema.map_or_else(|| options.schema.clone(), str::to_owned);
    Ok(Options { schema, ca_file, ..options })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text is a folder unless it has a scheme, and then it has to be one of PostgreSQL.
    #[test]
    fn folders_and_addresses_are_told_apart() {
        let read = |text, schema| Place::read("--to", text, (schema, None));
        assert_eq!(read("/data", None).unwrap(), Place::Folder("/data".into()));
        let Place::Database(options) = read("postgres://u:p@h/d", Some("s")).unwrap() else {
            panic!("a folder");
        };
        assert_eq!((options.schema.as_str(), options.ca_file), ("s", None));
        for (text, schema, said) in [
            ("mysql://u:hunter2@h/d", None, "accepted: postgres://"),
            ("", None, "it is empty"),
            ("/data", Some("s"), "--to-schema is for databases"),
        ] {
            let fault = read(text, schema).unwrap_err().to_string();
            assert!(fault.contains(said) && !fault.contains("hunter2"), "{fault}");
        }
    }
}
