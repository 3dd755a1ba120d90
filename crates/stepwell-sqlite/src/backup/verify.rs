//! Reading a copy whole.

use std::fmt::Write as _;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use stepwell_store::Error;

use super::files;
use super::manifest::{MANIFEST, Manifest};
use crate::disk::OsDisk;
use crate::embedded::TABLES;
use crate::log::{Settings, recover};
use crate::observed;
use crate::options::SEGMENT_MIN;
use crate::tables;

/// What was read of a copy, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What it says of itself.
    pub manifest: Manifest,
    /// How many runs its tables hold; those that are in its log only are not counted.
    pub runs: u64,
    /// What is damaged; empty when all is well.
    pub problems: Vec<String>,
}

/// Reads every file of a copy, holds it against its hash, and follows the log from the position of the
/// tables to its end. Changes nothing.
///
/// # Errors
/// As [`Manifest::read`]; [`Error::Unavailable`] when something cannot be read at all. Damage is no error.
pub fn verify(folder: &Path) -> Result<Verified, Error> {
    let manifest = Manifest::read(folder)?;
    let mut problems = Vec::new();
    let names = files::names(folder)?;
    for name in &names {
        if name != MANIFEST && !manifest.files.iter().any(|file| file.name == *name) {
            problems.push(format!("{name} does not belong to it"));
        }
    }
    for file in &manifest.files {
        if !names.contains(&file.name) {
            problems.push(format!("{} is missing", file.name));
            continue;
        }
        let found = files::hash(folder, &file.name, || Ok(()))?;
        if found.bytes != file.bytes {
            let (found, bytes) = (found.bytes, file.bytes);
            problems.push(format!("{} has {found} bytes, and had {bytes}", file.name));
        } else if found.hash != file.hash {
            problems.push(format!("{} is not as it was written: its hash is another", file.name));
        }
    }
    let mut verified = Verified { manifest, runs: 0, problems };
    if verified.problems.is_empty() {
        verified.read_content(folder)?;
    }
    Ok(verified)
}

impl Verified {
    fn read_content(&mut self, folder: &Path) -> Result<(), Error> {
        let Manifest { store, folded, head, .. } = self.manifest;
        if self.manifest.files.iter().any(|file| file.name == observed::TABLES) {
            for what in tables::integrity(&open_read_only(folder, observed::TABLES)?)? {
                self.problems.push(format!("{}: {what}", observed::TABLES));
            }
        }
        let tables = open_read_only(folder, TABLES)?;
        for what in tables::integrity(&tables)? {
            self.problems.push(format!("the tables: {what}"));
        }
        let found = tables::position(&tables)?;
        if found != folded {
            self.problems.push(format!("the tables are at position {found}, not at {folded}"));
        }
        let count = tables.query_row("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0));
        let count = count.map_err(|error| tables::failed(&error))?;
        self.runs = u64::try_from(count).unwrap_or(0);
        let settings = Settings { store, segment_bytes: SEGMENT_MIN, reserve_bytes: 0 };
        match recover::verify(&OsDisk::new(folder), &settings, folded) {
            Ok(found) if found == head => {}
            Ok(found) => self.problems.push(format!("the log ends at {found}, not at {head}")),
            Err(Error::Corrupt(what)) => self.problems.push(what),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Opens the tables of a copy as a file that nobody changes: SQLite puts nothing beside them.
fn open_read_only(folder: &Path, name: &str) -> Result<Connection, Error> {
    let path = folder.join(name);
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => {
                uri.push(char::from(*byte));
            }
            other => {
                // Writing to a text does not fail.
                let _ = write!(uri, "%{other:02X}");
            }
        }
    }
    uri.push_str("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| tables::failed(&error))
}
