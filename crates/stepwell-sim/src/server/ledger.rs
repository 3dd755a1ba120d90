//! Which runs there are, and which of them have ended: what tells when a simulation is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::record::{self, BlockCause, Blocked, Record};
use stepwell_core::run::Run;
use stepwell_core::status::RunStatus;
use stepwell_store::batch::Batch;

use crate::history::ReadBack;

/// The runs of a simulation.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Every run that was ever given to the store.
    given: BTreeSet<RunId>,
    /// Every copy of a run that was ever given to the store.
    copied: BTreeSet<RunId>,
    /// Those that are durable, with the size of their journal and their parent.
    kept: BTreeMap<RunId, (u64, RunStatus, Option<RunId>)>,
    /// Those that are blocked for a step whose outcome is unknown.
    unknown: BTreeMap<RunId, Arc<str>>,
}

impl Ledger {
    /// Notes a run that is given to the store.
    pub(crate) fn gives(&mut self, run: RunId) {
        self.given.insert(run);
    }

    /// Notes a copy of a run that is given to the store.
    pub(crate) fn copies(&mut self, run: RunId) {
        self.copied.insert(run);
    }

    /// Returns every run, and every copy of one, that was ever given to the store.
    pub(crate) fn all(&self) -> (&BTreeSet<RunId>, &BTreeSet<RunId>) {
        (&self.given, &self.copied)
    }

    /// Notes a batch that is durable.
    pub(crate) fn keeps(&mut self, batch: &Batch) {
        for write in batch.runs.iter().filter(|write| !self.copied.contains(&write.run)) {
            let row = &write.summary;
            self.kept.insert(write.run, (row.journal_bytes, row.status, row.parent));
            if row.status != RunStatus::Blocked {
                self.unknown.remove(&write.run);
                continue;
            }
            if let Some(step) = unknown(&write.records) {
                self.unknown.insert(write.run, step);
            }
        }
    }

    /// Forgets what is durable: the store is another one.
    pub(crate) fn forget(&mut self) {
        self.kept.clear();
        self.unknown.clear();
    }

    /// Notes what the store was found to hold.
    pub(crate) fn found(&mut self, read: &ReadBack) {
        for (run, journal) in &read.journals {
            let bytes = journal.len() as u64;
            if self.kept.get(run).is_none_or(|(known, ..)| *known != bytes)
                && let Ok(replayed) = Run::replay(*run, journal)
            {
                let parent = replayed.parent().map(|parent| parent.run);
                self.kept.insert(*run, (bytes, replayed.status(), parent));
                if replayed.status() == RunStatus::Blocked
                    && let Some(step) = unknown(journal)
                {
                    self.unknown.insert(*run, step);
                }
            }
        }
    }

    /// Returns every run that was ever given to the store.
    pub(crate) fn known(&self) -> &BTreeSet<RunId> {
        &self.given
    }

    /// Returns the runs that wait for a person to tell how a step ended, and the step.
    pub(crate) fn unknown(&self) -> &BTreeMap<RunId, Arc<str>> {
        &self.unknown
    }

    /// Returns how many runs have not ended.
    pub(crate) fn open(&self) -> u64 {
        self.kept.values().filter(|(_, status, _)| !status.is_ended()).count() as u64
    }

    /// Returns how many runs have not ended and are not blocked.
    pub(crate) fn unfinished(&self) -> u64 {
        let blocked = |run: &RunId| {
            self.kept.get(run).is_some_and(|(_, status, _)| *status == RunStatus::Blocked)
        };
        // Who waits for a blocked run waits with it.
        let mut stays: BTreeSet<RunId> = self.kept.keys().copied().filter(blocked).collect();
        let mut above: Vec<RunId> = stays.iter().copied().collect();
        while let Some(run) = above.pop() {
            let parent = self.kept.get(&run).and_then(|(.., parent)| *parent);
            above.extend(parent.filter(|parent| stays.insert(*parent)));
        }
        let open = |(run, (_, status, _)): &(&RunId, &(u64, RunStatus, Option<RunId>))| {
            !status.is_ended() && !stays.contains(run)
        };
        self.kept.iter().filter(open).count() as u64
    }
}

/// Returns the step whose unknown outcome blocks the run last, by these records.
fn unknown(records: &[u8]) -> Option<Arc<str>> {
    let mut last = None;
    for record in record::decode(records).map_while(Result::ok) {
        if let Record::Blocked(Blocked { cause, .. }) = record {
            last = match cause {
                BlockCause::OutcomeUnknown { step } => Some(Arc::from(&*step)),
                _ => None,
            };
        }
    }
    last
}
