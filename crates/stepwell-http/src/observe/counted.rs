//! What is counted of telemetry.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use stepwell_metrics::{Exposition, Histogram, table};

/// What was counted since the server's start.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    accepted: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
    turned_away: AtomicU64,
    deleted: AtomicU64,
    appends: Mutex<Histogram>,
}

impl Counted {
    /// Counts events of a batch that is durable, and those of it that are not understood.
    pub(super) fn taken(&self, accepted: usize, refused: usize) {
        self.accepted.fetch_add(accepted as u64, Ordering::Relaxed);
        self.refused.fetch_add(refused as u64, Ordering::Relaxed);
    }

    /// Counts a body that was read.
    pub(super) fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Counts a batch whose sender tries again.
    pub(super) fn turned_away(&self) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a write with its sync.
    pub(super) fn appended(&self, time: Duration) {
        self.appends.lock().unwrap_or_else(PoisonError::into_inner).observe(time);
    }

    /// Counts runs that were deleted since they were old.
    pub(super) fn deleted(&self, runs: usize) {
        self.deleted.fetch_add(runs as u64, Ordering::Relaxed);
    }

    /// Writes everything.
    pub(crate) fn write(&self, text: &mut Exposition) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        text.one(&table::TELEMETRY_EVENTS, count(&self.accepted));
        text.one(&table::TELEMETRY_REFUSED, count(&self.refused));
        text.one(&table::TELEMETRY_BYTES, count(&self.bytes));
        text.one(&table::TELEMETRY_TURNED_AWAY, count(&self.turned_away));
        text.one(&table::TELEMETRY_DELETED, count(&self.deleted));
        let appends = self.appends.lock().unwrap_or_else(PoisonError::into_inner);
        text.histogram(&table::TELEMETRY_APPEND_DURATION, &appends);
    }
}
