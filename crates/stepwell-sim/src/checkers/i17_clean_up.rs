//! I17: a run that ends badly is cleaned up: exactly the steps that completed and can be taken back are,
//! the last first, each with one recorded outcome, and one that fails stops no other; then the workflow
//! is told, once; the status is the one that was decided. A cancelled run is cleaned up only where its
//! workflow says so, and none is before its handler has run for the last time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stepwell_core::failure::names;
use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::status::{Kind, RunStatus, StepStatus};
use stepwell_core::step_id;

use super::all::Found;
use super::story::{Noted, Story, Tale};
use crate::clock::Micros;
use crate::history::{Fact, TakenBack};
use crate::program::{Program, Saga, Undo, What};

/// What the journal says so far.
#[derive(Default)]
struct So {
    /// Steps that completed, in their order, with their results.
    completed: Vec<(Arc<str>, Option<Arc<str>>)>,
    /// How often the handler was run again.
    retried: u32,
    decided: Option<RunStatus>,
    /// What the clean-up is to do.
    plan: Option<Plan>,
    terminated: bool,
}

#[derive(Default)]
struct Plan {
    compensate: Vec<(Arc<str>, bool)>,
    on_failure: bool,
    uncertain: Vec<Arc<str>>,
    /// What of it has ended.
    done: usize,
    told: bool,
}

/// What was wrong with a line.
type Wrong = Result<(), String>;

pub(super) fn check(story: &Story<'_>, found: &mut Found) {
    let mut known: BTreeMap<RunId, So> = BTreeMap::new();
    for (run, tale) in &story.runs {
        let mut so = So::default();
        for line in &tale.lines {
            if let Err(wrong) = so.read(&line.noted, tale) {
                found.add(line.durable, format!("{run}: {wrong}"));
            }
        }
        known.insert(*run, so);
    }
    for (at, fact) in story.facts {
        told(&known, *at, fact, found);
    }
}

/// Functions of a clean-up are given what is recorded.
fn told(known: &BTreeMap<RunId, So>, at: Micros, fact: &Fact, found: &mut Found) {
    match fact {
        Fact::TakesBack { held, step, by } => {
            let run = held.run;
            let Some(so) = known.get(&run) else { return };
            let done = so.completed.iter().find(|(one, _)| one == step);
            let result = done.map(|(_, one)| TakenBack::Result(one.clone()));
            let plan = so.plan.as_ref();
            let planned = plan.and_then(|plan| plan.compensate.iter().find(|one| one.0 == *step));
            match planned {
                None => found.add(at, format!("{run}: {step} was taken back, and is not to be")),
                Some((_, true)) if *by != TakenBack::Unknown => {
                    found.add(at, format!("{run}: {step} was taken back by a result"));
                }
                Some((_, false)) if Some(by) != result.as_ref() => {
                    found.add(at, format!("{run}: {step} was taken back by another result"));
                }
                Some(_) => {}
            }
        }
        Fact::ToldFailure { held, completed, uncertain } => {
            let Some(so) = known.get(&held.run) else { return };
            let recorded = so.completed.iter().map(|(step, _)| step);
            let lost = so.plan.as_ref().map(|plan| &plan.uncertain);
            if !recorded.eq(completed) || lost != Some(uncertain) {
                let what = format!("{}: its workflow was told of other steps", held.run);
                found.add(at, what);
            }
        }
        _ => {}
    }
}

impl So {
    fn read(&mut self, noted: &Noted, tale: &Tale) -> Wrong {
        let saga = Saga::find(&tale.workflow);
        match noted {
            Noted::StepEnded { step, status, output, .. } => {
                return self.step_ended(step, *status, output.as_ref());
            }
            Noted::Retried { error, .. } => {
                self.retried += 1;
                if self.decided.is_some() {
                    return Err("its handler runs again after its end was decided".into());
                }
                let most = saga.map_or(1, |saga| saga.attempts);
                if self.retried >= most || error == names::NON_RETRYABLE {
                    return Err(format!("its handler runs for time {}", self.retried + 1));
                }
            }
            Noted::Acted { act: Operation::Terminate, .. } => self.terminated = true,
            Noted::Ending { status, .. } => self.decided = Some(*status),
            Noted::CleanUp { compensate, on_failure, uncertain, evicts: _ } => {
                self.plan = Some(Plan {
                    compensate: compensate.clone(),
                    on_failure: *on_failure,
                    uncertain: uncertain.clone(),
                    ..Plan::default()
                });
                return self.planned(saga, tale);
            }
            Noted::Ended { status, error, .. } => {
                return self.ended(*status, error.as_deref(), saga, tale);
            }
            _ => {}
        }
        Ok(())
    }

    fn step_ended(&mut self, step: &str, status: StepStatus, output: Option<&Arc<str>>) -> Wrong {
        let takes_back = step_id::check(Kind::Compensate, step).is_ok();
        if !takes_back && step_id::check(Kind::OnFailure, step).is_err() {
            if status == StepStatus::Completed {
                self.completed.push((step.into(), output.cloned()));
            }
            return if self.plan.is_some() { Err(format!("{step} ended late")) } else { Ok(()) };
        }
        let Some(plan) = &mut self.plan else {
            return Err(format!("{step} came before the clean-up"));
        };
        if !takes_back {
            let again = std::mem::replace(&mut plan.told, true);
            let early = plan.done < plan.compensate.len();
            return if again || early { Err(format!("{step} came out of turn")) } else { Ok(()) };
        }
        let next = plan.compensate.get(plan.done).map(|(next, _)| &**next);
        plan.done += 1;
        if next == Some(step_id::shown(step)) {
            return Ok(());
        }
        Err(format!("{step} came out of turn, {next:?} was next"))
    }

    /// What is to be done is what the journal and the program say.
    fn planned(&self, saga: Option<Saga>, tale: &Tale) -> Wrong {
        let Some((saga, plan)) = saga.zip(self.plan.as_ref()) else {
            return Err("it is cleaned up, and its workflow says nothing of it".into());
        };
        let cancelled = self.decided == Some(RunStatus::Cancelled);
        if cancelled && !saga.on_cancel {
            return Err("it was cancelled and is cleaned up".into());
        }
        if plan.on_failure != saga.on_failure {
            return Err("its workflow is told or not, as it did not say".into());
        }
        let known = plan.compensate.iter().filter(|(_, unknown)| !unknown).map(|(step, _)| step);
        let expected = self.to_take_back(tale);
        if !known.clone().eq(expected.iter().rev()) {
            let known: Vec<_> = known.collect();
            return Err(format!("{known:?} is taken back, {expected:?} completed in this order"));
        }
        let first_known = plan.compensate.iter().position(|(_, unknown)| !unknown);
        let unknown = plan.compensate.iter().filter(|(_, unknown)| *unknown).map(|(step, _)| step);
        if first_known.is_some_and(|first| unknown.clone().count() > first) {
            return Err("what is unknown is not taken back first".into());
        }
        let completed: BTreeSet<&Arc<str>> = self.completed.iter().map(|(step, _)| step).collect();
        let undo = |step: &str| undo_of(tale.program.as_deref()?, step);
        let right = |step: &Arc<str>, blindly: bool| {
            !completed.contains(step) && undo(step).is_some_and(|undo| undo.unknown == blindly)
        };
        let mut named = BTreeSet::new();
        let all = plan.compensate.iter().map(|(step, _)| step).chain(&plan.uncertain);
        if let Some(step) = all.into_iter().find(|step| !named.insert(*step)) {
            return Err(format!("{step} is to be taken back, or told, twice"));
        }
        if unknown.clone().any(|step| !right(step, true)) {
            return Err("what is taken back as unknown is not".into());
        }
        if plan.uncertain.iter().any(|step| !right(step, false)) {
            return Err("what is uncertain is not".into());
        }
        Ok(())
    }

    /// The steps that completed and can be taken back, in their order.
    fn to_take_back(&self, tale: &Tale) -> Vec<Arc<str>> {
        let Some(program) = &tale.program else { return Vec::new() };
        let completed = self.completed.iter().map(|(step, _)| step);
        completed.filter(|step| undo_of(program, step).is_some()).cloned().collect()
    }

    fn ended(
        &self,
        status: RunStatus,
        error: Option<&str>,
        saga: Option<Saga>,
        tale: &Tale,
    ) -> Wrong {
        if self.decided.is_some_and(|decided| decided != status) {
            return Err(format!("it ended {status}, decided was {:?}", self.decided));
        }
        let Some(saga) = saga.filter(|_| !self.terminated) else { return Ok(()) };
        if let Some(plan) = &self.plan {
            let whole = plan.done == plan.compensate.len() && plan.told == plan.on_failure;
            return if whole { Ok(()) } else { Err("it ended before it was cleaned up".into()) };
        }
        let cleans = match status {
            RunStatus::Failed | RunStatus::TimedOut => true,
            RunStatus::Cancelled => saga.on_cancel,
            _ => false,
        };
        if cleans && (saga.on_failure || !self.to_take_back(tale).is_empty()) {
            return Err(format!("it ended {status} and was not cleaned up"));
        }
        let tries = status == RunStatus::Failed && tale.deadline.is_none();
        if tries && self.retried + 1 < saga.attempts && error != Some(names::NON_RETRYABLE) {
            return Err(format!("it failed after its handler ran {} times", self.retried + 1));
        }
        Ok(())
    }
}

fn undo_of<'a>(program: &'a Program, step: &str) -> Option<&'a Undo> {
    let step = program.steps.iter().find(|one| *one.id == *step)?;
    match &step.what {
        What::Run(function) => function.undo.as_ref(),
        What::Sleep(_)
        | What::SleepUntil(_)
        | What::Skip
        | What::Race
        | What::Invoke(_)
        | What::Wait(_)
        | What::Emit(_) => None,
    }
}
