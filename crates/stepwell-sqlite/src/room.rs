//! What room there is on the disk and in the tail, and how the store is doing.

use std::time::Duration;

use stepwell_store::{Error, Health, Position};

use crate::disk::Disk;
use crate::embedded::{Shared, guard};

/// How long a growing batch waits for the fold while the tail is over half of its bound.
const YIELD: Duration = Duration::from_millis(10);

impl<D: Disk> Shared<D> {
    /// Refuses growth while the disk or the tail is over its bound, and lets the fold go first while
    /// the tail is over half of it.
    pub(crate) fn make_room(&self) -> Result<(), Error> {
        if let Some(error) = self.low_disk() {
            return Err(error);
        }
        let bytes = self.overlay().bytes();
        if bytes <= self.options.tail_max / 2 {
            return Ok(());
        }
        self.work.notify_one();
        if bytes > self.options.tail_max {
            return Err(self.long_tail(bytes));
        }
        let progress = guard(&self.progress);
        if progress.runs && progress.trouble.is_none() {
            let at = progress.folded;
            let _ = self.folded.wait_timeout_while(progress, YIELD, |now| now.folded == at);
        }
        Ok(())
    }

    fn low_disk(&self) -> Option<Error> {
        let reserve = self.options.disk_reserve;
        // A disk that does not tell is taken as one with room: a commit tells for sure.
        let free = self.disk.free_space().unwrap_or(u64::MAX);
        (free < reserve).then_some(Error::DiskFull { free, reserve })
    }

    fn long_tail(&self, bytes: u64) -> Error {
        let limit = self.options.tail_max;
        let trouble = guard(&self.progress).trouble.clone();
        let why =
            trouble.map_or_else(String::new, |error| format!("; the last fold failed: {error}"));
        Error::Unavailable(format!(
            "{bytes} bytes wait to be folded into tables, over the limit of {limit}{why}"
        ))
    }

    /// Tells how the store is doing.
    pub(crate) fn health(&self) -> Health {
        let (head, folded, tail_bytes, fold_lag) = {
            let overlay = self.overlay();
            let lag = overlay.oldest().map_or(Duration::ZERO, |batch| batch.received.elapsed());
            (overlay.head, overlay.folded, overlay.bytes(), lag)
        };
        let (log_bytes, syncs) = {
            let log = guard(&self.log);
            (log.disk_bytes(), log.syncs.clone())
        };
        let refuses_growth =
            self.check_poison().err().or_else(|| self.low_disk()).or_else(|| {
                (tail_bytes > self.options.tail_max).then(|| self.long_tail(tail_bytes))
            });
        Health {
            head: Position(head),
            folded: Position(folded),
            fold_lag,
            tail_bytes,
            disk_bytes: log_bytes + self.tables.disk_bytes(),
            disk_free: self.disk.free_space().ok(),
            disk_reserve: Some(self.options.disk_reserve),
            tail_bytes_max: Some(self.options.tail_max),
            syncs,
            refuses_growth,
        }
    }
}
