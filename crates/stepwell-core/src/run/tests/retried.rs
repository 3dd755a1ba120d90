//! Handlers that run again after they failed.

use super::operate::by_hand;
use super::*;
use crate::record::Unblocked;

fn retrying(attempts: u32) -> World {
    let mut world = World::new();
    let retry = Policy { max_attempts: attempts, ..Policy::default() };
    world.ends = EndOptions { retry: Some(retry), ..EndOptions::default() };
    world.activate().unwrap();
    world
}

fn fails(world: &mut World, name: &'static str) -> Result<Vec<String>, Rejection> {
    world.act(Act::Finish(Finish::Failed(Failure::new(name, "no"))))
}

/// §6.5: completed steps keep their results, the others begin anew, after a durable backoff.
#[test]
fn a_failed_handler_runs_again_and_keeps_what_completed() {
    let mut world = retrying(2);
    world.complete("a").unwrap();
    world.fail("b", Bad { terminal: true, ..Bad::default() }).unwrap();
    world.begin("c").unwrap();
    gives(fails(&mut world, "StepError"), &["forget"]);
    assert_eq!(world.run.status(), RunStatus::Waiting);
    assert_eq!((world.run.generation(), world.run.ended_steps()), (2, 1));
    assert_eq!(world.run.next_timer(), Some(world.now.after(seconds(1))));
    world.pass(seconds(1));
    world.apply(Command::Fire).unwrap();
    assert_eq!(world.run.status(), RunStatus::Queued);
    world.activate().unwrap();
    gives(world.complete("b"), &["settle b completed"]);
    gives(world.complete("a"), &[]);
    assert_eq!(world.run.ended_steps(), 2);
    gives(world.finish(), &["ended completed"]);
    let view = world.view();
    let shown: Vec<_> =
        view.steps.iter().map(|step| (&*step.id, step.status, step.generation)).collect();
    let expected = [
        ("a", StepStatus::Completed, 1),
        ("b", StepStatus::Failed, 1),
        ("c", StepStatus::Cancelled, 1),
        ("b", StepStatus::Completed, 2),
    ];
    assert_eq!(shown, expected);
    assert_eq!(&*view.steps[3].after[0], "a");
    assert_eq!(view.generation, 2);
}

/// §6.5: the workflow says how often; after the last failure the run fails.
#[test]
fn a_handler_runs_as_often_as_its_workflow_says() {
    let mut world = retrying(2);
    gives(fails(&mut world, "StepError"), &["forget"]);
    world.pass(seconds(1));
    world.apply(Command::Fire).unwrap();
    world.activate().unwrap();
    gives(fails(&mut world, "StepError"), &["ended failed StepError"]);
}

/// §6.2: what trying again cannot better is not tried again.
#[test]
fn an_error_that_is_final_ends_the_run() {
    for name in ["NonRetryableError", "InputError", "LimitError"] {
        let mut world = retrying(3);
        let ended = format!("ended failed {name}");
        gives(fails(&mut world, name), &[&ended]);
    }
}

/// §6.5, §7.3: nothing is taken back before the last run of the handler.
#[test]
fn compensation_comes_after_the_last_run_of_the_handler_only() {
    use crate::clean_up::Compensable;

    let mut world = retrying(2);
    let open = Opening { compensable: Compensable::Completed, ..world.opening(Kind::Run) };
    let end = EndStep {
        step: "a".into(),
        attempt: Attempt { n: 1, started_at: world.now, overlapped: false },
        at: world.now,
        result: Ok(None),
        policy: None,
        total_timeout: None,
        open: Some(open),
    };
    world.act(Act::EndStep(end)).unwrap();
    gives(fails(&mut world, "StepError"), &["forget"]);
    assert!(world.run.plan().is_none());
    world.pass(seconds(1));
    world.apply(Command::Fire).unwrap();
    world.activate().unwrap();
    gives(fails(&mut world, "StepError"), &["forget"]);
    assert_eq!(world.run.plan().unwrap().left()[0].step, "a");
}

/// §7.1: a deadline that comes before the next run of the handler is not waited for.
#[test]
fn a_handler_does_not_run_again_after_the_deadline() {
    let retry = Policy { backoff_ms: 5_000, ..Policy::default() };
    let ends = EndOptions { retry: Some(retry), ..EndOptions::default() };
    let begins = Start { timeout: Some(seconds(5)), ends: Some(&ends), ..start() };
    let mut world = World::with(begins, Limits::default());
    world.ends = ends;
    world.activate().unwrap();
    gives(fails(&mut world, "StepError"), &["ended failed StepError"]);
}

/// A run that its last records block while its handler waits to run again.
fn blocked() -> World {
    let limits = Limits { journal_bytes_max: 1, ..Limits::default() };
    let mut world = World::with(start(), limits);
    world.ends = EndOptions { retry: Some(Policy::default()), ..EndOptions::default() };
    world.activate().unwrap();
    gives(fails(&mut world, "StepError"), &["forget"]);
    assert_eq!(world.run.status(), RunStatus::Blocked);
    world
}

/// §6.5, §4.10: a new build does not make a handler run before its backoff is over.
#[test]
fn a_build_that_unblocks_a_run_leaves_its_backoff() {
    let mut world = blocked();
    let over = world.now.after(seconds(1));
    world.apply(Command::Unblock { by: Unblocked::BY_BUILD }).unwrap();
    assert_eq!((world.run.status(), world.run.next_timer()), (RunStatus::Waiting, Some(over)));
    world.pass(seconds(1));
    world.apply(Command::Fire).unwrap();
    assert_eq!((world.run.status(), world.run.next_timer()), (RunStatus::Queued, None));
}

/// §6.5, §4.10: a run that is unblocked after its backoff has no timer that is due for ever.
#[test]
fn an_unblocked_run_whose_backoff_is_over_waits_for_a_runner_only() {
    let mut world = blocked();
    world.pass(seconds(2));
    world.apply(Command::Unblock { by: Unblocked::BY_BUILD }).unwrap();
    assert_eq!((world.run.status(), world.run.next_timer()), (RunStatus::Queued, None));
}

/// §9.5: an operator that tries a blocked run again does not wait for its backoff.
#[test]
fn an_operator_ends_the_backoff_of_a_blocked_run() {
    let mut world = blocked();
    world.apply(by_hand(Operation::Retry)).unwrap();
    assert_eq!((world.run.status(), world.run.next_timer()), (RunStatus::Queued, None));
}

/// §9.5: an operator shortens the backoff of a handler too.
#[test]
fn an_operator_ends_the_backoff_of_a_handler() {
    let mut world = retrying(2);
    gives(fails(&mut world, "StepError"), &["forget"]);
    world.apply(by_hand(Operation::Retry)).unwrap();
    assert_eq!((world.run.status(), world.run.next_timer()), (RunStatus::Queued, None));
    let before = world.journal.len();
    world.apply(by_hand(Operation::Retry)).unwrap();
    assert_eq!(world.journal.len(), before, "nothing was left to shorten");
}

/// §9.1, §9.5: the time of a delayed start is no backoff, and nobody shortens it.
#[test]
fn an_operator_leaves_the_time_of_a_delayed_start() {
    let until = T0.after(seconds(60));
    let begins = Start { not_before: Some(until), ..start() };
    let mut world = World::with(begins, Limits::default());
    let before = world.journal.len();
    world.apply(by_hand(Operation::Retry)).unwrap();
    assert_eq!(world.journal.len(), before);
    assert_eq!((world.run.status(), world.run.next_timer()), (RunStatus::Waiting, Some(until)));
}
