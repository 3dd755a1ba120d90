//! The clean-up of a run that ends badly: what is left to do, and its end (§7.2–7.6).

use alloc::collections::BTreeSet;
use alloc::string::ToString;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::command::{Change, Effect, Rejection};
use super::state::{Phase, Run, Step};
use crate::clean_up::{CancelNoted, CleanUp, Compensable, Compensation};
use crate::failure::{Failure, names};
use crate::planted::{self, Plant};
use crate::record::{BlockCause, Ending, Opening, Record, Released};
use crate::status::{Kind, RunStatus, StepStatus};
use crate::step_id;
use crate::time::Timestamp;

/// How the run will end (§7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The final status.
    pub status: RunStatus,
    /// Why the handler failed, where that decided it.
    pub error: Option<Failure<'static>>,
    /// What is left to do, once what was in flight has ended.
    pub plan: Option<Plan>,
    /// A cancel that came later is recorded: others are not.
    cancel_noted: bool,
}

/// What a clean-up does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// When it stops, however far it came.
    pub until: Timestamp,
    /// What is taken back, in this order.
    pub compensate: Vec<Compensation<'static>>,
    /// The workflow's function is called after that.
    pub on_failure: bool,
    /// Steps whose outcome nobody knows.
    pub uncertain: Vec<Arc<str>>,
    /// How many compensations have ended.
    done: usize,
    /// The workflow's function has ended.
    told: bool,
}

impl Plan {
    /// Returns what is still to be taken back, in this order.
    pub fn left(&self) -> &[Compensation<'static>] {
        self.compensate.get(self.done..).unwrap_or_default()
    }

    /// Tells whether the workflow's function is still to be called.
    pub fn tells(&self) -> bool {
        self.on_failure && !self.told
    }

    /// Tells whether a step of the clean-up may begin or go on: they do so one after the other.
    fn is_next(&self, kind: Kind, id: &str) -> bool {
        match self.left().first() {
            Some(next) => kind == Kind::Compensate && step_id::shown(id) == next.step,
            None => kind == Kind::OnFailure && self.tells() && id == step_id::on_failure(),
        }
    }
}

/// What becomes of the runner's copy of a run that goes on without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// Its handler has ended, and the runner waits to be told that this is durable.
    Forget,
    /// It is taken from the runner, where one holds it.
    Evict,
}

impl Decided {
    /// Returns the error that the run ends with.
    pub fn failure(&self) -> Failure<'static> {
        self.error.clone().unwrap_or_else(|| {
            let timed_out = self.status == RunStatus::TimedOut;
            let message =
                if timed_out { "the run's deadline passed" } else { "the run was cancelled" };
            Failure::new(names::CANCELLED, message.to_string())
        })
    }
}

impl Run {
    /// Returns how the run will end, once that is decided (§7.1).
    pub fn decided(&self) -> Option<&Decided> {
        self.decided.as_ref()
    }

    /// Returns what the run's clean-up does, from its beginning on.
    pub fn plan(&self) -> Option<&Plan> {
        self.decided.as_ref()?.plan.as_ref()
    }

    /// Tells whether the clean-up of the run has begun, and not ended.
    pub(super) fn is_cleaning(&self) -> bool {
        self.plan().is_some() && !matches!(self.phase, Phase::Ended(_))
    }

    /// Returns when the run is ended whatever it does: its deadline, or the end of its clean-up.
    pub(super) fn bound(&self) -> Option<Timestamp> {
        self.plan().map_or(self.deadline, |plan| Some(plan.until))
    }

    /// Returns the phase in which code of the run goes on.
    pub(super) fn phase_of_code(&self) -> Phase {
        if self.is_cleaning() { Phase::CleaningUp } else { Phase::Forward }
    }

    pub(super) fn fold_decided(&mut self, ending: &Ending<'_>) {
        self.decided = Some(Decided {
            status: ending.status,
            error: ending.error.clone().map(Failure::into_owned),
            plan: None,
            cancel_noted: false,
        });
    }

    pub(super) fn fold_clean_up(&mut self, clean_up: &CleanUp<'_>) {
        self.cancel_open_steps(|_| true);
        if let Some(decided) = &mut self.decided {
            decided.plan = Some(Plan {
                until: clean_up.until,
                compensate: clean_up.compensate.iter().map(Compensation::to_owned).collect(),
                on_failure: clean_up.on_failure,
                uncertain: clean_up.uncertain.iter().map(|step| Arc::from(&**step)).collect(),
                done: 0,
                told: false,
            });
        }
        self.phase = Phase::CleaningUp;
        self.delayed = None;
        self.activation = self.activation.take().filter(|_| clean_up.evicts);
        if let Some(held) = &mut self.activation {
            held.evicted = true;
        }
        self.ready_since = self.activation.is_none().then_some(clean_up.at);
    }

    pub(super) fn fold_cancel_noted(&mut self) {
        if let Some(decided) = &mut self.decided {
            decided.cancel_noted = true;
        }
    }

    /// Counts a step of the clean-up that ended.
    pub(super) fn fold_compensated(&mut self, position: u32) {
        let kind = self.at(position).map(|step| step.kind);
        let Some(plan) = self.decided.as_mut().and_then(|decided| decided.plan.as_mut()) else {
            return;
        };
        plan.done += usize::from(kind == Some(Kind::Compensate));
        plan.told |= kind == Some(Kind::OnFailure);
    }

    /// §7.2, §7.3: what a run that ends with this status leaves to do, now that nothing is in flight.
    fn left_to_do(&self, status: RunStatus) -> Option<Plan> {
        let cleans = match status {
            RunStatus::Failed | RunStatus::TimedOut => true,
            RunStatus::Cancelled => self.ends.compensate_on_cancel,
            RunStatus::Completed
            | RunStatus::Queued
            | RunStatus::Running
            | RunStatus::Waiting
            | RunStatus::Paused
            | RunStatus::Blocked
            | RunStatus::Compensating => false,
        };
        if !cleans {
            return None;
        }
        let uncertain = self.uncertain();
        let named =
            |step: &Step, unknown| Compensation { step: (*step.id).to_string().into(), unknown };
        let unknown =
            uncertain.iter().rev().filter(|step| step.compensable == Compensable::Unknown);
        let mut compensate: Vec<_> = unknown.map(|step| named(step, true)).collect();
        let mut completed: Vec<&Step> = self.steps.iter().filter(|s| is_completed(s)).collect();
        if !planted::has(Plant::StartOrder) {
            completed.sort_unstable_by_key(|step| core::cmp::Reverse(step.order));
        }
        compensate.extend(completed.into_iter().map(|step| named(step, false)));
        let told = uncertain.iter().filter(|step| step.compensable == Compensable::Completed);
        (self.ends.on_failure || !compensate.is_empty()).then(|| Plan {
            until: Timestamp::MIN,
            compensate,
            on_failure: self.ends.on_failure,
            uncertain: told.map(|step| step.id.clone()).collect(),
            done: 0,
            told: false,
        })
    }

    /// Returns steps that can be taken back, that began, and whose outcome nobody knows, each once: a
    /// step that began anew under a later run of the handler is looked at there.
    fn uncertain(&self) -> Vec<&Step> {
        let lost = |step: &Step| {
            let open = !step.status.is_ended() || step.status == StepStatus::Cancelled;
            !step.compensable.is_no() && step.begun && open
        };
        let mut seen = BTreeSet::new();
        let newest = self.steps.iter().rev().filter(|step| seen.insert(&*step.id));
        let mut uncertain: Vec<&Step> = newest.filter(|step| lost(step)).collect();
        uncertain.reverse();
        uncertain
    }
}

fn is_completed(step: &Step) -> bool {
    !step.compensable.is_no() && step.status == StepStatus::Completed
}

impl Change<'_, '_> {
    /// What was in flight has ended, or gets no more time: the clean-up begins, or the run ends.
    pub(super) fn end_as_decided(&mut self, leave: Leave) {
        let Phase::Ending { status, .. } = self.run.phase else {
            return;
        };
        if !self.run.children.is_empty() {
            // §7.2: their ends are awaited. Until then a runner that has not finished keeps the run.
            if leave == Leave::Forget {
                let seen = self.run.ended_steps();
                self.push(&Record::Released(Released { at: self.env.now, seen }));
                self.effect(Effect::Forget);
            }
            return;
        }
        // What was taken from its runner before is owed already.
        let (held, owed) = (self.run.is_held(), self.run.activation.is_some());
        let Some(plan) = self.run.left_to_do(status) else {
            self.end_without_code(status, Failure::new(names::CANCELLED, ""));
            if held && leave == Leave::Evict {
                self.effect(Effect::Evict);
            }
            return;
        };
        let now = self.env.now;
        self.push(&Record::CleanUp(CleanUp {
            at: now,
            until: now.after(self.env.limits.cleanup()),
            compensate: plan.compensate,
            on_failure: plan.on_failure,
            uncertain: plan.uncertain.iter().map(|step| (**step).into()).collect(),
            evicts: owed && leave == Leave::Evict,
        }));
        if held {
            self.effect(match leave {
                Leave::Forget => Effect::Forget,
                Leave::Evict => Effect::Evict,
            });
        }
    }

    /// Tells whether a run whose handler failed now would have something left to do.
    pub(super) fn leaves_something(&self) -> bool {
        self.run.left_to_do(RunStatus::Failed).is_some()
    }

    /// A runner says that the clean-up is done. What it left out, its code did not reach (§7.5).
    pub(super) fn finish_clean_up(&mut self) {
        let Some(plan) = self.run.plan() else {
            return;
        };
        let mut left: Vec<_> = plan.left().iter().map(|one| one.step.clone()).collect();
        if plan.tells() {
            left.push(step_id::shown(&step_id::on_failure()).to_string().into());
        }
        if left.is_empty() {
            self.end_without_code(RunStatus::Failed, Failure::new(names::CANCELLED, ""));
        } else {
            self.block(BlockCause::CleanUpLost { steps: left });
        }
    }

    /// §7.6: the clean-up has had its time.
    pub(super) fn stop_clean_up(&mut self) {
        let held = self.run.activation.is_some();
        self.end_without_code(RunStatus::Failed, Failure::new(names::CANCELLED, ""));
        if held {
            self.effect(Effect::Evict);
        }
    }

    /// §7.6: a cancel of a run whose end is decided is recorded once, and changes nothing.
    pub(super) fn note_cancel(&mut self, by: Option<&str>, reason: Option<&str>) {
        if self.run.decided.as_ref().is_some_and(|decided| !decided.cancel_noted) {
            self.push(&Record::CancelNoted(CancelNoted {
                at: self.env.now,
                by: by.map(Into::into),
                reason: reason.map(Into::into),
            }));
        }
    }

    /// Returns the kind of a step that has a function.
    pub(super) fn kind_of_function(&self, id: &str, open: Option<&Opening<'_>>) -> Kind {
        let known = self.run.step(id).map(|step| step.kind);
        match open.map(|open| open.kind).or(known) {
            Some(kind @ (Kind::Compensate | Kind::OnFailure)) => kind,
            _ => Kind::Run,
        }
    }

    /// §7.3: steps of the clean-up begin in the clean-up, one after the other, and no others do.
    pub(super) fn may_begin(&self, kind: Kind, id: &str) -> Result<(), Rejection> {
        let cleans = matches!(kind, Kind::Compensate | Kind::OnFailure);
        match (self.run.plan(), cleans) {
            (None, false) => Ok(()),
            (Some(plan), true) if plan.is_next(kind, id) => Ok(()),
            (Some(_), false) => Err(Rejection::Ending),
            (None | Some(_), true) => Err(Rejection::NotNext(Arc::from(id))),
        }
    }
}
