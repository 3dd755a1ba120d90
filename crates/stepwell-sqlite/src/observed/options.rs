//! Settings of the store of observed runs.

use std::time::Duration;

/// How observed runs are kept. `Options::default()` is right for a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Size of a segment file of the log, in bytes. Default 16 MiB; at least 4 KiB. A batch that is
    /// larger gets a segment of its own size.
    pub segment_bytes: u64,
    /// Age from which on batches are folded into tables. Default 250 ms.
    pub fold_after: Duration,
    /// How much one transaction of a fold takes, in bytes; twice as much where the fold is behind.
    /// Default 8 MiB.
    pub fold_slice: u64,
    /// How much may wait to be folded, in bytes: above half of it batches wait for the fold, at most
    /// 50 ms, and above it at most 500 ms before they are refused with `Error::Unavailable`. Default
    /// 64 MiB.
    pub tail_max: u64,
    /// Free space, in bytes, below which batches are refused with `Error::DiskFull`. Default 128 MiB:
    /// more than runs that are durable leave, so that those go on.
    pub disk_reserve: u64,
    /// How long a read waits for the fold of what was appended before it. Default 200 ms.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            fold_after: Duration::from_millis(250),
            fold_slice: 8 << 20,
            tail_max: 64 << 20,
            disk_reserve: 128 << 20,
            patience: Duration::from_millis(200),
        }
    }
}
