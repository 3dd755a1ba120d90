//! Observed runs in a copy of a data folder, and made of one.
//!
//! A copy has the tables only. What was taken a moment before and is not folded is not in it: telemetry is sent
//! again by nobody, and waiting for it would hold the copy up.

use std::fs;
use std::path::Path;
use std::time::Duration;

use stepwell_store::Error;

use super::TABLES;
use super::options::Options;
use super::store::FOLDER;
use crate::backup::copy_database;
use crate::disk::OsDisk;
use crate::embedded::draw_id;
use crate::folder::{self, Found, OBSERVED};
use crate::log::{Settings, recover};
use crate::tables::{self, Place, Tables};

/// Copies the tables of a data folder that has any into another folder, as of one instant. Returns their name.
/// `between` is called after each piece with how long it took.
pub(crate) fn copy(
    data: &Path,
    to: &Path,
    mut between: impl FnMut(Duration) -> Result<(), Error>,
) -> Result<Option<String>, Error> {
    let from = data.join(FOLDER);
    if !from.is_dir() || folder::look(&OsDisk::new(&from), &OBSERVED)? == Found::New {
        return Ok(None);
    }
    let source = Place::File(from.join(TABLES)).connect()?;
    let snapshot = source.unchecked_transaction().map_err(|error| tables::failed(&error))?;
    // The snapshot is that of the first read.
    tables::position(&snapshot)?;
    let mut into = Place::File(to.join(TABLES)).connect_new()?;
    copy_database(&snapshot, &mut into, |_, _, took| between(took))?;
    into.close().map_err(|(_, error)| tables::failed(&error))?;
    Ok(Some(TABLES.to_owned()))
}

/// Returns the size of the tables of a data folder, in bytes; 0 where there are none.
pub(crate) fn bytes(data: &Path) -> u64 {
    let size =
        |name: String| fs::metadata(data.join(FOLDER).join(name)).map_or(0, |file| file.len());
    size(TABLES.to_owned()) + size(format!("{TABLES}-wal"))
}

/// Makes tables that were copied into a data folder those of a store of its own, with an empty log.
pub(crate) fn settle(data: &Path) -> Result<(), Error> {
    let folder = data.join(FOLDER);
    let (disk, place) = (OsDisk::new(&folder), Place::File(folder.join(TABLES)));
    let store = draw_id()?;
    folder::begin(&disk)?;
    Tables::hand_over(&place, store)?;
    let position = tables::position(&place.connect()?)?;
    let Options { segment_bytes, disk_reserve, .. } = Options::default();
    let settings = Settings { store, segment_bytes, reserve_bytes: disk_reserve };
    recover::create(&disk, &settings, position)?;
    folder::finish(&disk, &OBSERVED, store)
}
