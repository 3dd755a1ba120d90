//! The files of a data folder that say that it was made from a copy.
//!
//! | file | says |
//! | --- | --- |
//! | `RESTORING` | it is being made; if nobody is at it, that was cut off |
//! | `RESTORED` | of which copy it was made |
//! | `HELD` | nobody has let its runs go yet |

use std::io::ErrorKind;

use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::backup::Restored;

use crate::disk::{Disk, File, read_all};

/// There while a folder is being made from a copy.
pub(crate) const RESTORING: &str = "RESTORING";
const RESTORED: &str = "RESTORED";
const HELD: &str = "HELD";
const TITLE: &str = "stepwell restored folder";

/// Writes of which copy the folder is made, and holds its runs back.
pub(crate) fn put<D: Disk>(disk: &D, restored: &Restored) -> Result<(), Error> {
    let Restored { backup, store, taken_at, until, held: _ } = restored;
    let text = format!(
        "{TITLE}\nbackup {backup}\nstore {store:032x}\ntaken {taken_at}\nuntil {}\n",
        until.as_micros()
    );
    let write = || {
        disk.create(HELD)?.sync()?;
        let file = disk.create(RESTORED)?;
        file.write_at(text.as_bytes(), 0)?;
        file.sync()?;
        disk.sync_dir()
    };
    write().map_err(|error| failed("write", &error))
}

/// Reads of which copy the folder was made; `None` for one that was not.
///
/// # Errors
/// [`Error::Corrupt`] when it is held and does not say of which copy it is; [`Error::Unavailable`].
pub(crate) fn read<D: Disk>(disk: &D) -> Result<Option<Restored>, Error> {
    let names = disk.list().map_err(|error| failed("look for", &error))?;
    let held = names.iter().any(|name| name == HELD);
    let bytes = match disk.open(RESTORED).and_then(|file| read_all(&file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound && !held => return Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(Error::Corrupt(format!("there is {HELD} without {RESTORED}")));
        }
        Err(error) => return Err(failed("read", &error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let restored = parse(&text, held);
    let shown: String = text.chars().take(80).collect();
    restored.map(Some).ok_or_else(|| Error::Corrupt(format!("{RESTORED} holds `{shown}`")))
}

/// Lets the runs of a folder go.
pub(crate) fn let_go<D: Disk>(disk: &D) -> Result<(), Error> {
    match disk.remove(HELD) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => disk.sync_dir(),
    }
    .map_err(|error| failed("remove", &error))
}

/// Removes what says of which copy a folder was made.
pub(crate) fn remove<D: Disk>(disk: &D) -> Result<(), Error> {
    for name in [RESTORED, HELD] {
        match disk.remove(name) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(failed("remove", &error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn parse(text: &str, held: bool) -> Option<Restored> {
    let mut lines = text.lines();
    if lines.next()? != TITLE {
        return None;
    }
    let mut fact = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
    Some(Restored {
        backup: fact("backup")?.to_owned(),
        store: u128::from_str_radix(fact("store")?, 16).ok()?,
        taken_at: Timestamp::parse_iso(fact("taken")?).ok()?,
        until: Timestamp::from_micros(fact("until")?.parse().ok()?),
        held,
    })
}

fn failed(what: &str, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("cannot {what} the marks of a restored folder: {error}"))
}
