//! One step after another: results, errors, retries, timeouts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use stepwell::{App, Ctx, Error, ErrorKind, Result, Retry};

use crate::world::World;

async fn two(ctx: Ctx, cents: u32) -> Result<u32> {
    let first = ctx.run("first", || async { Ok(cents + 1) }).await?;
    let second = ctx.run("second", || async { Ok(first * 2) }).await?;
    Ok(second)
}

/// §4.1: the code goes on with a result only once the node has it, and §5.1: in the order of the code.
#[test]
fn a_result_reaches_the_code_once_it_is_durable() {
    let mut world = World::new(App::new("shop").workflow("w", two));
    world.activate(json!({ "input": 20 }));
    assert_eq!(world.told(), ["ended first#1 21"]);
    world.advance_ms(500);
    assert_eq!(world.told(), [""; 0]);
    world.settled("first");
    assert_eq!(world.told(), ["ended second#1 42"]);
    world.settled("second");
    assert_eq!(world.told(), ["finished 42"]);
    assert_eq!((world.alive(), world.session.held()), (0, 1));
    world.send(json!({ "done": { "a": 1 } }));
    assert_eq!(world.session.held(), 0);
}

/// §4.3, §3.3: a quick step costs one message, which opens it and says what it followed.
#[test]
fn the_first_message_of_a_step_opens_it() {
    let mut world = World::new(App::new("shop").workflow("w", two));
    world.activate(json!({ "input": 1 }));
    let first = world.take().remove(0);
    assert_eq!(first["ended"]["open"], json!({ "kind": "run", "after": 0, "agoUs": 0 }));
    world.settled("first");
    let second = world.take().remove(0);
    assert_eq!(second["ended"]["open"]["after"], 1);
}

/// §6.1, §6.2: a failed attempt is told; the next one begins when the node said, by the runner's clock.
#[test]
fn a_failed_attempt_is_followed_by_another() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let workflow = move |ctx: Ctx| {
        let calls = counted.clone();
        async move {
            let text = ctx
                .run("pay", || async {
                    let n = calls.fetch_add(1, Ordering::SeqCst);
                    if n == 0 {
                        Err("declined".parse::<u32>().unwrap_err().into())
                    } else {
                        Ok("paid")
                    }
                    .map(str::to_owned)
                })
                .retry(Retry::constant(3, "2s"))
                .await?;
            Ok(text)
        }
    };
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let ended = world.take().remove(0)["ended"].clone();
    assert_eq!(ended["error"]["name"], "ParseIntError");
    assert_eq!(ended["retry"]["maxAttempts"], 3);
    world.send(json!({ "retry": { "a": 1, "step": "pay", "n": 2, "inUs": 900_000 } }));
    assert_eq!(world.told(), ["idle"]);
    world.advance_ms(899);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    world.advance_ms(1);
    assert_eq!(world.told(), ["busy", "ended pay#2 \"paid\""]);
    world.settled("pay");
    assert_eq!(world.told(), ["finished \"paid\""]);
}

/// §6.3: after the last attempt the step throws `StepError`, which code may catch.
#[test]
fn a_failed_step_throws_and_can_be_caught() {
    async fn workflow(ctx: Ctx) -> Result<String> {
        let step = ctx.run::<_, _, ()>("pay", || async { Err(Error::terminal("no funds")) });
        let error = step.await.unwrap_err();
        assert_eq!((error.kind(), error.name()), (ErrorKind::Step, "StepError"));
        assert_eq!((error.step_id(), error.attempts()), (Some("pay"), Some(1)));
        assert_eq!(error.cause().unwrap().name, "NonRetryableError");
        Ok(error.to_string())
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let ended = world.take().remove(0);
    assert_eq!(ended["ended"]["terminal"], true);
    let error = ended["ended"]["error"].clone();
    world.settled_as("pay", json!({ "status": "failed", "error": error }));
    assert_eq!(world.told(), ["finished \"step `pay` failed after 1 attempt: no funds\""]);
}

/// §6.2: `RetryAfterError` says when to try again.
#[test]
fn code_sets_the_next_attempt() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        ctx.run("pay", || async { Err(Error::retry_after("90s").because("busy")) }).await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let ended = world.take().remove(0)["ended"].clone();
    assert_eq!((&ended["retryInMs"], &ended["error"]["message"]), (&json!(90_000), &json!("busy")));
    assert_eq!(ended["error"]["name"], "RetryAfterError");
    assert!(ended.get("terminal").is_none());
}

/// A panic of a function is an attempt's error, one of the handler the run's; neither ends the runner.
#[test]
fn panics_are_errors() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        let pay = ctx.run::<_, _, ()>("pay", || async { panic!("no {}", "luck") });
        let caught = pay.await.unwrap_err();
        panic!("caught: {caught}");
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let ended = world.take().remove(0);
    assert_eq!(ended["ended"]["error"]["message"], "panicked: no luck");
    world.settled_as("pay", json!({ "status": "failed", "error": ended["ended"]["error"] }));
    let told = world.told();
    assert_eq!(
        told,
        ["finished ! panicked: caught: step `pay` failed after 1 attempt: panicked: no luck"]
    );
}
