//! What the log asks of a disk: a flat folder of files, read, written and synced by byte.
//!
//! The log is written against these traits only, so that the simulator can run it on a disk that
//! loses what was not synced.

mod os;

use std::io;
use std::path::Path;

pub use os::{OsDisk, OsFile};

/// A folder of files.
pub trait Disk: Send + Sync + 'static {
    /// An open file.
    type File: File;

    /// Opens a file for reading and writing.
    ///
    /// # Errors
    /// `NotFound` when there is none; any other error of the disk.
    fn open(&self, name: &str) -> io::Result<Self::File>;

    /// Makes an empty file. It outlives a crash only once [`Disk::sync_dir`] returned.
    ///
    /// # Errors
    /// `AlreadyExists`, `StorageFull`; any other error of the disk.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Returns the names of all files, in any order.
    ///
    /// # Errors
    /// Any error of the disk.
    fn list(&self) -> io::Result<Vec<String>>;

    /// Removes a file.
    ///
    /// # Errors
    /// Any error of the disk.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Gives a file another name, in place of the file that had it: whoever looks, and after a crash, finds
    /// one of the two under it. It outlives a crash only once [`Disk::sync_dir`] returned.
    ///
    /// # Errors
    /// `NotFound`; any other error of the disk.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Makes the creation, removal and renaming of files durable.
    ///
    /// # Errors
    /// Any error of the disk.
    fn sync_dir(&self) -> io::Result<()>;

    /// Returns how many bytes can still be written.
    ///
    /// # Errors
    /// Any error of the disk.
    fn free_space(&self) -> io::Result<u64>;

    /// Returns the folder of the machine that this is; `None` for a disk of another kind.
    fn folder(&self) -> Option<&Path> {
        None
    }
}

/// An open file.
pub trait File: Send + Sync + 'static {
    /// Returns the size in bytes.
    ///
    /// # Errors
    /// Any error of the disk.
    fn size(&self) -> io::Result<u64>;

    /// Fills `buffer` from `offset` on; returns how many bytes there were.
    ///
    /// # Errors
    /// Any error of the disk.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes` at `offset`, growing the file where needed. It outlives a crash only
    /// once [`File::sync`] returned.
    ///
    /// # Errors
    /// `StorageFull` only when nothing at all was written; any other error leaves unknown what was.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes all that was written durable, with the size of the file.
    ///
    /// # Errors
    /// Any error of the disk. What was written before is then lost or not, and no later sync tells.
    fn sync(&self) -> io::Result<()>;
}

/// Reads a whole file.
///
/// # Errors
/// Any error of the disk.
pub(crate) fn read_all(file: &impl File) -> io::Result<Vec<u8>> {
    let size = usize::try_from(file.size()?).map_err(|_| io::ErrorKind::FileTooLarge)?;
    let mut bytes = vec![0; size];
    let got = file.read_at(&mut bytes, 0)?;
    bytes.truncate(got);
    Ok(bytes)
}
