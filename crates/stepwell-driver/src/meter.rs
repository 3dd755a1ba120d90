//! What the node's thread measures beside the node: commits, frames, its own time.
//!
//! They are plain integers of the one thread; who wants them gets a copy.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use stepwell_metrics::{Histogram, Scale};
use stepwell_node::Measures;

/// What was measured since this node was made.
#[derive(Clone, Debug)]
pub struct Meter {
    /// How long the thread worked.
    pub busy: Duration,
    /// How long the store took for each batch that it made durable.
    pub commit_time: Histogram,
    /// How many runs had records in each of them.
    pub commit_runs: Histogram,
    /// Batches that the store refused.
    pub commits_refused: u64,
    /// Frames from runners.
    pub frames_in: u64,
    /// Bytes in them.
    pub bytes_in: u64,
    /// Frames to runners.
    pub frames_out: u64,
    /// Bytes in them.
    pub bytes_out: u64,
    /// Connections closed since nothing was read on them.
    pub sessions_cut: u64,
}

impl Default for Meter {
    fn default() -> Self {
        Self {
            busy: Duration::ZERO,
            commit_time: Histogram::new(Scale::Short),
            commit_runs: Histogram::new(Scale::Count),
            commits_refused: 0,
            frames_in: 0,
            bytes_in: 0,
            frames_out: 0,
            bytes_out: 0,
            sessions_cut: 0,
        }
    }
}

impl Meter {
    pub(crate) fn committed(&mut self, began: Instant, runs: usize) {
        self.commit_time.observe(began.elapsed());
        self.commit_runs.count(runs as u64);
    }

    pub(crate) fn frame_in(&mut self, bytes: usize) {
        self.frames_in += 1;
        self.bytes_in += bytes as u64;
    }

    pub(crate) fn frame_out(&mut self, bytes: usize) {
        self.frames_out += 1;
        self.bytes_out += bytes as u64;
    }
}

/// Everything that the node and its thread measure.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What the node does.
    pub node: Measures,
    /// What its thread does.
    pub thread: Meter,
}

/// What retention deleted since the server's start.
#[derive(Debug, Default)]
pub(crate) struct Deleted {
    runs: AtomicU64,
    events: AtomicU64,
}

impl Deleted {
    pub(crate) fn add_runs(&self, count: usize) {
        self.runs.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn add_events(&self, count: usize) {
        self.events.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Returns how many runs and events.
    pub(crate) fn both(&self) -> (u64, u64) {
        (self.runs.load(Ordering::Relaxed), self.events.load(Ordering::Relaxed))
    }
}
