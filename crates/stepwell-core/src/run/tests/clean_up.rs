//! How runs are cleaned up that end badly.

use super::*;
use crate::clean_up::Compensable::{self, Completed, Unknown};

impl World {
    /// A held run of a workflow that says this of how its runs end.
    fn ending(ends: EndOptions) -> Self {
        let mut world = Self::new();
        world.ends = ends;
        world.activate().unwrap();
        world
    }

    fn tells(compensate_on_cancel: bool) -> Self {
        Self::ending(EndOptions { on_failure: true, compensate_on_cancel, ..EndOptions::default() })
    }

    fn says(
        &mut self,
        id: &str,
        kind: Kind,
        undo: Compensable,
        fails: bool,
    ) -> Result<Vec<String>, Rejection> {
        let n = self.run.step(id).map_or(1, |step| step.attempts + 1);
        let failure = AttemptError {
            failure: Failure::new("Oops", "it broke"),
            terminal: true,
            retry_at: None,
            timed_out: false,
        };
        let end = EndStep {
            step: id.into(),
            attempt: Attempt { n, started_at: self.now, overlapped: false },
            at: self.now,
            result: if fails { Err(failure) } else { Ok(None) },
            policy: None,
            total_timeout: None,
            open: Some(Opening { compensable: undo, ..self.opening(kind) }),
        };
        self.act(Act::EndStep(end))
    }

    fn does(&mut self, id: &str, undo: Compensable) {
        self.says(id, Kind::Run, undo, false).unwrap();
    }

    fn begins(&mut self, id: &str, undo: Compensable) {
        let attempt = Attempt { n: 1, started_at: self.now, overlapped: false };
        let open = Some(Opening { compensable: undo, ..self.opening(Kind::Run) });
        self.act(Act::StartStep(StartStep { step: id.into(), attempt, open })).unwrap();
    }

    fn undoes(&mut self, id: &str, fails: bool) -> Result<Vec<String>, Rejection> {
        let id = crate::step_id::of(Kind::Compensate, id);
        self.says(&id, Kind::Compensate, Compensable::No, fails)
    }

    fn told(&mut self) -> Result<Vec<String>, Rejection> {
        self.says(&crate::step_id::on_failure(), Kind::OnFailure, Compensable::No, false)
    }

    fn breaks(&mut self) -> Result<Vec<String>, Rejection> {
        self.act(Act::Finish(Finish::Failed(Failure::new("StepError", "no"))))
    }

    fn plan(&self) -> Vec<String> {
        let plan = self.run.plan().unwrap();
        let left = plan.left().iter();
        let mut plan: Vec<String> = left
            .map(|one| format!("{}{}", one.step, if one.unknown { "?" } else { "" }))
            .chain(plan.uncertain.iter().map(|step| format!("({step})")))
            .collect();
        if self.run.plan().unwrap().tells() {
            plan.push("tells".into());
        }
        plan
    }
}

/// §7.1, §7.3, §7.4: what completed is taken back, the last first; then the workflow is told; then
/// the run ends with the status and the error that were decided.
#[test]
fn a_failed_run_is_cleaned_up_in_reverse_order_of_completion() {
    let mut world = World::tells(false);
    world.begins("a", Completed);
    world.does("b", Completed);
    world.does("c", Compensable::No);
    world.does("a", Completed);
    gives(world.breaks(), &["forget"]);
    assert_eq!(world.run.status(), RunStatus::Compensating);
    assert_eq!(world.plan(), ["a", "b", "tells"]);
    assert!(world.run.activation().is_none() && world.run.ready_since().is_some());
    world.activate().unwrap();
    assert!(matches!(world.undoes("b", false), Err(Rejection::NotNext(_))), "a comes first");
    assert!(matches!(world.told(), Err(Rejection::NotNext(_))), "all else comes first");
    assert_eq!(world.complete("d"), Err(Rejection::Ending), "nothing of the handler begins");
    gives(world.undoes("a", true), &["settle compensate\u{1f}a failed Oops"]);
    gives(world.undoes("b", false), &["settle compensate\u{1f}b completed"]);
    assert_eq!(world.plan(), ["tells"]);
    world.told().unwrap();
    gives(world.finish(), &["ended failed StepError"]);
    assert_eq!(world.run.status(), RunStatus::Failed);
    let shown = world.view().clean_up.unwrap();
    let statuses: Vec<_> = shown.compensations.iter().map(|one| (&*one.step, one.status)).collect();
    assert_eq!(statuses, [("a", "failed"), ("b", "completed")]);
    assert_eq!(shown.on_failure, Some("completed"));
    assert_eq!(world.view().error.unwrap().name, "StepError");
}

/// §7.1: a run that fails with nothing to clean up ends with one record.
#[test]
fn a_failed_run_with_nothing_to_clean_up_ends_at_once() {
    let mut world = World::held();
    world.does("a", Compensable::No);
    gives(world.breaks(), &["ended failed StepError"]);
    assert_eq!(world.records().last().unwrap(), "ended");
    assert!(!world.records().contains(&"ending".into()));
}

/// §7.2: what returns after the signal is taken back; what does not is uncertain, or taken back as
/// unknown where its code can.
#[test]
fn functions_in_flight_are_awaited_before_the_clean_up() {
    let mut world = World::tells(true);
    for (id, undo) in [("returns", Completed), ("hangs", Completed), ("lost", Unknown)] {
        world.begins(id, undo);
    }
    world.fail("backs off", Bad::default()).unwrap();
    gives(world.cancel(), &["end cancelled"]);
    world.does("returns", Completed);
    world.pass(seconds(30));
    gives(world.apply(Command::Fire), &["evict"]);
    assert_eq!(world.plan(), ["lost?", "returns", "(hangs)", "tells"]);
    assert_eq!(world.run.status(), RunStatus::Compensating);
    assert!(world.run.ready_since().is_none(), "the old copy is still to be dropped");
    assert_eq!(world.activate(), Err(Rejection::NotReady));
    world.release().unwrap();
    world.activate().unwrap();
    let uncertain = |world: &World| -> Vec<String> {
        let steps = world.view().steps;
        steps.iter().filter(|step| step.uncertain).map(|step| (*step.id).into()).collect()
    };
    assert_eq!(uncertain(&world), ["hangs", "lost"]);
    world.undoes("lost", false).unwrap();
    world.undoes("returns", false).unwrap();
    world.told().unwrap();
    gives(world.finish(), &["ended cancelled CancelledError"]);
}

/// §7.3, §7.4: a cancelled run is cleaned up only where the workflow says so.
#[test]
fn a_cancelled_run_is_cleaned_up_where_the_workflow_says_so() {
    for on_cancel in [false, true] {
        let mut world = World::tells(on_cancel);
        world.does("a", Completed);
        world.sleep("nap", seconds(60)).unwrap();
        world.release().unwrap();
        let effects = world.cancel().unwrap();
        assert_eq!(effects.is_empty(), on_cancel, "{effects:?}");
        assert_eq!(world.run.status() == RunStatus::Compensating, on_cancel);
    }
}

/// §7.1: a run that times out is cleaned up, also where no runner holds it and none ever did.
#[test]
fn a_run_that_times_out_is_cleaned_up_without_a_deadline() {
    let ends = EndOptions { on_failure: true, ..EndOptions::default() };
    let begins = Start { timeout: Some(seconds(60)), ends: Some(&ends), ..start() };
    let mut world = World::with(begins, Limits::default());
    world.ends = ends;
    world.pass(seconds(60));
    gives(world.apply(Command::Fire), &[]);
    assert_eq!(world.plan(), ["tells"]);
    world.pass(seconds(600));
    world.activate().unwrap();
    world.told().unwrap();
    gives(world.finish(), &["ended timed_out CancelledError"]);
}

/// §7.6: the clean-up is bounded by a setting, and ends with the status that was decided.
#[test]
fn a_clean_up_that_takes_too_long_is_stopped() {
    let mut world = World::tells(false);
    world.does("a", Completed);
    world.breaks().unwrap();
    world.activate().unwrap();
    assert_eq!(world.run.next_timer(), Some(world.now.after(seconds(86_400))));
    world.pass(seconds(86_400));
    gives(world.apply(Command::Fire), &["ended failed StepError", "evict"]);
    assert_eq!(world.view().clean_up.unwrap().compensations[0].status, "pending");
}

/// §7.6: a cancel during clean-up is recorded once and changes nothing; no pause is taken.
#[test]
fn a_cancel_during_clean_up_changes_nothing() {
    let mut world = World::tells(false);
    world.breaks().unwrap();
    gives(world.cancel(), &[]);
    gives(world.cancel(), &[]);
    let notes = world.records().iter().filter(|name| *name == "cancelNoted").count();
    assert_eq!(notes, 1);
    assert_eq!(world.view().history.last().unwrap().what, "cancel_noted");
    let pause = Operate { act: Operation::Pause, by: None, reason: None };
    assert_eq!(world.apply(Command::Operate(pause)), Err(Rejection::Ending));
    world.activate().unwrap();
    world.told().unwrap();
    gives(world.finish(), &["ended failed StepError"]);
}

/// §7.1, §7.6: an operator who terminates the run stops its clean-up; its status stays.
#[test]
fn terminate_stops_the_clean_up_and_keeps_the_status() {
    let mut world = World::tells(false);
    world.does("a", Completed);
    world.breaks().unwrap();
    world.activate().unwrap();
    let stop = Operate { act: Operation::Terminate, by: None, reason: None };
    gives(world.apply(Command::Operate(stop)), &["ended failed StepError", "evict"]);
    assert_eq!(world.run.status(), RunStatus::Failed);
}

/// §7.5: what the code does not reach blocks the run, which is tried again by another build.
#[test]
fn closures_that_are_not_reached_block_the_run() {
    let mut world = World::tells(false);
    world.does("a", Completed);
    world.does("b", Completed);
    world.breaks().unwrap();
    world.activate().unwrap();
    world.undoes("b", false).unwrap();
    gives(world.finish(), &["evict"]);
    assert_eq!(world.run.status(), RunStatus::Blocked);
    let why = "the code does not reach what is to be taken back: `a`, `onFailure`";
    assert_eq!(world.view().blocked_because.unwrap(), why);
    world.release().unwrap();
    world.apply(Command::Unblock { by: "build" }).unwrap();
    assert_eq!(world.run.status(), RunStatus::Compensating);
    world.activate().unwrap();
    world.undoes("a", false).unwrap();
    world.told().unwrap();
    gives(world.finish(), &["ended failed StepError"]);
}

/// §7.3: a compensation is retried durably, and losses of its runner count as ever.
#[test]
fn a_compensation_is_retried_and_survives_its_runner() {
    let mut world = World::held();
    world.does("a", Completed);
    world.breaks().unwrap();
    for _ in 0..3 {
        let alone = world.run.must_be_alone();
        world.activate_as("b1", alone).unwrap();
        world.lose(true).unwrap();
    }
    assert_eq!(world.run.status(), RunStatus::Compensating);
    world.activate_as("b1", true).unwrap();
    let id = crate::step_id::of(Kind::Compensate, "a");
    let end = |world: &World, n, result| EndStep {
        step: id.clone().into(),
        attempt: Attempt { n, started_at: world.now, overlapped: false },
        at: world.now,
        result,
        policy: None,
        total_timeout: None,
        open: Some(world.opening(Kind::Compensate)),
    };
    let failure = AttemptError {
        failure: Failure::new("Oops", "it broke"),
        terminal: false,
        retry_at: None,
        timed_out: false,
    };
    let first = end(&world, 1, Err(failure));
    gives(world.act(Act::EndStep(first)), &["retry compensate\u{1f}a 2 at +1000ms"]);
    world.release().unwrap();
    assert_eq!(world.run.next_timer(), Some(world.now.after(seconds(1))));
    world.pass(seconds(1));
    world.apply(Command::Fire).unwrap();
    world.activate_as("b1", true).unwrap();
    let second = end(&world, 2, Ok(None));
    gives(world.act(Act::EndStep(second)), &["settle compensate\u{1f}a completed"]);
    gives(world.finish(), &["ended failed StepError"]);
}

/// A run whose handler failed twice, each time with these two steps in flight, and waits to run again.
fn failed_twice(second: impl Fn(&mut World)) -> World {
    let retry = Some(Policy { max_attempts: 3, ..Policy::default() });
    let ends = EndOptions { retry, on_failure: true, compensate_on_cancel: true };
    let mut world = World::ending(ends);
    for n in 1..3 {
        world.begins("a", Unknown);
        world.begins("b", Completed);
        if n == 2 {
            second(&mut world);
        }
        gives(world.breaks(), &["forget"]);
        world.pass(seconds(60));
        world.fire();
        world.activate().unwrap();
    }
    world
}

/// §6.5, §7.2, §7.3: what several runs of the handler left unknown is taken back once, and told once.
#[test]
fn what_no_run_of_the_handler_knows_is_uncertain_once() {
    let mut world = failed_twice(|_| {});
    world.lose(false).unwrap();
    world.cancel().unwrap();
    assert_eq!(world.plan(), ["a?", "(b)", "tells"]);
}

/// §6.5, §7.2: what the last run of the handler that began a step knows of it is what is known.
#[test]
fn an_outcome_that_a_later_run_of_the_handler_knows_is_not_uncertain() {
    let mut world = failed_twice(|world| {
        world.says("a", Kind::Run, Unknown, true).unwrap();
    });
    world.lose(false).unwrap();
    world.cancel().unwrap();
    assert_eq!(world.plan(), ["(b)", "tells"]);
}
