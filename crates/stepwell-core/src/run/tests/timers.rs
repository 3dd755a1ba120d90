//! Sleeps, backoffs of parked runs, deadlines: what is due when.

use super::*;

/// §2, §4.6: a sleep ends at its time and not before, once, whatever fires how often.
#[test]
fn a_sleep_ends_when_it_is_due() {
    let mut world = World::held();
    gives(world.sleep("nap", seconds(10)), &[]);
    assert_eq!(world.status("nap"), StepStatus::Sleeping);
    assert_eq!(world.run.next_timer(), Some(T0.after(seconds(10))));
    world.pass(seconds(9));
    assert_eq!(world.fire(), none());
    assert_eq!(world.status("nap"), StepStatus::Sleeping);
    world.pass(seconds(1));
    assert_eq!(world.fire(), ["settle nap completed"]);
    assert_eq!(world.fire(), none());
    assert_eq!(world.run.next_timer(), None);
    assert_eq!(world.ends(), ["nap"]);
}

/// §2: an instant that has passed wakes at once.
#[test]
fn a_past_instant_wakes_at_once() {
    for back in [0, 1, 1_000_000] {
        let mut world = World::held();
        let until = T0.before(Duration::from_micros(back));
        let open = world.opening(Kind::SleepUntil);
        let sleep = SleepStep { step: "then".into(), until, open };
        gives(world.act(Act::Sleep(sleep)), &["settle then completed"]);
        assert_eq!(world.records()[2..], ["sleepStarted", "stepEnded"]);
    }
}

/// §3.2: a parked run wakes with its first sleep and wants a runner; nobody is told, for nobody
/// holds it.
#[test]
fn a_parked_run_wakes() {
    let mut world = World::held();
    world.sleep("long", seconds(60)).unwrap();
    world.sleep("short", seconds(5)).unwrap();
    world.release().unwrap();
    assert_eq!(world.run.status(), RunStatus::Waiting);
    assert_eq!(world.run.next_timer(), Some(T0.after(seconds(5))));
    world.pass(seconds(5));
    assert_eq!(world.fire(), none());
    assert_eq!(world.run.status(), RunStatus::Queued);
    assert_eq!(world.run.ready_since(), Some(world.now));
    // It replays before the other is due, or is then told of it.
    assert_eq!(world.run.next_timer(), None);
    world.activate().unwrap();
    assert_eq!(world.run.next_timer(), Some(T0.after(seconds(60))));
}

/// §5.4: sleeps that are due together end in the order of their instants, then positions.
#[test]
fn sleeps_end_in_the_order_of_their_instants() {
    let mut world = World::held();
    for (step, time) in [("c", 3), ("a", 1), ("b", 2), ("a2", 1)] {
        world.sleep(step, seconds(time)).unwrap();
    }
    world.pass(seconds(10));
    world.fire();
    assert_eq!(world.ends(), ["a", "a2", "b", "c"]);
}

/// §6.1: the backoff of a parked run wakes it; that of a held run is its runner's to keep.
#[test]
fn a_backoff_wakes_a_parked_run_only() {
    let mut world = World::held();
    world.fail("a", Bad::default()).unwrap();
    assert_eq!(world.run.next_timer(), None);
    world.pass(seconds(2));
    assert_eq!(world.fire(), none());
    world.fail("a", Bad::default()).unwrap();
    world.release().unwrap();
    assert_eq!(world.run.status(), RunStatus::Waiting);
    assert_eq!(world.run.next_timer(), Some(T0.after(seconds(4))));
    world.pass(seconds(1));
    assert_eq!(world.fire(), none());
    assert_eq!(world.run.status(), RunStatus::Waiting);
    world.pass(seconds(1));
    assert_eq!(world.fire(), none());
    assert_eq!(world.run.status(), RunStatus::Queued);
    assert_eq!(world.records().last().unwrap(), "woken");
    assert_eq!(world.status("a"), StepStatus::Retrying);
}

/// §6.1: a run that was released after its backoff had passed wakes at once.
#[test]
fn a_backoff_that_passed_before_the_release_is_due() {
    let mut world = World::held();
    world.fail("a", Bad::default()).unwrap();
    world.pass(seconds(5));
    world.release().unwrap();
    assert!(world.run.next_timer().unwrap() <= world.now);
    world.fire();
    assert_eq!(world.run.status(), RunStatus::Queued);
}

/// §7.1: the deadline is a timer in every state before the end is decided.
#[test]
fn the_deadline_is_always_the_latest_timer() {
    let begins = || Start { timeout: Some(seconds(30)), ..start() };
    let deadline = Some(T0.after(seconds(30)));
    let mut world = World::with(begins(), Limits::default());
    assert_eq!(world.run.next_timer(), deadline);
    world.activate().unwrap();
    assert_eq!(world.run.next_timer(), deadline);
    world.sleep("long", seconds(60)).unwrap();
    assert_eq!(world.run.next_timer(), deadline);
    world.sleep("short", seconds(5)).unwrap();
    assert_eq!(world.run.next_timer(), Some(T0.after(seconds(5))));
    world.release().unwrap();
    world.pass(seconds(5));
    world.fire();
    assert_eq!(world.run.next_timer(), deadline);
    world.activate().unwrap();
    world.act(Act::Block(record::BlockCause::StepsFull { limit: 1 })).unwrap();
    assert_eq!(world.run.next_timer(), deadline);
}

/// §9.1, §7.2: a delayed run waits for its time, from which its timeout counts; an instant that has
/// passed delays nothing, and a cancel before ends the run at once.
#[test]
fn a_delayed_run_waits_for_its_time() {
    let at = T0.after(seconds(60));
    let begins = Start { not_before: Some(at), timeout: Some(seconds(10)), ..start() };
    let mut world = World::with(begins.clone(), Limits::default());
    assert_eq!((world.run.status(), world.run.delayed_until()), (RunStatus::Waiting, Some(at)));
    assert_eq!(
        (world.run.next_timer(), world.run.deadline()),
        (Some(at), Some(at.after(seconds(10))))
    );
    assert_eq!(world.view().not_before, Some(at));
    assert_eq!(world.activate().unwrap_err(), Rejection::NotReady);
    world.pass(seconds(59));
    world.fire();
    assert_eq!(world.run.status(), RunStatus::Waiting);
    world.pass(seconds(1));
    world.fire();
    assert_eq!((world.run.status(), world.run.delayed_until()), (RunStatus::Queued, None));
    world.activate().unwrap();

    let mut world = World::with(begins, Limits::default());
    gives(world.cancel(), &["ended cancelled CancelledError"]);
    let past = Start { not_before: Some(T0), timeout: Some(seconds(10)), ..start() };
    let world = World::with(past, Limits::default());
    assert_eq!(world.run.status(), RunStatus::Queued);
    assert_eq!(world.run.deadline(), Some(T0.after(seconds(10))));
}
