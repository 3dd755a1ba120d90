//! Resolving steps, reruns and forks, and what runners are given then.

use serde_json::json;
use stepwell_core::code::Code;
use stepwell_core::id::RunId;
use stepwell_node::{ApiError, ForkAt, ForkRequest, Input, Known, Reply, ResolveRequest, Signed};

use crate::harness::{World, ended, finished, json as raw, released, start, who};

fn signed() -> Signed {
    Signed { by: Some("ann".into()), reason: Some("by hand".into()) }
}

impl World {
    fn resolve(&mut self, run: RunId, step: &str, known: Known) -> Result<String, ApiError> {
        let about = self.about(run);
        let request = about.request;
        let resolve = Box::new(ResolveRequest { step: step.into(), known });
        self.tell(Input::Resolve { about, resolve, signed: signed() });
        self.settle();
        match self.reply(request) {
            Some(Reply::Acted { status }) => Ok(status.to_string()),
            Some(Reply::Error(error)) => Err(error),
            other => panic!("no act: {other:?}"),
        }
    }

    fn fork(&mut self, run: RunId, fork: ForkRequest) -> Result<RunId, ApiError> {
        let about = self.about(run);
        let request = about.request;
        self.tell(Input::Fork { about, fork: Box::new(fork), signed: signed() });
        self.settle();
        match self.reply(request) {
            Some(Reply::Started { run, created: true }) => Ok(run),
            Some(Reply::Error(error)) => Err(error),
            other => panic!("no fork: {other:?}"),
        }
    }
}

fn from(step: &str) -> ForkRequest {
    ForkRequest { from: ForkAt::Step(step.into()), input: None, outputs: Vec::new() }
}

/// §4.5: the runner is told to begin once the start is durable; a lost start blocks the run until an
/// operator says what became of it, and the step is given out with that.
#[test]
fn a_lost_start_waits_for_an_operator() {
    let mut world = World::new();
    let session = world.connect(&who(1));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    let open = json!({"kind": "run", "after": 0, "agoUs": 0, "once": {}});
    let started = json!({"started": {"a": a, "step": "wire", "n": 1, "agoUs": 0, "open": open}});
    world.say(session, &[started]);
    assert_eq!(world.heard_of(session, "begin"), [json!({"a": a, "step": "wire", "n": 1})]);
    world.say(session, &[released(&a, 0)]);
    let given = world.heard_of(session, "activate")[0].clone();
    assert_eq!(given["open"][0]["once"], true);
    assert_eq!(given["open"][0]["unknown"], true);
    let a = given["a"].clone();
    let refused = world.resolve(run, "wire", Known::NotDone).unwrap_err();
    assert_eq!(refused.code, Code::ActRefused);
    world.say(
        session,
        &[json!({"verified": {"a": a, "step": "wire", "n": 1, "verdict": "unknown"}})],
    );
    assert_eq!(world.status(run), "blocked");
    assert_eq!(world.heard_of(session, "evict").len(), 1);
    world.say(session, &[released(&a, 0)]);
    let output = Known::Completed(Some(raw("{ \"id\": 7}")));
    world.resolve(run, "wire", output).unwrap();
    let given = world.heard_of(session, "activate")[0].clone();
    assert_eq!(given["ended"][0]["output"], json!({"id": 7}));
    world.say(session, &[finished(&given["a"])]);
    assert_eq!(world.status(run), "completed");
    world.assert_at_rest();
}

/// §9.8: the source of a fork that has not ended is ended with it, and its runner drops it; kept ends come
/// with the run that they are of.
#[test]
fn a_fork_ends_its_source() {
    let mut world = World::new();
    let session = world.connect(&who(2));
    let run = world.start(start("flow"));
    let a = world.heard_of(session, "activate")[0]["a"].clone();
    world.say(session, &[ended(&a, "one"), ended(&a, "two")]);
    let refused = world.fork(run, from("three")).unwrap_err();
    assert_eq!(refused.code, Code::ForkRefused);
    assert!(refused.detail.contains("`one`, `two`"), "{}", refused.detail);
    assert_eq!(world.status(run), "running");
    world.heard(session);
    let made = world.fork(run, ForkRequest { input: Some(raw("5")), ..from("two") }).unwrap();
    assert_eq!(world.status(run), "cancelled");
    assert_eq!(world.status(made), "running");
    let heard = world.heard(session);
    assert!(heard.iter().any(|one| one.get("evict").is_some()), "{heard:?}");
    let given = heard.iter().find_map(|one| one.get("activate")).unwrap();
    assert_eq!((&given["input"], &given["run"]), (&json!(5), &json!(made.to_string())));
    // The script gives every end the same place in the order: nothing was delivered before it.
    assert_eq!(given["ended"], json!(null));
    world.say(session, &[finished(&given["a"])]);
    world.assert_at_rest();
}

/// §9.5: a rerun leaves its source as it is.
#[test]
fn a_rerun_leaves_its_source() {
    let mut world = World::new();
    world.connect(&who(1));
    let run = world.start(start("flow"));
    let again = ForkRequest { from: ForkAt::Start, input: None, outputs: Vec::new() };
    let made = world.fork(run, again).unwrap();
    assert_eq!((world.status(run), world.status(made)), ("running".into(), "queued".into()));
    let refused =
        world.fork(RunId::new(stepwell_core::time::Timestamp::from_millis(1), 1), from("x"));
    assert_eq!(refused.unwrap_err().code, Code::UnknownRun);
}
