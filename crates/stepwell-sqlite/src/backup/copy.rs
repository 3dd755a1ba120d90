//! Copying tables and log while commits go on.
//!
//! What is copied is one position of the tables and the log behind it. The log comes first, since no
//! segment of it is used again meanwhile; the tables are read from a snapshot, which holds nobody up.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use stepwell_core::time::Timestamp;
use stepwell_store::Error;
use stepwell_store::backup::{Go, Progress};

use super::settle::Origin;
use super::take::name_at;
use crate::disk::{Disk, File};
use crate::embedded::{Embedded, Shared, guard};
use crate::folder;
use crate::log::slot_name;
use crate::tables::{self, Place, Reader};

/// How many pages are copied before others get their turn.
const PAGES: i32 = 256;
/// How much of the log is copied at once, in bytes.
const PIECE: usize = 1 << 20;
/// How long SQLite is asked again that is busy.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Copied {
    /// The position of the tables.
    pub(crate) folded: u64,
    /// The last position of the log.
    pub(crate) head: u64,
    /// The names of the segments.
    pub(crate) segments: Vec<String>,
}

/// Where to, and who watches.
pub(crate) struct To<'a, B: Disk> {
    pub(crate) disk: &'a B,
    pub(crate) tables: &'a Place,
    /// Makes what was written to the tables so far durable, so that it does not all wait for the end:
    /// syncs of the log would wait with it.
    pub(crate) sync_tables: &'a dyn Fn() -> Result<(), Error>,
    pub(crate) watch: &'a dyn Fn(Progress) -> Go,
}

/// Holds the segments behind a position; others may be used again.
struct Pinned<'a, D: Disk>(&'a Shared<D>);

impl<'a, D: Disk> Pinned<'a, D> {
    fn new(shared: &'a Shared<D>) -> Self {
        let folded = guard(&shared.progress).folded;
        guard(&shared.log).pinned = Some(folded);
        Self(shared)
    }
}

impl<D: Disk> Drop for Pinned<'_, D> {
    fn drop(&mut self) {
        guard(&self.0.log).pinned = None;
    }
}

/// A part of the log: a segment, up to where it is written.
pub(super) struct Part {
    pub(super) name: String,
    pub(super) end: u64,
}

impl<D: Disk> Embedded<D> {
    /// Copies everything that is durable now to another disk and into empty tables, of which
    /// [`super::settle()`] makes a store. It is what a copy in a folder is made with, for stores that are in
    /// none. `at` is now, by the clock of the machine; `watch` is asked between the pieces whether to go on.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a disk refuses or `watch` says to stop, [`Error::Poisoned`] when it is not
    /// known what is durable; what was copied so far is of no use.
    pub fn copy_onto<B: Disk>(
        &self,
        disk: &B,
        tables: &Place,
        at: Timestamp,
        watch: &dyn Fn(Progress) -> Go,
    ) -> Result<Origin, Error> {
        let to = To { disk, tables, sync_tables: &|| Ok(()), watch };
        let Copied { head, .. } = self.shared.copy_to(&to)?;
        let (backup, store) = (name_at(at), self.store_id());
        Ok(Origin { backup, store, format: folder::VERSION, taken_at: at, head })
    }
}

impl<D: Disk> Shared<D> {
    /// Copies everything that is durable now.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when a disk refuses or the copy is to stop; what was copied so far is of no
    /// use.
    pub(crate) fn copy_to<B: Disk>(&self, to: &To<'_, B>) -> Result<Copied, Error> {
        let pinned = Pinned::new(self);
        let reader = self.reader()?;
        let snapshot = reader.unchecked_transaction().map_err(|e| tables::failed(&e))?;
        let folded = tables::position(&reader)?;
        let (parts, head) = self.parts_behind(folded);
        let log_bytes: u64 = parts.iter().map(|part| part.end).sum();
        let total = log_bytes + self.tables.disk_bytes();
        let mut done = Progress { copied: 0, total };
        for part in &parts {
            self.copy_part(part, to, &mut done)?;
        }
        // From here on segments are used again: what is copied of the log is all that belongs to it.
        drop(pinned);
        copy_tables(&reader, to, done)?;
        drop(snapshot);
        let segments = parts.into_iter().map(|part| part.name).collect();
        Ok(Copied { folded, head, segments })
    }

    /// Returns the segments that hold frames behind a position, and the last position.
    pub(super) fn parts_behind(&self, folded: u64) -> (Vec<Part>, u64) {
        let log = guard(&self.log);
        let sealed = log.sealed.iter().filter(|segment| segment.last > folded);
        let mut parts: Vec<_> = sealed
            .map(|segment| Part { name: slot_name(segment.slot.number), end: segment.slot.size })
            .collect();
        let active = &log.active;
        parts.push(Part { name: slot_name(active.slot.number), end: active.end });
        (parts, log.head)
    }

    fn copy_part<B: Disk>(
        &self,
        part: &Part,
        to: &To<'_, B>,
        done: &mut Progress,
    ) -> Result<(), Error> {
        let failed = |error| copy_failed(&part.name, &error);
        let from = self.disk.open(&part.name).map_err(failed)?;
        let into = to.disk.create(&part.name).map_err(failed)?;
        let mut buffer = vec![0; PIECE];
        let mut offset = 0;
        while offset < part.end {
            let wanted = usize::try_from(part.end - offset).unwrap_or(PIECE).min(PIECE);
            let got = from.read_at(&mut buffer[..wanted], offset).map_err(failed)?;
            if got < wanted {
                return Err(Error::Corrupt(format!("{} is shorter than it was", part.name)));
            }
            into.write_at(&buffer[..got], offset).map_err(failed)?;
            offset += got as u64;
            done.copied += got as u64;
            go_on(to, *done)?;
        }
        into.sync().map_err(failed)
    }
}

/// Copies the tables of a snapshot, page by page.
fn copy_tables<B: Disk>(
    snapshot: &Reader<'_>,
    to: &To<'_, B>,
    before: Progress,
) -> Result<(), Error> {
    let mut into = to.tables.connect_new()?;
    copy_database(snapshot, &mut into, |copied, total, took| {
        (to.sync_tables)()?;
        let progress = Progress { copied: before.copied + copied, total: before.copied + total };
        go_on(to, progress)?;
        // Half of the time is others'.
        if let Place::File(_) = to.tables {
            std::thread::sleep(took);
        }
        Ok(())
    })
}

/// Copies a database; `between` is told of bytes copied, bytes in all, and how long the last piece took.
pub(crate) fn copy_database(
    from: &Connection,
    into: &mut Connection,
    mut between: impl FnMut(u64, u64, Duration) -> Result<(), Error>,
) -> Result<(), Error> {
    let failed = |error: rusqlite::Error| tables::failed(&error);
    let page: u32 = from.query_row("PRAGMA page_size", [], |row| row.get(0)).map_err(failed)?;
    let backup = Backup::new(from, into).map_err(failed)?;
    loop {
        let begun = Instant::now();
        let step = backup.step(PAGES).map_err(failed)?;
        let progress = backup.progress();
        let pages = |count: i32| u64::try_from(count).unwrap_or(0) * u64::from(page);
        let copied = pages(progress.pagecount - progress.remaining);
        between(copied, pages(progress.pagecount), begun.elapsed())?;
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => std::thread::sleep(BUSY_PAUSE),
        }
    }
}

fn go_on<B: Disk>(to: &To<'_, B>, progress: Progress) -> Result<(), Error> {
    match (to.watch)(progress) {
        Go::On => Ok(()),
        Go::Stop => Err(Error::Unavailable("the backup was stopped".into())),
    }
}

fn copy_failed(name: &str, error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::StorageFull => Error::DiskFull { free: 0, reserve: 0 },
        _ => Error::Unavailable(format!("cannot copy {name}: {error}")),
    }
}
