//! Branches: the order in which ends reach the code, steps that code drops.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use serde_json::json;
use stepwell::{App, Ctx, Result};

use crate::world::{RUN, World, ended};

/// A future that is no step: the test says when it is ready.
#[derive(Clone, Default)]
struct Gate(Arc<Mutex<(bool, Option<Waker>)>>);

impl Gate {
    fn open(&self) {
        let mut gate = self.0.lock().unwrap();
        gate.0 = true;
        if let Some(waker) = gate.1.take() {
            waker.wake();
        }
    }
}

impl Future for Gate {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut gate = self.0.lock().unwrap();
        gate.1 = Some(cx.waker().clone());
        if gate.0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

async fn race(ctx: Ctx) -> Result<String> {
    let fast = ctx.run("fast", || async { Ok("fast".to_owned()) });
    let slow = ctx.run("slow", || async { Ok("slow".to_owned()) });
    tokio::select! {
        biased;
        winner = fast => winner,
        winner = slow => winner,
    }
}

/// §5.2: branches are asked for together, in one go.
#[test]
fn branches_are_told_together() {
    async fn workflow(ctx: Ctx) -> Result<(u32, u32)> {
        tokio::try_join!(ctx.run("a", || async { Ok(1) }), async {
            ctx.sleep("nap", "1s").await?;
            ctx.run("b", || async { Ok(2) }).await
        },)
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    assert_eq!(world.told(), ["ended a#1 1", "sleep nap"]);
    world.settled("a");
    assert_eq!(world.told(), ["idle"]);
    world.settled("nap");
    assert_eq!(world.told(), ["ended b#1 2"]);
    world.settled("b");
    assert_eq!(world.told(), ["finished [1,2]"]);
}

/// §5.4: whoever the node says ended first wins, though the other is asked for first.
#[test]
fn the_recorded_order_decides_a_race() {
    let mut world = World::new(App::new("shop").workflow("w", race));
    world.activate(json!({}));
    assert_eq!(world.told(), ["ended fast#1 \"fast\"", "ended slow#1 \"slow\""]);
    world
        .try_send(&json!([
            { "settled": { "a": 1, "step": "slow", "atUs": 2_000_000 } },
            { "settled": { "a": 1, "step": "fast", "atUs": 2_000_001 } },
        ]))
        .unwrap();
    assert_eq!(world.told(), ["finished \"slow\""]);
}

/// §5.4: and wins again on replay.
#[test]
fn a_race_replays_to_the_same_winner() {
    let mut world = World::new(App::new("shop").workflow("w", race));
    let history = [ended("slow", "run", json!("slow")), ended("fast", "run", json!("fast"))];
    world.activate(json!({ "ended": history }));
    assert_eq!(world.told(), ["finished \"slow\""]);
}

/// §5.6: a step whose future is dropped is cancelled, and its later end is ignored.
#[test]
fn a_dropped_step_is_told() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        let quick = ctx.run("quick", || async { Ok(1) });
        tokio::select! {
            biased;
            one = quick => one?,
            slept = ctx.sleep("limit", "10s") => slept.map(|()| 0)?,
        };
        ctx.run("after", || async { Ok(2) }).await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    assert_eq!(world.told(), ["ended quick#1 1", "sleep limit"]);
    world.settled("quick");
    assert_eq!(world.told(), ["dropped limit", "ended after#1 2"]);
    world.settled_as("limit", json!({ "status": "cancelled" }));
    world.settled("after");
    assert_eq!(world.told(), ["finished 2"]);
}

/// §5.6: the end of a step that was dropped live is passed over on replay.
#[test]
fn the_end_of_a_dropped_step_is_passed_over_on_replay() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        tokio::select! {
            biased;
            one = ctx.run("quick", || async { Ok(1) }) => one?,
            slept = ctx.sleep("limit", "10s") => slept.map(|()| 0)?,
        };
        ctx.run("after", || async { Ok(2) }).await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    let mut limit = ended("limit", "sleep", json!(null));
    limit["status"] = json!("cancelled");
    let history = [ended("quick", "run", json!(1)), limit, ended("after", "run", json!(2))];
    world.activate(json!({ "ended": history }));
    assert_eq!(world.told(), ["finished 2"]);
}

/// §5.4: an end that the code does not ask for is waited for, then passed over, and that is told.
#[test]
fn a_changed_order_is_told_after_a_while() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        let b: u32 = ctx.run("b", || async { Ok(0) }).await?;
        let a: u32 = ctx.run("a", || async { Ok(0) }).await?;
        Ok(a * 10 + b)
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({ "ended": [ended("a", "run", json!(1)), ended("b", "run", json!(2))] }));
    assert_eq!(world.told(), [""; 0]);
    world.advance_ms(999);
    assert_eq!(world.told(), [""; 0]);
    world.advance_ms(1);
    assert_eq!(world.told(), ["order \"a\" \"b\"", "finished 12"]);
}

/// §5.4, §4.9: a changed order that was told on a connection that is gone is told again.
#[test]
fn a_changed_order_is_told_again_on_another_connection() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        let b: u32 = ctx.run("b", || async { Ok(0) }).await?;
        let a: u32 = ctx.run("a", || async { Ok(0) }).await?;
        ctx.skip("last").await?;
        Ok(a * 10 + b)
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    let history = json!([ended("a", "run", json!(1)), ended("b", "run", json!(2))]);
    world.activate(json!({ "ended": history }));
    world.advance_ms(1_000);
    assert_eq!(world.told(), ["order \"a\" \"b\"", "skip last"]);
    world.disconnect();
    world.connect(&json!({}));
    world.send(json!({ "resumed": { "a": 1, "run": RUN } }));
    assert_eq!(world.told(), ["skip last", "order \"a\" \"b\""]);
}

/// §5.2, §5.4: a branch that is found late, through a future that is no step, is still in order.
#[test]
fn a_branch_that_asks_late_keeps_the_order() {
    let gate = Gate::default();
    let inner = gate.clone();
    let workflow = move |ctx: Ctx| {
        let gate = inner.clone();
        async move {
            let order = Mutex::new(Vec::new());
            let late = async {
                gate.await;
                let end = ctx.run("late", || async { Ok(()) }).await;
                order.lock().unwrap().push("late");
                end
            };
            let soon = async {
                let end = ctx.run("soon", || async { Ok(()) }).await;
                order.lock().unwrap().push("soon");
                end
            };
            tokio::try_join!(soon, late)?;
            let order = order.lock().unwrap().clone();
            Ok(order)
        }
    };
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    let history = [ended("late", "run", json!(null)), ended("soon", "run", json!(null))];
    world.activate(json!({ "ended": history }));
    world.advance_ms(900);
    assert_eq!(world.told(), [""; 0]);
    gate.open();
    assert_eq!(world.told(), ["finished [\"late\",\"soon\"]"]);
}

/// §4.10: in a strict workflow a changed order blocks the run.
#[test]
fn a_changed_order_blocks_a_strict_workflow() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        ctx.run("b", || async { Ok(()) }).await
    }
    let options = stepwell::WorkflowOptions::new().strict();
    let mut world = World::new(App::new("shop").workflow_with("w", workflow, options));
    let history = [ended("a", "run", json!(1)), ended("b", "run", json!(null))];
    world.activate(json!({ "ended": history }));
    world.advance_ms(1_000);
    let told = world.told();
    assert_eq!(told, ["block {\"expected\":\"a\",\"found\":\"b\",\"kind\":\"orderChanged\"}"]);
    assert_eq!(world.alive(), 0);
    world.send(json!({ "evict": { "a": 1 } }));
    assert_eq!(world.session.held(), 0);
}

/// §4.10: another kind under a known id blocks the run, with what was expected and found.
#[test]
fn another_kind_under_an_id_blocks_the_run() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        ctx.sleep("a", "1s").await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({ "ended": [ended("a", "run", json!(1))] }));
    let told = world.take().remove(0);
    assert_eq!(
        told["block"]["cause"],
        json!({ "kind": "kindChanged", "step": "a", "expected": "run", "found": "sleep" })
    );
}

/// A thousand branches: each end costs one look at the run, and all are told in one frame.
#[test]
fn a_thousand_branches_are_asked_for_at_once() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        let branch = |n: u32| ctx.run(format!("s{n}"), move || async move { Ok(n) });
        let ends = futures_util::future::try_join_all((0..1_000).map(branch)).await?;
        Ok(ends.into_iter().sum())
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    assert_eq!(world.told().len(), 1_000);
    let polls = world.polls;
    let settled = |n: u32| json!({ "settled": { "a": 1, "step": format!("s{n}"), "atUs": 2 } });
    let frame: Vec<_> = (0..1_000).rev().map(settled).collect();
    world.try_send(&json!(frame)).unwrap();
    assert_eq!(world.told(), ["finished 499500"]);
    assert!(world.polls - polls <= 5, "{}", world.polls - polls);
}

/// §12: a frame has at most 256 KiB, or holds one message; what comes of many branches at once is cut.
#[test]
fn frames_are_bounded() {
    async fn workflow(ctx: Ctx, large: usize) -> Result<usize> {
        let ctx = &ctx;
        // Line ends and quotes take two bytes, which nothing but writing them tells.
        let id = |n: usize| format!("{}{n}", "\"".repeat(200));
        let steps = (0..500).map(|n| ctx.run(id(n), || async { Ok("\n".repeat(400)) }));
        let texts = futures_util::future::try_join_all(steps).await?;
        let one = ctx.run("large", || async { Ok("x".repeat(large)) }).await?;
        Ok(texts.len() + one.len())
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({ "input": 1_000_000 }));
    let told = world.take();
    assert_eq!(told.len(), 500);
    let (bytes, messages) = world.largest;
    assert!((128 << 10..=256 << 10).contains(&bytes) && messages > 1, "{bytes}, {messages}");
    for message in &told {
        world.settled(message["ended"]["step"].as_str().unwrap());
    }
    assert_eq!(world.take().len(), 1);
    let (bytes, messages) = world.largest;
    assert!((1_000_000..1_001_000).contains(&bytes) && messages == 1, "{bytes}, {messages}");
}
