//! A data folder made from a copy.
//!
//! The copy is read and held against its hashes on the way. As long as the file `RESTORING` is there the
//! folder is no store, so one that was cut off is never started.

use std::fs;
use std::path::Path;

use stepwell_store::Error;

use super::files;
use super::manifest::{FileEntry, Manifest};
use super::mark::RESTORING;
use super::settle::{Origin, settle};
use crate::disk::OsDisk;
use crate::embedded::TABLES;
use crate::folder;
use crate::observed;
use crate::options::Options;
use crate::tables::Place;

/// What is made, in errors.
const WHAT: &str = "a restore";
/// What a folder may hold and be taken as empty: the root of a disk has it.
const IGNORED: &str = "lost+found";

/// A data folder that was made from a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The id that its store got.
    pub store: u128,
    /// The copy.
    pub from: Manifest,
}

/// Makes a data folder of a copy. Its runs are held back until they are let go.
///
/// # Errors
/// [`Error::Unusable`] when the folder is not empty or cannot be made; as [`Manifest::read`];
/// [`Error::Corrupt`] when the copy is not as it was written; [`Error::NoRoom`]. After an error the folder is
/// as it was.
pub fn restore(backup: &Path, folder: &Path, options: &Options) -> Result<Made, Error> {
    let from = Manifest::read(backup)?;
    folder::make(folder)?;
    let there = files::names(folder)?;
    if let Some(name) = there.iter().find(|name| *name != IGNORED) {
        let why = format!("it is not empty: there is {name}, and a restore takes an empty folder");
        return Err(folder::unusable(folder, why));
    }
    let needed = from.bytes() * 5 / 4 + options.disk_reserve;
    files::room(WHAT, folder, needed)?;
    let lock = folder::lock(folder)?;
    let made = fill(backup, folder, &from, options);
    if made.is_err() {
        empty(folder);
    }
    drop(lock);
    let store = made.map_err(|error| files::located(error, WHAT, folder, needed))?;
    Ok(Made { store, from })
}

fn fill(backup: &Path, folder: &Path, from: &Manifest, options: &Options) -> Result<u128, Error> {
    files::put(&folder.join(RESTORING), b"")?;
    files::sync_folder(folder)?;
    for file in &from.files {
        let FileEntry { name, bytes, hash } = file;
        let into =
            if name == observed::TABLES { folder.join(observed::FOLDER) } else { folder.into() };
        folder::make(&into)?;
        let copied = files::copy(backup, &into, name)?;
        if copied != *file {
            return Err(Error::Corrupt(format!(
                "{} is not as it was written: it has {} bytes{}",
                backup.join(name).display(),
                copied.bytes,
                if copied.bytes == *bytes && copied.hash != *hash {
                    " and another hash".to_owned()
                } else {
                    format!(", and had {bytes}")
                }
            )));
        }
    }
    files::sync_folder(folder)?;
    let name = backup.file_name().unwrap_or(backup.as_os_str()).to_string_lossy();
    let origin = Origin {
        backup: name.into_owned(),
        store: from.store,
        format: from.format,
        taken_at: from.at,
        head: from.head,
    };
    let place = Place::File(folder.join(TABLES));
    let store = settle(&OsDisk::new(folder), &place, &origin, options)?;
    if folder.join(observed::FOLDER).is_dir() {
        observed::settle(folder)?;
    }
    let mark = folder.join(RESTORING);
    fs::remove_file(&mark).map_err(|error| files::failed("remove", &mark, &error))?;
    files::sync_folder(folder)?;
    Ok(store)
}

/// Removes what an attempt put into a folder that was empty, the mark last.
fn empty(folder: &Path) {
    let names = files::names(folder).unwrap_or_default();
    let ours = names.iter().filter(|name| *name != IGNORED && *name != RESTORING);
    for name in ours.map(String::as_str).chain([RESTORING]) {
        // What stays keeps the mark's company, and the folder is refused.
        let path = folder.join(name);
        let removed =
            if name == observed::FOLDER { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        if removed.is_err() {
            return;
        }
    }
}
