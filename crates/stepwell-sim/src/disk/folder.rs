//! Files and names as the operating system shows them and as they are on disk.

use std::collections::{BTreeMap, BTreeSet};

use crate::rng::Rng;

/// The unit that a disk writes whole, or tears.
const SECTOR: usize = 512;

/// What happens to what was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Only the process is gone: the operating system still has it, for the most part.
    None,
    /// Each sector is lost or not.
    Sectors,
    /// Each sector is lost, or not, or torn.
    Torn,
}

/// A file.
#[derive(Debug, Default)]
struct Content {
    /// What reads show.
    shown: Vec<u8>,
    /// What is on disk.
    kept: Vec<u8>,
    /// Sectors that the next sync writes.
    dirty: BTreeSet<usize>,
    /// Sectors that are taken for clean and are not on disk, since a sync of them failed.
    forgotten: BTreeSet<usize>,
}

impl Content {
    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.shown.len() < end {
            // Growth is a change of metadata: it is durable with the next sync.
            self.dirty.extend(self.shown.len() / SECTOR..=end / SECTOR);
            self.shown.resize(end, 0);
        }
        self.shown[offset..end].copy_from_slice(bytes);
        self.dirty.extend(offset / SECTOR..end.div_ceil(SECTOR));
    }

    /// Puts a sector on disk; the first `share` bytes of it only.
    fn keep(&mut self, sector: usize, share: usize) {
        let from = sector * SECTOR;
        let to = (from + share).min(self.shown.len());
        if from >= to {
            return;
        }
        if self.kept.len() < to {
            self.kept.resize(to, 0);
        }
        self.kept[from..to].copy_from_slice(&self.shown[from..to]);
    }

    fn sync(&mut self) {
        for sector in std::mem::take(&mut self.dirty) {
            self.forgotten.remove(&sector);
            self.keep(sector, SECTOR);
        }
        // The size is synced with the bytes.
        if self.kept.len() < self.shown.len() {
            self.kept.resize(self.shown.len(), 0);
        }
    }

    fn fail_to_sync(&mut self, rng: &mut Rng) {
        for sector in std::mem::take(&mut self.dirty) {
            if rng.chance(500) {
                self.keep(sector, SECTOR);
            } else {
                self.forgotten.insert(sector);
            }
        }
    }

    fn lose(&mut self, loss: Loss, rng: &mut Rng) {
        if loss == Loss::None {
            // A page that is taken for clean may be read again from disk at any time.
            let forgotten = std::mem::take(&mut self.forgotten);
            for sector in forgotten {
                if rng.chance(500) {
                    self.show_again(sector);
                } else {
                    self.forgotten.insert(sector);
                }
            }
            return;
        }
        let lost_share = *rng.pick(&[0, 200, 500, 800, 1_000]);
        for sector in std::mem::take(&mut self.dirty) {
            if rng.chance(lost_share) {
                if loss == Loss::Torn && rng.chance(500) {
                    let share = 1 + rng.place(SECTOR - 1);
                    self.keep(sector, share);
                }
            } else {
                self.keep(sector, SECTOR);
            }
        }
        self.forgotten.clear();
        self.shown.clone_from(&self.kept);
    }

    fn show_again(&mut self, sector: usize) {
        let from = sector * SECTOR;
        let to = (from + SECTOR).min(self.shown.len());
        for at in from..to {
            self.shown[at] = self.kept.get(at).copied().unwrap_or(0);
        }
    }
}

/// A change of names that is not synced yet.
#[derive(Clone, Debug)]
enum Renaming {
    Made(String, u64),
    Removed(String),
    Renamed(String, String),
}

/// A folder of files.
#[derive(Debug, Default)]
pub(super) struct Folder {
    files: BTreeMap<u64, Content>,
    shown: BTreeMap<String, u64>,
    kept: BTreeMap<String, u64>,
    changes: Vec<Renaming>,
    last: u64,
}

impl Folder {
    pub(super) fn find(&self, name: &str) -> Option<u64> {
        self.shown.get(name).copied()
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.shown.keys().cloned().collect()
    }

    pub(super) fn make(&mut self, name: &str) -> u64 {
        self.last += 1;
        self.files.insert(self.last, Content::default());
        self.shown.insert(name.to_owned(), self.last);
        self.changes.push(Renaming::Made(name.to_owned(), self.last));
        self.last
    }

    pub(super) fn remove(&mut self, name: &str) -> bool {
        let found = self.shown.remove(name).is_some();
        if found {
            self.changes.push(Renaming::Removed(name.to_owned()));
        }
        found
    }

    pub(super) fn rename(&mut self, from: &str, to: &str) -> bool {
        let Some(file) = self.shown.remove(from) else { return false };
        self.shown.insert(to.to_owned(), file);
        self.changes.push(Renaming::Renamed(from.to_owned(), to.to_owned()));
        true
    }

    pub(super) fn sync_names(&mut self) {
        self.kept.clone_from(&self.shown);
        self.changes.clear();
        let used: BTreeSet<u64> = self.kept.values().copied().collect();
        self.files.retain(|file, _| used.contains(file));
    }

    pub(super) fn size(&self, file: u64) -> usize {
        self.files.get(&file).map_or(0, |content| content.shown.len())
    }

    /// Returns the size of all files that have a name.
    pub(super) fn used(&self) -> u64 {
        self.shown.values().map(|file| self.size(*file) as u64).sum()
    }

    pub(super) fn read(&self, file: u64, buffer: &mut [u8], offset: usize) -> usize {
        let shown = self.files.get(&file).map(|content| &content.shown[..]).unwrap_or_default();
        let rest = shown.get(offset..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        count
    }

    pub(super) fn write(&mut self, file: u64, bytes: &[u8], offset: usize) {
        if let Some(content) = self.files.get_mut(&file) {
            content.write(bytes, offset);
        }
    }

    pub(super) fn sync(&mut self, file: u64) {
        if let Some(content) = self.files.get_mut(&file) {
            content.sync();
        }
    }

    pub(super) fn fail_to_sync(&mut self, file: u64, rng: &mut Rng) {
        if let Some(content) = self.files.get_mut(&file) {
            content.fail_to_sync(rng);
        }
    }

    /// Shows what is left after a crash.
    pub(super) fn lose(&mut self, loss: Loss, rng: &mut Rng) {
        for content in self.files.values_mut() {
            content.lose(loss, rng);
        }
        if loss == Loss::None {
            return;
        }
        // Names are kept in the order in which they changed.
        let kept = rng.place(self.changes.len() + 1);
        for change in self.changes.drain(..).take(kept) {
            match change {
                Renaming::Made(name, file) => self.kept.insert(name, file),
                Renaming::Removed(name) => self.kept.remove(&name),
                Renaming::Renamed(from, to) => {
                    self.kept.remove(&from).and_then(|file| self.kept.insert(to, file))
                }
            };
        }
        self.shown.clone_from(&self.kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (Folder, u64, Rng) {
        let mut folder = Folder::default();
        let file = folder.make("a");
        folder.write(file, &[1; 2 * SECTOR], 0);
        folder.sync(file);
        folder.sync_names();
        (folder, file, Rng::new(1, 1))
    }

    fn shown(folder: &Folder) -> Vec<u8> {
        let mut bytes = vec![9; 4 * SECTOR];
        let count = folder.find("a").map_or(0, |file| folder.read(file, &mut bytes, 0));
        bytes.truncate(count);
        bytes
    }

    #[test]
    fn what_was_synced_is_kept_and_what_was_not_may_be_lost() {
        let mut seen = BTreeSet::new();
        let (_, _, mut rng) = folder();
        for _ in 0..200 {
            let (mut folder, file, _) = folder();
            folder.write(file, &[2; 2 * SECTOR], SECTOR);
            folder.make("b");
            folder.lose(Loss::Sectors, &mut rng);
            let bytes = shown(&folder);
            assert_eq!(bytes[..SECTOR], [1; SECTOR], "the sector that was synced and not written");
            let third = bytes.get(2 * SECTOR).copied();
            seen.insert((bytes[SECTOR], third, folder.find("b").is_some()));
        }
        for expected in [(1, None, false), (1, Some(2), true), (2, Some(2), false), (2, None, true)]
        {
            assert!(seen.contains(&expected), "{expected:?} in {seen:?}");
        }
    }

    #[test]
    fn the_cache_outlives_a_process_but_not_a_failed_sync() {
        let (mut folder, file, mut rng) = folder();
        folder.write(file, &[2; 2 * SECTOR], 0);
        folder.lose(Loss::None, &mut rng);
        assert_eq!(shown(&folder), [2; 2 * SECTOR]);
        let mut reverted = false;
        for value in 3..30 {
            folder.write(file, &[value; 2 * SECTOR], 0);
            folder.fail_to_sync(file, &mut rng);
            folder.sync(file);
            folder.lose(Loss::Sectors, &mut rng);
            reverted |= shown(&folder)[0] != value;
        }
        assert!(reverted, "a sync after a failed one does not save");
    }
}
