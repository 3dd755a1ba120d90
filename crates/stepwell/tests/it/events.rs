//! §8, §2.4: waits, events and triggers, as code sees them.

use std::time::Duration;

use serde_json::{Value, json};
use stepwell::test::Test;
use stepwell::{
    App, Ctx, ErrorKind, NamedWait, OnTimeout, Result, Since, StepStatus, WorkflowOptions,
};

const HOUR: Duration = Duration::from_hours(1);

async fn ship(ctx: Ctx, order: u64) -> Result<Option<Value>> {
    ctx.run("pack", || async { Ok(()) }).await?;
    ctx.wait_for_event("payment", "order.paid")
        .matching(json!({ "order": order }))
        .timeout("1h")
        .await
}

fn shop() -> Test {
    Test::new(App::new("shop").workflow("ship", ship)).unwrap()
}

/// §8.2, §3.4: a wait gives the data of the event that it asks for, and records what it asks for.
#[test]
fn a_wait_gives_the_data_of_its_event() {
    let mut test = shop();
    let run = test.start("ship", 7).unwrap();
    test.send("order.paid", json!({ "order": 8 })).unwrap();
    assert_eq!(run.step("payment").unwrap().status, StepStatus::Waiting);
    test.advance(HOUR / 2);
    test.send("order.paid", json!({ "order": 7, "cents": 5 })).unwrap();
    assert_eq!(run.output::<Value>().unwrap()["cents"], 5);
    let input: Value = run.step("payment").unwrap().input().unwrap();
    let expected = json!({ "event": "order.paid", "match": { "order": 7 }, "timeout": "1h" });
    assert_eq!(input, expected);
}

/// §8.6: without an event in time a wait gives nothing; an event that comes later changes nothing.
#[test]
fn a_wait_that_times_out_gives_nothing() {
    let mut test = shop();
    let run = test.start("ship", 7).unwrap();
    test.advance(HOUR);
    assert_eq!(run.output::<Option<Value>>().unwrap(), None);
    assert_eq!(run.step("payment").unwrap().status, StepStatus::TimedOut);
    test.send("order.paid", json!({ "order": 7 })).unwrap();
    assert_eq!(run.output::<Option<Value>>().unwrap(), None);
}

/// §8.6: a time-out can be an error that code catches, or a value.
#[test]
fn a_time_out_can_fail_or_give_a_value() {
    async fn flow(ctx: Ctx) -> Result<(bool, Option<u32>)> {
        let wait = |id: &str| ctx.wait_for_event::<u32>(id, "never").timeout("1m");
        let failed = wait("fails").on_timeout(OnTimeout::Fail).await;
        let value = wait("gives").on_timeout(OnTimeout::Value(json!(5))).await?;
        Ok((failed.is_err_and(|error| error.kind() == ErrorKind::EventTimeout), value))
    }
    let mut test = Test::new(App::new("shop").workflow("flow", flow)).unwrap();
    let run = test.start("flow", ()).unwrap();
    test.advance(HOUR);
    assert_eq!(run.output::<(bool, Option<u32>)>().unwrap(), (true, Some(5)));
}

/// §8.4: a wait looks back to the start of its run, unless it says otherwise, and takes each event
/// once.
#[test]
fn a_wait_looks_back() {
    async fn flow(ctx: Ctx) -> Result<Vec<Option<u32>>> {
        ctx.sleep("nap", "1m").await?;
        let wait = |id: &str| ctx.wait_for_event::<u32>(id, "tick").timeout("1m");
        let mut found = Vec::new();
        for id in ["one", "two", "three"] {
            found.push(wait(id).await?);
        }
        found.push(wait("parked").since(Since::Parked).await?);
        found.push(wait("back").since(Since::Back(HOUR)).await?);
        Ok(found)
    }
    let mut test = Test::new(App::new("shop").workflow("flow", flow)).unwrap();
    test.send("tick", 0).unwrap();
    let run = test.start("flow", ()).unwrap();
    test.send("tick", 1).unwrap();
    test.send("tick", 2).unwrap();
    test.advance(HOUR);
    let expected = vec![Some(1), Some(2), None, None, Some(0)];
    assert_eq!(run.output::<Vec<Option<u32>>>().unwrap(), expected);
}

/// §4.6, §2: an event that a run sends is sent once, whatever its process does, and wakes others.
#[test]
fn a_run_sends_an_event_once() {
    async fn pay(ctx: Ctx) -> Result<String> {
        let id = ctx.emit("tell", "order.paid").data(json!({ "order": 7 })).await?;
        ctx.run("after", || async { Ok(()) }).await?;
        Ok(id)
    }
    let app = App::new("shop").workflow("ship", ship).workflow("pay", pay);
    let mut test = Test::new(app).unwrap();
    let waits = test.start("ship", 7).unwrap();
    test.crash_after("tell");
    let sends = test.start("pay", ()).unwrap();
    assert!(sends.output::<String>().unwrap().starts_with("evt_"));
    assert_eq!(waits.output::<Value>().unwrap(), json!({ "order": 7 }));
    let again = test.start("ship", 7).unwrap();
    assert_eq!(again.step("payment").unwrap().status, StepStatus::Waiting);
}

/// §8.1, §8.3: an event starts the workflows that trigger on it, with its data as their input.
#[test]
fn an_event_starts_a_run() {
    async fn greet(ctx: Ctx, name: String) -> Result<String> {
        let (_, event) = ctx.event().unwrap();
        Ok(format!("{event}: {name}"))
    }
    let options = WorkflowOptions::new().trigger("user.new");
    let mut test = Test::new(App::new("shop").workflow_with("greet", greet, options)).unwrap();
    test.send("user.new", "ann").unwrap();
    test.send("user.gone", "bob").unwrap();
    let runs = test.runs();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].output::<String>().unwrap(), "user.new: ann");
}

/// §2.4: named waits are declared once, are named after themselves, and have a kind of their own.
#[test]
fn named_waits_are_named_after_themselves() {
    async fn book(ctx: Ctx, parcel: String) -> Result<u32> {
        let first = ctx.wait::<Value>("waitForScan").timeout("1h").await?;
        let second = ctx.wait::<Value>("waitForScan").timeout("1h").await?;
        Ok(u32::from(first.is_some()) + u32::from(second.is_some()) + u32::from(parcel == "p"))
    }
    let scan = NamedWait::new("waitForScan", "scan.done")
        .matching_with(|parcel, _| json!({ "parcel": parcel }));
    let mut test = Test::new(App::new("shop").wait(scan).workflow("book", book)).unwrap();
    let run = test.start("book", "p").unwrap();
    test.send("scan.done", json!({ "parcel": "q" })).unwrap();
    test.send("scan.done", json!({ "parcel": "p" })).unwrap();
    test.crash();
    test.send_to(&run, "scan.done", json!({ "parcel": "p" })).unwrap();
    assert_eq!(run.output::<u32>().unwrap(), 3);
}

/// §2.4: a wait that is not declared is an error that names those that are.
#[test]
fn a_wait_that_is_not_declared_is_refused() {
    async fn flow(ctx: Ctx) -> Result<()> {
        ctx.wait::<Value>("waitForScan").await.map(drop)
    }
    let declared = App::new("shop").wait(NamedWait::new("other", "e")).workflow("flow", flow);
    let mut test = Test::new(declared).unwrap();
    let error = test.start("flow", ()).unwrap().output::<()>().unwrap_err();
    assert!(format!("{error:?}").contains("it declares: other"), "{error:?}");
}

/// §5.6: a wait whose future the code drops is cancelled.
#[test]
fn a_dropped_wait_is_cancelled() {
    async fn flow(ctx: Ctx) -> Result<()> {
        tokio::select! {
            _ = ctx.wait_for_event::<Value>("wait", "never") => {}
            _ = ctx.sleep("nap", "1m") => {}
        }
        ctx.sleep("on", "1m").await
    }
    let mut test = Test::new(App::new("shop").workflow("flow", flow)).unwrap();
    let run = test.start("flow", ()).unwrap();
    test.advance(Duration::from_secs(90));
    assert_eq!(run.step("wait").unwrap().status, StepStatus::Cancelled);
}
