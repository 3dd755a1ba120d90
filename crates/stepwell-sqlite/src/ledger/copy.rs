//! The ledger and pepper of a folder, copied.
//!
//! The pepper goes along: without it no key of the ledger can be checked. It makes no key known, since keys
//! are random; what else a copy holds, above all payloads, is no less to be kept from others.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use stepwell_store::Error;

use super::open::LEDGER;
use super::pepper;
use crate::backup::{copy_database, copy_file};
use crate::tables::failed;

/// Copies the ledger and pepper of a folder that has them into another one, and makes them durable there.
/// Returns their names.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<Vec<String>, Error> {
    if !from.join(LEDGER).exists() {
        return Ok(Vec::new());
    }
    let target = to.join(LEDGER);
    let refused = |error: std::io::Error| {
        Error::Unavailable(format!("cannot write {}: {error}", target.display()))
    };
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&target).map_err(refused)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = |path: &Path| Connection::open_with_flags(path, flags).map_err(|e| failed(&e));
    let (source, mut into) = (open(&from.join(LEDGER))?, open(&target)?);
    into.pragma_update(None, "journal_mode", "off").map_err(|e| failed(&e))?;
    copy_database(&source, &mut into, |_, _, _| Ok(()))?;
    into.close().map_err(|(_, error)| failed(&error))?;
    file.sync_all().map_err(refused)?;
    copy_file(from, to, pepper::NAME)?;
    Ok(vec![LEDGER.to_owned(), pepper::NAME.to_owned()])
}

/// Returns the size of the ledger of a folder, in bytes; 0 where there is none.
pub(crate) fn bytes(folder: &Path) -> u64 {
    let size = |name: &str| std::fs::metadata(folder.join(name)).map_or(0, |file| file.len());
    size(LEDGER) + size(&format!("{LEDGER}-wal")) + size(pepper::NAME)
}
