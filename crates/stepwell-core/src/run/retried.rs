//! The handler runs again after it failed (§6.5).

use super::command::{Change, Effect};
use super::state::Run;
use crate::clean_up::Retried;
use crate::failure::{Failure, names};
use crate::record::Record;
use crate::status::StepStatus;
use crate::time::Timestamp;

/// Errors that another run of the handler cannot better (§6.2, §9.1, §2.6).
const FINAL: [&str; 6] = [
    names::NON_RETRYABLE,
    names::INPUT,
    names::SERIALIZATION,
    names::LIMIT,
    names::DUPLICATE_STEP,
    names::NESTED_STEP,
];

impl Run {
    /// Returns which run of the handler this is, from 1.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Tells whether its handler waits, after that instant, to run again; a delayed start is no backoff.
    pub(super) fn handler_waits_after(&self, at: Timestamp) -> bool {
        self.generation > 1 && self.delayed.is_some_and(|until| until > at)
    }

    /// Completed steps keep their results. What else began is over, and its id is free again.
    pub(super) fn fold_retried(&mut self, retried: &Retried<'_>) {
        self.cancel_open_steps(|_| true);
        // They are told that nobody wants them any more; their ends concern nobody here.
        self.children.clear();
        let steps = &self.steps;
        self.index.retain(|position| {
            let step = usize::try_from(position).ok().and_then(|place| steps.get(place));
            step.is_some_and(|step| is_kept(step.status))
        });
        self.ended_steps = u32::try_from(self.index.len()).unwrap_or(u32::MAX);
        self.generation = retried.generation;
        self.activation = None;
        self.ready_since = None;
        self.delayed = Some(retried.next_at);
    }
}

/// Tells whether a step that ended so keeps its result when the handler runs again (§6.5).
pub const fn is_kept(status: StepStatus) -> bool {
    match status {
        StepStatus::Completed | StepStatus::Skipped => true,
        StepStatus::Pending
        | StepStatus::Running
        | StepStatus::Retrying
        | StepStatus::Sleeping
        | StepStatus::Waiting
        | StepStatus::Failed
        | StepStatus::TimedOut
        | StepStatus::Cancelled
        | StepStatus::Unknown => false,
    }
}

impl Change<'_, '_> {
    /// Has the handler run again where the workflow says so. Tells whether it will.
    pub(super) fn retry_handler(&mut self, failure: &Failure<'_>) -> bool {
        let policy = self.run.ends.retry.as_ref().filter(|_| !FINAL.contains(&&*failure.name));
        let pause = policy.and_then(|one| one.next_pause(self.run.generation, self.env.entropy));
        let next_at = pause.map(|pause| self.env.now.after(pause));
        // Waiting for a run of the handler that may not begin helps nobody.
        let in_time = |at: &_| self.run.deadline.is_none_or(|deadline| *at < deadline);
        let Some(next_at) = next_at.filter(in_time) else {
            return false;
        };
        self.push(&Record::Retried(Retried {
            at: self.env.now,
            generation: self.run.generation + 1,
            error: failure.clone(),
            next_at,
        }));
        self.effect(Effect::Forget);
        if next_at <= self.env.now {
            self.fire();
        }
        true
    }
}
