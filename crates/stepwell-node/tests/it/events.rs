//! §8: events, what they wake and start, and what is remembered of them.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Value, json};
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_core::status::StepStatus;
use stepwell_core::view::View;
use stepwell_node::{Input, Reply, RequestId, SendRequest, Sent, SessionId};
use stepwell_store::Store;
use stepwell_store::event::{Did, EventId};

use crate::harness::{World, json, start, who};

fn event(name: &str, data: &str) -> SendRequest {
    SendRequest {
        namespace: "default".into(),
        id: None,
        event: name.into(),
        data: Some(json(data)),
        offer: None,
        app: None,
        workflow: None,
        run: None,
        key: None,
    }
}

fn with_id(id: &str, send: SendRequest) -> SendRequest {
    SendRequest { id: Some(id.into()), ..send }
}

impl World {
    fn ask_send(&mut self, send: SendRequest) -> RequestId {
        let request = RequestId(self.id());
        self.tell(Input::Send { request, send: Box::new(send) });
        self.settle();
        request
    }

    fn sent(&mut self, request: RequestId) -> Sent {
        match self.take_replies().remove(&request) {
            Some(Reply::Sent(sent)) => *sent,
            other => panic!("{other:?}"),
        }
    }

    fn send_event(&mut self, send: SendRequest) -> Sent {
        let request = self.ask_send(send);
        self.sent(request)
    }

    /// A run of `flow` that a runner holds; its handle there.
    fn held_run(&mut self, session: SessionId) -> (RunId, u64) {
        let run = self.start(start("flow"));
        let given = self.expect(session, "activate");
        (run, given["a"].as_u64().unwrap())
    }

    fn wait_step(&mut self, session: SessionId, a: u64, step: &str, more: &Value) {
        let mut wait = json!({
            "a": a, "step": step, "event": "paid",
            "open": { "kind": "waitForEvent", "after": 0, "agoUs": 0 },
        });
        wait.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.say(session, &[json!({ "wait": wait })]);
    }

    /// The runner gives the run back.
    fn park(&mut self, session: SessionId, a: u64) {
        self.say(session, &[json!({ "released": { "a": a, "seen": 0 } })]);
    }

    /// A run of `flow` that waits for `paid` in step `w`, and that nobody holds.
    fn parked_run(&mut self, session: SessionId, more: &Value) -> RunId {
        let (run, a) = self.held_run(session);
        self.wait_step(session, a, "w", more);
        self.park(session, a);
        run
    }

    /// Takes the next message of a name that a runner was sent.
    #[track_caller]
    fn expect(&mut self, session: SessionId, name: &str) -> Value {
        let mut heard = self.heard_of(session, name);
        assert!(!heard.is_empty(), "no `{name}` was sent");
        let first = heard.remove(0);
        self.put_back(session, name, heard);
        first
    }

    fn step_status(&self, run: RunId, step: &str) -> StepStatus {
        let journal = self.journal(run);
        let view = View::of(run, &journal).unwrap();
        view.steps.iter().find(|one| &*one.id == step).unwrap().status
    }

    fn did(&self, id: &str) -> Vec<Did> {
        let id = EventId { namespace: "default".into(), id: id.into() };
        assert!(self.store.event(&id).unwrap().unwrap().routed, "it is routed");
        self.store.did(&id, None, 1_000).unwrap()
    }
}

/// §8.2: an event reaches the waits whose match it contains, held or parked, and no others.
#[test]
fn an_event_wakes_the_waits_that_ask_for_it() {
    let mut world = World::new();
    let runner = world.connect(&who(4));
    let (held, a) = world.held_run(runner);
    world.wait_step(runner, a, "w", &json!({ "match": { "order": 7 } }));
    let parked = world.parked_run(runner, &json!({ "match": { "order": 7 } }));
    let other = world.parked_run(runner, &json!({ "match": { "order": 8 } }));
    let sent = world.send_event(event("paid", "{\"order\":7.0,\"by\":\"card\"}"));
    let settled = world.expect(runner, "settled");
    assert_eq!((settled["a"].as_u64(), &settled["output"]["by"]), (Some(a), &json!("card")));
    let given = world.expect(runner, "activate");
    assert_eq!(given["run"], json!(parked.to_string()));
    assert_eq!(given["ended"][0]["output"]["order"], json!(7.0));
    assert_eq!(world.status(other), "waiting");
    let step = Some("w".into());
    let mut did = vec![Did { run: held, step: step.clone() }, Did { run: parked, step }];
    did.sort();
    assert_eq!(world.did(&sent.id), did);
}

/// §8.4: a wait takes the oldest event from before it was parked that is left, by its bound.
#[test]
fn a_wait_looks_back() {
    let mut world = World::new();
    let runner = world.connect(&who(4));
    world.send_event(with_id("before", event("paid", "0")));
    let (run, a) = world.held_run(runner);
    world.send_event(with_id("first", event("paid", "1")));
    world.send_event(with_id("second", event("paid", "2")));
    for (step, output) in [("one", 1), ("two", 2)] {
        world.wait_step(runner, a, step, &json!({}));
        let settled = world.expect(runner, "settled");
        assert_eq!((&settled["step"], &settled["output"]), (&json!(step), &json!(output)));
    }
    world.wait_step(runner, a, "three", &json!({}));
    assert_eq!(world.step_status(run, "three"), StepStatus::Waiting);
    world.wait_step(runner, a, "four", &json!({ "since": "parked" }));
    world.send_event(event("paid", "3"));
    for _ in ["three", "four"] {
        assert_eq!(world.expect(runner, "settled")["output"], json!(3));
    }
    for step in ["three", "four"] {
        assert_eq!(world.step_status(run, step), StepStatus::Completed);
    }
}

/// §8.4: a run that goes on with another one looks back to the first one's start, past what that took.
#[test]
fn a_chain_looks_back_to_its_start() {
    let mut world = World::new();
    let runner = world.connect(&who(4));
    let (_, a) = world.held_run(runner);
    for data in ["1", "2"] {
        world.send_event(event("paid", data));
    }
    world.wait_step(runner, a, "one", &json!({}));
    assert_eq!(world.expect(runner, "settled")["output"], json!(1));
    world.say(runner, &[json!({ "finished": { "a": a, "continueAs": {} } })]);
    let b = world.expect(runner, "activate")["a"].as_u64().unwrap();
    world.wait_step(runner, b, "one", &json!({}));
    assert_eq!(world.expect(runner, "settled")["output"], json!(2));
}

/// §8.4: an event that comes while a wait is looked back for does not overtake an older one.
#[test]
fn what_a_look_back_finds_was_there_first() {
    for old in [true, false] {
        let mut world = World::new();
        let runner = world.connect(&who(4));
        let (run, a) = world.held_run(runner);
        // The look has more than one page to read.
        for _ in 0..100 {
            world.send_event(event("paid", "{\"order\":8}"));
        }
        if old {
            world.send_event(with_id("old", event("paid", "{\"order\":7}")));
        }
        world.hold_commits = true;
        world.wait_step(runner, a, "w", &json!({ "match": { "order": 7 } }));
        world.ask_send(with_id("new", event("paid", "{\"order\":7}")));
        world.release();
        let taken = if old { "old" } else { "new" };
        assert_eq!(world.did(taken), [Did { run, step: Some("w".into()) }]);
        assert_eq!(world.step_status(run, "w"), StepStatus::Completed);
    }
}

/// §8.4: no record is written for a look where the node knows that there is nothing.
#[test]
fn a_quiet_name_needs_no_look() {
    let mut world = World::new();
    world.pass_ms(1);
    let runner = world.connect(&who(4));
    let (run, a) = world.held_run(runner);
    world.wait_step(runner, a, "w", &json!({}));
    let journal = world.store.load(run).unwrap().unwrap();
    let text = String::from_utf8(journal).unwrap();
    assert!(text.contains("\"looked\":true}") || text.contains("\"looked\":true,"), "{text}");
    assert!(!text.contains("{\"looked\":{"), "{text}");
}

/// §8.4, §4.9: a node that crashed between the commit of a wait and its look looks again.
#[test]
fn a_look_is_made_up_for_after_a_crash() {
    let mut world = World::new();
    let runner = world.connect(&who(4));
    let (run, a) = world.held_run(runner);
    world.send_event(event("paid", "1"));
    world.hold_commits = true;
    world.wait_step(runner, a, "w", &json!({}));
    let batch = world.batches.pop_front().unwrap();
    world.store.commit(&batch).unwrap();
    world.restart();
    world.pass_ms(1);
    assert_eq!(world.step_status(run, "w"), StepStatus::Completed);
}

/// §8.1, §4.9: an event that was accepted and not routed is routed after a crash.
#[test]
fn an_event_is_routed_after_a_crash() {
    let mut world = World::new();
    let runner = world.connect(&who(4));
    let run = world.parked_run(runner, &json!({}));
    world.hold_commits = true;
    world.ask_send(with_id("e", event("paid", "1")));
    let batch = world.batches.pop_front().unwrap();
    assert!(world.take_replies().is_empty(), "it is not durable");
    world.store.commit(&batch).unwrap();
    world.restart();
    assert_eq!(world.step_status(run, "w"), StepStatus::Completed);
    assert_eq!(world.did("e"), [Did { run, step: Some("w".into()) }]);
}

/// §8.2, §4.8: an event for which there is one parked wait ends it in the commit that accepts it.
#[test]
fn an_event_for_one_wait_is_written_with_what_it_does() {
    let mut world = World::new();
    let runner = world.connect(&who(4));
    let run = world.parked_run(runner, &json!({ "match": { "order": 7 } }));
    world.hold_commits = true;
    let request = world.ask_send(with_id("e", event("paid", "{\"order\":7}")));
    let batch = world.batches.front().unwrap();
    assert_eq!((world.batches.len(), batch.grows), (1, true));
    let written: Vec<_> = batch.runs.iter().map(|write| write.run).collect();
    assert_eq!(written, [run]);
    assert!(world.heard_of(runner, "activate").is_empty(), "it is not durable");
    world.release();
    world.sent(request);
    world.expect(runner, "activate");
    assert_eq!(world.did("e"), [Did { run, step: Some("w".into()) }]);
}

/// §4.8, §4.9: where the store refuses such an event nothing happened, and the wait goes on.
#[test]
fn an_event_for_one_wait_that_is_refused_did_nothing() {
    let mut world = World::new();
    let runner = world.connect(&who(4));
    let run = world.parked_run(runner, &json!({}));
    let full = Some(stepwell_store::Error::DiskFull { free: 1, reserve: 2 });
    world.refuse_growth = full.clone();
    world.ask_send(event("paid", "1"));
    assert!(world.take_replies().is_empty());
    assert_eq!(world.restarts.len(), 1, "what is in memory did not happen");
    world.restart();
    assert_eq!(world.step_status(run, "w"), StepStatus::Waiting);
    world.refuse_growth = full;
    let request = world.ask_send(event("paid", "2"));
    let refused = world.take_replies().remove(&request);
    assert!(matches!(refused, Some(Reply::Error(error)) if error.code == Code::DiskFull));
    assert!(world.restarts.is_empty(), "it is asked again as any other event");
    world.refuse_growth = None;
    world.send_event(with_id("e", event("paid", "3")));
    assert_eq!(world.step_status(run, "w"), StepStatus::Completed);
    assert_eq!(world.did("e"), [Did { run, step: Some("w".into()) }]);
}

/// §8.6: a wait times out at its time and not before, after a last look.
#[test]
fn a_wait_times_out() {
    let mut world = World::new();
    let runner = world.connect(&who(4));
    let (run, a) = world.held_run(runner);
    let hour = json!({ "forUs": 3_600_000_000_u64, "onTimeout": { "value": 5 } });
    world.wait_step(runner, a, "w", &hour);
    world.park(runner, a);
    world.pass(Duration::from_secs(3_599));
    assert_eq!(world.step_status(run, "w"), StepStatus::Waiting);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.step_status(run, "w"), StepStatus::TimedOut);
}

/// §8.7: an id that was seen before does nothing more, also while the first is on its way.
#[test]
fn a_known_id_does_nothing_more() {
    let mut world = World::new();
    world.hold_commits = true;
    let first = world.ask_send(with_id("e", event("paid", "1")));
    let second = world.ask_send(with_id("e", event("paid", "2")));
    world.release();
    let mut replies = world.take_replies();
    let mut accepted = |request| match replies.remove(&request) {
        Some(Reply::Sent(sent)) => sent.accepted,
        other => panic!("{other:?}"),
    };
    assert_eq!((accepted(first), accepted(second)), (true, false));
    assert!(!world.send_event(with_id("e", event("other", "3"))).accepted);
}

/// §8.1: an event for one run wakes only that run's waits; for none it says why it does nothing.
#[test]
fn an_event_for_one_run_reaches_no_other() {
    let mut world = World::new();
    let runner = world.connect(&who(4));
    let (one, a) = world.held_run(runner);
    let (two, b) = world.held_run(runner);
    for a in [a, b] {
        world.wait_step(runner, a, "w", &json!({}));
    }
    let to = |run| SendRequest { run: Some(run), ..event("paid", "1") };
    assert_eq!(world.send_event(to(two)).delivered, Some(1));
    assert_eq!(world.step_status(one, "w"), StepStatus::Waiting);
    assert_eq!(world.step_status(two, "w"), StepStatus::Completed);
    let sent = world.send_event(to(RunId::from_u128(77)));
    assert_eq!(sent.delivered, Some(0));
    assert!(sent.reason.unwrap().contains("there is no run"));
    let keyed = SendRequest { key: Some("k".into()), ..event("paid", "1") };
    let sent = world.send_event(keyed);
    assert!(sent.reason.unwrap().contains("no run was started with the key `k`"));
    assert_eq!(world.step_status(one, "w"), StepStatus::Waiting);
}

/// §8.1: a key that started several runs is a conflict that lists them.
#[test]
fn a_key_of_several_runs_is_a_conflict() {
    let mut world = World::new();
    let mut both = who(4);
    both.workflows = vec!["flow", "other"];
    world.connect(&both);
    for workflow in ["flow", "other"] {
        let begun = stepwell_node::StartRequest { key: Some("k".into()), ..start(workflow) };
        world.start(begun);
    }
    let keyed = || SendRequest { key: Some("k".into()), ..event("paid", "1") };
    let request = world.ask_send(keyed());
    match world.take_replies().remove(&request) {
        Some(Reply::Error(error)) => {
            assert_eq!(error.code, Code::AmbiguousKey);
            assert!(error.detail.contains("shop/flow") && error.detail.contains("shop/other"));
        }
        other => panic!("{other:?}"),
    }
    let one = SendRequest { workflow: Some("other".into()), ..keyed() };
    assert_eq!(world.send_event(one).delivered, Some(0));
}

/// §8.1, §8.3: an event starts each workflow that triggers on it once, with its data as the input.
#[test]
fn an_event_starts_each_workflow_once() {
    let mut world = World::new();
    let mut hello = who(4).hello();
    hello["hello"]["workflows"] = json!([{ "name": "flow", "triggers": [
        { "event": "paid", "match": { "kind": "a" } }, { "event": "paid" },
    ] }]);
    let runner = world.open();
    world.say(runner, &[hello]);
    world.send_event(with_id("e", event("paid", "{\"kind\":\"a\"}")));
    let given = world.expect(runner, "activate");
    assert_eq!(given["input"], json!({ "kind": "a" }));
    assert_eq!(given["event"], json!({ "id": "e", "name": "paid" }));
    let run: RunId = given["run"].as_str().unwrap().parse().unwrap();
    assert_eq!(world.did("e"), [Did { run, step: None }]);
    world.send_event(with_id("e", event("paid", "{\"kind\":\"a\"}")));
    world.send_event(event("other", "1"));
    assert!(world.heard_of(runner, "activate").is_empty());
}

/// §4.6: an event that a run sends is written with its step, and wakes others.
#[test]
fn a_run_sends_an_event_once() {
    let mut world = World::new();
    let runner = world.connect(&who(4));
    let (_, a) = world.held_run(runner);
    world.wait_step(runner, a, "w", &json!({}));
    let (_, b) = world.held_run(runner);
    let emit = json!({ "emit": { "a": b, "step": "tell", "event": "paid", "data": 9,
        "open": { "kind": "emit", "after": 0, "agoUs": 0 } } });
    world.say(runner, &[emit.clone(), emit]);
    let mut settled = [world.expect(runner, "settled"), world.expect(runner, "settled")];
    settled.sort_by_key(|one| one["a"].as_u64());
    assert_eq!(settled[0]["output"], json!(9));
    let id = settled[1]["output"].as_str().unwrap().to_owned();
    assert_eq!(world.did(&id).len(), 1);
    assert!(world.heard_of(runner, "settled").is_empty());
}

/// §8.9: an event for thousands of waits is told in slices: other runs go on between them.
#[test]
fn a_herd_of_waits_holds_up_nobody() {
    let mut world = World::new();
    let runner = world.connect(&who(5_000));
    let mut runs = Vec::new();
    for _ in 0..1_000 {
        let (run, a) = world.held_run(runner);
        world.wait_step(runner, a, "w", &json!({}));
        world.park(runner, a);
        runs.push(run);
    }
    world.hold_loads = true;
    world.ask_send(event("paid", "1"));
    assert!(world.loads.len() <= 64, "{} runs are read at once", world.loads.len());
    world.release();
    for run in runs {
        assert_eq!(world.step_status(run, "w"), StepStatus::Completed);
    }
}

/// §8.9: events that come while a wait is looked back for hold up no event for another run.
#[test]
fn a_long_look_holds_up_no_event_for_others() {
    let mut world = World::new();
    let runner = world.connect(&who(8));
    let (run, a) = world.held_run(runner);
    world.send_event(event("paid", "{\"order\":8}"));
    world.looks = Some(VecDeque::new());
    world.wait_step(runner, a, "w", &json!({ "match": { "order": 7 } }));
    let (other, b) = world.held_run(runner);
    world.wait_step(runner, b, "w", &json!({ "match": { "order": 9 }, "since": "parked" }));
    for at in 0..200 {
        world.send_event(with_id(&format!("e{at:03}"), event("paid", "{\"order\":7}")));
    }
    world.send_event(event("paid", "{\"order\":9}"));
    assert_eq!(world.step_status(other, "w"), StepStatus::Completed);
    assert_eq!(world.step_status(run, "w"), StepStatus::Waiting);
    world.look();
    assert_eq!(world.did("e000"), [Did { run, step: Some("w".into()) }]);
}

/// §8.4, §4.9: an event that was routed while a wait was looked back for is found after a crash.
#[test]
fn a_crash_in_a_look_loses_no_event_that_came_meanwhile() {
    let mut world = World::new();
    let runner = world.connect(&who(8));
    let (run, a) = world.held_run(runner);
    world.send_event(event("paid", "{\"order\":8}"));
    world.looks = Some(VecDeque::new());
    world.wait_step(runner, a, "w", &json!({ "match": { "order": 7 } }));
    world.send_event(with_id("e", event("paid", "{\"order\":7}")));
    world.looks = None;
    world.restart();
    world.pass_ms(1);
    assert_eq!(world.step_status(run, "w"), StepStatus::Completed);
    assert_eq!(world.did("e"), [Did { run, step: Some("w".into()) }]);
}

/// §8.4, §8.8: many waits that are looked back for together read the events of a name together; each
/// finds the oldest one for it that was accepted since its bound.
#[test]
fn looks_read_the_events_of_a_name_together() {
    const RUNS: usize = 40;
    let mut world = World::new();
    let runner = world.connect(&who(1_000));
    let held: Vec<_> = (0..RUNS).map(|_| world.held_run(runner)).collect();
    for at in 0..1_000 {
        let order = if at < 900 { 1_000 } else { at % RUNS };
        world.send_event(with_id(
            &format!("e{at}"),
            event("paid", &format!("{{\"order\":{order}}}")),
        ));
    }
    world.looks = Some(VecDeque::new());
    for (order, (_, a)) in held.iter().enumerate() {
        // The last of them look for what did not come.
        let order = if order < RUNS - 2 { order } else { 5_000 + order };
        world.wait_step(runner, *a, "w", &json!({ "match": { "order": order } }));
    }
    world.look();
    for (order, (run, _)) in held.iter().enumerate().take(RUNS - 2) {
        assert_eq!(world.step_status(*run, "w"), StepStatus::Completed);
        let oldest = (900..1_000).find(|at| at % RUNS == order).unwrap();
        assert_eq!(world.did(&format!("e{oldest}")), [Did { run: *run, step: Some("w".into()) }]);
    }
    for (run, _) in &held[RUNS - 2..] {
        assert_eq!(world.step_status(*run, "w"), StepStatus::Waiting);
    }
    let each_alone = RUNS * 1_000;
    assert!(world.looked_at < each_alone / 8, "{} events were read", world.looked_at);
}
