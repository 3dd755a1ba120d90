//! What operators do to a run.

use super::*;

pub(super) fn by_hand(act: Operation) -> Command<'static> {
    Command::Operate(Operate { act, by: Some("ann"), reason: Some("by hand") })
}

/// What the history shows last, and of whom.
fn last_note(world: &World) -> (&'static str, Option<String>, Option<String>) {
    let view = world.view();
    let note = view.history.last().unwrap();
    let text = |text: &alloc::borrow::Cow<'_, str>| String::from(&**text);
    (note.what, note.by.as_ref().map(text), note.detail.as_ref().map(text))
}

/// §7.6, §9.5: terminate ends a run at once in every phase; its runner drops it.
#[test]
fn a_terminated_run_ends_at_once() {
    type Prepare = fn(&mut World);
    let cases: [(&str, Prepare, &[&str]); 4] = [
        ("queued", |_| (), &["ended cancelled CancelledError"]),
        (
            "running",
            |w| {
                w.activate().unwrap();
                w.begin("a").unwrap();
            },
            &["ended cancelled CancelledError", "evict"],
        ),
        (
            "compensating",
            |w| {
                w.activate().unwrap();
                w.begin("a").unwrap();
                w.cancel().unwrap();
            },
            &["ended cancelled CancelledError", "evict"],
        ),
        (
            "blocked",
            |w| {
                w.activate().unwrap();
                w.act(Act::Block(record::BlockCause::StepsFull { limit: 1 })).unwrap();
            },
            &["ended cancelled CancelledError", "evict"],
        ),
    ];
    for (status, prepare, effects) in cases {
        let mut world = World::new();
        prepare(&mut world);
        assert_eq!(world.run.status().as_str(), status);
        gives(world.apply(by_hand(Operation::Terminate)), effects);
        assert_eq!(world.run.status(), RunStatus::Cancelled, "{status}");
        assert!(world.run.steps().iter().all(|step| step.status == StepStatus::Cancelled));
        let (what, by, why) = last_note(&world);
        assert_eq!(
            (what, by.as_deref(), why.as_deref()),
            ("terminated", Some("ann"), Some("by hand"))
        );
    }
}

/// §7.1, §7.6: terminate stops what follows the decision, and leaves the status that was decided.
#[test]
fn a_run_that_times_out_stays_timed_out() {
    let mut world = World::with(Start { timeout: Some(seconds(5)), ..start() }, Limits::default());
    world.activate().unwrap();
    world.begin("a").unwrap();
    world.pass(seconds(5));
    world.apply(Command::Fire).unwrap();
    assert_eq!(world.run.status(), RunStatus::Compensating);
    world.apply(by_hand(Operation::Terminate)).unwrap();
    assert_eq!(world.run.status(), RunStatus::TimedOut);
}

/// §9.5: retry ends the backoff of a run that a runner holds, and the runner is told.
#[test]
fn a_retry_shortens_the_backoffs_of_a_held_run() {
    let mut world = World::held();
    world.fail("a", Bad::default()).unwrap();
    world.pass(Duration::from_millis(100));
    gives(world.apply(by_hand(Operation::Retry)), &["retry a 2 at +100ms"]);
    assert_eq!(world.run.step("a").unwrap().wake, Some(world.now));
    assert_eq!(last_note(&world).0, "retried");
    let before = world.journal.len();
    gives(world.apply(by_hand(Operation::Retry)), &[]);
    assert_eq!(world.journal.len(), before, "nothing was left to shorten");
}

/// §9.5: retry brings a parked run back at once.
#[test]
fn a_retry_wakes_a_parked_run() {
    let mut world = World::held();
    world.fail("a", Bad::default()).unwrap();
    world.release().unwrap();
    assert_eq!(world.run.status(), RunStatus::Waiting);
    world.apply(by_hand(Operation::Retry)).unwrap();
    assert_eq!(world.run.status(), RunStatus::Queued);
}

/// §9.5: a blocked run is tried again with a clean count, by any build.
#[test]
fn a_retry_tries_a_blocked_run_again() {
    let mut world = World::new();
    for _ in 0..5 {
        world.activate_as("b1", world.run.must_be_alone()).unwrap();
        world.lose(true).unwrap();
    }
    assert_eq!(world.run.status(), RunStatus::Blocked);
    world.apply(by_hand(Operation::Retry)).unwrap();
    assert_eq!((world.run.status(), world.run.losses()), (RunStatus::Queued, 0));
    assert!(!world.run.must_be_alone() && world.run.shunned_build().is_none());
}

/// §9.5: what cannot be done is refused, and changes nothing.
#[test]
fn acts_that_do_not_fit_are_refused() {
    let mut world = World::held();
    world.begin("a").unwrap();
    world.cancel().unwrap();
    assert_eq!(world.apply(by_hand(Operation::Retry)).unwrap_err(), Rejection::Ending);
    world.apply(by_hand(Operation::Terminate)).unwrap();
    let ended = Rejection::Ended(RunStatus::Cancelled);
    assert_eq!(world.apply(by_hand(Operation::Retry)).unwrap_err(), ended);
}

/// §9.6: a paused run is given to no runner; its timers go on, and what they bring waits.
#[test]
fn a_paused_run_is_not_given_out() {
    let mut world = World::held();
    world.sleep("nap", seconds(5)).unwrap();
    world.release().unwrap();
    gives(world.apply(by_hand(Operation::Pause)), &[]);
    assert_eq!((world.run.status(), world.run.ready_since()), (RunStatus::Paused, None));
    let paused = world.view().paused.unwrap();
    assert_eq!((paused.by.as_deref(), paused.reason.as_deref()), (Some("ann"), Some("by hand")));
    world.pass(seconds(5));
    world.apply(Command::Fire).unwrap();
    assert_eq!(world.run.step("nap").unwrap().status, StepStatus::Completed);
    assert_eq!(world.activate().unwrap_err(), Rejection::NotReady);
    let before = world.journal.len();
    gives(world.apply(by_hand(Operation::Pause)), &[]);
    assert_eq!(world.journal.len(), before, "it was paused already");
    gives(world.apply(by_hand(Operation::Resume)), &[]);
    assert_eq!(world.run.status(), RunStatus::Queued);
    assert_eq!(last_note(&world).0, "resumed");
    world.activate().unwrap();
}

/// §9.6: a runner that holds the run is told; what ends meanwhile is recorded.
#[test]
fn a_held_run_is_told_of_its_pause() {
    let mut world = World::held();
    world.begin("a").unwrap();
    gives(world.apply(by_hand(Operation::Pause)), &["pause"]);
    assert_eq!(world.run.status(), RunStatus::Paused);
    gives(world.complete("a"), &["settle a completed"]);
    gives(world.apply(by_hand(Operation::Resume)), &["unpause"]);
    assert_eq!(world.run.status(), RunStatus::Running);
    gives(world.apply(by_hand(Operation::Resume)), &[]);
}

/// §9.6: what a pause held back goes on after the resume, though the run waits for a sleep too.
#[test]
fn a_function_that_was_held_back_makes_the_run_ready() {
    for (then, status) in [(Then::GoOn, RunStatus::Queued), (Then::Wait, RunStatus::Waiting)] {
        let mut world = World::held();
        world.sleep("nap", seconds(60)).unwrap();
        world.apply(by_hand(Operation::Pause)).unwrap();
        world.act(Act::Release { seen: 0, then }).unwrap();
        assert_eq!(world.run.status(), RunStatus::Paused);
        world.apply(by_hand(Operation::Resume)).unwrap();
        assert_eq!(world.run.status(), status);
    }
}

/// §9.6: the decision of the end is the end of a pause; deadlines go on.
#[test]
fn a_paused_run_times_out() {
    let mut world = World::with(Start { timeout: Some(seconds(5)), ..start() }, Limits::default());
    world.apply(by_hand(Operation::Pause)).unwrap();
    assert_eq!(world.run.next_timer(), world.run.deadline());
    world.pass(seconds(5));
    world.apply(Command::Fire).unwrap();
    assert_eq!((world.run.status(), world.run.paused()), (RunStatus::TimedOut, None));
    let mut world = World::held();
    world.begin("a").unwrap();
    world.cancel().unwrap();
    assert_eq!(world.apply(by_hand(Operation::Pause)).unwrap_err(), Rejection::Ending);
}
