//! What operators do to a run.

use super::*;

fn by_hand(act: Operation) -> Command<'static> {
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
