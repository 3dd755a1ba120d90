//! A folder that is moved.

use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};
use stepwell_core::time::Timestamp;
use stepwell_store::moving::{Facts, Field, Kind, Read, Row, Source};
use stepwell_store::{Error, Store};

use super::{mark, read};
use crate::disk::OsDisk;
use crate::embedded::{Embedded, TABLES};
use crate::folder::{self, Found, RUNS};
use crate::ledger;
use crate::options::Options;
use crate::tables::{Place, failed};
use crate::{backup, observed};

/// A folder that is moved, which this process owns as long as this is there.
pub struct FolderSource {
    folder: PathBuf,
    store: Embedded<OsDisk>,
    ledger: Option<Connection>,
    facts: Facts,
    to: String,
    identity: String,
    _lock: File,
}

impl FolderSource {
    /// Opens a folder whose server is stopped. `to` is where it is moved, for people; `again` takes one that is
    /// marked as moved already, whose move did not come to its end.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process owns the folder; [`Error::Refused`] when it was moved already, or
    /// its runs are held back; as [`Embedded::open`].
    pub fn open(folder: &Path, to: String, again: bool) -> Result<Self, Error> {
        let nothing = || folder::unusable(folder, "no store is there to be moved".into());
        if !folder.is_dir() {
            return Err(nothing());
        }
        let lock = folder::lock(folder)?;
        let disk = OsDisk::new(folder);
        let found = if again { folder::found(&disk, &RUNS) } else { folder::look(&disk, &RUNS) };
        let found = found.map_err(|error| folder::located(folder, error))?;
        if found == Found::New {
            return Err(nothing());
        }
        let held = backup::mark::read(&disk)?;
        if held.as_ref().is_some_and(|restored| restored.held) {
            return Err(Error::Refused {
                found: format!(
                    "{} was restored from a backup, and its runs are held back",
                    folder.display()
                ),
                accepted: "one whose runs were let go: `stepwell start --resume` lets them".into(),
            });
        }
        let place = Place::File(folder.join(TABLES));
        let store = Embedded::open_found(disk, place, Options::default(), found)?;
        store.fold_all()?;
        let ledger = ledger::file(folder);
        let ledger = if ledger.exists() { Some(Place::File(ledger).connect()?) } else { None };
        let facts = facts(
            ledger.as_ref(),
            folder,
            (store.high_water()?, held.map(|restored| restored.until)),
        )?;
        let at = facts.high_water.as_micros();
        let identity = format!("the folder of store {:032x} as of {at}", store.store_id());
        Ok(Self { folder: folder.into(), store, ledger, facts, to, identity, _lock: lock })
    }

    /// Tells whether anything observed is in the folder, which stores of other kinds do not take.
    ///
    /// # Errors
    /// As [`observed::SqliteObserved::open`].
    pub fn has_observed(&self) -> Result<bool, Error> {
        observed::holds(&self.folder)
    }
}

impl Read for FolderSource {
    fn each(
        &mut self,
        kind: Kind,
        after: Option<&[Field]>,
        hear: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if kind == Kind::Facts {
            return self.facts.rows().into_iter().try_for_each(hear);
        }
        if kind.is_ledger() {
            let Some(ledger) = &self.ledger else { return Ok(()) };
            return read::each(ledger, kind, after, hear);
        }
        read::each(&*self.store.shared.reader()?, kind, after, hear)
    }
}

impl Source for FolderSource {
    fn identity(&self) -> &str {
        &self.identity
    }

    fn leave(&mut self) -> Result<(), Error> {
        mark::put_moved(&OsDisk::new(&self.folder), &self.to)
    }
}

/// Reads single facts.
pub(super) fn facts(
    ledger: Option<&Connection>,
    folder: &Path,
    (high_water, void_until): (Timestamp, Option<Timestamp>),
) -> Result<Facts, Error> {
    let exported = |ledger: &Connection| {
        let sql = "SELECT value FROM meta WHERE name = ?1";
        let found = ledger.query_row(sql, [ledger::EXPORTED], |row| row.get::<_, Vec<u8>>(0));
        found.optional().map_err(|e| failed(&e))
    };
    let exported = ledger.map(exported).transpose()?.flatten();
    Ok(Facts { exported, high_water, pepper: ledger::pepper_of(folder)?, void_until })
}
