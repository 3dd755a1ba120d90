//! How runs end: by their handler, by a cancel, by their deadline.

use super::*;

/// §5.6: a handler that returns ends the run, and what is in flight is cancelled.
#[test]
fn a_handler_that_returns_ends_the_run() {
    let mut world = World::held();
    let output = raw("[1]");
    world.begin("a").unwrap();
    world.sleep("nap", seconds(60)).unwrap();
    world.fail("b", Bad::default()).unwrap();
    world.pass(seconds(1));
    let finish = Act::Finish(Finish::Completed(Some(&output)));
    gives(world.act(finish), &["ended completed"]);
    assert_eq!(world.run.status(), RunStatus::Completed);
    assert_eq!((world.run.ended_at(), world.run.next_timer()), (Some(world.now), None));
    assert!(world.run.activation().is_none());
    let view = world.view();
    assert_eq!(view.output.unwrap().get(), "[1]");
    for step in &view.steps {
        assert_eq!(step.status, StepStatus::Cancelled, "{}", step.id);
        assert_eq!(step.completed_at, Some(world.now));
        assert!(step.attempts.iter().all(|attempt| attempt.ended_at.is_some()), "{}", step.id);
    }
    assert_eq!(view.steps[0].attempts[0].status, "cancelled");
    assert_eq!(view.activations[0].end, "ended");
}

/// §5.3: an error that the handler does not catch fails the run.
#[test]
fn an_uncaught_error_fails_the_run() {
    let mut world = World::held();
    let failure = Failure::new("StepError", "step `a` failed");
    gives(world.act(Act::Finish(Finish::Failed(failure))), &["ended failed StepError"]);
    assert_eq!(world.run.status(), RunStatus::Failed);
    assert_eq!(world.view().error.unwrap().message, "step `a` failed");
}

/// §6.6: a run that has ended stays ended.
#[test]
fn an_ended_run_stays_ended() {
    let mut world = World::held();
    world.finish().unwrap();
    let ended = Rejection::Ended(RunStatus::Completed);
    assert_eq!(world.activate().unwrap_err(), ended);
    assert_eq!(world.complete("a").unwrap_err(), ended);
    assert_eq!(world.finish().unwrap_err(), ended);
    assert_eq!(world.cancel().unwrap_err(), ended);
    assert_eq!(world.lose(true).unwrap_err(), ended);
    assert_eq!(world.apply(Command::Fire).unwrap_err(), ended);
    assert_eq!(world.apply(Command::Unblock { by: "build" }).unwrap_err(), ended);
}

/// §7.2: a cancel needs no runner: a run that none holds ends at once.
#[test]
fn a_cancel_without_a_runner_ends_the_run() {
    type Prepare = fn(&mut World);
    let cases: [(&str, Prepare); 3] = [
        ("queued", |_| ()),
        ("waiting", |w| {
            w.activate().unwrap();
            w.sleep("nap", seconds(60)).unwrap();
            w.release().unwrap();
        }),
        ("blocked", |w| {
            w.activate().unwrap();
            w.act(Act::Block(record::BlockCause::StepsFull { limit: 1 })).unwrap();
        }),
    ];
    for (status, prepare) in cases {
        let mut world = World::new();
        prepare(&mut world);
        assert_eq!(world.run.status().as_str(), status);
        gives(world.cancel(), &["ended cancelled CancelledError"]);
        assert_eq!(world.run.status(), RunStatus::Cancelled, "{status}");
        assert!(world.run.steps().iter().all(|step| step.status == StepStatus::Cancelled));
        let history = world.view().history;
        let note = history.last().unwrap();
        assert_eq!((note.what, note.detail.as_deref()), ("cancelled", Some("by hand")));
    }
}

/// §7.2: functions in flight get time to return: one that does is completed, whether its start was
/// recorded or not; one that does not is cancelled. Sleeps are cancelled.
#[test]
fn functions_in_flight_may_return_after_a_cancel() {
    let mut world = World::held();
    world.begin("slow").unwrap();
    world.begin("stuck").unwrap();
    world.sleep("nap", seconds(60)).unwrap();
    world.fail("again", Bad::default()).unwrap();
    world.pass(seconds(1));
    gives(world.cancel(), &["end cancelled"]);
    assert_eq!(world.run.status(), RunStatus::Compensating);
    assert_eq!(world.status("nap"), StepStatus::Cancelled);
    assert_eq!(world.status("slow"), StepStatus::Running);
    assert_eq!(world.run.next_timer(), Some(world.now.after(seconds(30))));
    gives(world.complete("slow"), &["settle slow completed"]);
    gives(world.complete("quick"), &["settle quick completed"]);
    // Its second attempt had begun a moment before, which no record tells.
    gives(world.complete("again"), &["settle again completed"]);
    gives(world.fail("signalled", Bad::default()), &["settle signalled cancelled Oops"]);
    // What the code asks for meanwhile does not begin, and may be dropped by it again.
    gives(world.sleep("more", seconds(1)), &[]);
    gives(world.skip("none"), &[]);
    for step in ["more", "none"] {
        gives(world.act(Act::Drop { step: step.into(), open: None }), &[]);
    }
    gives(world.finish(), &["ended cancelled CancelledError"]);
    let shown: Vec<_> = ["slow", "quick", "again", "stuck", "nap", "signalled"]
        .map(|step| world.status(step).as_str())
        .into();
    assert_eq!(
        shown,
        ["completed", "completed", "completed", "cancelled", "cancelled", "cancelled"]
    );
    assert!(world.run.step("more").is_none() && world.run.step("none").is_none());
}

/// §7.1: the first decision stands: neither the handler's result nor another cancel or the
/// deadline changes it.
#[test]
fn the_first_decision_stands() {
    let begins = Start { timeout: Some(seconds(5)), ..start() };
    let mut world = World::with(begins, Limits::default());
    world.activate().unwrap();
    world.cancel().unwrap();
    gives(world.cancel(), &[]);
    world.pass(seconds(6));
    assert_eq!(world.fire(), none());
    assert_eq!(world.run.status(), RunStatus::Compensating);
    assert_eq!(world.activate().unwrap_err(), Rejection::NotReady);
    gives(world.act(Act::Finish(Finish::Completed(None))), &["ended cancelled CancelledError"]);
}

/// §7.1, §7.2: a deadline ends a held run after the time to end in, a run that none holds at once.
#[test]
fn a_deadline_times_the_run_out() {
    let begins = || Start { timeout: Some(seconds(5)), ..start() };
    let mut parked = World::with(begins(), Limits::default());
    parked.pass(seconds(5));
    assert_eq!(parked.fire(), ["ended timed_out CancelledError"]);
    assert_eq!(parked.run.status(), RunStatus::TimedOut);

    let mut held = World::with(begins(), Limits::default());
    held.activate().unwrap();
    held.begin("a").unwrap();
    held.pass(seconds(4));
    assert_eq!(held.fire(), none());
    held.pass(seconds(1));
    assert_eq!(held.fire(), ["end timed_out"]);
    held.pass(seconds(29));
    assert_eq!(held.fire(), none());
    held.pass(seconds(1));
    assert_eq!(held.fire(), ["ended timed_out CancelledError", "evict"]);
    assert_eq!(held.status("a"), StepStatus::Cancelled);
    let view = held.view();
    assert_eq!(view.history[0].what, "timed_out");
    assert_eq!(view.steps[0].attempts[0].status, "cancelled");
}

/// §7.2: while a run is ending, its runner's release or loss ends it.
#[test]
fn a_run_that_is_ending_ends_with_its_runner() {
    type Part = fn(&mut World) -> Result<Vec<String>, Rejection>;
    let parts: [Part; 2] = [|w| w.release(), |w| w.lose(true)];
    for part in parts {
        let mut world = World::held();
        world.begin("a").unwrap();
        world.cancel().unwrap();
        gives(part(&mut world), &["ended cancelled CancelledError"]);
        assert_eq!(world.status("a"), StepStatus::Cancelled);
    }
}

/// §7.2: nothing can block a run whose end is decided.
#[test]
fn a_run_that_is_ending_is_not_blocked() {
    let mut world = World::held();
    world.cancel().unwrap();
    let cause = record::BlockCause::StepsFull { limit: 1 };
    gives(world.act(Act::Block(cause)), &[]);
    assert_eq!(world.run.status(), RunStatus::Compensating);
}
