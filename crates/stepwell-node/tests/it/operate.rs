//! Acts of operators, and what runners and askers are told of them.

use serde_json::json;
use stepwell_core::code::Code;
use stepwell_core::operation::Operation;

use crate::harness::{World, ended, failed, finished, idle, released, sleep, start, who};

/// §7.6, §9.5: a run that a runner holds ends at once; the runner is told to drop it, and whoever waits
/// hears of the end.
#[test]
fn a_terminated_run_is_taken_from_its_runner() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    let wait = world.ask_wait(run);
    assert_eq!(world.operate(run, Operation::Terminate).unwrap(), "cancelled");
    assert_eq!(world.ended(wait).error.unwrap().message, "the run was terminated");
    let told: Vec<String> = world
        .heard(session)
        .iter()
        .map(|one| one.as_object().unwrap().keys().next().unwrap().clone())
        .collect();
    assert!(told.contains(&"done".into()) && told.contains(&"evict".into()), "{told:?}");
    // What the runner still says changes nothing, and its slot is free.
    world.say(session, &[ended(&a, "s"), released(&a, 0)]);
    assert_eq!(world.busy(), 0);
    assert_eq!(world.operate(run, Operation::Terminate).unwrap(), "cancelled");
    let refused = world.operate(run, Operation::Retry).unwrap_err();
    assert_eq!(refused.code, Code::ActRefused);
    assert!(refused.detail.contains("has ended: cancelled"), "{}", refused.detail);
    world.assert_at_rest();
}

/// §9.5: a backoff that a runner keeps is ended by word to it.
#[test]
fn a_retry_is_told_to_the_runner_that_keeps_the_backoff() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[failed(&a, "s", 1), idle(&a)]);
    assert!(world.heard_of(session, "retry")[0]["inUs"].as_u64().unwrap() > 0);
    assert_eq!(world.operate(run, Operation::Retry).unwrap(), "running");
    assert_eq!(world.heard_of(session, "retry"), [json!({"a": a, "step": "s", "n": 2, "inUs": 0})]);
    // Another one changes nothing, and nothing is told.
    world.operate(run, Operation::Retry).unwrap();
    assert_eq!(world.heard_of(session, "retry"), [json!(null); 0]);
}

/// §9.5: a parked run is given out again at once.
#[test]
fn a_retry_brings_a_parked_run_back() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[failed(&a, "s", 1), idle(&a), released(&a, 0)]);
    assert_eq!(world.status(run), "waiting");
    world.operate(run, Operation::Retry).unwrap();
    let activate = world.heard_of(session, "activate");
    assert_eq!(activate[0]["open"][0]["dueInUs"], 0);
    world.say(session, &[finished(&activate[0]["a"])]);
    assert_eq!(world.status(run), "completed");
    world.assert_at_rest();
}

/// §9.6: a paused run leaves its slot to others as soon as none of its functions is in progress; what it
/// is told meanwhile takes none, and the resume does.
#[test]
fn a_paused_run_takes_no_slot() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[sleep(&a, "nap", 2_000)]);
    let other = world.start(start("flow"));
    assert_eq!(world.operate(run, Operation::Pause).unwrap(), "paused");
    assert_eq!(world.heard_of(session, "pause"), [json!({"a": a})]);
    assert_eq!(world.status(other), "queued");
    world.say(session, &[idle(&a)]);
    let next = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[finished(&next)]);
    assert_eq!((world.status(other).as_str(), world.busy()), ("completed", 0));
    world.pass_ms(2_000);
    assert_eq!(world.heard_of(session, "settled")[0]["step"], "nap");
    assert_eq!((world.status(run).as_str(), world.busy()), ("paused", 0));
    assert_eq!(world.operate(run, Operation::Resume).unwrap(), "running");
    assert_eq!(world.heard_of(session, "unpause"), [json!({"a": a})]);
    assert_eq!(world.busy(), 1);
    world.say(session, &[finished(&a)]);
    world.assert_at_rest();
}

/// §9.6: a runner that comes back hears whether its run is paused; one that gives a paused run back
/// gets it again after the resume only.
#[test]
fn a_pause_outlives_connections() {
    let mut world = World::new();
    let mut runner = who(1);
    let session = world.connect(&runner);
    let run = world.start(start("flow"));
    let activate = world.heard_of(session, "activate")[0].clone();
    world.disconnect(session);
    world.operate(run, Operation::Pause).unwrap();
    runner.resume = vec![json!({"run": activate["run"], "epoch": activate["epoch"],
        "nonce": activate["nonce"], "told": 0})];
    let session = world.connect(&runner);
    let resumed = world.heard_of(session, "resumed")[0].clone();
    assert_eq!(resumed["paused"], true);
    world.say(session, &[json!({"released": {"a": resumed["a"], "seen": 0, "ready": true}})]);
    assert_eq!(world.status(run), "paused");
    assert_eq!(world.heard_of(session, "activate"), [json!(null); 0]);
    assert_eq!(world.operate(run, Operation::Resume).unwrap(), "queued");
    let activate = world.heard_of(session, "activate");
    world.say(session, &[finished(&activate[0]["a"])]);
    assert_eq!(world.status(run), "completed");
    world.assert_at_rest();
}
