//! Finding the ledger and pepper of a folder, or making them.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use stepwell_access::Pepper;
use stepwell_access::ledger::Error;

use super::pepper;
use super::sqlite::SqliteLedger;
use crate::folder;

/// The name of the ledger's file in a folder.
pub(super) const LEDGER: &str = "ledger.db";

/// The ledger of a folder.
#[derive(Debug)]
pub struct Opened {
    /// The ledger.
    pub ledger: SqliteLedger,
    /// Under what its keys are hashed.
    pub pepper: Pepper,
}

/// The ledger of a folder, which this process owns as long as this is there.
#[derive(Debug)]
pub struct Alone {
    /// The ledger and its pepper.
    pub opened: Opened,
    _lock: File,
}

/// Opens the ledger of a folder that the caller owns, making it where it is not there.
///
/// # Errors
/// [`Error::Corrupt`] when the files do not belong together: above all when there are keys and the pepper
/// is gone, since then none of them can be checked; [`Error::Unavailable`] and [`Error::DiskFull`] when the
/// disk refuses.
pub fn open(path: impl AsRef<Path>) -> Result<Opened, Error> {
    let folder = path.as_ref();
    let ledger = tables(folder)?;
    let pepper = match (pepper::read(folder)?, ledger.knows_pepper()?) {
        (Some(pepper), true) => pepper,
        (Some(pepper), false) => {
            ledger.take_pepper(&pepper)?;
            pepper
        }
        (None, false) => {
            let pepper = pepper::make(folder)?;
            ledger.take_pepper(&pepper)?;
            pepper
        }
        (None, true) => {
            return Err(Error::Corrupt(format!(
                "the file {} is gone, and without it no key can be checked; accepted: the file as \
                 it was, from a backup",
                folder.join(pepper::NAME).display()
            )));
        }
    };
    if !ledger.is_of(&pepper)? {
        let why = format!("the file {} is not that of {LEDGER}", pepper::NAME);
        return Err(Error::Corrupt(why));
    }
    Ok(Opened { ledger, pepper })
}

/// Opens the tables of a ledger, making them where they are not there.
pub(super) fn tables(folder: &Path) -> Result<SqliteLedger, Error> {
    let file = folder.join(LEDGER);
    // Made here, since SQLite would let every user of the machine read it.
    let made = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&file);
    made.map_err(|error| Error::Unavailable(format!("cannot open {}: {error}", file.display())))?;
    SqliteLedger::open(&file)
}

/// Takes a folder whose server is stopped, and opens its ledger.
///
/// # Errors
/// [`stepwell_store::Error::Locked`] when another process owns the folder,
/// [`stepwell_store::Error::Unusable`] when it cannot be written in, and as [`open`].
pub fn open_alone(path: impl AsRef<Path>) -> Result<Alone, stepwell_store::Error> {
    let folder = path.as_ref();
    let lock = folder::lock(folder)?;
    let opened = open(folder).map_err(as_of_store)?;
    Ok(Alone { opened, _lock: lock })
}

/// Returns an error of a ledger as one of a store.
pub(super) fn as_of_store(error: Error) -> stepwell_store::Error {
    match error {
        Error::Corrupt(why) => stepwell_store::Error::Corrupt(why),
        other => stepwell_store::Error::Unavailable(other.to_string()),
    }
}
