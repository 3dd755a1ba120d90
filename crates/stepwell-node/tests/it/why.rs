//! Why runs are not moving: each cause is brought about, and the answers are kept as they read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stepwell_core::id::RunId;
use stepwell_core::operation::Operation;
use stepwell_core::view::View;
use stepwell_node::{
    Begin, Behind, Cause, SessionId, StartRequest, Why, awaited_child, held_back, why,
};

use crate::harness::{Who, World, failed, finished, idle, released, sleep, start, who};

/// What was asked and answered, by cause.
#[derive(Default)]
struct Answers(BTreeMap<Cause, String>);

impl Answers {
    fn ask(&mut self, world: &mut World, run: RunId) {
        self.ask_behind(world, run, Behind::default());
    }

    fn ask_behind(&mut self, world: &mut World, run: RunId, behind: Behind) {
        let journal = world.journal(run);
        let Ok(view) = View::of(run, &journal) else { panic!("{run} cannot be read") };
        let Why { cause, text } = why(&view, &world.runners(), behind);
        assert_eq!(self.0.insert(cause, text), None, "{cause} is asked for once");
    }
}

/// A handler that runs again, and a clean-up.
fn sagas(answers: &mut Answers, world: &mut World) {
    let mut saga = who(1);
    (saga.app, saga.instance) = ("sagas", "i9".into());
    let mut hello = saga.hello();
    hello["hello"]["workflows"] = serde_json::json!([
        {"name": "again", "retry": {"maxAttempts": 2, "jitter": false}},
        {"name": "sorry", "onFailure": true},
    ]);
    let session = world.open();
    world.say(session, &[hello]);
    for workflow in ["again", "sorry"] {
        let run = world.start(start(workflow));
        let a = world.heard_of(session, "activate")[0]["a"].clone();
        let error = serde_json::json!({"name": "Oops", "message": "no"});
        world.say(session, &[serde_json::json!({"finished": {"a": a, "error": error}})]);
        answers.ask(world, run);
    }
}

/// A run that waits for an event.
fn waits(answers: &mut Answers, world: &mut World, session: SessionId) {
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    let input = serde_json::json!({"event": "paid", "match": {"order": 7}});
    let open = serde_json::json!({"kind": "waitForEvent", "after": 0, "agoUs": 0, "input": input});
    let wait = serde_json::json!({"wait": {"a": a, "step": "w", "event": "paid", "match": {"order": 7},
        "forUs": 60_000_000, "open": open}});
    world.say(session, &[wait, released(&a, 0)]);
    answers.ask(world, run);
}

/// A run that waits for a child, which is pinned to a runner that is away.
fn has_child(answers: &mut Answers, who: &Who) {
    let mut world = World::new();
    let session = world.connect(who);
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate").pop().unwrap()["a"].clone();
    let input = serde_json::json!({"workflow": "other", "runner": "away"});
    let open = serde_json::json!({"kind": "invoke", "after": 0, "agoUs": 0, "input": input});
    let invoke = serde_json::json!({"invoke": {"a": a, "step": "ship", "open": open}});
    world.say(session, &[invoke, idle(&a), released(&a, 0)]);
    let journal = world.journal(run);
    let child = awaited_child(&View::of(run, &journal).unwrap()).unwrap();
    answers.ask(&mut world, run);
    let said = answers.0.get_mut(&Cause::Child).unwrap();
    *said = said.replace(&child.to_string(), "[run]");
}

/// §9.7: every cause is produced, and has its answer.
#[test]
fn every_cause_has_its_answer() {
    let mut answers = Answers::default();
    let mut world = World::new();
    let mut blue = who(1);
    blue.workflows = vec!["flow", "other"];
    let session = world.connect(&blue);

    let run = world.start(StartRequest { runner: Some("green".into()), ..start("flow") });
    answers.ask(&mut world, run);
    let delay = Begin::After(std::time::Duration::from_mins(10));
    let run = world.start(StartRequest { begin: delay, ..start("flow") });
    answers.ask(&mut world, run);

    let held = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    answers.ask(&mut world, held);
    let behind = world.start(start("flow"));
    answers.ask_behind(&mut world, behind, Behind { runs: 3, or_more: false });
    world.operate(behind, Operation::Pause).unwrap();
    answers.ask(&mut world, behind);
    world.cancel(held);
    answers.ask(&mut world, held);
    world.say(session, &[finished(&a)]);
    answers.ask(&mut world, held);

    for say in [sleep as fn(&_, &str, u64) -> _, |a, step, _| failed(a, step, 1)] {
        let run = world.start(start("flow"));
        let a = world.heard_of(session, "activate")[0]["a"].clone();
        world.say(session, &[say(&a, "nap", 60_000), idle(&a), released(&a, 0)]);
        answers.ask(&mut world, run);
    }
    waits(&mut answers, &mut world, session);
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    let cause = serde_json::json!({"kind": "orderChanged", "expected": "a", "found": "b"});
    world.say(session, &[serde_json::json!({"block": {"a": a, "cause": cause}}), released(&a, 0)]);
    answers.ask(&mut world, run);

    sagas(&mut answers, &mut world);
    world.say(session, &[serde_json::json!({"drain": {}})]);
    let run = world.start(start("other"));
    answers.ask(&mut world, run);
    world.disconnect(session);
    world.pass_ms(60_000);
    answers.ask(&mut world, run);
    let mut red = who(1);
    red.instance = "i2".into();
    world.connect(&red);
    answers.ask(&mut world, run);

    has_child(&mut answers, &blue);
    let mut text = String::new();
    for (cause, answer) in &answers.0 {
        writeln!(text, "{cause}: {answer}").unwrap();
    }
    insta::assert_snapshot!(text);
    let held = Why { cause: Cause::NoSlot, text: "all 4 slots of its runners are taken".into() };
    let held = held_back(held, "2026-11-22T02-00-00Z");
    assert_eq!(held.cause, Cause::Held);
    assert!(held.text.starts_with("dispatch is off: ") && held.text.ends_with("are taken"));
    let over = Why { cause: Cause::Ended, text: "it has ended: failed".into() };
    assert_eq!(held_back(over.clone(), "b"), over);
    let missing: Vec<_> =
        Cause::ALL.into_iter().filter(|one| !answers.0.contains_key(one)).collect();
    // A queued run that nothing is in the way of is given out at once, and a parked one waits for a step;
    // whether a store is held is nothing that its runs know.
    assert_eq!(missing, [Cause::Queued, Cause::Parked, Cause::Held]);
}
