//! The disk as the log sees it, failing at a chosen call.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stepwell_sqlite::disk::{Disk, File};

use super::folder::{Folder, Loss};
use crate::clock::Micros;
use crate::rng::Rng;

/// How the disk fails, once, at the next call that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fails {
    /// The process ends at this call: the call is done, not done, or half done.
    Ends,
    /// A sync fails.
    Sync,
    /// A write fails half-way.
    Write,
    /// A sync takes this long.
    Slow(Micros),
}

/// A disk in memory, shared by the store and the simulation.
#[derive(Clone, Debug)]
pub(crate) struct SimDisk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    folder: Folder,
    rng: Rng,
    capacity: u64,
    /// The process has ended: no call is done until the next one begins.
    ended: bool,
    /// Which process this is; files that another one opened are void.
    generation: u32,
    armed: Option<(u32, Fails)>,
    fired: Option<Fails>,
    latency: Micros,
    /// It says that it synced, and does not.
    lies: bool,
}

impl SimDisk {
    /// Makes an empty disk with room for so many bytes.
    pub(crate) fn new(rng: Rng, capacity: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            folder: Folder::default(),
            rng,
            capacity,
            ended: false,
            generation: 0,
            armed: None,
            fired: None,
            latency: 0,
            lies: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the disk fail at the call that fits after so many calls.
    pub(crate) fn arm(&self, after: u32, how: Fails) {
        self.state().armed = Some((after, how));
    }

    /// Tells whether it is to fail, and has not yet.
    pub(crate) fn is_armed(&self) -> bool {
        self.state().armed.is_some()
    }

    /// Takes back what [`SimDisk::arm`] did, if it has not come to it.
    pub(crate) fn disarm(&self) {
        self.state().armed = None;
    }

    /// Returns how it failed since this was asked last.
    pub(crate) fn take_fired(&self) -> Option<Fails> {
        self.state().fired.take()
    }

    /// Returns how long calls took since this was asked last.
    pub(crate) fn take_latency(&self) -> Micros {
        std::mem::take(&mut self.state().latency)
    }

    /// Tells whether the process ended in a call.
    pub(crate) fn has_ended(&self) -> bool {
        self.state().ended
    }

    /// Makes syncs do nothing.
    pub(crate) fn lies(&self, lies: bool) {
        self.state().lies = lies;
    }

    /// Leaves so much free space.
    pub(crate) fn set_free(&self, free: u64) {
        let mut state = self.state();
        state.capacity = state.folder.used() + free;
    }

    /// Ends the process, if it has not ended, and begins the next one on what is left.
    pub(crate) fn crash(&self, loss: Loss) {
        let mut state = self.state();
        let State { folder, rng, .. } = &mut *state;
        folder.lose(loss, rng);
        state.ended = false;
        state.generation += 1;
        state.armed = None;
    }
}

/// What becomes of a call.
enum Fate {
    Done,
    /// It does so much of its work, of 1,000, and then fails.
    Cut(u64, io::Error),
}

impl State {
    fn ended() -> io::Error {
        io::Error::other("the process has ended")
    }

    fn check(&self, generation: u32) -> io::Result<()> {
        if self.ended || generation != self.generation { Err(Self::ended()) } else { Ok(()) }
    }

    /// Tells what becomes of a call that changes the disk.
    fn fate(&mut self, syncs: bool, writes: bool) -> Fate {
        self.latency += if syncs { self.rng.spread(60, 400) } else { self.rng.spread(2, 40) };
        let Some((after, how)) = self.armed else { return Fate::Done };
        let fits = match how {
            Fails::Ends => true,
            Fails::Sync | Fails::Slow(_) => syncs,
            Fails::Write => writes,
        };
        if !fits {
            return Fate::Done;
        }
        if after > 0 {
            self.armed = Some((after - 1, how));
            return Fate::Done;
        }
        self.armed = None;
        self.fired = Some(how);
        let share = *self.rng.pick(&[0, 1_000, 500, 900]);
        match how {
            Fails::Ends => {
                self.ended = true;
                Fate::Cut(share, Self::ended())
            }
            Fails::Sync => Fate::Cut(0, io::Error::other("the sync failed (injected)")),
            Fails::Write => Fate::Cut(share, io::Error::other("the write failed (injected)")),
            Fails::Slow(time) => {
                self.latency += time;
                Fate::Done
            }
        }
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn open(&self, name: &str) -> io::Result<SimFile> {
        let state = self.state();
        state.check(state.generation)?;
        let file = state.folder.find(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(SimFile { disk: self.clone(), file, generation: state.generation })
    }

    fn create(&self, name: &str) -> io::Result<SimFile> {
        let mut state = self.state();
        state.check(state.generation)?;
        if state.folder.find(name).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if let Fate::Cut(share, error) = state.fate(false, false) {
            if share > 0 {
                state.folder.make(name);
            }
            return Err(error);
        }
        let file = state.folder.make(name);
        Ok(SimFile { disk: self.clone(), file, generation: state.generation })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.state();
        state.check(state.generation)?;
        Ok(state.folder.names())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.check(state.generation)?;
        if let Fate::Cut(share, error) = state.fate(false, false) {
            if share > 0 {
                state.folder.remove(name);
            }
            return Err(error);
        }
        if state.folder.remove(name) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.check(state.generation)?;
        if let Fate::Cut(share, error) = state.fate(false, false) {
            if share > 0 {
                state.folder.rename(from, to);
            }
            return Err(error);
        }
        if state.folder.rename(from, to) { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.state();
        state.check(state.generation)?;
        match state.fate(true, false) {
            Fate::Done => {
                state.folder.sync_names();
                Ok(())
            }
            Fate::Cut(share, error) => {
                if share == 1_000 {
                    state.folder.sync_names();
                }
                Err(error)
            }
        }
    }

    fn free_space(&self) -> io::Result<u64> {
        let state = self.state();
        state.check(state.generation)?;
        Ok(state.capacity.saturating_sub(state.folder.used()))
    }
}

/// An open file of a [`SimDisk`].
#[derive(Debug)]
pub(crate) struct SimFile {
    disk: SimDisk,
    file: u64,
    generation: u32,
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl File for SimFile {
    fn size(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.check(self.generation)?;
        Ok(state.folder.size(self.file) as u64)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.disk.state();
        state.check(self.generation)?;
        Ok(state.folder.read(self.file, buffer, place(offset)))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.check(self.generation)?;
        let end = offset + bytes.len() as u64;
        let grows = end.saturating_sub(state.folder.size(self.file) as u64);
        if grows > 0 && state.folder.used() + grows > state.capacity {
            return Err(io::ErrorKind::StorageFull.into());
        }
        match state.fate(false, true) {
            Fate::Done => {
                state.folder.write(self.file, bytes, place(offset));
                Ok(())
            }
            Fate::Cut(share, error) => {
                let count = place(bytes.len() as u64 * share / 1_000);
                state.folder.write(self.file, &bytes[..count], place(offset));
                Err(error)
            }
        }
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.check(self.generation)?;
        match state.fate(true, false) {
            Fate::Done if state.lies => Ok(()),
            Fate::Done => {
                state.folder.sync(self.file);
                Ok(())
            }
            Fate::Cut(share, error) => {
                // A process that ends in its sync may have synced; a sync that fails has not.
                if state.ended && share == 1_000 {
                    state.folder.sync(self.file);
                } else if !state.ended {
                    let State { folder, rng, .. } = &mut *state;
                    folder.fail_to_sync(self.file, rng);
                }
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ended_does_nothing_more() {
        let disk = SimDisk::new(Rng::new(3, 0), 1 << 20);
        let file = disk.create("a").unwrap();
        disk.arm(1, Fails::Ends);
        file.write_at(b"abc", 0).unwrap();
        assert!(file.write_at(b"def", 3).is_err());
        assert!(disk.has_ended() && disk.list().is_err());
        disk.crash(Loss::None);
        assert_eq!(disk.list().unwrap(), ["a"]);
        assert!(file.size().is_err(), "a file of the process before");
        assert_eq!(disk.take_fired(), Some(Fails::Ends));
    }

    #[test]
    fn a_full_disk_says_so_and_writes_nothing() {
        let disk = SimDisk::new(Rng::new(3, 0), 1 << 20);
        let file = disk.create("a").unwrap();
        file.write_at(&[1; 100], 0).unwrap();
        disk.set_free(10);
        let error = file.write_at(&[2; 20], 90).map_err(|error| error.kind());
        assert_eq!(error, Ok(()), "ten more bytes fit");
        let error = file.write_at(&[3; 20], 100).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(disk.free_space().unwrap(), 0);
        file.write_at(&[4; 50], 0).unwrap();
    }
}
