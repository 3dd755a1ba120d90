//! The file `pepper`: 32 random bytes that only the server's own user may read.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use stepwell_access::Pepper;
use stepwell_access::ledger::Error;

/// The name of the file.
pub(super) const NAME: &str = "pepper";

/// A file that is not whole yet.
const NEW: &str = "pepper.new";

/// Reads the pepper of a folder; `None` where there is none.
pub(super) fn read(folder: &Path) -> Result<Option<Pepper>, Error> {
    match std::fs::read(folder.join(NAME)) {
        Ok(bytes) => {
            let found = bytes.len();
            let bytes: [u8; Pepper::BYTES] = bytes.try_into().map_err(|_| {
                Error::Corrupt(format!(
                    "the file {NAME} has {found} bytes, where {} have to be",
                    Pepper::BYTES
                ))
            })?;
            Ok(Some(Pepper::new(bytes)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", &error)),
    }
}

/// Draws a pepper and keeps it; it is durable when this returns.
pub(super) fn make(folder: &Path) -> Result<Pepper, Error> {
    let mut bytes = [0; Pepper::BYTES];
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
        .map_err(|error| failed("draw", &error.into()))?;
    put(folder, bytes)
}

/// Keeps a pepper that there is already; it is durable when this returns.
pub(super) fn put(folder: &Path, bytes: [u8; Pepper::BYTES]) -> Result<Pepper, Error> {
    let write = || {
        let path = folder.join(NEW);
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        // A file that an earlier attempt left may have had other rights.
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&path, folder.join(NAME))?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| failed("write", &error))?;
    Ok(Pepper::new(bytes))
}

fn failed(what: &str, error: &std::io::Error) -> Error {
    let text = format!("cannot {what} the file {NAME}: {error}");
    match error.kind() {
        ErrorKind::StorageFull => Error::DiskFull(text),
        _ => Error::Unavailable(text),
    }
}
