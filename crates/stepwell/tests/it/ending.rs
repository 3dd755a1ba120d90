//! Rest, ends from outside, lost connections.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::json;
use stepwell::sim::Fault;
use stepwell::{App, Ctx, Result};

use crate::world::{RUN, World};

async fn napping(ctx: Ctx) -> Result<u32> {
    let a = ctx.run("a", || async { Ok(1) }).await?;
    ctx.sleep("nap", "1h").await?;
    Ok(a)
}

/// §5.2: a run that waits for the engine lingers, and is then given back.
#[test]
fn a_resting_run_is_given_back() {
    let mut world = World::new(App::new("shop").workflow("w", napping));
    world.activate(json!({}));
    world.settled("a");
    assert_eq!(world.told(), ["ended a#1 1", "sleep nap", "idle"]);
    world.advance_ms(999);
    assert_eq!((world.told(), world.alive()), (vec![], 1));
    world.advance_ms(1);
    assert_eq!((world.told(), world.alive()), (vec!["released 1".to_owned()], 0));
    assert_eq!(world.session.held(), 0);
    // What crossed with it is ignored.
    world.settled("nap");
    assert_eq!(world.told(), [""; 0]);
}

/// A run whose step's end is on its way to be saved does not rest.
#[test]
fn a_run_that_waits_for_an_answer_does_not_rest() {
    let mut world = World::new(App::new("shop").workflow("w", napping));
    world.activate(json!({}));
    world.advance_ms(5_000);
    assert_eq!((world.told(), world.alive()), (vec!["ended a#1 1".to_owned()], 1));
}

async fn in_flight(ctx: Ctx) -> Result<u32> {
    let work = ctx.run_with("work", |step| async move {
        step.signal.fired().await;
        Ok(5)
    });
    let (work, ()) = tokio::try_join!(work, ctx.sleep("nap", "1h"))?;
    ctx.run("more", || async { Ok(work) }).await
}

/// §7.2, §4.9: at the end of a run functions in flight get the signal, what they return is told, and
/// nothing more begins.
#[test]
fn functions_in_flight_are_awaited_when_the_run_ends() {
    let mut world = World::new(App::new("shop").workflow("w", in_flight));
    world.activate(json!({}));
    world.advance_ms(60);
    assert_eq!(world.told(), ["sleep nap", "started work#1"]);
    world.send(json!({ "end": { "a": 1, "status": "cancelled" } }));
    assert_eq!(world.told(), ["ended work#1 5", "finished ! the run is ending"]);
    assert_eq!(world.alive(), 0);
    world.send(json!({ "done": { "a": 1 } }));
    assert_eq!(world.session.held(), 0);
}

/// §7.2: a run without functions in flight ends at once; steps are not settled any more.
#[test]
fn a_waiting_run_ends_at_once() {
    let mut world = World::new(App::new("shop").workflow("w", napping));
    world.activate(json!({}));
    world.settled("a");
    world.told();
    world.send(json!({ "end": { "a": 1, "status": "timed_out" } }));
    let finished = world.take().remove(0);
    assert_eq!(finished["finished"]["error"]["name"], "CancelledError");
}

/// §4.7: a run that the node takes away is dropped; the node hears when another may hold it.
#[test]
fn an_evicted_run_is_dropped() {
    let cases = [
        (json!({ "evict": { "a": 1 } }), vec!["released 0".to_owned()]),
        (json!({ "gone": { "run": RUN, "epoch": 1 } }), vec![]),
    ];
    for (message, answer) in cases {
        let mut world = World::new(App::new("shop").workflow("w", in_flight));
        world.activate(json!({}));
        world.told();
        world.send(message);
        assert_eq!((world.told(), world.alive(), world.session.held()), (answer, 0, 0));
    }
}

/// §5.6: a handler that returns drops its steps; a blocking function gets the signal and is awaited.
#[test]
fn a_blocking_function_is_awaited_after_the_handler() {
    async fn workflow(ctx: Ctx) -> Result<&'static str> {
        let block = ctx.run_blocking("block", |step| {
            assert!(step.signal.is_fired());
            Ok(1)
        });
        tokio::select! {
            biased;
            _ = block => Ok("block"),
            _ = ctx.run("quick", || async { Ok(()) }) => Ok("quick"),
        }
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    assert_eq!(world.told(), ["ended quick#1 ()"]);
    world.settled("quick");
    assert_eq!(world.told(), ["dropped block"]);
    assert_eq!(world.run_blocking(), 1);
    assert_eq!(world.told(), ["finished \"quick\""]);
}

/// §7.2: one that does not return in time is not waited for any longer.
#[test]
fn a_blocking_function_is_not_awaited_for_ever() {
    async fn workflow(ctx: Ctx) -> Result<()> {
        tokio::select! {
            biased;
            _ = ctx.run_blocking("block", |_| Ok(1)) => Ok(()),
            _ = ctx.run("quick", || async { Ok(()) }) => Ok(()),
        }
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    world.settled("quick");
    world.told();
    world.advance_ms(29_999);
    assert_eq!(world.told(), ["started block#1"; 0]);
    world.advance_ms(1);
    assert_eq!(world.told(), ["finished ()"]);
}

/// §4.8, §4.9: after a lost connection what was not answered is told again, and runs go on without
/// replay.
#[test]
fn what_was_not_answered_is_told_again() {
    let mut world = World::new(App::new("shop").workflow("w", napping));
    world.activate(json!({}));
    assert_eq!(world.told(), ["ended a#1 1"]);
    world.disconnect();
    world.advance_ms(100);
    let hello = world.connect(&json!({}));
    let resume = json!([{ "run": RUN, "epoch": 1, "nonce": 7, "told": 0, "idle": false }]);
    assert_eq!(hello["resume"], resume);
    assert_eq!(world.told(), [""; 0]);
    world.send(json!({ "resumed": { "a": 1, "run": RUN } }));
    let again = world.take().remove(0);
    assert_eq!(again["ended"]["endedAgoUs"], 100_000);
    assert_eq!(again["ended"]["open"]["kind"], "run");
    world.settled("a");
    // The node had it already, and answers the repeat too.
    world.settled("a");
    assert_eq!(world.told(), ["sleep nap", "idle"]);
    world.disconnect();
    let hello = world.connect(&json!({}));
    assert_eq!(
        (&hello["resume"][0]["told"], &hello["resume"][0]["idle"]),
        (&json!(1), &json!(true))
    );
    world.send(json!({ "resumed": { "a": 1, "run": RUN } }));
    assert_eq!(world.told(), ["sleep nap"]);
    world.settled("nap");
    assert_eq!(world.told(), ["finished 1"]);
    world.disconnect();
    world.connect(&json!({}));
    world.send(json!({ "resumed": { "a": 1, "run": RUN } }));
    assert_eq!(world.told(), ["finished 1"]);
}

/// §4.9, §5.5: a race that was won on a connection that is gone is opened again before its end is told.
#[test]
fn a_race_that_was_not_answered_is_told_again() {
    async fn racing(ctx: Ctx) -> Result<u32> {
        let won = ctx.race("quote").branch("quick", |_| async { Ok(1) }).await?;
        Ok(won.value)
    }
    let mut world = World::new(App::new("shop").workflow("w", racing));
    world.activate(json!({}));
    assert_eq!(world.told(), ["race quote", "raced quote"]);
    world.disconnect();
    world.connect(&json!({}));
    world.send(json!({ "resumed": { "a": 1, "run": RUN } }));
    assert_eq!(world.told(), ["race quote", "raced quote"]);
    world.settled("quote");
    assert_eq!(world.told(), ["finished 1"]);
}

/// What happens while there is no connection is told on the next one.
#[test]
fn functions_go_on_without_a_connection() {
    let mut world = World::new(App::new("shop").workflow("w", in_flight));
    world.activate(json!({}));
    assert_eq!(world.told(), ["sleep nap"]);
    world.disconnect();
    world.advance_ms(60);
    world.connect(&json!({}));
    world.send(json!({ "resumed": { "a": 1, "run": RUN } }));
    assert_eq!(world.told(), ["started work#1", "sleep nap"]);
}

/// §4.7: no function starts once the grant has lapsed, counted from when the ping was sent.
#[test]
fn no_function_starts_after_the_grant() {
    let calls = Arc::new(AtomicU32::new(0));
    let counted = calls.clone();
    let workflow = move |ctx: Ctx| {
        let calls = counted.clone();
        async move {
            ctx.run("a", || async {
                calls.fetch_add(1, Ordering::SeqCst);
                Ok(())
            })
            .await
        }
    };
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.advance_ms(2_500);
    world.pongs = false;
    // The last answered ping was sent at 2,000 ms, so the grant lapses at 12,000 ms.
    world.hold_ms(9_500);
    world.activate(json!({}));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    world.pongs = true;
    world.advance_ms(0);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// A node that says nothing for longer than a grant is given up.
#[test]
fn a_silent_node_is_given_up() {
    let mut world = World::new(App::new("shop").workflow("w", napping));
    world.pongs = false;
    world.advance_ms(9_999);
    assert_eq!(world.session.check(world.now()), Ok(()));
    world.advance_ms(1);
    assert_eq!(world.session.check(world.now()), Err(Fault::Silent));
}

/// A graceful stop: what is in progress ends and is saved, the run goes on elsewhere.
#[test]
fn a_drained_runner_gives_its_runs_back() {
    async fn workflow(ctx: Ctx) -> Result<u32> {
        let a = ctx
            .run_with("a", |step| async move {
                step.signal.fired().await;
                Ok(1)
            })
            .timeout("5s")
            .await?;
        ctx.run("b", || async { Ok(a) }).await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    world.session.drain();
    assert_eq!(world.told(), ["drain"]);
    world.advance_ms(5_000);
    let told = world.told();
    assert_eq!(told, ["started a#1", "ended a#1 ! step `a` did not end within 5s"]);
    world.send(json!({ "retry": { "a": 1, "step": "a", "n": 2, "inUs": 1_000_000 } }));
    assert_eq!((world.told(), world.session.held()), (vec!["released 0".to_owned()], 0));
}

/// §4.1: while a runner stops, an end that is saved is not given to the code: the run goes on elsewhere.
#[test]
fn a_drained_runner_does_not_go_on() {
    let mut world = World::new(App::new("shop").workflow("w", napping));
    world.activate(json!({}));
    world.session.drain();
    world.told();
    world.settled("a");
    assert_eq!(world.told(), ["released 0"]);
}

/// Frames that are not understood, and refusals, end the connection with a reason.
#[test]
fn faults_of_the_node_are_told() {
    let mut world = World::new(App::new("shop").workflow("w", napping));
    assert!(
        matches!(world.try_send(&json!([{ "what": {} }])), Err(Fault::Protocol(why)) if why.contains("what"))
    );
    let mut world = World::new(App::new("shop").workflow("w", napping));
    let refused = |code| json!([{ "refused": { "code": code, "message": "update the SDK" } }]);
    for (code, last) in [("SW3002", true), ("SW3003", true), ("SW3001", false), ("SW1008", false)] {
        let fault = world.try_send(&refused(code)).unwrap_err();
        assert!(matches!(fault, Fault::Refused { is_final, .. } if is_final == last), "{code}");
    }
}

/// §5.6: a future that is kept pending holds its run.
#[test]
fn a_handler_that_waits_for_something_else_is_kept() {
    async fn workflow(_ctx: Ctx) -> Result<()> {
        pending().await
    }
    let mut world = World::new(App::new("shop").workflow("w", workflow));
    world.activate(json!({}));
    world.advance_ms(10_000);
    assert_eq!((world.told(), world.alive()), (vec![], 1));
}

/// A node that has sent much gets its credit back, whatever it sent.
#[test]
fn credit_is_given_back() {
    let mut world = World::new(App::new("shop").workflow("w", napping));
    let filler = "x".repeat(1_000_000);
    for _ in 0..4 {
        world.send(json!({ "settled": { "a": 9, "step": filler, "atUs": 1 } }));
    }
    assert_eq!(world.told(), [""; 0]);
    world.send(json!({ "settled": { "a": 9, "step": filler, "atUs": 1 } }));
    let credit = world.take().remove(0)["credit"]["bytes"].as_u64().unwrap();
    assert!((5_000_000..5_001_000).contains(&credit), "{credit}");
}
