//! A disk in memory that crashes, forgets, fails and fills up where it is told to.
//!
//! It keeps what the operating system shows apart from what is on disk. A sync moves one to the
//! other, sector by sector; a crash loses any of the sectors in between. The same calls and the same
//! seed give the same disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::{Disk, File};

/// What a disk writes whole or not at all, in bytes, unless it tears.
pub const SECTOR: usize = 512;

/// What is left of writes that were not synced when a crash came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing is lost: only the process died.
    None,
    /// All is lost.
    All,
    /// Only these sectors are kept: bit `n` stands for the `n`-th one, by file and place.
    Keep(u64),
    /// Each sector and each change of names is kept, lost or torn, by this seed.
    Seed(u64),
}

/// What goes wrong, counted in calls that change the disk, from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The call in the middle of which the machine stops; every later one fails.
    pub crash_at: Option<u64>,
    /// The call that fails: a write is done in part, a sync leaves its sectors out while the system
    /// takes them for written.
    pub fail_at: Option<u64>,
    /// The write that finds no space and writes nothing.
    pub full_at: Option<u64>,
}

/// The disk. Clones are handles to one disk; see [`SimDisk::copy`].
#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Clone, Debug)]
struct State {
    files: BTreeMap<u64, Content>,
    /// Names as the system shows them, and as they are on disk.
    shown: BTreeMap<String, u64>,
    kept: BTreeMap<String, u64>,
    next_file: u64,
    capacity: u64,
    calls: u64,
    faults: Faults,
    crashed: bool,
}

#[derive(Clone, Debug, Default)]
struct Content {
    shown: Vec<u8>,
    kept: Vec<u8>,
    dirty: BTreeSet<usize>,
}

/// A file of a [`SimDisk`].
#[derive(Debug)]
pub struct SimFile {
    disk: SimDisk,
    id: u64,
}

impl SimDisk {
    /// Makes an empty disk of so many bytes.
    pub fn new(capacity: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            files: BTreeMap::new(),
            shown: BTreeMap::new(),
            kept: BTreeMap::new(),
            next_file: 0,
            capacity,
            calls: 0,
            faults: Faults::default(),
            crashed: false,
        })))
    }

    /// Returns another disk with the same content.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.state().clone())))
    }

    /// Says what goes wrong from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// Changes how many bytes fit.
    pub fn set_capacity(&self, capacity: u64) {
        self.state().capacity = capacity;
    }

    /// Returns how many calls changed the disk so far.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Returns how many sectors a crash now could lose.
    pub fn unsynced(&self) -> usize {
        self.state().files.values().map(|content| content.dirty.len()).sum()
    }

    /// Starts the machine again after a crash, or in place of one.
    pub fn restart(&self, loss: Loss) {
        let mut state = self.state();
        state.lose(loss);
        state.crashed = false;
        state.faults = Faults::default();
    }

    /// Returns the bytes of a file, as a read shows them.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state();
        let id = state.shown.get(name)?;
        state.files.get(id).map(|content| content.shown.clone())
    }

    /// Changes a file behind everyone's back, as bit rot does.
    pub fn damage(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let Some(id) = state.shown.get(name).copied() else { return };
        if let Some(content) = state.files.get_mut(&id) {
            change(&mut content.shown);
            content.kept.clone_from(&content.shown);
            content.dirty.clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Counts a call and tells what becomes of it.
    fn call(&mut self) -> Fate {
        if self.crashed {
            return Fate::Gone;
        }
        self.calls += 1;
        let now = Some(self.calls);
        if self.faults.crash_at == now {
            self.crashed = true;
            Fate::Crash
        } else if self.faults.fail_at == now {
            Fate::Fail
        } else if self.faults.full_at == now {
            Fate::Full
        } else {
            Fate::Good
        }
    }

    fn used(&self) -> u64 {
        self.files.values().map(|content| content.shown.len() as u64).sum()
    }

    fn write(&mut self, id: u64, bytes: &[u8], offset: u64) -> io::Result<()> {
        let fate = self.call();
        let end = offset + bytes.len() as u64;
        let size = self.files.get(&id).map_or(0, |content| content.shown.len() as u64);
        let full = self.used() + end.saturating_sub(size) > self.capacity;
        let Some(content) = self.files.get_mut(&id) else { return Err(gone()) };
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        match fate {
            Fate::Gone => Err(gone()),
            Fate::Full => Err(io::ErrorKind::StorageFull.into()),
            Fate::Good if full => Err(io::ErrorKind::StorageFull.into()),
            Fate::Good => {
                content.write(bytes, offset);
                Ok(())
            }
            Fate::Fail => {
                content.write(&bytes[..bytes.len() / 2], offset);
                Err(io::Error::other("injected: a write failed"))
            }
            Fate::Crash => {
                content.write(bytes, offset);
                Err(gone())
            }
        }
    }

    fn sync(&mut self, id: u64) -> io::Result<()> {
        let fate = self.call();
        let Some(content) = self.files.get_mut(&id) else { return Err(gone()) };
        match fate {
            Fate::Good | Fate::Full => {
                content.sync();
                Ok(())
            }
            Fate::Fail => {
                // As a system does it: the pages count as written, the error is told once.
                content.dirty.clear();
                Err(io::Error::other("injected: a sync failed"))
            }
            Fate::Crash | Fate::Gone => Err(gone()),
        }
    }

    fn rename(&mut self, change: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        match self.call() {
            Fate::Gone => Err(gone()),
            Fate::Fail => Err(io::Error::other("injected: a change of names failed")),
            Fate::Good | Fate::Full => change(self),
            Fate::Crash => {
                change(self)?;
                Err(gone())
            }
        }
    }

    fn lose(&mut self, loss: Loss) {
        let mut random = Random(match loss {
            Loss::Seed(seed) => seed,
            Loss::None | Loss::All | Loss::Keep(_) => 0,
        });
        if loss == Loss::None {
            return;
        }
        let mut number = 0_u32;
        for content in self.files.values_mut() {
            for sector in std::mem::take(&mut content.dirty) {
                let share = match loss {
                    Loss::None => SECTOR,
                    Loss::Keep(sectors) if sectors.checked_shr(number).unwrap_or(0) & 1 == 1 => {
                        SECTOR
                    }
                    Loss::All | Loss::Keep(_) => 0,
                    Loss::Seed(_) => match random.below(4) {
                        0 => 0,
                        1 => usize::try_from(random.below(SECTOR as u64)).unwrap_or(0),
                        _ => SECTOR,
                    },
                };
                content.keep(sector, share);
                number += 1;
            }
            content.shown.clone_from(&content.kept);
        }
        self.lose_names(loss, &mut random);
    }

    fn lose_names(&mut self, loss: Loss, random: &mut Random) {
        let both: BTreeSet<String> = self.shown.keys().chain(self.kept.keys()).cloned().collect();
        for name in both {
            let (new, old) = (self.shown.get(&name), self.kept.get(&name));
            let kept = match loss {
                Loss::Seed(_) => random.below(2) == 0,
                Loss::None | Loss::All | Loss::Keep(_) => false,
            };
            if new == old || !kept {
                continue;
            }
            match new.copied() {
                Some(id) => drop(self.kept.insert(name, id)),
                None => drop(self.kept.remove(&name)),
            }
        }
        self.shown.clone_from(&self.kept);
        let named: BTreeSet<u64> = self.kept.values().copied().collect();
        self.files.retain(|id, _| named.contains(id));
    }
}

impl Content {
    fn write(&mut self, bytes: &[u8], offset: usize) {
        let end = offset + bytes.len();
        if self.shown.len() < end {
            self.dirty.extend(self.shown.len() / SECTOR..end.div_ceil(SECTOR));
            self.shown.resize(end, 0);
        }
        self.shown[offset..end].copy_from_slice(bytes);
        self.dirty.extend(offset / SECTOR..end.div_ceil(SECTOR));
    }

    fn sync(&mut self) {
        for sector in std::mem::take(&mut self.dirty) {
            self.keep(sector, SECTOR);
        }
    }

    /// Puts the first `share` bytes of a sector on disk.
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
}

impl Disk for SimDisk {
    type File = SimFile;

    fn open(&self, name: &str) -> io::Result<SimFile> {
        let state = self.state();
        let id = state.shown.get(name).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile { disk: self.clone(), id })
    }

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let mut state = self.state();
        if state.shown.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = state.next_file;
        state.rename(|state| {
            state.next_file += 1;
            state.files.insert(id, Content::default());
            state.shown.insert(name.into(), id);
            Ok(())
        })?;
        Ok(SimFile { disk: self.clone(), id })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.state().shown.keys().cloned().collect())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.state().rename(|state| {
            state.shown.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.state().rename(|state| {
            let id = state.shown.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.shown.insert(to.into(), id);
            Ok(())
        })
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.state().rename(|state| {
            if !state.crashed {
                state.kept.clone_from(&state.shown);
            }
            Ok(())
        })
    }

    fn free_space(&self) -> io::Result<u64> {
        let state = self.state();
        Ok(state.capacity.saturating_sub(state.used()))
    }
}

impl File for SimFile {
    fn size(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.files.get(&self.id).map(|content| content.shown.len() as u64).ok_or_else(gone)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        let content = state.files.get(&self.id).ok_or_else(gone)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = content.shown.get(offset..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        buffer[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.state().write(self.id, bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.state().sync(self.id)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Good,
    Fail,
    Full,
    Crash,
    Gone,
}

fn gone() -> io::Error {
    io::Error::other("the machine stopped")
}

/// Random numbers after splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut value = self.0;
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (value ^ (value >> 31)) % bound
    }
}
