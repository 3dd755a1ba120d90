//! Start, activation, release, loss, blocking.

use alloc::borrow::Cow;

use super::*;
use crate::record::BlockCause;

fn rejected(result: Result<Vec<String>, Rejection>) -> Rejection {
    result.unwrap_err()
}

/// §9.1, §3.2: an accepted start is queued and keeps what it was given.
#[test]
fn a_start_is_queued_with_all_that_it_was_given() {
    let input = raw("{\"a\": 1}");
    let begins = Start {
        input: Some(&input),
        key: Some("k"),
        timeout: Some(seconds(60)),
        metadata: Some(&input),
        runner: Some("gpu"),
        ..start()
    };
    let world = World::with(begins, Limits::default());
    let run = &world.run;
    assert_eq!(run.status(), RunStatus::Queued);
    assert_eq!(
        (&**run.app(), &**run.workflow(), &**run.namespace()),
        ("shop", "checkout", "default")
    );
    assert_eq!(run.key().map(|key| &**key), Some("k"));
    assert_eq!(run.pinned_runner().map(|name| &**name), Some("gpu"));
    assert_eq!(run.deadline(), Some(T0.after(seconds(60))));
    assert_eq!(run.next_timer(), run.deadline());
    assert_eq!((run.ready_since(), run.created_at(), run.started_at()), (Some(T0), T0, None));
    let view = world.view();
    assert_eq!(view.input.unwrap().get(), "{\"a\": 1}");
    assert_eq!(view.metadata.unwrap().get(), "{\"a\": 1}");
}

/// §2.6: `null` is a value, and stays one in the journal.
#[test]
fn null_is_not_the_same_as_no_value() {
    let null = raw("null");
    let mut world = World::with(Start { input: Some(&null), ..start() }, Limits::default());
    world.activate().unwrap();
    let mut end = world.end_step("a");
    end.result = Ok(Some(&null));
    world.act(Act::EndStep(end)).unwrap();
    world.complete("b").unwrap();
    let view = world.view();
    assert_eq!(view.input.map(RawValue::get), Some("null"));
    assert_eq!(view.steps[0].output.map(RawValue::get), Some("null"));
    assert!(view.steps[1].output.is_none());
}

/// §4.7: epochs grow from 1, and while one runner holds the run no other gets it.
#[test]
fn a_run_has_one_live_activation() {
    let mut world = World::new();
    world.activate().unwrap();
    assert_eq!(world.run.status(), RunStatus::Running);
    assert_eq!((world.run.epoch(), world.run.started_at()), (1, Some(T0)));
    assert_eq!(rejected(world.activate()), Rejection::NotReady);
    world.lose(false).unwrap();
    world.activate().unwrap();
    assert_eq!(world.run.epoch(), 2);
    assert_eq!(world.run.activation().unwrap().nonce, 9);
}

/// §4.7: what a replaced runner says changes nothing.
#[test]
fn a_fenced_runner_changes_nothing() {
    let mut world = World::held();
    world.lose(true).unwrap();
    world.activate().unwrap();
    for stale in [0, 1, 3] {
        let acts = [
            Act::Release { seen: 0, then: Then::Wait },
            Act::Finish(Finish::Completed(None)),
            Act::EndStep(world.end_step("a")),
            Act::Skip { step: "a".into(), open: world.opening(Kind::Skip) },
            Act::Log { step: None, lines: vec![] },
        ];
        for act in acts {
            let command = Command::Runner { epoch: stale, act };
            assert_eq!(rejected(world.apply(command)), Rejection::Fenced(stale));
        }
        let lose = Command::Lose { epoch: stale, counted: true };
        assert_eq!(rejected(world.apply(lose)), Rejection::Fenced(stale));
    }
    assert_eq!(world.run.losses(), 1);
}

/// §7.1: a run whose time is over is given to no runner, whether its timer has fired or not.
#[test]
fn a_run_is_not_given_out_after_its_deadline() {
    let begins = Start { timeout: Some(seconds(5)), ..start() };
    let mut world = World::with(begins, Limits::default());
    world.pass(seconds(5));
    assert_eq!(world.activate(), Err(Rejection::NotReady));
    world.fire();
    assert_eq!(world.run.status(), RunStatus::TimedOut);
}

/// §9.9: the version of the first activation stays that of the run.
#[test]
fn the_first_version_is_kept() {
    let mut world = World::held();
    world.lose(false).unwrap();
    let second = Activate {
        nonce: 1,
        runner: "worker",
        instance: "i2",
        version: Some("v2"),
        build: Some("b2"),
        alone: false,
        ends: None,
    };
    world.apply(Command::Activate(second)).unwrap();
    assert_eq!(world.run.started_version().map(|version| &**version), Some("v1"));
    let versions: Vec<_> =
        world.view().activations.into_iter().map(|held| held.version.unwrap()).collect();
    assert_eq!(versions.iter().map(|version| &**version).collect::<Vec<_>>(), ["v1", "v2"]);
}

/// §3.2, §5.2: a run that waits for a sleep holds no slot; one that was given fewer ends than
/// there are wants a runner again at once.
#[test]
fn a_released_run_is_ready_when_it_missed_an_end() {
    let cases = [
        // sleeps, ends seen of one, status
        (true, 1, RunStatus::Waiting),
        (true, 0, RunStatus::Queued),
        (false, 1, RunStatus::Queued),
    ];
    for (sleeps, seen, status) in cases {
        let mut world = World::held();
        world.complete("a").unwrap();
        if sleeps {
            world.sleep("nap", seconds(60)).unwrap();
        }
        world.act(Act::Release { seen, then: Then::Wait }).unwrap();
        assert_eq!(world.run.status(), status, "sleeps {sleeps}, seen {seen}");
        assert_eq!(world.run.ready_since().is_some(), status == RunStatus::Queued);
        assert!(world.run.activation().is_none());
        assert_eq!(rejected(world.release()), Rejection::Fenced(1));
    }
}

/// §4.2, §4.4: what ran when the runner was lost begins again, with the same attempt.
#[test]
fn a_lost_attempt_does_not_count() {
    let mut world = World::held();
    world.begin("a").unwrap();
    assert_eq!(world.status("a"), StepStatus::Running);
    world.lose(true).unwrap();
    assert_eq!((world.run.status(), world.status("a")), (RunStatus::Queued, StepStatus::Pending));
    world.activate().unwrap();
    world.begin("a").unwrap();
    gives(world.complete("a"), &["settle a completed"]);
    assert_eq!(world.run.step("a").unwrap().attempts, 1);
    let view = world.view();
    let attempts: Vec<_> = view.steps[0].attempts.iter().map(|a| (a.n, a.status)).collect();
    assert_eq!(attempts, [(1, "lost"), (1, "completed")]);
}

/// §4.4: from the second loss on the run is given only to a runner with nothing else to run, and
/// lost alone three times it is blocked.
#[test]
fn a_run_that_crashes_its_runner_is_alone_and_then_blocked() {
    let mut world = World::new();
    for _ in 0..2 {
        assert!(!world.run.must_be_alone());
        world.activate().unwrap();
        gives(world.lose(true), &[]);
    }
    for _ in 0..3 {
        assert_eq!(world.run.status(), RunStatus::Queued);
        assert!(world.run.must_be_alone());
        assert_eq!(rejected(world.activate_as("b1", false)), Rejection::NotReady);
        world.activate_as("b1", true).unwrap();
        assert!(world.run.activation().unwrap().alone);
        world.lose(true).unwrap();
    }
    assert_eq!(world.run.status(), RunStatus::Blocked);
    let Phase::Blocked { cause, build } = world.run.phase() else { panic!("not blocked") };
    assert_eq!(*cause, BlockCause::CrashesRunner { times: 3 });
    // §4.10: the same build is no reason to try again, so it has to be known.
    assert_eq!(build.as_deref(), Some("b1"));
    assert_eq!(rejected(world.activate_as("b1", true)), Rejection::NotReady);
}

/// §4.4: a loss while no code was in progress does not count, and only a newly ended step clears
/// what does.
#[test]
fn only_a_newly_ended_step_clears_the_losses() {
    type Step = (&'static str, fn(&mut World), u32);
    let steps: [Step; 8] = [
        ("an idle loss", |w| drop(w.lose(false).unwrap()), 1),
        ("a start", |w| drop(w.begin("a").unwrap()), 1),
        ("a log", |w| drop(w.act(Act::Log { step: None, lines: vec![] }).unwrap()), 1),
        ("a failed attempt", |w| drop(w.fail("a", Bad::default()).unwrap()), 1),
        ("a release", |w| drop(w.release().unwrap()), 1),
        ("an end", |w| drop(w.complete("a").unwrap()), 0),
        ("a skip", |w| drop(w.skip("b").unwrap()), 0),
        ("a sleep that is over", |w| drop(w.sleep("c", seconds(0)).unwrap()), 0),
    ];
    for (what, step, losses) in steps {
        let mut world = World::held();
        world.lose(true).unwrap();
        world.activate().unwrap();
        step(&mut world);
        assert_eq!(world.run.losses(), losses, "{what}");
    }
}

/// §4.10: another kind under an id is not taken; the block that follows shows both kinds, cancels
/// nothing, and another build may try.
#[test]
fn a_changed_kind_blocks_until_another_build_tries() {
    let mut world = World::held();
    world.complete("a").unwrap();
    world.begin("b").unwrap();
    let open = world.opening(Kind::Skip);
    let error = rejected(world.act(Act::Skip { step: "a".into(), open }));
    let Rejection::KindChanged { step, expected, found } = error else { panic!("{error:?}") };
    let cause = BlockCause::KindChanged { step: (&*step).into(), expected, found };
    gives(world.act(Act::Block(cause)), &["evict"]);
    assert_eq!(world.run.status(), RunStatus::Blocked);
    assert_eq!(
        world.view().blocked_because.unwrap(),
        "step `a` is recorded as `run`, the code asks for `skip`"
    );
    assert_eq!(world.status("b"), StepStatus::Pending);
    gives(world.release(), &[]);
    assert_eq!(world.run.status(), RunStatus::Blocked);
    assert_eq!(rejected(world.activate()), Rejection::NotReady);
    world.apply(Command::Unblock { by: "build" }).unwrap();
    assert_eq!(world.run.status(), RunStatus::Queued);
    assert_eq!(rejected(world.apply(Command::Unblock { by: "build" })), Rejection::NotBlocked);
    assert_eq!(world.run.shunned_build().map(|build| &**build), Some("b1"));
    world.activate_as("b2", false).unwrap();
    gives(world.complete("b"), &["settle b completed"]);
    // Should it come to `b2` no more, `b1` could not go on with it either.
    assert!(world.run.shunned_build().is_some());
    gives(world.finish(), &["ended completed"]);
}

/// §4.7: the runner of a blocked run may not have heard of it: what it says meanwhile changes nothing,
/// and no other runner gets the run before it gave it back or was lost, which does not count.
#[test]
fn a_blocked_run_has_no_second_holder() {
    let givers: [fn(&mut World); 2] =
        [|world| gives(world.release(), &[]), |world| gives(world.lose(true), &[])];
    for give_back in givers {
        let mut world = World::held();
        world.complete("a").unwrap();
        world.sleep("c", seconds(1)).unwrap();
        let cause = BlockCause::StepsFull { limit: 1 };
        gives(world.act(Act::Block(cause)), &["evict"]);
        assert_eq!(rejected(world.complete("b")), Rejection::Fenced(1));
        assert_eq!(rejected(world.finish()), Rejection::Fenced(1));
        world.apply(Command::Unblock { by: "build" }).unwrap();
        assert_eq!(world.run.status(), RunStatus::Queued);
        assert_eq!(world.run.next_timer(), world.run.deadline());
        assert_eq!(rejected(world.activate()), Rejection::NotReady);
        give_back(&mut world);
        assert_eq!((world.run.status(), world.run.losses()), (RunStatus::Queued, 0));
        world.activate_as("b2", false).unwrap();
        gives(world.complete("b"), &["settle b completed"]);
    }
}

/// §4.10: unblocking clears the count of losses.
#[test]
fn an_unblocked_run_is_not_suspected() {
    let mut world = World::new();
    for n in 0..5 {
        world.activate_as("b1", n >= 2).unwrap();
        world.lose(true).unwrap();
    }
    world.apply(Command::Unblock { by: "build" }).unwrap();
    assert!(!world.run.must_be_alone());
    world.activate_as("b2", false).unwrap();
}

/// §5.4, §4.10: a changed order is recorded and shown, and changes nothing else.
#[test]
fn a_changed_order_is_shown() {
    let mut world = World::held();
    world.complete("a").unwrap();
    let note = |expected, found| Act::NoteOrder {
        expected: Cow::Borrowed(expected),
        found: Cow::Borrowed(found),
    };
    gives(world.act(note("a", "b")), &[]);
    assert_eq!(world.run.status(), RunStatus::Running);
    let history = world.view().history;
    assert_eq!(history[0].what, "order_changed");
    assert_eq!(
        history[0].detail.as_deref(),
        Some("the code asked for `b` where the journal has `a`")
    );
    // The same is not noted again, whatever was noted between; another order is.
    for (expected, found) in [("a", "b"), ("b", "a"), ("a", "b"), ("b", "a")] {
        gives(world.act(note(expected, found)), &[]);
    }
    assert_eq!(world.view().history.len(), 2);
}

/// The first journals do not say that a blocked run is still held: there it is free at once. Such a
/// journal is the one of today without that member.
#[test]
fn a_run_blocked_in_a_journal_of_the_first_format_is_held_by_nobody() {
    let mut world = World::held();
    let cause = BlockCause::StepsFull { limit: 1 };
    gives(world.act(Act::Block(cause)), &["evict"]);
    let text = String::from_utf8(world.journal.clone()).unwrap();
    let first = text.replace(",\"evicts\":true", "");
    assert_ne!(first, text);
    let run = Run::replay(world.run.id(), first.as_bytes()).unwrap();
    assert!(run.activation().is_none() && world.run.activation().is_some());
    assert_eq!((run.status(), run.ready_since()), (RunStatus::Blocked, None));
}
