//! The ledger of a folder as moves have it: its tables, and what its keys are hashed under.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use stepwell_access::Pepper;
use stepwell_store::Error;

use super::open::{LEDGER, as_of_store, tables};
use super::pepper;
use crate::tables::{Place, failed};

/// Returns the file of a ledger.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join(LEDGER)
}

/// Makes the tables of a ledger where they are not there, and returns a connection that writes them.
pub(crate) fn make(folder: &Path) -> Result<Connection, Error> {
    drop(tables(folder).map_err(as_of_store)?);
    let connection = Place::File(file(folder)).connect()?;
    connection.pragma_update(None, "synchronous", "full").map_err(|e| failed(&e))?;
    Ok(connection)
}

/// Returns what the keys of a folder are hashed under, if it has any.
pub(crate) fn pepper_of(folder: &Path) -> Result<Option<Vec<u8>>, Error> {
    let path = folder.join(pepper::NAME);
    match std::fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::Unavailable(format!("cannot read {}: {error}", path.display()))),
    }
}

/// Keeps what keys are hashed under; it is durable when this returns.
pub(crate) fn keep_pepper(folder: &Path, bytes: &[u8]) -> Result<(), Error> {
    let bad = |_| Error::Corrupt(format!("a pepper of {} bytes", bytes.len()));
    let bytes: [u8; Pepper::BYTES] = bytes.try_into().map_err(bad)?;
    let keep = || {
        let pepper = pepper::put(folder, bytes)?;
        let ledger = tables(folder)?;
        if ledger.knows_pepper()? { Ok(()) } else { ledger.take_pepper(&pepper) }
    };
    keep().map_err(as_of_store)
}
