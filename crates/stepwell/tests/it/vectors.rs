//! The vectors of `spec/replay.json`, run by the SDK itself.

use std::sync::Mutex;

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use stepwell::{App, Ctx, Data, Result, StepCtx};

use crate::world::World;

#[derive(Deserialize)]
struct Spec {
    cases: Vec<Case>,
}

/// What the SDK is given of a run, the handler, and what replay gives.
#[derive(Clone, Deserialize)]
struct Case {
    name: String,
    ended: Vec<Value>,
    open: Vec<Value>,
    code: Vec<Vec<String>>,
    delivered: Vec<String>,
    changed: Vec<Value>,
    calls: Vec<Value>,
}

impl Case {
    /// What makes a step: what the history says, and a function where it says nothing.
    fn kind(&self, step: &str) -> &str {
        let known = self.ended.iter().chain(&self.open).find(|one| one["step"] == *step);
        known.map_or("run", |one| one["kind"].as_str().unwrap())
    }

    /// The history in the protocol's words.
    fn activation(&self) -> Value {
        let ended = self.ended.iter().zip(1..).map(|(one, at)| {
            let mut one = one.clone();
            one["atUs"] = json!(5_000_000 + at);
            if one["status"] == "failed" {
                one["error"] = json!({ "name": "Oops", "message": "as recorded" });
            }
            one
        });
        let open = self.open.iter().map(|one| {
            let mut one = one.clone();
            if let Some(ms) = one.as_object_mut().unwrap().remove("dueInMs") {
                one["dueInUs"] = json!(ms.as_u64().unwrap() * 1_000);
            }
            one
        });
        json!({ "ended": ended.collect::<Vec<_>>(), "open": open.collect::<Vec<_>>() })
    }
}

/// A case, and what the handler saw.
struct Seen {
    case: Case,
    delivered: Mutex<Vec<String>>,
    calls: Mutex<Vec<Value>>,
}

struct SeenBy(std::sync::Arc<Seen>);

impl Seen {
    async fn step(&self, ctx: &Ctx, id: &str) {
        let called = |step: StepCtx| {
            let call = json!({ "step": step.id(), "n": step.attempt });
            self.calls.lock().unwrap().push(call);
            std::future::pending::<Result<Option<u32>>>()
        };
        let end = match self.case.kind(id) {
            "run" => ctx.run_with(id, called).await.map(drop),
            "sleep" => ctx.sleep(id, "1h").await,
            "skip" => ctx.skip(id).await,
            other => panic!("{other}"),
        };
        let failed =
            self.case.ended.iter().any(|one| one["step"] == *id && one["status"] == "failed");
        assert_eq!(end.is_err(), failed, "{}: {id}", self.case.name);
        self.delivered.lock().unwrap().push(id.to_owned());
    }
}

async fn staged(ctx: Ctx, Data(seen): Data<SeenBy>) -> Result<()> {
    for stage in &seen.0.case.code {
        join_all(stage.iter().map(|id| seen.0.step(&ctx, id))).await;
    }
    Ok(())
}

/// §4.1, §4.2, §4.4, §5.4, §6.1: what a runner is given of a run, and what the SDK makes of it: ends
/// delivered, changed orders, functions called with their attempts.
#[test]
fn replay_vectors_hold() {
    let spec = include_str!("../../../../spec/replay.json");
    let spec: Spec = serde_json::from_str(spec).unwrap();
    assert!(spec.cases.len() >= 11);
    for case in spec.cases {
        let (delivered, calls) = (Mutex::default(), Mutex::default());
        let seen = std::sync::Arc::new(Seen { case: case.clone(), delivered, calls });
        let app = App::new("shop").data(SeenBy(seen.clone())).workflow("w", staged);
        let mut world = World::new(app);
        world.activate(case.activation());
        if !case.changed.is_empty() {
            // An end that is asked for waits for those before it for a while (§5.4).
            world.advance_ms(1_001);
        }
        let orders = world.take().into_iter().filter_map(|told| told.get("order").cloned());
        let orders =
            orders.map(|order| json!({ "expected": order["expected"], "found": order["found"] }));
        assert_eq!(orders.collect::<Vec<_>>(), case.changed, "{}", case.name);
        assert_eq!(*seen.delivered.lock().unwrap(), case.delivered, "{}", case.name);
        assert_eq!(*seen.calls.lock().unwrap(), case.calls, "{}", case.name);
    }
}
