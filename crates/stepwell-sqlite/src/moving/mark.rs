//! The files that say that a folder is being moved to, or was moved.
//!
//! | file | says |
//! | --- | --- |
//! | `MOVING` | it is being filled, from where, and the id that its store gets |
//! | `MOVED` | everything in it was moved to somewhere else |

use std::io::ErrorKind;

use stepwell_store::Error;

use crate::disk::{Disk, File, OsDisk, read_all};

/// There while a folder is being filled.
pub(crate) const MOVING: &str = "MOVING";
/// There once everything in a folder was moved to somewhere else.
pub(crate) const MOVED: &str = "MOVED";
/// Takes the place of one of them once it is whole.
const NEXT: &str = "MOVE.next";

/// What the file [`MOVING`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Half {
    /// What is moved, as it names itself.
    pub(super) from: String,
    /// The id of the store that is made.
    pub(super) store: u128,
}

impl Half {
    pub(super) fn put(&self, disk: &OsDisk) -> Result<(), Error> {
        put(disk, MOVING, &format!("from {}\nstore {:032x}\n", self.from, self.store))
    }

    /// Reads it; `None` where the folder is not being filled.
    pub(super) fn read(disk: &OsDisk) -> Result<Option<Self>, Error> {
        let Some(text) = read(disk, MOVING)? else { return Ok(None) };
        let parse = || {
            let mut lines = text.lines();
            let from = lines.next()?.strip_prefix("from ")?.to_owned();
            let store = lines.next()?.strip_prefix("store ")?;
            Some(Self { from, store: u128::from_str_radix(store, 16).ok()? })
        };
        let shown: String = text.chars().take(80).collect();
        let bad = || Error::Corrupt(format!("{MOVING} holds `{shown}`"));
        parse().map(Some).ok_or_else(bad)
    }
}

/// Notes to where everything was moved.
pub(super) fn put_moved(disk: &OsDisk, to: &str) -> Result<(), Error> {
    put(disk, MOVED, &format!("{to}\n"))
}

/// Removes the mark of a folder that is being filled; everything in it is durable.
pub(super) fn end(disk: &OsDisk) -> Result<(), Error> {
    let removed = disk.remove(MOVING).and_then(|()| disk.sync_dir());
    removed.map_err(|error| failed("remove", MOVING, &error))
}

/// Refuses a folder that is half filled, and one whose content was moved.
pub(crate) fn check<D: Disk>(disk: &D, names: &[String]) -> Result<(), Error> {
    if names.iter().any(|name| name == MOVING) {
        return Err(Error::Refused {
            found: "a folder that a move was filling and that is not whole (the file MOVING)"
                .into(),
            accepted:
                "the same `stepwell migrate` again, which goes on where it was; or another folder"
                    .into(),
        });
    }
    if !names.iter().any(|name| name == MOVED) {
        return Ok(());
    }
    let to = read(disk, MOVED)?.unwrap_or_default();
    Err(Error::Refused {
        found: format!("a folder whose runs were moved to {} (the file {MOVED})", to.trim()),
        accepted: format!(
            "the store that they were moved to; or the file {MOVED} removed, once it is certain that they go \
             on nowhere else"
        ),
    })
}

fn read<D: Disk>(disk: &D, name: &str) -> Result<Option<String>, Error> {
    match disk.open(name).and_then(|file| read_all(&file)) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", name, &error)),
    }
}

/// Writes a file whole, in place of one that may be there.
fn put(disk: &OsDisk, name: &str, text: &str) -> Result<(), Error> {
    let write = || {
        match disk.remove(NEXT) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = disk.create(NEXT)?;
        file.write_at(text.as_bytes(), 0)?;
        file.sync()?;
        disk.rename(NEXT, name)?;
        disk.sync_dir()
    };
    write().map_err(|error| failed("write", name, &error))
}

fn failed(what: &str, name: &str, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("cannot {what} the file {name}: {error}"))
}
