//! A run that is given out for its clean-up (§7.5): its handler only replays, until it has said how
//! each step is taken back that is to be; then the steps of the clean-up run in its place.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::value::RawValue;
use stepwell_core::clean_up::Compensation;
use stepwell_core::failure::Failure;
use stepwell_core::record::BlockCause;
use stepwell_core::status::{Kind, RunStatus, StepStatus};
use stepwell_protocol::to_runner::{self, EndedStep};

use super::cell::Cell;
use super::run::HandlerFuture;
use super::state::{Core, Phase, State};
use crate::error::Result;
use crate::step::StepCtx;

/// What takes a step back, or tells a workflow of its failure.
pub(crate) type Undoing = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Takes a step back that completed, by its result.
pub(crate) type Undo = Box<dyn FnMut(Option<&RawValue>, StepCtx) -> Undoing + Send>;

/// Takes a step back of which nobody knows whether it was done.
pub(crate) type UndoUnknown = Box<dyn FnMut(StepCtx) -> Undoing + Send>;

/// How a step is taken back.
#[derive(Default)]
pub(crate) struct Undoes {
    pub(crate) completed: Option<Undo>,
    pub(crate) unknown: Option<UndoUnknown>,
}

/// A step of the handler that completed.
#[derive(Debug)]
pub(crate) struct Completed {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) output: Option<Box<RawValue>>,
    pub(crate) at_us: i64,
}

/// What the clean-up of a run does.
pub(crate) struct CleanUp {
    pub(crate) status: RunStatus,
    pub(crate) error: Failure<'static>,
    pub(crate) compensate: Vec<Compensation<'static>>,
    pub(crate) on_failure: bool,
    pub(crate) uncertain: Vec<String>,
    pub(crate) completed: Vec<Completed>,
    /// How steps are taken back, as far as the handler has said.
    pub(crate) found: HashMap<Arc<str>, Undoes>,
    /// The workflow has no function to be told by.
    deaf: bool,
    /// The handler has ended.
    over: bool,
}

impl std::fmt::Debug for CleanUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CleanUp").field("compensate", &self.compensate).finish_non_exhaustive()
    }
}

/// Makes the code of a clean-up.
pub(crate) type Clean = Box<dyn FnOnce(Box<CleanUp>) -> HandlerFuture + Send>;

impl CleanUp {
    pub(crate) fn new(told: &to_runner::CleanUp<'_>, deaf: bool) -> Self {
        Self {
            status: told.status,
            error: told.error.clone().into_owned(),
            compensate: told.compensate.iter().map(Compensation::to_owned).collect(),
            on_failure: told.on_failure,
            uncertain: told.uncertain.iter().map(|step| step.clone().into_owned()).collect(),
            completed: Vec::new(),
            found: HashMap::new(),
            deaf,
            over: false,
        }
    }

    /// Keeps what the clean-up needs of a step that ended.
    pub(super) fn keep(&mut self, one: &EndedStep<'_>) {
        let made = matches!(one.kind, Kind::Compensate | Kind::OnFailure);
        if one.status == StepStatus::Completed && !made {
            self.completed.push(Completed {
                id: Arc::from(&*one.step),
                kind: one.kind,
                output: one.output.map(ToOwned::to_owned),
                at_us: one.at_us,
            });
        }
    }

    /// Returns what the code has not said how to do.
    fn missing(&self) -> Vec<String> {
        let said = |one: &&Compensation<'_>| match self.found.get(&*one.step) {
            Some(undoes) if one.unknown => undoes.unknown.is_some(),
            Some(undoes) => undoes.completed.is_some(),
            None => false,
        };
        let steps = self.compensate.iter().filter(|one| !said(one));
        let mut missing: Vec<String> = steps.map(|one| one.step.to_string()).collect();
        if self.on_failure && self.deaf {
            missing.push("onFailure".into());
        }
        missing
    }
}

impl Cell {
    /// The code says how a step is taken back.
    pub(crate) fn found(&self, id: &Arc<str>, undoes: Undoes) {
        let mut core = self.lock();
        if core.phase != Phase::Gathering {
            return;
        }
        if let Some(clean_up) = &mut core.clean_up
            && clean_up.compensate.iter().any(|one| *one.step == **id)
        {
            clean_up.found.entry(id.clone()).or_insert(undoes);
        }
    }

    /// The handler of a run in its clean-up has ended.
    pub(super) fn gathered_all(core: &mut Core) {
        if let Some(clean_up) = &mut core.clean_up {
            clean_up.over = true;
        }
    }

    /// Goes over to the steps of the clean-up, once the handler has said how each is done.
    pub(super) fn gathered(core: &mut Core) -> Option<Box<CleanUp>> {
        if core.phase != Phase::Gathering || core.draining {
            return None;
        }
        let missing = core.clean_up.as_ref()?.missing();
        if missing.is_empty() {
            core.phase = Phase::Forward;
            Self::pass_all(core);
            return core.clean_up.take();
        }
        if core.clean_up.as_ref()?.over {
            let steps = missing.into_iter().map(Into::into).collect();
            core.block(BlockCause::CleanUpLost { steps });
        }
        None
    }

    /// A handler that only replays, and that nothing more is given to, is left after a while.
    pub(super) fn rest_gathering(self: &Arc<Self>, core: &mut Core) {
        let now = self.now();
        let Some(since) = core.quiet_since else {
            core.quiet_since = Some(now);
            self.set_timer(core, now.after(self.terms.linger), None);
            return;
        };
        if now >= since.after(self.terms.linger) {
            Self::gathered_all(core);
            self.notify();
        }
    }

    /// What the handler was not given, it is not given any more: the clean-up has its own steps.
    fn pass_all(core: &mut Core) {
        let mut passed = std::mem::take(&mut core.queue);
        passed.append(&mut core.kept);
        for place in passed {
            let wanted = core.steps[place].is_wanted();
            core.askable -= u32::from(wanted);
            core.passed += 1;
            if let Some(end) = core.steps[place].end.take() {
                core.now_us = core.now_us.max(end.at_us);
            }
            core.set(place, State::Taken);
        }
        core.stalled_since = None;
    }
}
