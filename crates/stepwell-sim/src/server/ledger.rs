//! Which runs there are, and which of them have ended: what tells when a simulation is over.

use std::collections::{BTreeMap, BTreeSet};

use stepwell_core::id::RunId;
use stepwell_core::run::Run;
use stepwell_core::status::RunStatus;
use stepwell_store::batch::Batch;

use crate::history::ReadBack;

/// The runs of a simulation.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Every run that was ever given to the store.
    given: BTreeSet<RunId>,
    /// Those that are durable, with the size of their journal.
    kept: BTreeMap<RunId, (u64, RunStatus)>,
}

impl Ledger {
    /// Notes a run that is given to the store.
    pub(super) fn gives(&mut self, run: RunId) {
        self.given.insert(run);
    }

    /// Notes a batch that is durable.
    pub(super) fn keeps(&mut self, batch: &Batch) {
        for write in &batch.runs {
            let row = &write.summary;
            self.kept.insert(write.run, (row.journal_bytes, row.status));
        }
    }

    /// Notes what the store was found to hold.
    pub(super) fn found(&mut self, read: &ReadBack) {
        for (run, journal) in &read.journals {
            let bytes = journal.len() as u64;
            if self.kept.get(run).is_none_or(|(known, _)| *known != bytes)
                && let Ok(replayed) = Run::replay(*run, journal)
            {
                self.kept.insert(*run, (bytes, replayed.status()));
            }
        }
    }

    pub(super) fn given(&self) -> &BTreeSet<RunId> {
        &self.given
    }

    pub(super) fn open(&self) -> u64 {
        self.kept.values().filter(|(_, status)| !status.is_ended()).count() as u64
    }

    pub(super) fn unfinished(&self) -> u64 {
        let done = |status: RunStatus| status.is_ended() || status == RunStatus::Blocked;
        self.kept.values().filter(|(_, status)| !done(*status)).count() as u64
    }
}
