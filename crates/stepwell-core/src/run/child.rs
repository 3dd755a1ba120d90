//! Children: runs that a run invoked, whose ends it waits for (§9.2, §9.3, §7.7).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use serde_json::value::RawValue;

use super::clean_up::Leave;
use super::command::{Change, Effect, Rejection};
use super::state::Phase;
use crate::failure::{Failure, names};
use crate::id::RunId;
use crate::record::{ChildStarted, Opening, Record, StepEnded};
use crate::status::{Kind, RunStatus, StepStatus};
use crate::time::Timestamp;

/// See [`Act::Invoke`](super::Act::Invoke).
#[derive(Debug)]
pub struct InvokeStep<'a> {
    /// The step's id.
    pub step: Cow<'a, str>,
    /// The step's first record.
    pub open: Opening<'a>,
    /// The child that is to start, or why none can.
    pub child: Result<Child<'a>, Failure<'static>>,
}

/// A child that is to start.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    /// Its id, which no other run has.
    pub id: RunId,
    /// The app that the choice fell on.
    pub app: &'a str,
    /// Its workflow.
    pub workflow: &'a str,
}

/// See [`Command::ChildEnded`](super::Command::ChildEnded).
#[derive(Debug)]
pub struct ChildEnded<'a> {
    /// The step that invoked it.
    pub step: &'a str,
    /// The child as the parent knows it: the first run of its chain.
    pub child: RunId,
    /// The run that ended: the last of the chain.
    pub run: RunId,
    /// How it ended.
    pub status: RunStatus,
    /// What its handler returned.
    pub output: Option<&'a RawValue>,
    /// Why it did not complete.
    pub error: Option<Failure<'a>>,
}

impl Change<'_, '_> {
    pub(super) fn invoke(&mut self, invoke: InvokeStep<'_>) -> Result<(), Rejection> {
        let known = self.is_known(&invoke.step, Kind::Invoke, &invoke.open)?;
        if known || self.is_full() || self.is_ending() {
            return Ok(());
        }
        // §12: children of children, without end.
        let (depth, limit) = (self.run.depth + 1, self.env.limits.nesting_max);
        let child = if depth > limit {
            let text = format!("a child at depth {depth}; the limit is {limit}");
            Err(Failure::new(names::LIMIT, text))
        } else {
            invoke.child
        };
        match child {
            Ok(child) => self.push(&Record::ChildStarted(ChildStarted {
                step: invoke.step,
                child: child.id,
                app: child.app.into(),
                workflow: child.workflow.into(),
                open: invoke.open,
            })),
            Err(failure) => {
                let (at, status) = (self.env.now, StepStatus::Failed);
                self.push(&Record::StepEnded(StepEnded {
                    step: (&*invoke.step).into(),
                    at,
                    status,
                    attempt: None,
                    event: None,
                    output: None,
                    error: Some(failure.clone()),
                    open: Some(invoke.open),
                }));
                self.settle(&invoke.step, at, status, Some(failure));
            }
        }
        Ok(())
    }

    /// A child's end reaches the step that waits for it once; what is told of it again, or of a child
    /// that nobody waits for any more, changes nothing.
    pub(super) fn child_ended(&mut self, ended: &ChildEnded<'_>) {
        let position = self.run.position(ended.step);
        let waited_for = position.and_then(|position| self.run.children.get(&position));
        if waited_for != Some(&ended.child) {
            return;
        }
        let (step, at) = (ended.step, self.env.now);
        let ending = self.is_ending();
        let (status, output, error) = match ended.status {
            RunStatus::Completed => (StepStatus::Completed, ended.output, None),
            // §7.2: it was cancelled with its parent.
            RunStatus::Cancelled if ending => (StepStatus::Cancelled, None, None),
            RunStatus::TimedOut => (StepStatus::TimedOut, None, Some(thrown(ended))),
            RunStatus::Failed
            | RunStatus::Cancelled
            | RunStatus::Queued
            | RunStatus::Running
            | RunStatus::Waiting
            | RunStatus::Paused
            | RunStatus::Blocked
            | RunStatus::Compensating => (StepStatus::Failed, None, Some(thrown(ended))),
        };
        self.push(&Record::StepEnded(StepEnded {
            step: step.into(),
            at,
            status,
            attempt: None,
            event: None,
            output,
            error: error.clone(),
            open: None,
        }));
        let held = self.run.is_held();
        if held {
            self.settle(step, at, status, error);
        }
        // §7.2: a run that is ending waits for its children's ends, and for its functions.
        let late = |until: Timestamp| !held || until <= at;
        if matches!(self.run.phase, Phase::Ending { until, .. } if late(until)) {
            self.end_as_decided(Leave::Evict);
        }
        self.bound_journal();
    }

    /// §5.6, §7.7: what nobody waits for any more is not wanted any more.
    pub(super) fn cancel_children(&mut self) {
        let children: alloc::vec::Vec<RunId> = self.run.children.values().copied().collect();
        for child in children {
            self.effect(Effect::CancelChild { child });
        }
    }
}

/// §9.3: what a child's end throws in its parent.
fn thrown(ended: &ChildEnded<'_>) -> Failure<'static> {
    let run = ended.run;
    let (name, what) = match ended.status {
        RunStatus::Cancelled => (names::CHILD_CANCELLED, "was cancelled"),
        RunStatus::TimedOut => (names::CHILD_TIMEOUT, "ran out of time"),
        RunStatus::Failed
        | RunStatus::Completed
        | RunStatus::Queued
        | RunStatus::Running
        | RunStatus::Waiting
        | RunStatus::Paused
        | RunStatus::Blocked
        | RunStatus::Compensating => (names::CHILD_FAILED, "failed"),
    };
    let why = ended.error.as_ref().filter(|_| ended.status == RunStatus::Failed);
    let why = why.map_or_else(String::new, |error| format!(": {}", error.message));
    let mut failure = Failure::new(name, format!("child {run} {what}{why}"));
    failure.cause = ended.error.as_ref().and_then(|error| {
        let error = error.clone().into_owned();
        serde_json::value::to_raw_value(&error).ok()
    });
    failure.run = Some(run);
    failure
}
