//! What makes a folder a store: its owner, its format, its id.
//!
//! `FORMAT` is written last when a store is made, and `CREATING` is there from before anything else
//! until after it. So a folder that was being made when the process died is made again, and one
//! whose `FORMAT` went missing is refused. A store is served only once it is durable that `CREATING`
//! is gone: were it to come back, the store would be made again over what was served.

use std::fs::{DirBuilder, File as StdFile, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::FlockOperation;
use stepwell_store::Error;

use crate::backup::mark::RESTORING;
use crate::disk::{Disk, File, read_all};
use crate::embedded::TABLES;
use crate::moving;
use crate::observed;

/// Names the format and the store.
pub(crate) const FORMAT: &str = "FORMAT";
/// There while a store is being made.
const CREATING: &str = "CREATING";
/// Held by the owner of a folder.
const LOCK: &str = "LOCK";
/// Takes the place of [`FORMAT`] once it is whole.
const FORMAT_NEXT: &str = "FORMAT.next";
/// The format that is written. Folders of older ones are brought up to it when they are opened.
///
/// | format | since then |
/// | --- | --- |
/// | 1 | log, tables |
/// | 2 | keys beside them: `ledger.db`, `pepper`; who does not know of them would let everyone in |
pub(crate) const VERSION: u32 = 2;

/// What a folder with a log and tables is for.
#[derive(Debug)]
pub(crate) struct Kind {
    /// The first line of [`FORMAT`].
    title: &'static str,
    /// The first format that was released.
    oldest: u32,
    /// The format that is written.
    version: u32,
    /// What the names of its tables begin with.
    tables: &'static str,
}

/// The folder of a store: its runs.
pub(crate) const RUNS: Kind =
    Kind { title: "stepwell embedded store", oldest: 1, version: VERSION, tables: TABLES };

/// The folder inside it that observed runs are in.
pub(crate) const OBSERVED: Kind =
    Kind { title: "stepwell observed runs", oldest: 1, version: 1, tables: observed::TABLES };

/// What a folder is before it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing, or a store that was being made.
    New,
    /// A store.
    Store {
        /// Its id.
        id: u128,
        /// The format that it has.
        format: u32,
    },
}

/// Makes a folder where there is none, for nobody but its owner.
///
/// # Errors
/// [`Error::Unusable`].
pub(crate) fn make(folder: &Path) -> Result<(), Error> {
    let mut builder = DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(folder);
    made.map_err(|e| unusable(folder, format!("it cannot be made: {e}")))
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
        .mode(0o600)
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
/// [`Error::Refused`] when it is half filled by a move, or its content was moved; [`Error::Format`] when it is another
/// format, or files without one; [`Error::Unavailable`].
pub(crate) fn look<D: Disk>(disk: &D, kind: &Kind) -> Result<Found, Error> {
    let names = disk.list().map_err(|e| failed("list the folder", &e))?;
    moving::mark::check(disk, &names)?;
    found(disk, kind)
}

/// As [`look`], also for a folder whose content was moved.
pub(crate) fn found<D: Disk>(disk: &D, kind: &Kind) -> Result<Found, Error> {
    let names = disk.list().map_err(|e| failed("list the folder", &e))?;
    if names.iter().any(|name| name == RESTORING) {
        return Err(unknown(kind, format!("a restore that was cut off (the file {RESTORING})")));
    }
    if names.iter().any(|name| name == CREATING) {
        return Ok(Found::New);
    }
    if let Some(text) = read_format(disk)? {
        let (id, format) = parse(kind, &text).map_err(|found| unknown(kind, found))?;
        disk.sync_dir().map_err(|e| failed("sync the folder", &e))?;
        return Ok(Found::Store { id, format });
    }
    let ours = |name: &&String| name.starts_with("log-") || name.starts_with(kind.tables);
    match names.iter().find(ours) {
        None => Ok(Found::New),
        Some(name) => Err(unknown(kind, format!("{name} without a file {FORMAT}"))),
    }
}

/// Marks a folder as one that is being made.
pub(crate) fn begin<D: Disk>(disk: &D) -> Result<(), Error> {
    let mark = || {
        for name in [FORMAT, FORMAT_NEXT, CREATING] {
            remove(disk, name)?;
        }
        disk.create(CREATING)?.sync()?;
        disk.sync_dir()
    };
    mark().map_err(|e| failed("make a store", &e))
}

/// Says that a folder is a store: everything else in it is durable.
pub(crate) fn finish<D: Disk>(disk: &D, kind: &Kind, store: u128) -> Result<(), Error> {
    let mark = || {
        put_format(disk, kind, store, kind.version)?;
        disk.remove(CREATING)?;
        disk.sync_dir()
    };
    mark().map_err(|e| failed(&format!("write {FORMAT}"), &e))
}

/// Gives a store that was copied an id of its own: everything else in it is durable.
pub(crate) fn hand_over<D: Disk>(disk: &D, store: u128) -> Result<(), Error> {
    put_format(disk, &RUNS, store, VERSION).map_err(|e| failed(&format!("write {FORMAT}"), &e))
}

/// Brings a store up to the format that is written, one format after the other. A process that ends
/// meanwhile leaves a store of one of them.
///
/// # Errors
/// [`Error::Unavailable`] when the disk refuses.
pub(crate) fn upgrade<D: Disk>(disk: &D, store: u128, from: u32) -> Result<(), Error> {
    for next in from + 1..=VERSION {
        // What a format needs beyond its number is done before the number says that it is.
        match next {
            // Whoever keeps keys makes their files; tables are brought up to date as they are opened.
            2 => {}
            other => return Err(unknown(&RUNS, format!("format {other}"))),
        }
        put_format(disk, &RUNS, store, next).map_err(|e| failed(&format!("write {FORMAT}"), &e))?;
    }
    Ok(())
}

/// Says which format a store has, in place of what was said before.
fn put_format<D: Disk>(disk: &D, kind: &Kind, store: u128, format: u32) -> std::io::Result<()> {
    remove(disk, FORMAT_NEXT)?;
    let file = disk.create(FORMAT_NEXT)?;
    let text = format!("{}\nformat {format}\nstore {store:032x}\n", kind.title);
    file.write_at(text.as_bytes(), 0)?;
    file.sync()?;
    disk.rename(FORMAT_NEXT, FORMAT)?;
    disk.sync_dir()
}

/// Removes a file that may not be there.
fn remove<D: Disk>(disk: &D, name: &str) -> std::io::Result<()> {
    match disk.remove(name) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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

/// Reads the id and the format of a store.
fn parse(kind: &Kind, text: &str) -> Result<(u128, u32), String> {
    let shown =
        || format!("a file {FORMAT} with `{}`", text.trim().chars().take(80).collect::<String>());
    let mut lines = text.lines();
    let (title, format, store) = (lines.next(), lines.next(), lines.next());
    if title != Some(kind.title) {
        return Err(shown());
    }
    let format = format.and_then(|line| line.strip_prefix("format ")).ok_or_else(shown)?;
    let known = format.parse().ok().filter(|known| (kind.oldest..=kind.version).contains(known));
    let known = known.ok_or_else(|| format!("format {format}"))?;
    let id = store.and_then(|line| line.strip_prefix("store ")).filter(|id| id.len() == 32);
    let id = id.and_then(|id| u128::from_str_radix(id, 16).ok()).ok_or_else(shown)?;
    Ok((id, known))
}

fn unknown(kind: &Kind, found: String) -> Error {
    let known = if kind.oldest == kind.version {
        kind.version.to_string()
    } else {
        format!("{} to {}", kind.oldest, kind.version)
    };
    Error::Format { found, known }
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
        Error::Refused { found, accepted } => {
            Error::Refused { found: format!("{} is {found}", folder.display()), accepted }
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
    fn only_known_formats_are_read() {
        let text = |format: &str| format!("{}\nformat {format}\nstore {:032x}\n", RUNS.title, 7);
        let parse = |text: &str| parse(&RUNS, text);
        assert_eq!(parse(&text("1")), Ok((7, 1)));
        assert_eq!(parse(&text("2")), Ok((7, 2)));
        for unknown in ["0", "3", "-1", "two"] {
            assert_eq!(parse(&text(unknown)), Err(format!("format {unknown}")));
        }
        assert_eq!(parse("something else"), Err("a file FORMAT with `something else`".into()));
        assert!(parse(&text("1")[..40]).is_err(), "a torn file");
        assert!(super::parse(&OBSERVED, &text("1")).is_err(), "a folder of another kind");
    }
}
