//! The store of a data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stepwell_http::gate::OpenLedger;
use stepwell_http::observe::OpenObserved;
use stepwell_sqlite::observed::{self, SqliteObserved};
use stepwell_sqlite::{Embedded, Options, ledger};
use stepwell_store::{Error, Store};
use stepwell_telemetry::keep::Keep;

use crate::config::Config;

/// Returns how the store is opened by these settings.
pub fn options(config: &Config) -> Options {
    Options {
        tail_max: config.tail_bytes_max,
        // Folding begins at a quarter of the bound, whatever the age.
        fold_beyond: config.tail_bytes_max / 4,
        disk_reserve: config.reserve_bytes,
        ..Options::default()
    }
}

/// Opens the store of a folder, and starts moving its log to tables.
///
/// # Errors
/// [`Error`] when the folder is owned by another process, damaged, or cannot be read.
pub fn open(folder: &Path, options: Options) -> Result<Arc<dyn Store>, Error> {
    let store = Embedded::open(folder, options)?;
    store.spawn_fold()?;
    Ok(Arc::new(store))
}

/// Returns what opens the store of observed runs: in the folder, or in memory where there is none.
pub fn observed(config: &Config) -> OpenObserved {
    // More stays free than durable runs leave, so that these go on.
    let reserve = config.reserve_bytes.saturating_mul(2);
    let options = observed::Options { disk_reserve: reserve, ..observed::Options::default() };
    let folder = config.data.clone();
    OpenObserved::new(move || -> Result<Arc<dyn Keep>, Error> {
        match &folder {
            Some(folder) => Ok(Arc::new(SqliteObserved::open(folder, options.clone())?)),
            None => Ok(Arc::new(SqliteObserved::in_memory()?)),
        }
    })
}

/// Returns what opens the ledger of a folder that this process owns.
pub fn ledger(folder: PathBuf) -> OpenLedger {
    OpenLedger::new(move || {
        let opened = ledger::open(&folder)?;
        Ok((opened.ledger, opened.pepper))
    })
}
