//! A copy as a folder: names, room, what is left of others.

use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use stepwell_core::planted::{self, Plant};
use stepwell_core::time::Timestamp;
use stepwell_store::backup::{Ask, Go, InFolder, Progress, Restored, Taken};
use stepwell_store::{Error, Position};

use super::copy::To;
use super::files;
use super::manifest::{MANIFEST, Manifest};
use super::mark;
use crate::disk::{Disk, OsDisk};
use crate::embedded::{Embedded, Shared, TABLES};
use crate::folder;
use crate::ledger;
use crate::observed;
use crate::tables::Place;

/// What the names of folders begin with in which a copy is made; the id of the store follows.
const PARTIAL: &str = ".partial-";
/// What is made, in errors.
const WHAT: &str = "a backup";

impl<D: Disk> InFolder for Embedded<D> {
    fn back_up(&self, ask: &Ask<'_>) -> Result<Taken, Error> {
        let shared = &*self.shared;
        let Some(data) = shared.disk.folder() else {
            return Err(Error::Unavailable("this store is in no folder of the machine".into()));
        };
        files::make_folder(ask.into)?;
        let partial = format!("{PARTIAL}{:032x}", shared.settings.store);
        // Nobody is at what is left of this store's: it has one owner, who makes one copy at a time.
        for name in files::names(ask.into)?.iter().filter(|name| name.starts_with(&partial)) {
            remove(&ask.into.join(name))?;
        }
        let needed = shared.copy_bytes(data) + ask.reserve;
        files::room(WHAT, ask.into, needed)?;
        let made = ask.into.join(&partial);
        let taken = shared.take(data, &made, ask).and_then(|manifest| {
            let name = publish(&made, ask)?;
            Ok(of(name, &manifest))
        });
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                let error = files::located(error, WHAT, ask.into, needed);
                // The next attempt removes what cannot be removed now.
                let _ = remove(&made);
                return Err(error);
            }
        };
        // The new one is there whatever becomes of the old ones.
        if let Err(error) = prune(ask.into, &taken, ask.kept) {
            return Err(Error::Unavailable(format!(
                "the backup {} is whole, but older ones could not be removed: {error}",
                taken.name
            )));
        }
        Ok(taken)
    }

    fn backups(&self, folder: &Path) -> Result<Vec<Taken>, Error> {
        list(folder)
    }

    fn store_id(&self) -> u128 {
        Self::store_id(self)
    }

    fn restored(&self) -> Option<Restored> {
        let held = self.shared.held.load(Ordering::Acquire);
        self.shared.restored.clone().map(|restored| Restored { held, ..restored })
    }

    fn let_go(&self) -> Result<(), Error> {
        if !planted::has(Plant::LetGoForgotten) {
            mark::let_go(&*self.shared.disk)?;
        }
        self.shared.held.store(false, Ordering::Release);
        Ok(())
    }
}

/// Returns the copies in a folder, oldest first; what is no copy, or cannot be read as one, is left out.
///
/// # Errors
/// [`Error::Unavailable`] when the folder cannot be read.
pub fn list(folder: &Path) -> Result<Vec<Taken>, Error> {
    let names = files::names(folder)?.into_iter().filter(|name| !name.starts_with('.'));
    let mut all: Vec<_> = names
        .filter_map(|name| {
            let manifest = Manifest::read(&folder.join(&name)).ok()?;
            Some(of(name, &manifest))
        })
        .collect();
    all.sort_by(|one, other| (one.at, &one.name).cmp(&(other.at, &other.name)));
    Ok(all)
}

fn of(name: String, manifest: &Manifest) -> Taken {
    Taken {
        name,
        store: manifest.store,
        at: manifest.at,
        folded: Position(manifest.folded),
        head: Position(manifest.head),
        bytes: manifest.bytes(),
    }
}

impl<D: Disk> Shared<D> {
    /// Copies everything into a new folder and makes it durable there.
    fn take(&self, data: &Path, made: &Path, ask: &Ask<'_>) -> Result<Manifest, Error> {
        let folder = fs::DirBuilder::new().mode(0o700).create(made);
        folder.map_err(|error| files::failed("make", made, &error))?;
        let tables = made.join(TABLES);
        let sync = || sync(&tables);
        let to = To {
            disk: &OsDisk::new(made),
            tables: &Place::File(tables.clone()),
            sync_tables: &sync,
            watch: ask.watch,
        };
        let copied = self.copy_to(&to)?;
        sync()?;
        let mut names = vec![TABLES.to_owned()];
        names.extend(copied.segments);
        names.extend(ledger::copy(data, made)?);
        let go_on = || match (ask.watch)(Progress::default()) {
            Go::On => Ok(()),
            Go::Stop => Err(Error::Unavailable("the backup was stopped".into())),
        };
        let observed = observed::copy(data, made, |took| {
            go_on()?;
            // Half of the time is others'.
            std::thread::sleep(took);
            Ok(())
        })?;
        if let Some(name) = observed {
            self::sync(&made.join(&name))?;
            names.push(name);
        }
        let mut entries = Vec::with_capacity(names.len());
        for name in &names {
            entries.push(files::hash(made, name, go_on)?);
        }
        let manifest = Manifest {
            format: folder::VERSION,
            store: self.settings.store,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: ask.at,
            folded: copied.folded,
            head: copied.head,
            files: entries,
        };
        files::put(&made.join(MANIFEST), manifest.to_text().as_bytes())?;
        files::sync_folder(made)?;
        Ok(manifest)
    }

    /// Returns about how large a copy is, in bytes.
    fn copy_bytes(&self, data: &Path) -> u64 {
        let folded = self.overlay().folded;
        let log: u64 = self.parts_behind(folded).0.iter().map(|part| part.end).sum();
        self.tables.disk_bytes() + log + ledger::bytes(data) + observed::bytes(data)
    }
}

/// Gives a copy that is whole its name: that of its instant, with a number where there is one already.
fn publish(made: &Path, ask: &Ask<'_>) -> Result<String, Error> {
    let first = name_at(ask.at);
    let numbered = (2..).map(|n| format!("{first}-{n}"));
    let free = |name: &String| !ask.into.join(name).exists();
    let name = std::iter::once(first.clone()).chain(numbered).find(free);
    let name = name.unwrap_or(first);
    let path = ask.into.join(&name);
    fs::rename(made, &path).map_err(|error| files::failed("rename to", &path, &error))?;
    files::sync_folder(ask.into)?;
    Ok(name)
}

/// Returns the name of a copy: `2026-11-21T14-02-05Z`.
pub(super) fn name_at(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{}Z", text.split('.').next().unwrap_or(&text).replace(':', "-"))
}

/// Removes the oldest copies of a store beyond those that are kept, the one just taken among these.
fn prune(folder: &Path, taken: &Taken, kept: usize) -> Result<(), Error> {
    let store = taken.store;
    let mut all = list(folder)?;
    all.retain(|one| one.store == store && one.name != taken.name);
    let beyond = (all.len() + 1).saturating_sub(kept.max(1));
    for old in &all[..beyond] {
        // Under a name that is none of a copy: one that is half removed is no copy.
        let gone = folder.join(format!("{PARTIAL}{store:032x}-old"));
        remove(&gone)?;
        fs::rename(folder.join(&old.name), &gone)
            .map_err(|error| files::failed("remove", &folder.join(&old.name), &error))?;
        remove(&gone)?;
    }
    Ok(())
}

fn remove(path: &PathBuf) -> Result<(), Error> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(files::failed("remove", path, &error))
        }
        _ => Ok(()),
    }
}

fn sync(path: &Path) -> Result<(), Error> {
    let synced = File::open(path).and_then(|file| file.sync_data());
    synced.map_err(|error| files::failed("sync", path, &error))
}
