//! Failed attempts: what follows them, and when.

use super::*;

fn constant(max_attempts: u32) -> Policy {
    Policy { max_attempts, factor_milli: 1_000, ..Policy::default() }
}

/// §6.1: four attempts by default, 1 s, then doubling; §6.3: after the last one the step failed.
#[test]
fn attempts_are_bounded_and_their_pauses_double() {
    let mut world = World::held();
    gives(world.fail("a", Bad::default()), &["retry a 2 at +1000ms"]);
    assert_eq!(world.status("a"), StepStatus::Retrying);
    assert_eq!(world.run.step("a").unwrap().wake, Some(T0.after(seconds(1))));
    gives(world.fail("a", Bad::default()), &["retry a 3 at +2000ms"]);
    gives(world.fail("a", Bad::default()), &["retry a 4 at +4000ms"]);
    gives(world.fail("a", Bad::default()), &["settle a failed Oops"]);
    assert_eq!(world.status("a"), StepStatus::Failed);
    assert_eq!((world.run.failed_steps(), world.run.ended_steps()), (1, 1));
    let view = world.view();
    let attempts: Vec<_> = view.steps[0].attempts.iter().map(|a| (a.n, a.status)).collect();
    assert_eq!(attempts, [(1, "failed"), (2, "failed"), (3, "failed"), (4, "failed")]);
    assert!(view.steps[0].attempts.iter().all(|attempt| attempt.error.is_some()));
    assert_eq!(view.steps[0].error.as_ref().unwrap().message, "it broke");
}

/// What follows a failed first attempt that took 3 s, by what its message says.
#[test]
fn what_follows_a_failed_attempt() {
    let at = |ms: u64| Some(T0.after(Duration::from_millis(ms)));
    let total = |s: u64| Some(seconds(s));
    let cases: &[(&str, Bad, &str)] = &[
        (
            "§6.1: constant",
            Bad { policy: Some(constant(4)), ..Bad::default() },
            "retry a 2 at +4000ms",
        ),
        ("§2.1: retry false", Bad { policy: Some(Policy::never()), ..Bad::default() }, "failed"),
        ("no attempts is one", Bad { policy: Some(constant(0)), ..Bad::default() }, "failed"),
        ("§6.2: terminal", Bad { terminal: true, ..Bad::default() }, "failed"),
        ("§6.2: retry at", Bad { retry_at: at(9_000), ..Bad::default() }, "retry a 2 at +9000ms"),
        ("§6.2: retry at, past", Bad { retry_at: at(1), ..Bad::default() }, "retry a 2 at +1ms"),
        (
            "§6.2: retry at does not add attempts",
            Bad { retry_at: at(9_000), policy: Some(constant(1)), ..Bad::default() },
            "failed",
        ),
        ("§6.4: timed out", Bad { timed_out: true, ..Bad::default() }, "retry a 2 at +4000ms"),
        (
            "§6.4: the last attempt timed out",
            Bad { timed_out: true, policy: Some(constant(1)), ..Bad::default() },
            "timed_out",
        ),
        (
            "§6.4: totalTimeout passed",
            Bad { total: total(3), terminal: true, ..Bad::default() },
            "timed_out",
        ),
        (
            "§6.4: totalTimeout passes before the next attempt",
            Bad { total: total(4), ..Bad::default() },
            "timed_out",
        ),
        ("§2.1: time is left", Bad { total: total(5), ..Bad::default() }, "retry a 2 at +4000ms"),
        (
            "§2.1: totalTimeout, last attempt",
            Bad { total: total(9), policy: Some(constant(1)), ..Bad::default() },
            "failed",
        ),
    ];
    for (what, bad, expected) in cases {
        let mut world = World::held();
        world.begin("a").unwrap();
        world.pass(seconds(3));
        let effects = world.fail("a", bad.clone()).unwrap();
        let expected = match *expected {
            retry if retry.starts_with("retry") => retry.into(),
            status => format!("settle a {status} Oops"),
        };
        assert_eq!(effects, [expected], "{what}");
    }
}

/// §2.1, §4.4: totalTimeout counts from the first attempt's begin, over losses and attempts.
#[test]
fn the_total_time_counts_from_the_first_begin() {
    let bad = || Bad { policy: Some(constant(100)), total: Some(seconds(10)), ..Bad::default() };
    let mut world = World::held();
    world.begin("a").unwrap();
    world.pass(seconds(4));
    world.lose(true).unwrap();
    world.activate().unwrap();
    gives(world.fail("a", bad()), &["retry a 2 at +5000ms"]);
    world.pass(seconds(4));
    world.begin("a").unwrap();
    gives(world.fail("a", bad()), &["retry a 3 at +9000ms"]);
    world.pass(seconds(1));
    gives(world.fail("a", bad()), &["settle a timed_out Oops"]);
    assert_eq!(world.run.failed_steps(), 1);
}

/// §6.1: a backoff outlives the loss of the runner, and its attempt keeps its number.
#[test]
fn a_backoff_outlives_its_runner() {
    let mut world = World::held();
    world.fail("a", Bad::default()).unwrap();
    let wake = world.run.step("a").unwrap().wake;
    world.lose(false).unwrap();
    assert_eq!(
        (world.status("a"), world.run.step("a").unwrap().wake),
        (StepStatus::Retrying, wake)
    );
    world.activate().unwrap();
    world.pass(seconds(2));
    gives(world.begin("a"), &[]);
    assert_eq!(world.run.step("a").unwrap().wake, None);
    gives(world.complete("a"), &["settle a completed"]);
    assert_eq!(world.view().steps[0].attempts[1].n, 2);
}

/// §6.4: an attempt that began beside the one before is shown so.
#[test]
fn an_overlap_is_shown() {
    let mut world = World::held();
    world.fail("a", Bad { timed_out: true, ..Bad::default() }).unwrap();
    let mut end = world.end_step("a");
    end.attempt.overlapped = true;
    world.act(Act::EndStep(end)).unwrap();
    let view = world.view();
    let shown: Vec<_> = view.steps[0].attempts.iter().map(|a| (a.status, a.overlapped)).collect();
    assert_eq!(shown, [("timed_out", false), ("completed", true)]);
}
