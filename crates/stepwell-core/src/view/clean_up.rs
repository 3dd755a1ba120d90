//! What is shown of a run that ends badly.

use alloc::sync::Arc;

use super::model::{CleanUpView, CompensationView, Note};
use crate::failure::Failure;
use crate::record::Ending;
use crate::run::Run;
use crate::status::{Kind, RunStatus, StepStatus};
use crate::step_id;

/// Shows the clean-up of a run, if it has one.
pub(super) fn of(run: &Run) -> Option<CleanUpView> {
    let (decided, plan) = (run.decided()?, run.plan()?);
    let status = |id: &str| run.step(id).map_or(StepStatus::Pending, |step| step.status).as_str();
    let shown = plan.compensate.iter().map(|one| CompensationView {
        step: Arc::from(&*one.step),
        unknown: one.unknown,
        status: status(&step_id::of(Kind::Compensate, &one.step)),
    });
    Some(CleanUpView {
        status: decided.status,
        until: plan.until,
        compensations: shown.collect(),
        on_failure: plan.on_failure.then(|| status(&step_id::on_failure())),
        uncertain: plan.uncertain.clone(),
    })
}

/// Notes that the end is decided. The error of a handler is shown from then on.
pub(super) fn note_of<'a>(ending: Ending<'a>, error: &mut Option<Failure<'a>>) -> Note<'a> {
    let what = match ending.status {
        RunStatus::TimedOut => "timed_out",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled
        | RunStatus::Queued
        | RunStatus::Running
        | RunStatus::Waiting
        | RunStatus::Paused
        | RunStatus::Blocked
        | RunStatus::Compensating
        | RunStatus::Completed => "cancelled",
    };
    *error = ending.error;
    Note { at: ending.at, what, by: ending.by, detail: ending.reason }
}
