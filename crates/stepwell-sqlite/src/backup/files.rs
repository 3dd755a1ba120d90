//! Files of copies: copying with a hash, hashing, reading whole folders.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use sha2::{Digest, Sha256};
use stepwell_store::Error;

use super::manifest::FileEntry;
use crate::disk::{Disk, OsDisk};

/// How much is read at once, in bytes.
const PIECE: usize = 1 << 20;

/// Reads a file of a folder whole, and returns its size and hash. `between` is called after each piece.
pub(super) fn hash(
    folder: &Path,
    name: &str,
    mut between: impl FnMut() -> Result<(), Error>,
) -> Result<FileEntry, Error> {
    let failed = |error: std::io::Error| failed("read", &folder.join(name), &error);
    let mut file = File::open(folder.join(name)).map_err(failed)?;
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; PIECE];
    loop {
        let got = file.read(&mut buffer).map_err(failed)?;
        if got == 0 {
            break;
        }
        hasher.update(&buffer[..got]);
        bytes += got as u64;
        between()?;
    }
    Ok(FileEntry { name: name.to_owned(), bytes, hash: hasher.finalize().into() })
}

/// Copies a file from one folder to another, for nobody but its owner, and makes it durable. Returns its
/// size and hash.
pub(crate) fn copy(from: &Path, to: &Path, name: &str) -> Result<FileEntry, Error> {
    let reading = |error: std::io::Error| failed("read", &from.join(name), &error);
    let writing = |error: std::io::Error| failed("write", &to.join(name), &error);
    let mut source = File::open(from.join(name)).map_err(reading)?;
    let mut target = create(&to.join(name)).map_err(writing)?;
    let (mut hasher, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; PIECE];
    loop {
        let got = source.read(&mut buffer).map_err(reading)?;
        if got == 0 {
            break;
        }
        hasher.update(&buffer[..got]);
        target.write_all(&buffer[..got]).map_err(writing)?;
        bytes += got as u64;
    }
    target.sync_all().map_err(writing)?;
    Ok(FileEntry { name: name.to_owned(), bytes, hash: hasher.finalize().into() })
}

/// Writes a file that is not there yet, for nobody but its owner, and makes it durable.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let write = || {
        let mut file = create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| failed("write", path, &error))
}

fn create(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes a folder for nobody but its owner, with those above it.
pub(super) fn make_folder(path: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| failed("make", path, &error))
}

/// Makes what was made, removed or renamed in a folder durable.
pub(super) fn sync_folder(path: &Path) -> Result<(), Error> {
    OsDisk::new(path).sync_dir().map_err(|error| failed("sync", path, &error))
}

/// Returns the names in a folder, in order; none for a folder that is not there.
pub(super) fn names(path: &Path) -> Result<Vec<String>, Error> {
    let mut names = match OsDisk::new(path).list() {
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        listed => listed.map_err(|error| failed("read", path, &error))?,
    };
    names.sort_unstable();
    Ok(names)
}

/// Refuses what does not fit.
///
/// # Errors
/// [`Error::NoRoom`].
pub(super) fn room(what: &'static str, folder: &Path, needed: u64) -> Result<(), Error> {
    // A disk that does not tell is taken as one with room: a write tells for sure.
    let free = OsDisk::new(folder).free_space().unwrap_or(u64::MAX);
    if free >= needed {
        return Ok(());
    }
    Err(Error::NoRoom { what, folder: folder.display().to_string(), needed, free })
}

/// Says of a disk that was full where that was.
pub(super) fn located(error: Error, what: &'static str, folder: &Path, needed: u64) -> Error {
    match error {
        Error::DiskFull { .. } => {
            let free = OsDisk::new(folder).free_space().unwrap_or(0);
            Error::NoRoom { what, folder: folder.display().to_string(), needed, free }
        }
        other => other,
    }
}

pub(super) fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::StorageFull => Error::DiskFull { free: 0, reserve: 0 },
        _ => Error::Unavailable(format!("cannot {what} {}: {error}", path.display())),
    }
}
