//! Which steps are in flight where: begun by code, and not yet answered by the node.

use std::collections::BTreeMap;
use std::sync::Arc;

use stepwell_core::id::RunId;
use stepwell_core::status::Kind;

use crate::fault::Kinds;
use crate::history::Process;

/// Steps in flight.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    runs: BTreeMap<RunId, Run>,
}

#[derive(Debug)]
struct Run {
    process: Process,
    steps: BTreeMap<Arc<str>, Kind>,
}

impl Flight {
    /// Notes a step that began in a process.
    pub(crate) fn begin(&mut self, process: Process, run: RunId, step: &str, kind: Kind) {
        let run = self.runs.entry(run).or_insert_with(|| Run { process, steps: BTreeMap::new() });
        run.process = process;
        if !run.steps.contains_key(step) {
            run.steps.insert(step.into(), kind);
        }
    }

    /// Returns the kind of a step in flight.
    pub(crate) fn kind(&self, run: RunId, step: &str) -> Option<Kind> {
        self.runs.get(&run)?.steps.get(step).copied()
    }

    /// Notes the answer to a step.
    pub(crate) fn end(&mut self, run: RunId, step: &str) {
        if let Some(run) = self.runs.get_mut(&run) {
            run.steps.remove(step);
        }
    }

    /// Notes the end of a run.
    pub(crate) fn end_run(&mut self, run: RunId) {
        self.runs.remove(&run);
    }

    /// Returns the kinds of steps in flight in a process, or anywhere.
    pub(crate) fn kinds(&self, process: Option<Process>) -> Kinds {
        let mut kinds = Kinds::default();
        let runs = self.runs.values().filter(|run| process.is_none_or(|one| one == run.process));
        runs.flat_map(|run| run.steps.values()).for_each(|kind| kinds.add(*kind));
        kinds
    }
}
