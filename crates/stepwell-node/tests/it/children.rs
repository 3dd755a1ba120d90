//! Children and chains: who starts them, who hears of their ends, and what becomes of them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use stepwell_core::id::RunId;
use stepwell_core::status::RunStatus;
use stepwell_core::view::View;
use stepwell_node::{SessionId, StartRequest};
use stepwell_store::retention::RunRetention;
use stepwell_store::{Error, Store};

use crate::harness::{Who, World, finished, idle, json, released, start, who};

/// Says that code invokes a workflow.
fn invoke(a: &Value, step: &str, input: &Value) -> Value {
    let open = json!({ "kind": "invoke", "after": 0, "agoUs": 0, "input": input });
    json!({ "invoke": { "a": a, "step": step, "open": open } })
}

fn both(slots: u32) -> Who {
    Who { workflows: vec!["flow", "ship"], ..who(slots) }
}

/// A runner with both workflows, and a run of `flow` on it.
fn begun() -> (World, SessionId, RunId, Value) {
    let mut world = World::new();
    let session = world.connect(&both(100));
    let (run, a) = begin(&mut world, session, start("flow"));
    (world, session, run, a)
}

fn begin(world: &mut World, session: SessionId, start: StartRequest) -> (RunId, Value) {
    let run = world.start(start);
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    (run, a)
}

/// Lets a run invoke `ship`, and returns the child and its handle.
fn ship(world: &mut World, session: SessionId, a: &Value, step: &str) -> (RunId, Value) {
    world.say(session, &[invoke(a, step, &json!({ "workflow": "ship" }))]);
    let activate = &world.heard_of(session, "activate")[0];
    (run_of(activate), activate["a"].clone())
}

fn error_of(world: &mut World, session: SessionId) -> Value {
    world.heard_of(session, "settled")[0]["error"].clone()
}

/// No message waits for anyone.
fn assert_heard(world: &World) {
    assert_eq!(world.store.inbox(None, 9), Ok(vec![]));
}

/// The run that an activation is of.
fn run_of(activate: &Value) -> RunId {
    serde_json::from_value(activate["run"].clone()).unwrap_or(RunId::MIN)
}

/// §9.2, §9.3: a child starts in the commit that holds its parent's record; its end reaches the
/// parent with what it returned, and nothing of it is left to be heard.
#[test]
fn a_child_starts_and_its_end_is_heard() {
    let (mut world, session, run, a) = begun();
    world.hold_commits = true;
    let input = json!({ "workflow": "ship", "input": { "order": 1 } });
    world.say(session, &[invoke(&a, "ship", &input)]);
    assert_eq!(world.batches.len(), 1, "one commit for both");
    assert!(!world.batches[0].grows, "a child is not refused as growth");
    assert!(world.heard_of(session, "activate").is_empty());
    world.commit_one();
    let activate = world.heard_of(session, "activate")[0].clone();
    assert_eq!(activate["input"], json!({ "order": 1 }));
    assert_eq!(activate["parent"], json!({ "run": run.to_string(), "step": "ship" }));
    world.hold_commits = false;
    world.say(session, &[finished(&activate["a"])]);
    let settled = world.heard_of(session, "settled");
    assert_eq!((&settled[0]["step"], &settled[0]["output"]), (&json!("ship"), &json!("done")));
    assert_heard(&world);
    world.say(session, &[finished(&a)]);
    assert_eq!(world.records(run), ["started", "activated", "childStarted", "stepEnded", "ended"]);
    world.assert_at_rest();
}

/// §4.7, §9.2: an invoke that is said again to the next node starts nothing, at the same instant too.
#[test]
fn an_invoke_that_is_said_again_starts_one_child() {
    let mut world = World::new();
    let session = world.connect(&both(100));
    let parent = world.start(start("flow"));
    let activate = world.heard_of(session, "activate").remove(0);
    world.pass_ms(1);
    let (child, _) = ship(&mut world, session, &activate["a"], "ship");
    world.restart();
    let mut who = both(100);
    who.resume = vec![json!({
        "run": activate["run"], "epoch": activate["epoch"], "nonce": activate["nonce"],
        "told": 0, "idle": false,
    })];
    let session = world.connect(&who);
    let a = world.heard_of(session, "resumed")[0]["a"].clone();
    world.say(session, &[invoke(&a, "ship", &json!({ "workflow": "ship" }))]);
    assert_eq!(world.records(parent), ["started", "activated", "childStarted"]);
    assert_eq!(world.records(child), ["started", "activated"]);
}

/// §9.3: what a child's end throws, with the run that it is about.
#[test]
fn a_childs_failure_is_told_with_its_run() {
    let (mut world, session, _, a) = begun();
    let (child, b) = ship(&mut world, session, &a, "ship");
    let error = json!({ "name": "Oops", "message": "no stock" });
    world.say(session, &[json!({ "finished": { "a": b, "error": error } })]);
    let told = error_of(&mut world, session);
    assert_eq!((&told["name"], &told["run"]), (&json!("ChildFailedError"), &json!(child)));
    assert_eq!(told["cause"], error);
    let (child, b) = ship(&mut world, session, &a, "again");
    world.cancel(child);
    world.say(session, &[finished(&b)]);
    let told = error_of(&mut world, session);
    assert_eq!((&told["name"], &told["run"]), (&json!("ChildCancelledError"), &json!(child)));
}

/// §9.2: the caller's app goes first, then the only other one that has the workflow; `app` pins it.
#[test]
fn a_child_is_found_in_the_callers_app_first() {
    let mut world = World::new();
    let session = world.connect(&both(9));
    let other = |app, instance: &str, workflows| Who {
        app,
        instance: instance.into(),
        workflows,
        ..who(9)
    };
    world.connect(&other("depot", "i2", vec!["ship", "pack", "wrap"]));
    world.connect(&other("store", "i3", vec!["wrap"]));
    let (run, a) =
        begin(&mut world, session, StartRequest { app: Some("shop".into()), ..start("flow") });
    let wanted = [
        ("own", json!({ "workflow": "ship" })),
        ("other", json!({ "workflow": "pack" })),
        ("pinned", json!({ "workflow": "ship", "app": "depot" })),
        ("nowhere", json!({ "workflow": "fly" })),
        ("not there", json!({ "workflow": "pack", "app": "shop" })),
        ("several", json!({ "workflow": "wrap" })),
        ("unnamed", json!({ "workflow": "" })),
    ];
    let said: Vec<_> = wanted.iter().map(|(step, input)| invoke(&a, step, input)).collect();
    world.say(session, &said);
    let journal = world.journal(run);
    let view = View::of(run, &journal).unwrap();
    let found: Vec<_> = view
        .steps
        .iter()
        .map(|step| match (&step.child, &step.error) {
            (Some(child), None) => format!("{}: {}", step.id, child.app),
            (None, Some(error)) => format!("{}: {}", step.id, error.message),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        "own: shop",
        "other: depot",
        "pinned: depot",
        "nowhere: no runner has ever registered a workflow `fly`",
        "not there: no runner has ever registered workflow `pack` of app `shop`",
        "several: several apps have a workflow `wrap`: depot, store; say which with `app`",
        "unnamed: a workflow is empty; accepted: 1 to 256 bytes of UTF-8 without control characters",
    ];
    assert_eq!(found[..6], expected[..6]);
    assert!(found[6].starts_with("unnamed: a workflow is empty"), "{}", found[6]);
}

/// §9.2: a child that is pinned to a runner waits for it while it is away.
#[test]
fn a_pinned_child_waits_for_its_runner() {
    let (mut world, session, _, a) = begun();
    let input = json!({ "workflow": "ship", "runner": "north" });
    world.say(session, &[invoke(&a, "ship", &input)]);
    assert!(world.heard_of(session, "activate").is_empty());
    let north = Who { name: "north", instance: "n1".into(), ..both(1) };
    let north = world.connect(&north);
    assert_eq!(world.heard_of(north, "activate").len(), 1);
}

/// §7.7: a child has the least time of its own, its parent's and the invoke's.
#[test]
fn a_childs_time_is_bounded_thrice() {
    let mut world = World::new();
    let session = world.connect(&both(9));
    let timed = StartRequest { timeout: Some(Duration::from_mins(1)), ..start("flow") };
    let (run, a) = begin(&mut world, session, timed);
    let deadline = |world: &World, run: RunId| View::of(run, &world.journal(run)).unwrap().deadline;
    let parents = deadline(&world, run);
    let (child, _) = ship(&mut world, session, &a, "long");
    assert_eq!(deadline(&world, child), parents);
    let input = json!({ "workflow": "ship", "timeoutMs": 5_000 });
    world.say(session, &[invoke(&a, "short", &input)]);
    let activate = &world.heard_of(session, "activate")[0];
    let (b, short) = (&activate["a"], run_of(activate));
    assert_eq!(deadline(&world, short), Some(world.now.after(Duration::from_secs(5))));
    world.pass(Duration::from_secs(5));
    world.say(session, &[finished(b)]);
    let told = world.heard_of(session, "settled")[0].clone();
    assert_eq!(
        (&told["status"], &told["error"]["name"]),
        (&json!("timed_out"), &json!("ChildTimeoutError"))
    );
}

/// §7.2, §7.7: a cancel reaches every run below, and each ends after those below it.
#[test]
fn a_cancel_goes_down_the_tree_and_ends_come_up() {
    let (mut world, session, run, a) = begun();
    let (child, b) = ship(&mut world, session, &a, "one");
    let (grandchild, c) = ship(&mut world, session, &b, "two");
    let parked: Vec<_> = [&a, &b].into_iter().flat_map(|a| [idle(a), released(a, 0)]).collect();
    world.say(session, &parked);
    assert_eq!(world.cancel(run), "compensating");
    assert_eq!(
        (world.status(child), world.status(grandchild)),
        ("compensating".into(), "compensating".into())
    );
    world.say(session, &[finished(&c)]);
    for run in [grandchild, child, run] {
        assert_eq!(world.status(run), "cancelled", "{run}");
    }
    let journal = world.journal(child);
    let view = View::of(child, &journal).unwrap();
    assert_eq!(view.history[0].by.as_deref(), Some(&*format!("its parent {run}")));
    assert_heard(&world);
    world.assert_at_rest();
}

/// §5.6: what nobody waits for any more is cancelled: a dropped step's child, and those that a handler
/// left behind.
#[test]
fn children_that_are_left_behind_are_cancelled() {
    let (mut world, session, run, a) = begun();
    let (dropped, b) = ship(&mut world, session, &a, "dropped");
    let (left, c) = ship(&mut world, session, &a, "left");
    world.say(session, &[json!({ "dropped": { "a": a, "step": "dropped" } })]);
    assert_eq!(world.status(dropped), "compensating");
    world.say(session, &[finished(&a)]);
    assert_eq!(world.status(run), "completed");
    world.say(session, &[finished(&b), finished(&c)]);
    assert_eq!(
        (world.status(dropped), world.status(left)),
        ("cancelled".into(), "cancelled".into())
    );
    assert_heard(&world);
    world.assert_at_rest();
}

/// §4.9: what was not heard before a crash is heard after it, and its receiver's record ends it.
#[test]
fn messages_survive_a_crash() {
    let (mut world, session, run, a) = begun();
    let (child, b) = ship(&mut world, session, &a, "ship");
    world.say(session, &[idle(&a), released(&a, 0)]);
    world.hold_loads = true;
    world.say(session, &[finished(&b)]);
    assert_eq!((world.status(child), world.status(run)), ("completed".into(), "waiting".into()));
    assert_eq!(world.store.inbox(None, 9).unwrap().len(), 1);
    world.restart();
    assert_eq!(world.status(run), "queued");
    assert_heard(&world);
    let ends = world.records(run).iter().filter(|name| *name == "stepEnded").count();
    assert_eq!(ends, 1);
    world.assert_at_rest();
}

/// A receiver that cannot be read keeps its messages; one that is gone needs none.
#[test]
fn messages_to_a_damaged_run_stay_and_those_to_a_purged_one_go() {
    let (mut world, session, run, a) = begun();
    let (_, b) = ship(&mut world, session, &a, "ship");
    world.say(session, &[idle(&a), released(&a, 0)]);
    let why = "test".to_owned();
    world.damaged.insert(run, Err(Error::Quarantined { run, why }));
    world.say(session, &[finished(&b)]);
    assert_eq!(world.store.inbox(None, 9).unwrap().len(), 1);
    world.restart();
    assert_heard(&world);

    let (mut world, session, run, a) = begun();
    let (child, b) = ship(&mut world, session, &a, "ship");
    world.say(session, &[finished(&a)]);
    world.store.purge(&RunRetention::of(world.now.after(Duration::from_secs(1))), 9).unwrap();
    assert_eq!(world.store.load(run).unwrap(), None);
    world.say(session, &[finished(&b)]);
    assert_eq!(world.status(child), "cancelled");
    assert_heard(&world);
}

/// §5.2: a thousand children are started, awaited and cancelled, a slice at a time.
#[test]
fn a_thousand_children_are_started_and_cancelled() {
    let (mut world, session, run, a) = begun();
    let steps = 0..1_000;
    let said: Vec<_> =
        steps.map(|n| invoke(&a, &format!("s{n}"), &json!({ "workflow": "ship" }))).collect();
    world.say(session, &said);
    world.say(session, &[idle(&a), released(&a, 0)]);
    let activated = world.heard_of(session, "activate");
    assert_eq!(activated.len(), 100, "as many as there are slots");
    world.cancel(run);
    let ends: Vec<_> = activated.iter().map(|child| finished(&child["a"])).collect();
    world.say(session, &ends);
    assert_eq!(world.status(run), "cancelled");
    assert_heard(&world);
    world.assert_at_rest();
}

/// A thousand children end at once: their parent hears each, once.
#[test]
fn a_thousand_ends_are_heard_once_each() {
    let mut world = World::new();
    let session = world.connect(&both(2_000));
    let (run, a) = begin(&mut world, session, start("flow"));
    let said: Vec<_> =
        (0..1_000).map(|n| invoke(&a, &format!("s{n}"), &json!({ "workflow": "ship" }))).collect();
    world.say(session, &said);
    let ends: Vec<_> =
        world.heard_of(session, "activate").iter().map(|child| finished(&child["a"])).collect();
    assert_eq!(ends.len(), 1_000);
    world.say(session, &ends);
    let settled = world.heard_of(session, "settled");
    let steps: BTreeSet<_> = settled.iter().map(|one| one["step"].to_string()).collect();
    assert_eq!((settled.len(), steps.len()), (1_000, 1_000));
    world.say(session, &[finished(&a)]);
    assert_eq!(world.status(run), "completed");
    assert_heard(&world);
    world.assert_at_rest();
}

/// §2.3: a run completes and its successor starts in one commit; who waits gets the last one's end,
/// and so does the parent.
#[test]
fn a_chain_is_one_run_to_those_who_wait() {
    let (mut world, session, run, a) = begun();
    let (first, b) = ship(&mut world, session, &a, "ship");
    let early = world.ask_wait(first);
    world.hold_commits = true;
    world.say(session, &[json!({ "finished": { "a": b, "continueAs": { "input": [2] } } })]);
    assert_eq!(world.batches.len(), 1);
    world.commit_one();
    world.hold_commits = false;
    let activate = world.heard_of(session, "activate")[0].clone();
    let second: RunId = run_of(&activate);
    assert_eq!(activate["input"], json!([2]));
    assert_eq!(activate["parent"]["run"], run.to_string());
    assert_eq!(world.status(first), "completed");
    assert!(world.heard_of(session, "settled").is_empty(), "the chain goes on");
    let late = world.ask_wait(first);
    assert!(world.reply(early).is_none() && world.reply(late).is_none());
    let journal = world.journal(first);
    assert_eq!(View::of(first, &journal).unwrap().continued_as, Some(second));
    world.say(session, &[finished(&activate["a"])]);
    for request in [early, late] {
        let ended = world.ended(request);
        assert_eq!((ended.run, ended.status), (second, RunStatus::Completed));
    }
    assert_eq!(world.heard_of(session, "settled")[0]["output"], "done");
    let after = world.ask_wait(first);
    assert_eq!(world.ended(after).run, second);
    world.say(session, &[finished(&a)]);
    assert_heard(&world);
    world.assert_at_rest();
}

/// §2.3, §4.8: key and deadline pass on, and a repeated start means the whole chain.
#[test]
fn a_successor_keeps_key_and_deadline() {
    let mut world = World::new();
    let session = world.connect(&both(9));
    let keyed = || StartRequest {
        key: Some("k".into()),
        input: Some(json("1")),
        timeout: Some(Duration::from_mins(1)),
        ..start("flow")
    };
    let (first, a) = begin(&mut world, session, keyed());
    let deadline = View::of(first, &world.journal(first)).unwrap().deadline;
    world.pass(Duration::from_secs(5));
    world.say(session, &[json!({ "finished": { "a": a, "continueAs": {} } })]);
    let activate = world.heard_of(session, "activate")[0].clone();
    assert_eq!(activate["key"], "k");
    let second: RunId = run_of(&activate);
    let journal = world.journal(second);
    let view = View::of(second, &journal).unwrap();
    assert_eq!((view.deadline, view.continued_from), (deadline, Some(first)));
    let repeat = world.ask_start(keyed());
    assert_eq!(world.started(repeat), (first, false));
    let repeat = world.ask_start(StartRequest { wait: true, ..keyed() });
    world.say(session, &[finished(&activate["a"])]);
    assert_eq!(world.ended(repeat).run, second);
}

/// §7.7: a cancel of a child that went on as another reaches the other.
#[test]
fn a_cancel_follows_the_chain() {
    let (mut world, session, run, a) = begun();
    let (_, b) = ship(&mut world, session, &a, "ship");
    world.say(session, &[json!({ "finished": { "a": b, "continueAs": {} } })]);
    let activate = world.heard_of(session, "activate")[0].clone();
    let second: RunId = run_of(&activate);
    world.say(session, &[idle(&a), released(&a, 0)]);
    world.cancel(run);
    assert_eq!(world.status(second), "compensating");
    world.say(session, &[finished(&activate["a"])]);
    assert_eq!((world.status(second), world.status(run)), ("cancelled".into(), "cancelled".into()));
    assert_heard(&world);
    world.assert_at_rest();
}

/// §4.10, §9.2: what is no invoke ends the connection, with the reason.
#[test]
fn an_invoke_that_is_none_is_refused() {
    for input in [json!({}), json!({ "workflow": "ship", "speed": 1 }), json!(7)] {
        let (mut world, session, _, a) = begun();
        world.say(session, &[invoke(&a, "ship", &input)]);
        let reason = world.closed(session).unwrap();
        assert!(reason.contains("the input of the `invoke` of step `ship`"), "{reason}");
    }
}
