//! Which rows need not be written, since they would be what they are.
//!
//! A run that a runner works on gets records and more steps, and its row stays the same: how many
//! steps there are, and of how many bytes, the last chunk of the journal tells. A member alone writes
//! of its runs, so it knows what it wrote last.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use rustc_hash::FxHashMap;
use stepwell_core::id::RunId;
use stepwell_core::search::to_json;
use stepwell_store::batch::RunWrite;
use stepwell_store::shared::Needs;

/// Of so many runs it is known what was written last; then it begins anew.
const KNOWN_MAX: usize = 100_000;

/// What was written last of runs of this member.
#[derive(Debug, Default)]
pub(crate) struct Known {
    hashes: RandomState,
    runs: FxHashMap<RunId, Last>,
}

/// Marks of what was written last of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Last {
    pub(super) row: u64,
    pub(super) search: u64,
    pub(super) waits: u64,
}

impl Known {
    /// Returns the marks of what is to be written.
    pub(super) fn marks(&self, write: &RunWrite, needs: Option<&Needs>) -> Last {
        let row = &write.summary;
        let mut hasher = self.hashes.build_hasher();
        row.status.as_str().hash(&mut hasher);
        (row.started_at, row.ended_at, row.ready_since, row.timer_at, row.active).hash(&mut hasher);
        (&row.version, &row.blocked).hash(&mut hasher);
        row.error.as_ref().map(|error| (&error.name, &error.message)).hash(&mut hasher);
        needs.map(|needs| (&needs.runner, &needs.shuns)).hash(&mut hasher);
        let mut search = self.hashes.build_hasher();
        for (name, value) in &row.search {
            (name, to_json(value)).hash(&mut search);
        }
        let mut waits = self.hashes.build_hasher();
        for wait in &*write.waits {
            let what = (wait.leaf.as_u64(), &wait.step, &wait.event, &wait.wanted, wait.from);
            what.hash(&mut waits);
        }
        Last { row: hasher.finish(), search: search.finish(), waits: waits.finish() }
    }

    /// Returns the mark of nothing.
    pub(super) fn nothing(&self) -> u64 {
        self.hashes.build_hasher().finish()
    }

    /// Returns what was written last of a run, where that is known.
    pub(super) fn last(&self, run: RunId) -> Option<Last> {
        self.runs.get(&run).copied()
    }

    /// Notes what was written, once it is durable.
    pub(super) fn note(&mut self, run: RunId, last: Last) {
        if self.runs.len() >= KNOWN_MAX {
            self.runs.clear();
        }
        self.runs.insert(run, last);
    }

    /// Knows nothing of a run any more.
    pub(crate) fn forget(&mut self, run: RunId) {
        self.runs.remove(&run);
    }
}
