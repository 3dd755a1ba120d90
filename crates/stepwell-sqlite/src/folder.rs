//! What makes a folder a store: its owner, its format, its id.
//!
//! `FORMAT` is written last when a store is made, and `CREATING` is there from before anything else
//! until after it. So a folder that was being made when the process died is made again, and one
//! whose `FORMAT` went missing is refused. A store is served only once it is durable that `CREATING`
//! is gone: were it to come back, the store would be made again over what was served.

use std::fs::{File as StdFile, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::Path;

use rustix::fs::FlockOperation;
use stepwell_store::Error;

use crate::disk::{Disk, File, read_all};

/// Names the format and the store.
pub(crate) const FORMAT: &str = "FORMAT";
/// There while a store is being made.
const CREATING: &str = "CREATING";
/// Held by the owner of a folder.
const LOCK: &str = "LOCK";
/// The format that is written and read.
const VERSION: &str = "1";
const TITLE: &str = "stepwell embedded store";

/// What a folder is before it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing, or a store that was being made.
    New,
    /// A store with this id.
    Store(u128),
}

/// Takes the folder for this process; it is given back when the file is closed.
///
/// # Errors
/// [`Error::Locked`] when another process has it; [`Error::Unusable`].
pub(crate) fn lock(folder: &Path) -> Result<StdFile, Error> {
    let path = folder.join(LOCK);
    let failed =
        |e: std::io::Error| unusable(folder, format!("its file {LOCK} cannot be locked: {e}"));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut owner = String::new();
            // Who it is only helps the reader of the message.
            let _ = file.read_to_string(&mut owner);
            let why = format!("process {}", owner.trim());
            return Err(Error::Locked { folder: folder.display().to_string(), why });
        }
        Err(error) => return Err(failed(error.into())),
    }
    let mut write = || {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    // The lock counts, not the text: on a full disk the folder still opens.
    let _ = write();
    Ok(file)
}

/// Tells what is in a folder.
///
/// # Errors
/// [`Error::Format`] when it is another format, or files without one; [`Error::Unavailable`].
pub(crate) fn look<D: Disk>(disk: &D) -> Result<Found, Error> {
    let names = disk.list().map_err(|e| failed("list the folder", &e))?;
    if names.iter().any(|name| name == CREATING) {
        return Ok(Found::New);
    }
    if let Some(text) = read_format(disk)? {
        let store = parse(&text).map_err(unknown)?;
        disk.sync_dir().map_err(|e| failed("sync the folder", &e))?;
        return Ok(Found::Store(store));
    }
    let ours = |name: &&String| name.starts_with("log-") || name.starts_with("stepwell.db");
    match names.iter().find(ours) {
        None => Ok(Found::New),
        Some(name) => Err(unknown(format!("{name} without a file {FORMAT}"))),
    }
}

/// Marks a folder as one that is being made.
pub(crate) fn begin<D: Disk>(disk: &D) -> Result<(), Error> {
    let mark = || {
        for name in [FORMAT, CREATING] {
            match disk.remove(name) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        disk.create(CREATING)?.sync()?;
        disk.sync_dir()
    };
    mark().map_err(|e| failed("make a store", &e))
}

/// Says that a folder is a store: everything else in it is durable.
pub(crate) fn finish<D: Disk>(disk: &D, store: u128) -> Result<(), Error> {
    let mark = || {
        let file = disk.create(FORMAT)?;
        let text = format!("{TITLE}\nformat {VERSION}\nstore {store:032x}\n");
        file.write_at(text.as_bytes(), 0)?;
        file.sync()?;
        disk.sync_dir()?;
        disk.remove(CREATING)?;
        disk.sync_dir()
    };
    mark().map_err(|e| failed(&format!("write {FORMAT}"), &e))
}

fn read_format<D: Disk>(disk: &D) -> Result<Option<String>, Error> {
    let file = match disk.open(FORMAT) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(&format!("open {FORMAT}"), &error)),
    };
    let bytes = read_all(&file).map_err(|e| failed(&format!("read {FORMAT}"), &e))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn parse(text: &str) -> Result<u128, String> {
    let shown =
        || format!("a file {FORMAT} with `{}`", text.trim().chars().take(80).collect::<String>());
    let mut lines = text.lines();
    let (title, format, store) = (lines.next(), lines.next(), lines.next());
    if title != Some(TITLE) {
        return Err(shown());
    }
    match format.and_then(|line| line.strip_prefix("format ")) {
        Some(VERSION) => {}
        Some(other) => return Err(format!("format {other}")),
        None => return Err(shown()),
    }
    let id = store.and_then(|line| line.strip_prefix("store ")).filter(|id| id.len() == 32);
    id.and_then(|id| u128::from_str_radix(id, 16).ok()).ok_or_else(shown)
}

fn unknown(found: String) -> Error {
    Error::Format { found, known: VERSION.into() }
}

pub(crate) fn unusable(folder: &Path, why: String) -> Error {
    Error::Unusable { folder: folder.display().to_string(), why }
}

/// Says which folder an error is about.
pub(crate) fn located(folder: &Path, error: Error) -> Error {
    match error {
        Error::Format { found, known } => {
            Error::Format { found: format!("{found} in {}", folder.display()), known }
        }
        other => other,
    }
}

fn failed(what: &str, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("cannot {what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_format_is_read() {
        let text = |format: &str| format!("{TITLE}\nformat {format}\nstore {:032x}\n", 7);
        assert_eq!(parse(&text("1")), Ok(7));
        assert_eq!(parse(&text("2")), Err("format 2".into()));
        assert_eq!(parse("something else"), Err("a file FORMAT with `something else`".into()));
        assert!(parse(&text("1")[..40]).is_err(), "a torn file");
    }
}
