//! Runs that are paused while this runner holds them (§9.6).

use serde_json::json;
use stepwell::{App, Ctx, Result};

use crate::world::World;

async fn two(ctx: Ctx) -> Result<()> {
    ctx.run("a", || async { Ok(1) }).await?;
    ctx.run("b", || async { Ok(2) }).await?;
    Ok(())
}

/// §9.6: the end of a step that was in flight is recorded and not given to the code, so that nothing
/// begins; both go on after the resume.
#[test]
fn nothing_begins_in_a_pause() {
    let mut world = World::new(App::new("shop").workflow("w", two));
    world.activate(json!({}));
    assert_eq!(world.told(), ["ended a#1 1"]);
    world.send(json!({ "pause": { "a": 1 } }));
    world.settled("a");
    assert_eq!(world.told(), ["idle"]);
    world.advance_ms(500);
    assert_eq!(world.told(), [""; 0]);
    world.send(json!({ "unpause": { "a": 1 } }));
    // The node took a slot for it as it told this.
    assert_eq!(world.told(), ["ended b#1 2"]);
    world.settled("b");
    assert!(world.told()[0].starts_with("finished"));
}

/// §9.6: a function whose backoff ends in a pause is held back; a paused run is given back after a
/// while, and says that it has something to do.
#[test]
fn a_paused_run_is_given_back() {
    async fn fails(ctx: Ctx) -> Result<()> {
        let fails = || async { Err(stepwell::Error::new("declined")) };
        ctx.run::<_, _, ()>("pay", fails).await
    }
    let mut world = World::new(App::new("shop").workflow("w", fails));
    world.activate(json!({}));
    world.take();
    world.send(json!({ "pause": { "a": 1 } }));
    world.send(json!({ "retry": { "a": 1, "step": "pay", "n": 2, "inUs": 900_000 } }));
    assert_eq!(world.told(), ["idle"]);
    // The end of the backoff is the last that happened.
    world.advance_ms(1_899);
    assert_eq!(world.told(), [""; 0]);
    world.advance_ms(1);
    assert_eq!(world.take(), [json!({ "released": { "a": 1, "seen": 0, "ready": true } })]);
}

/// §9.6: what the node says of a run that it gives back stands, whatever was said before.
#[test]
fn a_pause_that_ended_meanwhile_is_over() {
    let mut world = World::new(App::new("shop").workflow("w", two));
    world.activate(json!({}));
    world.take();
    world.send(json!({ "pause": { "a": 1 } }));
    world.settled("a");
    world.take();
    world.disconnect();
    let hello = world.connect(&json!({}));
    let run = hello["resume"][0]["run"].clone();
    assert_eq!(hello["resume"][0]["idle"], true);
    world.send(json!({ "resumed": { "a": 7, "run": run } }));
    let told = world.take();
    assert_eq!(told[0], json!({ "busy": { "a": 7 } }), "{told:?}");
}
