//! Starts, keys, waits, cancels: what is answered, and when.

use std::time::Duration;

use serde_json::json;
use stepwell_core::code::Code;
use stepwell_node::{Input, Reply, RequestId, Signed, StartRequest};
use stepwell_store::retention::Deletion;
use stepwell_store::{Error, Store};

use crate::harness::{World, ended, finished, idle, json, released, sleep, start, who};

fn keyed(key: &str, input: &str) -> StartRequest {
    StartRequest { key: Some(key.into()), input: Some(json(input)), ..start("flow") }
}

/// A world whose workflow `flow` is registered, without a runner.
fn registered() -> World {
    let mut world = World::new();
    let session = world.connect(&who(1));
    world.disconnect(session);
    world
}

fn full() -> Error {
    Error::DiskFull { free: 1, reserve: 2 }
}

/// §4.1, §4.8: a start with a free runner is one commit, and neither the asker nor the runner hears
/// of it before that is durable.
#[test]
fn a_start_is_told_once_it_is_durable() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    world.heard(session);
    world.hold_commits = true;
    let request = world.ask_start(StartRequest { input: Some(json("[1]")), ..start("flow") });
    assert_eq!(world.batches.len(), 1);
    assert!(world.batches[0].grows);
    assert!(world.heard(session).is_empty() && world.reply(request).is_none());
    world.commit_one();
    let (run, created) = world.started(request);
    assert!(created);
    assert_eq!(world.records(run), ["started", "activated"]);
    let activate = world.heard_of(session, "activate");
    assert_eq!((activate.len(), &activate[0]["input"]), (1, &json!([1])));
    assert_eq!(activate[0]["run"], run.to_string());
    assert_eq!(activate[0]["epoch"], 1);
    assert_eq!(world.load_count, 0, "nothing had to be read");
}

/// §4.1: a step's end is told to the code once it is durable, and so is the end of the run.
#[test]
fn ends_are_told_once_they_are_durable() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let waiter = world.ask_start(StartRequest { wait: true, ..start("flow") });
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.hold_commits = true;
    world.heard(session);
    world.say(session, &[ended(&a, "s")]);
    assert!(world.heard(session).is_empty());
    world.commit_one();
    assert_eq!(world.heard_of(session, "settled")[0]["step"], "s");
    world.say(session, &[finished(&a)]);
    assert!(world.heard(session).is_empty() && world.reply(waiter).is_none());
    world.commit_one();
    assert_eq!(world.heard(session), [json!({ "done": { "a": a } })]);
    let ended = world.ended(waiter);
    assert!(ended.created);
    assert_eq!(ended.output.unwrap().get(), "\"done\"");
    world.release();
    world.assert_at_rest();
}

/// Without a runner a run is queued, and dispatched when one comes.
#[test]
fn a_start_without_a_runner_is_queued() {
    let mut world = registered();
    let run = world.start(start("flow"));
    assert_eq!((world.status(run).as_str(), world.node.stats().hot), ("queued", 0));
    let session = world.connect(&who(1));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    assert_eq!(world.status(run), "running");
    world.say(session, &[finished(&a)]);
    assert_eq!(world.status(run), "completed");
    world.assert_at_rest();
}

/// §9.1: which workflow a start means, and every start that means none.
#[test]
fn starts_that_mean_no_workflow_are_refused() {
    let mut world = World::new();
    let mut other = who(1);
    other.app = "billing";
    other.instance = "i2".into();
    other.workflows = vec!["flow", "bill"];
    world.connect(&who(1));
    world.connect(&other);
    let long = "x".repeat(300);
    let large = format!("\"{}\"", "x".repeat(4 * 1024 * 1024));
    let app = |app: &str| StartRequest { app: Some(app.into()), ..start("flow") };
    let cases = [
        (start("nope"), Code::UnknownWorkflow, "registered a workflow `nope`"),
        (start(""), Code::BadRequest, "a workflow is empty"),
        (start("flow"), Code::AmbiguousWorkflow, "workflow `flow`: shop, billing"),
        (app("none"), Code::UnknownWorkflow, "workflow `flow` of app `none`"),
        (
            StartRequest { key: Some(String::new()), ..app("shop") },
            Code::BadRequest,
            "key is empty",
        ),
        (StartRequest { runner: Some(long), ..app("shop") }, Code::BadRequest, "300 bytes"),
        (
            StartRequest { input: Some(json(&large)), ..app("shop") },
            Code::PayloadTooLarge,
            "the input is refused: 4194306 bytes",
        ),
        (
            StartRequest { metadata: Some(json(&large)), ..app("shop") },
            Code::PayloadTooLarge,
            "the metadata is refused",
        ),
        (StartRequest { namespace: "else".into(), ..app("shop") }, Code::UnknownWorkflow, "flow"),
    ];
    for (start, code, text) in cases {
        let request = world.ask_start(start);
        let error = world.error(request);
        assert_eq!(error.code, code, "{}", error.detail);
        assert!(error.detail.contains(text), "{}", error.detail);
    }
    assert_eq!(world.node.stats().runs_started, 0);
    let ran = [world.start(app("shop")), world.start(start("bill"))];
    assert_eq!(ran.map(|run| world.status(run)), ["running", "running"]);
}

/// §4.8: a repeat of a key returns the first run, in whatever state that is; another input is a
/// conflict, another spelling of the same input is not.
#[test]
fn a_key_starts_one_run() {
    let mut world = registered();
    let first = world.ask_start(keyed("k", "{\"a\":1,\"b\":2}"));
    let (run, created) = world.started(first);
    assert!(created);
    for _ in ["queued", "ended"] {
        let again = world.ask_start(keyed("k", "{ \"b\": 2, \"a\": 1 }"));
        assert_eq!(world.started(again), (run, false));
        let other = world.ask_start(keyed("k", "{\"a\":2}"));
        let error = world.error(other);
        assert_eq!(error.code, Code::KeyConflict);
        assert!(error.detail.contains("`k`") && error.detail.contains(&run.to_string()));
        world.cancel(run);
        assert_eq!(world.status(run), "cancelled");
    }
    let waits = world.ask_start(StartRequest { wait: true, ..keyed("k", "{\"a\":1,\"b\":2}") });
    let ended = world.ended(waits);
    assert!(!ended.created && ended.run == run);
    let other = world.ask_start(keyed("k2", "1"));
    assert_ne!(world.started(other).0, run);
    assert_eq!(world.node.stats().runs_started, 2);
    world.assert_at_rest();
}

/// §4.8: starts of one key that come while the first is looked up or written start nothing more.
#[test]
fn concurrent_repeats_start_one_run() {
    let mut world = registered();
    world.hold_commits = true;
    let mut requests: Vec<RequestId> = Vec::new();
    for count in [1, 1, 3] {
        // Alone, while the first is written, and several in one turn of the driver.
        for _ in 0..count {
            let request = RequestId(world.id());
            let start = Box::new(keyed("k", "1"));
            world.tell(Input::Start { request, start });
            requests.push(request);
        }
        world.settle();
    }
    let conflict = world.ask_start(keyed("k", "2"));
    assert!(requests.iter().all(|request| world.reply(*request).is_none()));
    assert_eq!(world.node.stats().runs_started, 0, "what is not durable is not counted");
    world.release();
    assert_eq!(world.node.stats().runs_started, 1);
    let started: Vec<_> = requests.iter().map(|request| world.started(*request)).collect();
    assert!(started.iter().all(|(run, _)| *run == started[0].0));
    assert_eq!(started.iter().filter(|(_, created)| *created).count(), 1);
    assert_eq!(world.error(conflict).code, Code::KeyConflict);
    world.assert_at_rest();
}

/// A full disk refuses starts with its code, forgets their runs, and takes them when there is room;
/// repeats of a refused key are each answered.
#[test]
fn a_full_disk_refuses_starts_only() {
    let mut world = World::new();
    let session = world.connect(&who(2));
    let live = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.heard(session);
    world.refuse_growth = Some(full());
    world.hold_commits = true;
    let plain = world.ask_start(start("flow"));
    let waits = world.ask_start(StartRequest { wait: true, ..start("flow") });
    let keys: Vec<_> = (0..3).map(|_| world.ask_start(keyed("k", "1"))).collect();
    world.say(session, &[ended(&a, "s")]);
    world.release();
    for request in [plain, waits].iter().chain(&keys) {
        let error = world.error(*request);
        assert_eq!(error.code, Code::DiskFull, "{}", error.detail);
    }
    assert!(world.restarts.is_empty());
    // What ran goes on, and the runs that never were are not given to anybody.
    assert_eq!(world.heard_of(session, "settled").len(), 1);
    assert!(world.heard_of(session, "activate").is_empty());
    world.say(session, &[finished(&a)]);
    assert_eq!(world.status(live), "completed");
    world.assert_at_rest();
    world.refuse_growth = None;
    let request = world.ask_start(keyed("k", "1"));
    assert!(world.started(request).1);
}

/// What is answered beside refused starts is not lost with them: a runner that connects is
/// welcomed, a repeat and a cancel are answered.
#[test]
fn a_refused_start_takes_nothing_else_with_it() {
    let mut world = registered();
    let queued = world.ask_start(keyed("k", "1"));
    let run = world.started(queued).0;
    world.cancel(run);
    world.refuse_growth = Some(full());
    world.hold_commits = true;
    let refused = world.ask_start(start("flow"));
    let mut second = who(1);
    second.instance = "i2".into();
    second.slots = 1;
    second.workflows = vec!["flow"];
    let session = world.connect(&second);
    let repeat = world.ask_start(keyed("k", "1"));
    world.release();
    assert_eq!(world.error(refused).code, Code::DiskFull);
    assert_eq!(world.heard_of(session, "welcome").len(), 1);
    assert_eq!(world.started(repeat), (run, false));
}

/// A run whose start is not durable yet is touched by nothing: should the start be refused, no record
/// of it may be in the store.
#[test]
fn nothing_is_written_of_a_run_whose_start_may_be_refused() {
    let mut world = registered();
    world.hold_commits = true;
    let timeout = Some(Duration::from_millis(5));
    let request = world.ask_start(StartRequest { timeout, ..start("flow") });
    let run = world.batches[0].runs[0].run;
    let cancel = world.ask_cancel(run);
    // Its deadline passes while the start is on its way.
    world.pass_ms(10);
    world.refuse_growth = Some(full());
    world.release();
    assert_eq!(world.error(request).code, Code::DiskFull);
    assert_eq!(world.error(cancel).code, Code::DiskFull);
    assert_eq!(world.store.load(run).unwrap(), None);
    world.assert_at_rest();
    world.pass_ms(60_000);
    assert!(world.restarts.is_empty());
}

/// What came for a run while its start was on its way happens once that is durable.
#[test]
fn what_comes_before_the_start_is_durable_happens_after() {
    let mut world = registered();
    world.hold_commits = true;
    let timeout = Some(Duration::from_millis(5));
    let waits = world.ask_start(StartRequest { timeout, wait: true, ..start("flow") });
    let run = world.batches[0].runs[0].run;
    world.pass_ms(10);
    world.release();
    assert_eq!(world.ended(waits).status.as_str(), "timed_out");
    assert_eq!(world.records(run), ["started", "ending", "ended"]);
    world.assert_at_rest();
}

/// §9.1: a wait is answered at the end of its run, whether it comes before or after that.
#[test]
fn waits_are_answered_at_the_end() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    let live = world.ask_wait(run);
    let gone = world.ask_wait(run);
    world.tell(Input::Forget { request: gone });
    assert!(world.reply(live).is_none());
    world.hold_commits = true;
    world.say(session, &[finished(&a)]);
    // The run has ended, which is not durable yet.
    let between = world.ask_wait(run);
    assert!(world.reply(live).is_none() && world.reply(between).is_none());
    world.release();
    let after = world.ask_wait(run);
    for request in [live, between, after] {
        let ended = world.ended(request);
        assert_eq!((ended.status.as_str(), ended.created), ("completed", false));
        assert_eq!(ended.output.unwrap().get(), "\"done\"");
    }
    assert!(world.reply(gone).is_none());
    world.assert_at_rest();
}

/// A wait for a parked or queued run does not keep it in memory, nor queue it again.
#[test]
fn waits_for_parked_runs_are_answered() {
    let mut world = registered();
    let run = world.start(start("flow"));
    let waits: Vec<_> = (0..5).map(|_| world.ask_wait(run)).collect();
    assert_eq!(world.node.stats().hot, 0);
    let session = world.connect(&who(2));
    let activate = world.heard_of(session, "activate");
    assert_eq!(activate.len(), 1, "a run is given once: {activate:?}");
    let a = &activate[0]["a"];
    world.say(session, &[sleep(a, "nap", 5_000), idle(a), released(a, 0)]);
    assert_eq!(world.status(run), "waiting");
    world.assert_at_rest();
    world.ping(session);
    world.pass_ms(5_000);
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[finished(&a)]);
    for request in waits {
        assert_eq!(world.ended(request).status.as_str(), "completed");
    }
    world.assert_at_rest();
}

/// §7.1, §7.2: a cancel is durable when it is answered: of runs that are queued, parked, live, ended.
#[test]
fn cancels_are_answered_once_durable() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let live = world.start(start("flow"));
    let queued = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.hold_commits = true;
    let request = world.ask_cancel(live);
    assert!(world.reply(request).is_none() && world.heard_of(session, "end").is_empty());
    world.release();
    assert!(matches!(world.reply(request), Some(Reply::Acted { .. })));
    assert_eq!(world.heard_of(session, "end"), [json!({ "a": a, "status": "cancelled" })]);
    assert_eq!(world.status(live), "compensating");
    assert_eq!(world.cancel(live), "compensating");
    world.say(session, &[ended(&a, "s"), finished(&a)]);
    assert_eq!(world.heard_of(session, "done").len(), 1);
    assert_eq!(world.cancel(live), "cancelled");
    // The other got the slot meanwhile; it parks.
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[sleep(&a, "nap", 60_000), released(&a, 0)]);
    assert_eq!(
        (world.status(queued).as_str(), world.cancel(queued).as_str()),
        ("waiting", "cancelled")
    );
    assert_eq!(world.cancel(queued), "cancelled");
    assert_eq!(world.records(queued).iter().filter(|name| *name == "ended").count(), 1);
    world.assert_at_rest();
    world.pass_ms(120_000);
    assert_eq!(world.node.stats().timers_fired, 0, "its timer went with it");
}

/// A wait that comes beside a cancel while the run is read is answered with the end.
#[test]
fn a_wait_beside_a_cancel_is_answered() {
    for cancel_first in [true, false] {
        let mut world = registered();
        let run = world.start(start("flow"));
        world.hold_loads = true;
        let wait = (!cancel_first).then(|| world.ask_wait(run));
        let cancel = world.ask_cancel(run);
        let wait = wait.unwrap_or_else(|| world.ask_wait(run));
        world.release();
        assert!(matches!(world.reply(cancel), Some(Reply::Acted { .. })));
        assert_eq!(world.ended(wait).status.as_str(), "cancelled");
        world.assert_at_rest();
    }
}

/// A queued run that is cancelled is given to nobody.
#[test]
fn a_cancelled_queued_run_is_not_dispatched() {
    let mut world = registered();
    let runs: Vec<_> = (0..3).map(|_| world.start(start("flow"))).collect();
    assert_eq!(world.cancel(runs[1]), "cancelled");
    let session = world.connect(&who(8));
    assert_eq!(world.heard_of(session, "activate").len(), 2);
    assert_eq!(world.busy(), 2);
}

/// §1: what another namespace has is not there.
#[test]
fn another_namespace_sees_nothing() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    for state in ["live", "ended"] {
        let mut about = world.about(run);
        about.namespace = "else".into();
        let cancel = about.request;
        world.tell(Input::Cancel { about: about.clone(), signed: Signed::default() });
        about.request = RequestId(world.id());
        let wait = about.request;
        world.tell(Input::Wait { about });
        world.settle();
        for request in [cancel, wait] {
            let error = world.error(request);
            assert_eq!(error.code, Code::UnknownRun, "{state}");
            assert_eq!(error.detail, format!("there is no run {run}"));
        }
        world.say(session, &[finished(&a)]);
    }
    assert_eq!(world.status(run), "completed");
    world.assert_at_rest();
}

/// A run that was never there is unknown.
#[test]
fn an_unknown_run_is_not_found() {
    let mut world = World::new();
    let run = stepwell_core::id::RunId::new(world.now, 9);
    let (cancel, wait) = (world.ask_cancel(run), world.ask_wait(run));
    assert_eq!(world.error(cancel).code, Code::UnknownRun);
    assert_eq!(world.error(wait).code, Code::UnknownRun);
    world.assert_at_rest();
}

/// §7.1: the shorter of the start's and the workflow's time is the deadline.
#[test]
fn the_shorter_timeout_counts() {
    let mut world = World::new();
    let session = world.open();
    let mut hello = who(8).hello();
    hello["hello"]["workflows"] =
        json!([{ "name": "flow", "timeoutMs": 5_000 }, { "name": "free" }]);
    world.say(session, &[hello]);
    let timeout = |ms: u64| Some(Duration::from_millis(ms));
    for (workflow, asked, deadline) in [
        ("flow", None, Some(5_000)),
        ("flow", timeout(3_000), Some(3_000)),
        ("flow", timeout(9_000), Some(5_000)),
        ("free", timeout(9_000), Some(9_000)),
        ("free", None, None),
    ] {
        let run = world.start(StartRequest { timeout: asked, ..start(workflow) });
        let state = stepwell_core::run::Run::replay(run, &world.journal(run)).unwrap();
        let expected = deadline.map(|ms| world.now.after(Duration::from_millis(ms)));
        assert_eq!(state.deadline(), expected, "{workflow} {asked:?}");
    }
}

/// A stopping node takes no starts, keeps what runs, and tells its runners.
#[test]
fn a_draining_node_takes_no_starts() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let live = world.start(start("flow"));
    let queued = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.tell(Input::Drain);
    world.settle();
    assert_eq!(world.heard_of(session, "draining").len(), 1);
    let request = world.ask_start(start("flow"));
    assert_eq!(world.error(request).code, Code::Unavailable);
    world.say(session, &[ended(&a, "s"), finished(&a)]);
    assert_eq!(
        (world.status(live).as_str(), world.status(queued).as_str()),
        ("completed", "queued")
    );
    assert!(world.heard_of(session, "activate").is_empty());
    world.assert_at_rest();
}

/// A batch of anything but starts that is refused leaves the node ahead of its store: it asks to be
/// made anew, and nothing of the batch is told.
#[test]
fn a_refused_step_asks_for_a_restart() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    world.heard(session);
    world.refuse_all = Some(Error::Unavailable("no".into()));
    world.say(session, &[ended(&json!(1), "s")]);
    assert_eq!(world.restarts, ["the store cannot take this now: no"]);
    assert!(world.heard(session).is_empty());
    world.restart();
    assert_eq!(world.records(run), ["started", "activated"]);
}

/// §4.9: a run whose stored journal is damaged is told as such, holds up nobody, and is not read
/// again and again.
#[test]
fn a_damaged_run_holds_up_nobody() {
    let quarantined = |run| Err(Error::Quarantined { run, why: "crc".into() });
    for damage in ["garbage", "quarantined", "missing"] {
        let mut world = registered();
        let (bad, good) = (world.start(start("flow")), world.start(start("flow")));
        world.damaged.insert(
            bad,
            match damage {
                "garbage" => Ok(Some(b"{\"started\":".to_vec())),
                "quarantined" => quarantined(bad),
                _ => Ok(None),
            },
        );
        let session = world.connect(&who(1));
        let given = world.heard_of(session, "activate");
        assert_eq!((given.len(), &given[0]["run"]), (1, &json!(good.to_string())), "{damage}");
        let (cancel, wait) = (world.ask_cancel(bad), world.ask_wait(bad));
        let code = if damage == "missing" { Code::UnknownRun } else { Code::Quarantined };
        for request in [cancel, wait] {
            let error = world.error(request);
            assert_eq!(error.code, code, "{}", error.detail);
        }
        world.say(session, &[finished(&given[0]["a"])]);
        world.assert_at_rest();
        assert!(world.load_count < 10, "{damage}: {} reads", world.load_count);
    }
}

/// §4.1: a journal that is found damaged while its run is in memory is not given to a runner as if
/// it were empty.
#[test]
fn a_damaged_journal_is_not_given_out() {
    let mut world = registered();
    let run = world.start(start("flow"));
    let short = world.journal(run)[..10].to_vec();
    world.hold_commits = true;
    world.hold_loads = true;
    let session = world.connect(&who(1));
    // Read once whole, for the cancel's sake; then its commit is awaited, and it is read again.
    let wait = world.ask_wait(run);
    world.release();
    assert_eq!(world.heard_of(session, "activate").len(), 1);
    world.disconnect(session);
    world.damaged.insert(run, Ok(Some(short)));
    let mut back = who(1);
    back.resume = vec![json!({ "run": run.to_string(), "epoch": 1, "nonce": 0, "told": 0 })];
    let session = world.connect(&back);
    assert_eq!(world.heard_of(session, "gone").len(), 1);
    assert!(world.heard_of(session, "resumed").is_empty() && world.reply(wait).is_none());
}

/// Numbers at the ends of their range are taken or refused, and break nothing.
#[test]
fn extreme_numbers_break_nothing() {
    let mut world = World::new();
    let mut rich = who(100_000);
    rich.credit = u64::MAX;
    let session = world.connect(&rich);
    let run = world.start(StartRequest { timeout: Some(Duration::MAX), ..start("flow") });
    let open =
        |kind: &str| json!({ "kind": kind, "after": u32::MAX, "agoUs": u64::MAX, "input": null });
    let policy = json!({
        "maxAttempts": u32::MAX, "backoffMs": u64::MAX, "factorMilli": u32::MAX,
        "maxBackoffMs": u64::MAX, "jitter": true,
    });
    let mut failing = json!({
        "a": 1, "step": "s", "n": 1, "startedAgoUs": u64::MAX, "endedAgoUs": u64::MAX,
        "error": { "name": "E", "message": "" }, "retry": policy,
        "open": open("run"),
    });
    world.say(session, &[json!({ "ended": failing })]);
    assert_eq!(world.heard_of(session, "retry").len(), 1);
    failing["n"] = json!(2);
    failing["retryInMs"] = json!(u64::MAX);
    failing["totalTimeoutMs"] = json!(u64::MAX);
    let sleep = |step: &str, until: i64| json!({ "sleep": { "a": 1, "step": step, "untilUs": until, "open": open("sleepUntil") } });
    world.say(session, &[
        json!({ "credit": { "bytes": u64::MAX } }),
        json!({ "ping": { "k": u64::MAX } }),
        json!({ "ended": failing }),
        sleep("never", i64::MAX),
        sleep("long ago", i64::MIN),
        json!({ "sleep": { "a": 1, "step": "for", "forUs": u64::MAX, "open": open("sleep") } }),
        json!({ "log": { "a": 1, "lines": [{ "agoUs": u64::MAX, "level": "info", "message": "" }] } }),
        json!({ "idle": { "a": u32::MAX } }),
    ]);
    assert_eq!(world.closed(session), None);
    world.pass_ms(5_000);
    world.say(session, &[released(&json!(1), u32::MAX)]);
    assert_eq!(world.status(run), "waiting");
    let journal = world.journal(run);
    let view = stepwell_core::view::View::of(run, &journal).unwrap();
    assert_eq!(view.steps.len(), 4);
    serde_json::to_string(&view).unwrap();
    assert_eq!(world.cancel(run), "cancelled");
    world.assert_at_rest();
}

/// §4.8: a run is deleted between the look for its key and the read of its journal: the key is free, so the
/// start begins a run.
#[test]
fn a_key_whose_run_is_deleted_meanwhile_starts_another() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let first = world.start(keyed("k", "[1]"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[finished(&a)]);
    world.hold_loads = true;
    let request = world.ask_start(keyed("k", "[2]"));
    assert_eq!(world.loads, [first]);
    assert_eq!(world.store.delete("default", first), Ok(Deletion::Done));
    world.release();
    let (second, created) = world.started(request);
    assert!(created && second != first);
    assert_eq!(world.records(second)[0], "started");
}

/// A run is deleted while somebody asks for its end: it is not there, and not damaged.
#[test]
fn a_wait_for_a_run_that_is_deleted_meanwhile_finds_none() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[finished(&a)]);
    world.hold_loads = true;
    let waits = [world.ask_wait(run), world.ask_wait(run)];
    assert_eq!(world.store.delete("default", run), Ok(Deletion::Done));
    world.release();
    for wait in waits {
        assert_eq!(world.error(wait).code, Code::UnknownRun);
    }
    world.assert_at_rest();
}
