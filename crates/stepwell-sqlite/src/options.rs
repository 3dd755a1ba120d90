//! Settings of the embedded store.

use std::time::Duration;

/// How a store is opened. `Options::default()` is right for a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Size of a segment file of the log, in bytes. Default 8 MiB; at least 4 KiB. A batch that is
    /// larger gets a segment of its own size.
    pub segment_bytes: u64,
    /// Age from which on batches are folded into tables, and how long nothing is committed before all
    /// that is there is folded. Default 1 s.
    pub fold_after: Duration,
    /// The same age where a fold would write all over the tables: more than a quarter of the runs in
    /// the tail began before it. Default 60 s.
    pub fold_late: Duration,
    /// Size of the tail from which on it is folded down to half of this, whatever its age, in bytes;
    /// half as much again where that would write all over the tables. Default 64 MiB.
    pub fold_beyond: u64,
    /// How much one transaction of a fold takes, in bytes; four times as much where it would write all
    /// over the tables. Default 8 MiB.
    pub fold_slice: u64,
    /// Size of the tail, in bytes, above which batches that grow the store are refused with
    /// `Error::Unavailable`. Above half of it they wait for the fold. Default 256 MiB.
    pub tail_max: u64,
    /// Free space, in bytes, below which batches that grow the store are refused with
    /// `Error::DiskFull`. Default 64 MiB.
    pub disk_reserve: u64,
    /// How much work one page of a list may be.
    pub effort: Effort,
    /// The id of a store that is made anew. Default: drawn at random.
    pub store_id: Option<u128>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            segment_bytes: 8 << 20,
            fold_after: Duration::from_secs(1),
            fold_late: Duration::from_mins(1),
            fold_beyond: 64 << 20,
            fold_slice: 8 << 20,
            tail_max: 256 << 20,
            disk_reserve: 64 << 20,
            effort: Effort::default(),
            store_id: None,
        }
    }
}

/// How much work one page of a list may be, where no index leads to what is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// An attribute that at most so many runs have leads to them. Default 4,000.
    pub few: usize,
    /// How many of the newest runs are looked at before an index of attributes is read whole.
    /// Default 1,500.
    pub probed: usize,
    /// How many entries of such indexes are read. Default 400,000.
    pub scanned: usize,
    /// How many runs are looked at for a text or the end of an id; one whose text is read counts for 25.
    /// Default 500,000.
    pub looked: usize,
    /// How long that may take. Default 150 ms.
    pub time: Duration,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            few: 4_000,
            probed: 1_500,
            scanned: 400_000,
            looked: 500_000,
            time: Duration::from_millis(150),
        }
    }
}

/// The smallest segment, in bytes.
pub(crate) const SEGMENT_MIN: u64 = 4 << 10;
