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

/// §9.5: a backoff that an operator ends is over at once; what was said before or comes late does not
/// put the attempt off.
#[test]
fn a_backoff_is_cut_short() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        ctx.run::<_, _, ()>("pay", || async { Err(Error::new("declined")) }).await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    let retry = |us: u64| json!({ "retry": { "a": 1, "step": "pay", "n": 2, "inUs": us } });
    world.activate(json!({}));
    world.take();
    world.send(retry(60_000_000));
    assert_eq!(world.told(), ["idle"]);
    world.send(retry(90_000_000));
    world.advance_ms(10);
    assert_eq!(world.told(), [""; 0]);
    world.send(retry(0));
    assert_eq!(world.take()[0], json!({ "busy": { "a": 1 } }));
    // The attempt has begun and ended: nothing of it begins again.
    world.send(retry(0));
    world.advance_ms(10);
    assert_eq!(world.told(), [""; 0]);
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

/// §6.4: an attempt that runs out of time gets the signal, is dropped and told; its late result
/// changes nothing.
#[test]
fn an_attempt_runs_out_of_time() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        ctx.run_with("slow", |step| async move {
            if step.attempt == 1 { std::future::pending().await } else { Ok(step.attempt) }
        })
        .timeout("3s")
        .await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    world.advance_ms(49);
    assert_eq!(world.told(), [""; 0]);
    world.advance_ms(1);
    assert_eq!(world.told(), ["started slow#1"]);
    world.advance_ms(2_950);
    let ended = world.take().remove(0)["ended"].clone();
    assert_eq!(ended["error"]["name"], "StepTimeoutError");
    assert_eq!((&ended["timedOut"], &ended["n"]), (&json!(true), &json!(1)));
    world.send(json!({ "retry": { "a": 1, "step": "slow", "n": 2, "inUs": 0 } }));
    assert_eq!(world.told(), ["ended slow#2 2"]);
}

/// A run whose function ran out of time after 1 s and goes on, and whose next attempt is due in so many
/// milliseconds.
fn overstayed(due_in_ms: u64) -> World {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        ctx.run_blocking("slow", |step| Ok(step.attempt)).timeout("1s").await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    world.advance_ms(1_000);
    world.told();
    let due_in_us = due_in_ms * 1_000;
    world.send(json!({ "retry": { "a": 1, "step": "slow", "n": 2, "inUs": due_in_us } }));
    world
}

/// Ends the function that goes on, or lets 5 s pass since it ran out of time, 2 of which have passed.
fn end_or_wait(world: &mut World, ends: bool) {
    if ends {
        world.run_blocking();
    } else {
        world.advance_ms(2_999);
        assert_eq!(world.told(), [""; 0]);
        world.advance_ms(1);
    }
}

/// §6.4: a blocking function cannot be dropped: the next attempt waits for it, and the run stays with
/// its runner meanwhile.
#[test]
fn the_next_attempt_waits_for_a_blocking_function() {
    let mut world = overstayed(500);
    world.advance_ms(4_900);
    assert_eq!(world.told(), [""; 0]);
    world.run_blocking();
    assert_eq!(world.told(), [""; 0]);
    world.run_blocking();
    assert_eq!(world.told(), ["ended slow#2 2"]);
}

/// §6.4: a run whose next attempt has a while to go is given back once its function has ended, or after
/// 5 s.
#[test]
fn a_run_is_given_back_after_its_function() {
    for ends in [true, false] {
        let mut world = overstayed(60_000);
        world.advance_ms(2_000);
        assert_eq!(world.told(), [""; 0]);
        end_or_wait(&mut world, ends);
        assert_eq!(world.told(), ["idle"], "{ends}");
        world.advance_ms(1_000);
        assert_eq!(world.told(), ["released 0"], "{ends}");
    }
}

/// §6.4: a runner that stops does not give the run to another one while the function may go on.
#[test]
fn a_runner_that_stops_waits_for_a_blocking_function() {
    for ends in [true, false] {
        let mut world = overstayed(60_000);
        world.session.drain();
        world.advance_ms(2_000);
        assert_eq!(world.told(), ["drain"]);
        end_or_wait(&mut world, ends);
        assert_eq!(world.told(), ["released 0"], "{ends}");
    }
}

/// §6.4: overlapped attempts say so.
#[test]
fn an_overlapped_attempt_is_marked() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        let slow = ctx.run_blocking("slow", |step| Ok(step.attempt)).timeout("1s");
        let other = ctx.run("other", || async { std::future::pending::<Result<()>>().await });
        tokio::try_join!(slow, other).map(|(slow, ())| slow)
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    world.advance_ms(1_000);
    world.told();
    world.send(json!({ "retry": { "a": 1, "step": "slow", "n": 2, "inUs": 0 } }));
    world.advance_ms(4_999);
    assert_eq!(world.told(), [""; 0]);
    world.advance_ms(51);
    let started = world.take().remove(0);
    assert_eq!(
        (&started["started"]["n"], &started["started"]["overlapped"]),
        (&json!(2), &json!(true))
    );
}

/// §2.5: one id is one step.
#[test]
fn an_id_is_used_once() {
    async fn workflow(ctx: Ctx) -> Result<String> {
        ctx.run("a", || async { Ok(()) }).await?;
        let error = ctx.sleep("a", "1s").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.name()),
            (ErrorKind::DuplicateStepId, "DuplicateStepIdError")
        );
        Ok(error.to_string())
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    world.settled("a");
    let told = world.told();
    assert!(told[1].contains("`a` is used twice"), "{told:?}");
}

/// §2.5: ids are names.
#[test]
fn other_texts_are_no_ids() {
    async fn workflow(ctx: Ctx) -> Result<Vec<String>> {
        let mut errors = Vec::new();
        for id in ["", "a\nb", &"x".repeat(257)] {
            errors.push(ctx.run(id, || async { Ok(()) }).await.unwrap_err().to_string());
        }
        Ok(errors)
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let told = world.told();
    assert!(told.len() == 1 && told[0].contains("257 bytes"), "{told:?}");
}

/// §2.5: a step inside a step's function is an error that names both, and is not tried again.
#[test]
fn a_nested_step_is_refused() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        ctx.run("outer", || async { ctx.run("inner", || async { Ok(()) }).await }).await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let told = world.take();
    let ended = &told[0]["ended"];
    assert_eq!((ended["step"].as_str(), ended["terminal"].as_bool()), (Some("outer"), Some(true)));
    assert_eq!(ended["error"]["name"], "NestedStepError");
    let message = ended["error"]["message"].as_str().unwrap();
    assert!(message.contains("`inner`") && message.contains("`outer`"), "{message}");
}

/// §2.6: what is not JSON fails the step at once, with its place.
#[test]
fn a_result_that_is_not_json_fails_the_step() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        ctx.run("a", || async { Ok(vec![1.0, f64::NAN]) }).await?;
        Ok(())
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let ended = world.take().remove(0)["ended"].clone();
    assert_eq!(
        (&ended["error"]["name"], &ended["terminal"]),
        (&json!("SerializationError"), &json!(true))
    );
    assert!(ended["error"]["message"].as_str().unwrap().contains("`$[1]`"), "{ended}");
}

/// §12: limits of the node are met before the side effect.
#[test]
fn limits_are_met_before_the_side_effect() {
    async fn workflow(ctx: Ctx, which: String) -> Result<String> {
        let error = match which.as_str() {
            "payload" => ctx.run("big", || async { Ok("x".repeat(99)) }).await.map(drop),
            "input" => ctx.run_input("big", "x".repeat(99), |_| async { Ok(()) }).await,
            "steps" => {
                ctx.run("one", || async { Ok(()) }).await?;
                ctx.run("two", || async { Ok(()) }).await?;
                ctx.run("three", || async { Ok(()) }).await
            }
            _ => {
                let nap = |id| ctx.sleep(id, "1h");
                tokio::try_join!(nap("one"), nap("two")).map(drop)
            }
        };
        let error = error.unwrap_err();
        Ok(format!("{} {error}", error.name()))
    }
    let run = |which: &str, branches_max: u32| {
        let app = App::new("shop").workflow("w", workflow);
        let terms = json!({ "payloadBytesMax": 90, "stepsMax": 2, "branchesMax": branches_max });
        let mut world = World::with_welcome(app, &terms);
        world.activate(json!({ "input": which }));
        world
    };
    let mut world = run("payload", 10);
    let ended = world.take().remove(0)["ended"].clone();
    assert_eq!((&ended["error"]["name"], &ended["terminal"]), (&json!("LimitError"), &json!(true)));
    let mut world = run("input", 10);
    assert!(world.told()[0].contains("LimitError the input of step `big`"));
    let mut world = run("steps", 10);
    world.settled("one");
    world.settled("two");
    assert!(world.told()[2].contains("LimitError step `three` is one more than the 2"));
    let mut world = run("branches", 1);
    let told = world.told();
    assert_eq!(told[0], "sleep one");
    assert!(told.last().unwrap().contains("LimitError step `two`"), "{told:?}");
}

/// §12: a result of more than half of the limit is taken, and the step's log says so.
#[test]
fn a_result_that_comes_near_to_the_limit_is_told() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        // With its quotes: 45 bytes and 46.
        ctx.run("half", || async { Ok("x".repeat(43)) }).await?;
        ctx.run("more", || async { Ok("x".repeat(44)) }).await?;
        Ok(())
    }
    let app = App::new("shop").workflow("w", workflow);
    let terms = json!({ "payloadBytesMax": 90, "stepsMax": 9, "branchesMax": 9 });
    let mut world = World::with_welcome(app, &terms);
    world.activate(json!({}));
    world.settled("half");
    world.settled("more");
    let told = world.told().join("\n");
    assert!(!told.contains("log half"), "{told}");
    let warning = "log more: the result has 46 bytes, more than half of the limit of 90";
    assert!(told.contains(warning), "{told}");
}

/// §2.2: what a function can ask for.
#[test]
fn a_function_gets_its_context() {
    async fn workflow(ctx: Ctx) -> Result<(String, u32, u32)> {
        let key = ctx
            .run_with("ship", |step| async move {
                let to: String = step.input()?;
                assert!(!step.signal.is_fired());
                Ok(format!("{} {} {to} {}", step.id(), step.attempt, step.idempotency_key()))
            })
            .input("Rome")
            .metadata(json!({ "carrier": "x" }));
        let doubled = ctx.run_input("double", 21, |n: u32| async move { Ok(n * 2) });
        let blocked = ctx.run_blocking("block", |step| step.input::<u32>()).input(3);
        tokio::try_join!(key, doubled, blocked)
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    world.run_blocking();
    let told = world.take();
    let open = &told[0]["ended"]["open"];
    assert_eq!((&open["input"], &open["metadata"]), (&json!("Rome"), &json!({ "carrier": "x" })));
    let key = "ship 1 Rome run_01930000000070008000000000000001:ship";
    assert_eq!(told[0]["ended"]["output"], key);
    assert_eq!(told[1]["ended"]["output"], 42);
    assert_eq!(told[1]["ended"]["open"]["input"], 21);
    assert_eq!(told[2]["ended"]["output"], 3);
}

/// §11, §2: bad arguments are errors at the call, before anything is told.
#[test]
fn bad_arguments_are_errors_at_the_call() {
    async fn workflow(ctx: Ctx) -> Result<Vec<String>> {
        let nothing = || async { Ok(()) };
        let errors = [
            ctx.sleep("a", "5 parsecs").await.unwrap_err(),
            ctx.sleep_until("b", "tomorrow").await.unwrap_err(),
            ctx.run("c", nothing).timeout("5M").await.unwrap_err(),
            ctx.run("d", nothing).retry(Retry::attempts(0)).await.unwrap_err(),
            ctx.run("e", nothing).metadata(f64::NAN).await.unwrap_err(),
        ];
        Ok(errors.iter().map(|error| error.name().to_owned()).collect())
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let told = world.told();
    let names = "[\"ArgumentError\",\"ArgumentError\",\"ArgumentError\",\"ArgumentError\",\"SerializationError\"]";
    assert_eq!(told, [format!("finished {names}")]);
}

/// §9.1: an input that does not fit is the run's error, not a panic.
#[test]
fn an_input_that_does_not_fit_fails_the_run() {
    let mut world = World::new(App::new("shop").workflow("w", two));
    world.activate(json!({ "input": "many" }));
    let told = world.take().remove(0);
    assert_eq!(told["finished"]["error"]["name"], "InputError");
}

/// §2, §3.4: sleeps tell and record their duration or instant, skips their reason.
#[test]
fn steps_without_a_function_tell_what_they_are() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        let until = ctx.sleep_until("until", "1970-01-01T00:00:09Z");
        let skip = ctx.skip("skip").reason("not today").metadata("m");
        tokio::try_join!(ctx.sleep("for", "90 seconds"), until, skip).map(drop)
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let told = world.take();
    assert_eq!(told[0]["sleep"]["forUs"], 90_000_000);
    assert_eq!(told[0]["sleep"]["open"]["input"], json!({ "duration": "1m30s" }));
    let instant = json!({ "until": "1970-01-01T00:00:09.000000Z" });
    assert_eq!(told[1]["sleep"]["open"]["input"], instant);
    assert_eq!(told[1]["sleep"]["untilUs"], 9_000_000);
    assert_eq!(told[1]["sleep"]["open"]["kind"], "sleepUntil");
    assert_eq!(told[2]["skip"]["open"]["input"], json!({ "reason": "not today" }));
    world.settled("for");
    world.settled("until");
    world.settled_as("skip", json!({ "status": "skipped" }));
    assert_eq!(world.told(), ["finished ()"]);
}

/// §4.7: a function that holds its thread is still told of, since the session has a thread of its own.
#[test]
fn a_function_that_holds_its_thread_is_told_of() {
    let mut world = World::new(App::new("shop").workflow("w", two));
    let hold = world.clock();
    let workflow = move |ctx: Ctx| {
        let hold = hold.clone();
        async move {
            ctx.run("block", || async {
                hold(70);
                Ok(())
            })
            .await
        }
    };
    world = World::again(world, App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    let ended = world.take().remove(0)["ended"].clone();
    assert_eq!((&ended["startedAgoUs"], &ended["endedAgoUs"]), (&json!(70_000), &json!(0)));
}
