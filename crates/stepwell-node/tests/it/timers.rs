//! Timers: near and far, in herds, and those of runs that went cold.

use std::time::Duration;

use serde_json::json;
use stepwell_core::id::RunId;
use stepwell_node::{Begin, Input, RequestId, SessionId, StartRequest};

use crate::harness::{World, failed, finished, idle, released, sleep, start, who};

/// Starts a run and parks it with what its runner says first.
fn park(
    world: &mut World,
    session: SessionId,
    say: impl Fn(&serde_json::Value) -> Vec<serde_json::Value>,
) -> RunId {
    let run = world.start(start("flow"));
    let activate = world.heard_of(session, "activate");
    let a = &activate[0]["a"];
    let mut said = say(a);
    said.push(released(a, 0));
    world.say(session, &said);
    assert_eq!(world.status(run), "waiting");
    run
}

/// Lets time pass while a runner pings.
fn pass(world: &mut World, session: SessionId, time: Duration) {
    let until = world.now.after(time);
    while world.now < until {
        let slice = until.since(world.now).min(Duration::from_secs(5));
        world.pass(slice);
        world.ping(session);
    }
}

/// §2: sleeps wake at their time, whether it lies before or beyond what memory holds, and after the
/// run went cold; nothing of them stays in memory meanwhile.
#[test]
fn sleeps_wake_at_their_time() {
    for seconds in [1, 29, 30, 31, 59, 60, 61, 89, 90, 91, 200, 3_600] {
        let mut world = World::new();
        let session = world.connect(&who(1));
        // The horizon has moved on a while before.
        pass(&mut world, session, Duration::from_secs(17));
        let due = world.now.after(Duration::from_secs(seconds));
        let run = park(&mut world, session, |a| vec![sleep(a, "nap", seconds * 1_000)]);
        world.assert_at_rest();
        pass(&mut world, session, Duration::from_millis(seconds * 1_000 - 1));
        assert_eq!(world.status(run), "waiting", "{seconds} s");
        world.pass_ms(1);
        assert_eq!(world.now, due);
        let activate = world.heard_of(session, "activate");
        assert_eq!(activate.len(), 1, "{seconds} s");
        assert_eq!(activate[0]["ended"][0]["step"], "nap");
        world.say(session, &[finished(&activate[0]["a"])]);
        world.assert_at_rest();
        assert_eq!(world.node.stats().timers_fired, 1, "{seconds} s");
        assert_eq!(world.node.stats().near_timers, 0);
    }
}

/// A timer whose record is on its way to the store while memory takes over what the store has is
/// not lost between the two.
#[test]
fn a_timer_on_its_way_to_the_store_is_not_lost() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    world.hold_commits = true;
    world.say(session, &[sleep(&json!(1), "nap", 70_000), released(&json!(1), 0)]);
    pass(&mut world, session, Duration::from_secs(40));
    world.release();
    assert_eq!(world.status(run), "waiting");
    pass(&mut world, session, Duration::from_secs(30));
    assert_eq!(world.heard_of(session, "activate").len(), 2, "at its start and after its sleep");
}

/// §6.1: the backoff of a parked run wakes it.
#[test]
fn a_backoff_wakes_a_parked_run() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = park(&mut world, session, |a| vec![failed(a, "s", 1)]);
    world.pass_ms(999);
    assert_eq!(world.status(run), "waiting");
    world.pass_ms(1);
    let activate = world.heard_of(session, "activate");
    assert_eq!(activate[0]["open"][0]["attempts"], 1);
    assert_eq!(activate[0]["open"][0]["dueInUs"], 0);
    assert_eq!(world.records(run)[3..], ["released", "woken", "activated"]);
}

/// §7.1, §7.2: a deadline ends a parked run at once, a live one after the time to end in.
#[test]
fn deadlines_end_runs() {
    let mut world = World::new();
    let session = world.connect(&who(2));
    let limited = || StartRequest { timeout: Some(Duration::from_secs(3)), ..start("flow") };
    let request = world.ask_start(StartRequest { wait: true, ..limited() });
    world.heard_of(session, "activate");
    world.say(session, &[sleep(&json!(1), "nap", 60_000), released(&json!(1), 0)]);
    let live = world.start(limited());
    assert_eq!(world.heard_of(session, "activate")[0]["a"], 2);
    world.pass_ms(2_999);
    assert!(world.reply(request).is_none());
    world.pass_ms(1);
    assert_eq!(world.ended(request).status.as_str(), "timed_out");
    assert_eq!(world.heard_of(session, "end"), [json!({ "a": 2, "status": "timed_out" })]);
    assert_eq!(world.status(live), "compensating");
    pass(&mut world, session, Duration::from_secs(30));
    assert_eq!(world.status(live), "timed_out");
    let said: Vec<_> = world.heard(session).iter().map(ToString::to_string).collect();
    assert!(said.contains(&r#"{"evict":{"a":2}}"#.to_string()), "{said:?}");
    // What its runner still says changes nothing.
    let records = world.records(live);
    world.say(session, &[finished(&json!(2))]);
    assert_eq!(world.records(live), records);
    world.assert_at_rest();
}

/// §7.1: a deadline beyond what memory holds is not lost, whatever the run does until then.
#[test]
fn a_far_deadline_is_kept() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let timeout = Some(Duration::from_secs(400));
    let run = world.start(StartRequest { timeout, ..start("flow") });
    for n in 0..6 {
        let activate = world.heard_of(session, "activate");
        assert_eq!(activate.len(), 1, "{n}");
        let a = &activate[0]["a"];
        world.say(session, &[sleep(a, &format!("nap {n}"), 65_000), released(a, n)]);
        pass(&mut world, session, Duration::from_secs(65));
    }
    assert_eq!(world.status(run), "running");
    pass(&mut world, session, Duration::from_secs(9));
    assert!(world.heard_of(session, "end").is_empty());
    pass(&mut world, session, Duration::from_secs(1));
    assert_eq!(world.heard_of(session, "end").len(), 1);
}

/// A herd of timers is handled in slices, between which others get their turn.
#[test]
fn a_herd_of_timers_comes_in_slices() {
    let mut world = World::new();
    let mut large = who(5_000);
    large.credit = 1 << 30;
    let session = world.connect(&large);
    let requests: Vec<_> = (0..5_000)
        .map(|_| {
            let request = RequestId(world.id());
            world.tell(Input::Start { request, start: Box::new(start("flow")) });
            request
        })
        .collect();
    world.settle();
    let runs: Vec<RunId> = requests.into_iter().map(|request| world.started(request).0).collect();
    let said: Vec<_> = world
        .heard_of(session, "activate")
        .iter()
        .flat_map(|one| [sleep(&one["a"], "nap", 8_000), released(&one["a"], 0)])
        .collect();
    assert_eq!(said.len(), 10_000);
    world.say(session, &said);
    world.assert_at_rest();
    assert_eq!(world.node.stats().near_timers, 5_000);
    world.ping(session);
    world.now = world.now.after(Duration::from_secs(8));
    // One tick is one slice: the harness refuses more reads from one input.
    world.tell(Input::Tick);
    let fired = world.node.stats().timers_fired;
    assert!((1..=256).contains(&fired), "{fired}");
    world.say(session, &[json!({ "ping": { "k": 9 } })]);
    assert!(world.heard_of(session, "pong").iter().any(|pong| pong["k"] == 9));
    assert_eq!(world.node.stats().timers_fired, 5_000);
    let given = world.heard_of(session, "activate");
    assert_eq!(given.len(), 5_000);
    let said: Vec<_> = given.iter().map(|one| finished(&one["a"])).collect();
    world.say(session, &said);
    assert!(runs.iter().all(|run| world.status(*run) == "completed"));
    world.assert_at_rest();
    assert_eq!(world.node.stats().near_timers, 0);
}

/// The timers of a restarted node are those of the store, also the ones that passed meanwhile.
#[test]
fn a_restarted_node_has_its_timers() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let runs = [5_u64, 20, 100]
        .map(|seconds| park(&mut world, session, |a| vec![sleep(a, "nap", seconds * 1_000)]));
    world.now = world.now.after(Duration::from_secs(10));
    world.restart();
    world.pass_ms(0);
    assert_eq!(runs.map(|run| world.status(run)), ["queued", "waiting", "waiting"]);
    world.pass_ms(10_000);
    assert_eq!(runs.map(|run| world.status(run)), ["queued", "queued", "waiting"]);
    world.pass_ms(80_000);
    assert_eq!(runs.map(|run| world.status(run)), ["queued", "queued", "queued"]);
    let session = world.connect(&who(8));
    assert_eq!(world.heard_of(session, "activate").len(), 3);
}

/// §4.6: a sleep that is over while its run waits for a runner is told with the run, or right after.
#[test]
fn a_sleep_that_is_over_is_told_with_its_run() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    world.say(session, &[sleep(&json!(1), "nap", 1_000)]);
    world.disconnect(session);
    // Lost after the TTL, with the sleep still open, and queued for long.
    pass_alone(&mut world, 9_999);
    assert_eq!(world.status(run), "running");
    pass_alone(&mut world, 120_000);
    assert_eq!(world.status(run), "queued");
    let session = world.connect(&who(1));
    let heard = world.heard(session);
    let told = heard.iter().filter(|message| {
        let told = |list: &serde_json::Value| list.to_string().contains("\"nap\"");
        message.get("activate").is_some_and(|one| told(&one["ended"]))
            || message.get("settled").is_some_and(told)
    });
    assert_eq!(told.count(), 1, "{heard:?}");
    world.say(session, &[finished(&json!(1))]);
    assert_eq!(world.status(run), "completed");
    world.assert_at_rest();
}

fn pass_alone(world: &mut World, ms: u64) {
    world.pass_ms(ms);
    world.settle();
}

/// A timer that is due while its run is read for another reason is neither lost nor doubled, in
/// whichever order the two came.
#[test]
fn a_timer_meets_a_run_that_is_being_read() {
    for first in ["timer", "wait"] {
        let mut world = World::new();
        let session = world.connect(&who(1));
        let run = park(&mut world, session, |a| vec![sleep(a, "nap", 5_000)]);
        world.hold_loads = true;
        if first == "timer" {
            world.pass_ms(5_000);
            world.ask_wait(run);
        } else {
            world.ask_wait(run);
            world.pass_ms(5_000);
        }
        world.release();
        let activate = world.heard_of(session, "activate");
        assert_eq!((activate.len(), activate[0]["ended"].as_array().unwrap().len()), (1, 1));
        assert_eq!(world.records(run).iter().filter(|name| *name == "stepEnded").count(), 1);
        world.say(session, &[finished(&activate[0]["a"])]);
        world.assert_at_rest();
    }
}

/// §7.1: a run whose deadline passed while the node stood still is given to no runner that comes
/// before the timer has had its turn: it times out.
#[test]
fn a_run_is_not_given_out_after_its_deadline() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    world.disconnect(session);
    let timeout = Some(Duration::from_secs(2));
    let run = world.start(StartRequest { timeout, ..start("flow") });
    assert_eq!(world.status(run), "queued");
    world.now = world.now.after(Duration::from_secs(3));
    let session = world.connect(&who(1));
    assert_eq!(world.status(run), "timed_out");
    assert!(world.heard_of(session, "activate").is_empty());
    world.assert_at_rest();
}

/// An idle run that is told of a sleep's end holds its slot again, also while the end is written.
#[test]
fn a_sleep_of_a_live_run_is_told_to_it() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    world.heard(session);
    world.say(session, &[sleep(&json!(1), "nap", 700), idle(&json!(1))]);
    assert_eq!(world.busy(), 0);
    world.hold_commits = true;
    world.pass_ms(700);
    assert!(world.heard_of(session, "settled").is_empty());
    assert_eq!(world.busy(), 1);
    world.release();
    let settled = world.heard_of(session, "settled");
    assert_eq!((settled.len(), &settled[0]["status"]), (1, &serde_json::Value::Null));
    world.say(session, &[finished(&json!(1))]);
    assert_eq!(world.status(run), "completed");
    world.assert_at_rest();
}

/// §9.1: a delayed start is given out at its time, after a restart too; a repeat of its key finds it.
#[test]
fn a_delayed_run_begins_at_its_time() {
    for restarts in [false, true] {
        let mut world = World::new();
        let mut session = world.connect(&who(1));
        let begin = Begin::After(Duration::from_secs(200));
        let run = world.start(StartRequest { begin, key: Some("k".into()), ..start("flow") });
        assert_eq!(world.status(run), "waiting");
        world.assert_at_rest();
        let again = world.ask_start(StartRequest { key: Some("k".into()), ..start("flow") });
        assert_eq!(world.started(again), (run, false));
        if restarts {
            world.restart();
            session = world.connect(&who(1));
        }
        pass(&mut world, session, Duration::from_millis(199_999));
        assert_eq!(world.status(run), "waiting");
        world.pass_ms(1);
        let activate = world.heard_of(session, "activate");
        world.say(session, &[finished(&activate[0]["a"])]);
        assert_eq!(world.status(run), "completed");
        world.assert_at_rest();
    }
}
