//! The store of a data folder.

use std::path::Path;
use std::sync::Arc;

use stepwell_sqlite::{Embedded, Options};
use stepwell_store::{Error, Store};

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
