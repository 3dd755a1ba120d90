//! What has one name everywhere: the context of a run, and errors.

use std::time::Duration;

use serde_json::{Value, json};
use stepwell::{App, Ctx, Error, Result, WorkflowOptions};

use crate::world::{World, ended};

fn told_by(ctx: &Ctx) -> Result<Vec<String>> {
    let metadata: Value = ctx.metadata()?;
    Ok([
        ctx.namespace(),
        ctx.app(),
        ctx.workflow(),
        &ctx.run_id().to_string(),
        ctx.runner(),
        ctx.version().unwrap_or_default(),
        ctx.started_version().unwrap_or_default(),
        &ctx.started_at().to_string(),
        ctx.key().unwrap_or_default(),
        &metadata.to_string(),
    ]
    .map(str::to_owned)
    .to_vec())
}

/// §2.3: the handler and a function are told the same of their run, live and on replay.
#[test]
fn the_context_is_the_same_in_handler_and_function() {
    async fn workflow(ctx: Ctx) -> Result<Vec<String>> {
        let inside = ctx.run("ask", || async { told_by(&ctx) }).await?;
        let outside = told_by(&ctx)?;
        assert_eq!(inside, outside);
        Ok(outside)
    }
    let app = || {
        let options = WorkflowOptions::new().version("3");
        App::new("shop").runner("green").workflow_with("w", workflow, options)
    };
    let of_run = json!({ "key": "k-1", "metadata": { "from": "mail" }, "startedVersion": "2" });
    let mut live = World::new(app());
    live.activate(of_run.clone());
    let output = live.take().remove(0)["ended"]["output"].clone();
    let run = "run_01930000000070008000000000000001";
    let at = "1970-01-01T00:00:01.000000Z";
    let metadata = r#"{"from":"mail"}"#;
    let wanted = json!(["default", "shop", "w", run, "green", "3", "2", at, "k-1", metadata]);
    assert_eq!(output, wanted);
    live.settled("ask");
    assert_eq!(live.take().remove(0)["finished"]["output"], wanted);

    let mut again = World::new(app());
    let mut replay = of_run;
    replay["ended"] = json!([ended("ask", "run", output)]);
    again.activate(replay);
    assert_eq!(again.take().remove(0)["finished"]["output"], wanted);
}

async fn failing(ctx: Ctx, how: String) -> Result<()> {
    match how.as_str() {
        "StepError" => ctx.run("failed", || async { Ok(()) }).await,
        "StepTimeoutError" => ctx.run("late", || async { Ok(()) }).await,
        "NonRetryableError" => Err(Error::terminal("no")),
        "RetryAfterError" => Err(Error::retry_after("1s")),
        "DuplicateStepIdError" => {
            let nap = || ctx.sleep("nap", Duration::from_secs(1));
            tokio::try_join!(nap(), nap()).map(drop)
        }
        "SerializationError" => ctx.run_input("a", f64::NAN, |_| async { Ok(()) }).await,
        "LimitError" => ctx.run_input("a", "x".repeat(99), |_| async { Ok(()) }).await,
        other => panic!("{other} is not known"),
    }
}

/// §6.7: an error that the handler does not catch ends the run under its name of the contract.
#[test]
fn errors_have_their_names_on_the_wire() {
    let names = [
        "StepError",
        "StepTimeoutError",
        "NonRetryableError",
        "RetryAfterError",
        "DuplicateStepIdError",
        "SerializationError",
        "LimitError",
    ];
    for name in names {
        let app = App::new("shop").workflow("w", failing);
        let mut world = World::with_welcome(app, &json!({ "payloadBytesMax": 90 }));
        let error = json!({ "name": "E", "message": "no" });
        let mut history = [ended("failed", "run", json!(0)), ended("late", "run", json!(0))];
        for (step, status) in history.iter_mut().zip(["failed", "timed_out"]) {
            (step["status"], step["error"]) = (json!(status), error.clone());
        }
        world.activate(json!({ "input": name, "ended": history }));
        world.advance_ms(2_000);
        let told = world.take();
        let finished = told.iter().find_map(|message| message.get("finished"));
        assert_eq!(finished.unwrap()["error"]["name"], name, "{told:?}");
    }
    let mut world = World::new(App::new("shop").workflow("w", failing));
    world.activate(json!({ "input": 7 }));
    assert_eq!(world.take().remove(0)["finished"]["error"]["name"], "InputError");
}
