//! Tables and log of a copy become those of a store of its own.
//!
//! The log goes into the tables, and the store gets a new id and an empty log. So nothing of the original
//! is ever taken for something of this store.

use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;
use stepwell_store::backup::Restored;
use stepwell_store::{Error, Store};

use super::mark;
use crate::disk::Disk;
use crate::embedded::{self, Embedded};
use crate::folder::{self, Found};
use crate::log::{Settings, recover};
use crate::options::Options;
use crate::tables::{Place, Tables};

/// The copy that a store is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its name.
    pub backup: String,
    /// The id of the store that it is of.
    pub store: u128,
    /// The format of the folder that it is of.
    pub format: u32,
    /// When it was begun.
    pub taken_at: Timestamp,
    /// The last position of its log.
    pub head: u64,
}

/// Makes a store of tables and log that were copied; returns its id.
///
/// # Errors
/// [`Error::Corrupt`] when the log does not reach to where it should; as [`Embedded::open_on`].
pub fn settle<D: Disk + Clone>(
    disk: &D,
    place: &Place,
    origin: &Origin,
    options: &Options,
) -> Result<u128, Error> {
    let found = Found::Store { id: origin.store, format: origin.format };
    let store = Embedded::open_found(disk.clone(), place.clone(), options.clone(), found)?;
    if !planted::has(Plant::CopiedLogLost) {
        store.fold_all()?;
    }
    let (health, until) = (store.health(), store.high_water()?);
    let (head, folded) = (health.head.0, health.folded.0);
    // What kept the tables in memory there goes with the store.
    let keep = place.connect()?;
    drop(store);
    // One more than was copied: opening it was written down.
    if head != origin.head + 1 {
        let why = format!("its log ends at {}, and should end at {}", head - 1, origin.head);
        return Err(Error::Corrupt(why));
    }
    let id = options.store_id.map_or_else(embedded::draw_id, Ok)?;
    Tables::hand_over(place, id)?;
    drop(keep);
    let settings = Settings {
        store: id,
        segment_bytes: options.segment_bytes,
        reserve_bytes: options.disk_reserve,
    };
    recover::create(disk, &settings, folded)?;
    let Origin { backup, store, taken_at, .. } = origin.clone();
    mark::put(disk, &Restored { backup, store, taken_at, until, held: true })?;
    folder::hand_over(disk, id)?;
    Ok(id)
}
