//! Replay: what was saved answers, what is drawn is the same, logs are shown once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;
use stepwell::{App, Ctx, ErrorKind, Result, Retry};

use crate::world::{CREATED_AT_US, World, ended};

/// §4.1: a saved result answers; its function is not called again.
#[test]
fn saved_results_answer_instead_of_functions() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let workflow = move |ctx: Ctx| {
        let calls = counted.clone();
        async move {
            let count = || async {
                calls.fetch_add(1, Ordering::SeqCst);
                Ok(7)
            };
            let a: u32 = ctx.run("a", count).await?;
            ctx.sleep("nap", "1h").await?;
            ctx.skip("b").reason("not today").await?;
            let c: u32 = ctx.run("c", count).await?;
            Ok(a + c)
        }
    };
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    let history = [
        ended("a", "run", json!(1)),
        ended("nap", "sleep", json!(null)),
        ended("b", "skip", json!(null)),
    ];
    world.activate(json!({ "ended": history }));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    let told = world.take().remove(0);
    assert_eq!((&told["ended"]["output"], &told["ended"]["open"]["after"]), (&json!(7), &json!(3)));
    world.settled("c");
    assert_eq!(world.told(), ["finished 8"]);
}

/// §6.3, §6.4: failures replay as what they were.
#[test]
fn failures_are_thrown_again() {
    async fn workflow(ctx: Ctx) -> Result<Vec<String>> {
        let nothing = || async { Ok(()) };
        let failed = ctx.run("failed", nothing).await.unwrap_err();
        let late = ctx.run("late", nothing).await.unwrap_err();
        assert_eq!((failed.kind(), failed.attempts()), (ErrorKind::Step, Some(4)));
        assert_eq!((late.kind(), late.name()), (ErrorKind::StepTimeout, "StepTimeoutError"));
        let cause = late.cause().unwrap();
        let behind = cause.cause.as_ref().map(|cause| cause.message.clone());
        Ok(vec![failed.to_string(), late.to_string(), behind.unwrap()])
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    let failed = json!({ "step": "failed", "kind": "run", "status": "failed", "atUs": 1,
        "attempts": 4, "error": { "name": "Declined", "message": "no" } });
    let late = json!({ "step": "late", "kind": "run", "status": "timed_out", "atUs": 1,
        "attempts": 1, "error": { "name": "E", "message": "slow",
            "cause": { "name": "F", "message": "net" } } });
    world.activate(json!({ "ended": [failed, late] }));
    let told = world.take().remove(0);
    assert_eq!(
        told["finished"]["output"],
        json!([
            "step `failed` failed after 4 attempts: no",
            "step `late` timed out after 1 attempt: slow",
            "net"
        ])
    );
}

async fn drawing(ctx: Ctx) -> Result<Vec<String>> {
    let mut drawn = vec![ctx.random().to_string(), ctx.uuid().to_string(), ctx.now().to_string()];
    // What a function draws is not drawn on replay, and must not shift what follows.
    let inner: f64 = ctx.run("a", || async { Ok(ctx.random()) }).await?;
    drawn.extend([inner.to_string(), ctx.random().to_string(), ctx.uuid().to_string()]);
    drawn.push(ctx.now().to_string());
    assert!((0.0..1.0).contains(&ctx.random()));
    Ok(drawn)
}

/// §2.3: time, numbers and UUIDs are the same on replay.
#[test]
fn what_the_handler_draws_is_the_same_on_replay() {
    let mut live = World::new(App::new("shop").workflow("w", drawing));
    live.activate(json!({}));
    let output = live.take().remove(0)["ended"]["output"].clone();
    live.settled_as("a", json!({ "atUs": 5_000_000 }));
    let first = live.told();
    let mut again = World::new(App::new("shop").workflow("w", drawing));
    again.activate(json!({ "ended": [ended("a", "run", output)] }));
    assert_eq!(again.told(), first);
    assert!(first[0].contains("1970-01-01T00:00:01.000000Z"), "{first:?}");
    assert!(first[0].contains("1970-01-01T00:00:05.000000Z"), "{first:?}");
    let mut other = World::new(App::new("shop").workflow("w", drawing));
    other.activate_run("run_01930000000070008000000000000002", 1, json!({}));
    assert_ne!(other.take().remove(0)["ended"]["output"], json!(null));
    assert_eq!(CREATED_AT_US, 1_000_000);
}

/// §2.3: what the handler logs is told once. §2.2: what a function logs is kept with its step.
#[test]
fn lines_of_the_handler_are_told_once() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        ctx.log().info("begin");
        ctx.run_with("a", |step| async move {
            step.log.warn("inside");
            Ok(())
        })
        .await?;
        ctx.log().info("middle");
        ctx.sleep("nap", "1h").await?;
        ctx.log().info("end");
        Ok(())
    }
    let app = || App::new("shop").workflow("w", workflow);
    let mut world = World::new(app());
    world.activate(json!({}));
    assert_eq!(world.told(), ["ended a#1 ()", "log : begin", "log a: inside"]);
    world.settled("a");
    assert_eq!(world.told(), ["sleep nap", "idle", "log : middle"]);
    let mut again = World::new(app());
    let history = [ended("a", "run", json!(null)), ended("nap", "sleep", json!(null))];
    again.activate(json!({ "ended": history }));
    assert_eq!(again.told(), ["log : end", "finished ()"]);
    // Between two ends, with the next step open in the journal: the code was there before.
    let mut open = World::new(app());
    let nap = json!({ "step": "nap", "kind": "sleep", "attempts": 0, "dueInUs": 1000 });
    open.activate(json!({ "ended": [ended("a", "run", json!(null))], "open": [nap] }));
    assert_eq!(open.told(), ["idle"]);
}

/// §6.1: a backoff of the journal goes on where it was, and the next attempt has the next number.
#[test]
fn a_backoff_goes_on() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        ctx.run("a", || async { Ok(1) }).await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    let open = json!({ "step": "a", "kind": "run", "attempts": 2, "dueInUs": 700_000 });
    world.activate(json!({ "open": [open] }));
    assert_eq!(world.told(), ["idle"]);
    world.advance_ms(699);
    assert_eq!(world.told(), [""; 0]);
    world.advance_ms(1);
    let told = world.take();
    assert_eq!(told[0], json!({ "busy": { "a": 1 } }));
    assert_eq!(told[1]["ended"]["n"], 3);
    assert!(told[1]["ended"].get("open").is_none());
}

/// §2.1: the total time counts from the first attempt, also over replays.
#[test]
fn the_total_time_counts_over_replays() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        ctx.run("a", std::future::pending).retry(Retry::attempts(9)).total_timeout("10s").await
    }
    let app = || App::new("shop").workflow("w", workflow);
    let open = |ago_us: u64| {
        json!({ "open": [{ "step": "a", "kind": "run", "attempts": 1, "dueInUs": 0,
            "firstStartedAgoUs": ago_us }] })
    };
    let mut world = World::new(app());
    world.activate(open(7_000_000));
    world.advance(Duration::from_millis(2_999));
    assert_eq!(world.told(), ["started a#2"]);
    world.advance_ms(1);
    let told = world.take().remove(0)["ended"].clone();
    assert_eq!((&told["timedOut"], &told["totalTimeoutMs"]), (&json!(true), &json!(10_000)));
    // Where no time is left the function does not begin.
    let mut world = World::new(app());
    world.activate(open(10_000_000));
    assert_eq!(world.told(), ["ended a#2 ! step `a` did not end within 10s"]);
}

/// Histories that do not fit one message come in parts; the code runs after the last one.
#[test]
fn a_history_in_parts_is_put_together() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        let a: u32 = ctx.run("a", || async { Ok(0) }).await?;
        let b: u32 = ctx.run("b", || async { Ok(0) }).await?;
        Ok(a * 10 + b)
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({ "more": true, "ended": [ended("a", "run", json!(1))] }));
    assert_eq!(world.told(), [""; 0]);
    let last = json!({ "a": 1, "ended": [ended("b", "run", json!(2))] });
    world.send(json!({ "history": last }));
    assert_eq!(world.told(), ["finished 12"]);
}

/// A run of 10,000 steps replays without one look at the run per step.
#[test]
fn a_long_history_replays_in_few_polls() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        let mut sum = 0;
        for n in 0..10_000 {
            sum += ctx.run(format!("s{n}"), || async { Ok(0) }).await?;
        }
        Ok(sum)
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    let history: Vec<_> = (0..10_000).map(|n| ended(&format!("s{n}"), "run", json!(1))).collect();
    world.activate(json!({ "ended": history }));
    assert_eq!(world.told(), ["finished 10000"]);
    assert!(world.polls <= 50, "{}", world.polls);
}

/// §2.2: however much a function logs, frames stay small and memory bounded.
#[test]
fn many_lines_travel_in_parts() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        ctx.run_with("a", |step| async move {
            for n in 0..12_000 {
                step.log.info(format!("{n} {}", "x".repeat(200)));
            }
            step.log.info("y".repeat(100_000));
            Ok(())
        })
        .await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let told = world.take();
    let logs: Vec<_> = told.iter().filter_map(|one| one.get("log")).collect();
    assert!(logs.iter().all(|log| log.to_string().len() < 100_000));
    let lines: Vec<_> = logs.iter().flat_map(|log| log["lines"].as_array().unwrap()).collect();
    assert_eq!(lines.len(), 10_001);
    assert!(lines[10_000]["message"].as_str().unwrap().contains("left out"));
}
