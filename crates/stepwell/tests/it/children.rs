//! Children and chains, as code sees them.

use std::time::Duration;

use serde_json::json;
use stepwell::test::{CrashAt, Test};
use stepwell::{App, Ctx, Error, ErrorKind, Result, RunStatus, StepStatus};

async fn ship(ctx: Ctx, order: u32) -> Result<String> {
    let parent = ctx.parent().map(|parent| parent.step.clone());
    ctx.sleep("pack", "1h").await?;
    if order == 0 {
        return Err(Error::terminal("no stock"));
    }
    Ok(format!("parcel {order} for {}", parent.unwrap_or_else(|| "nobody".into())))
}

async fn sell(ctx: Ctx, order: u32) -> Result<String> {
    let parcel: String = ctx.invoke("ship it", "ship").input(order).await?;
    ctx.run("thank", || async { Ok(format!("thanks; {parcel}")) }).await
}

fn shop() -> App {
    App::new("shop").workflow("ship", ship).workflow("sell", sell)
}

/// §9.2, §2.3: a child runs as its own run, knows its parent, and gives what it returned.
#[test]
fn a_child_gives_what_it_returned() {
    let mut test = Test::new(shop()).unwrap();
    let run = test.start("sell", 7).unwrap();
    let step = run.step("ship it").unwrap();
    assert_eq!(step.status, StepStatus::Waiting);
    assert_eq!(run.status().unwrap(), RunStatus::Running);
    let child = test.run(step.child.unwrap());
    test.advance(Duration::from_secs(5));
    assert_eq!(run.status().unwrap(), RunStatus::Waiting, "it holds no slot");
    assert_eq!(child.status().unwrap(), RunStatus::Waiting);
    test.advance(Duration::from_hours(1));
    assert_eq!(run.output::<String>().unwrap(), "thanks; parcel 7 for ship it");
    assert_eq!(child.output::<String>().unwrap(), "parcel 7 for ship it");
}

/// §9.3: what a child's end throws can be caught, with the run that it is about; uncaught it fails the
/// parent.
#[test]
fn a_childs_failure_is_thrown_in_its_parent() {
    async fn careful(ctx: Ctx) -> Result<String> {
        let error = ctx.invoke::<String>("ship it", "ship").input(0).await.unwrap_err();
        assert_eq!((error.kind(), error.step_id()), (ErrorKind::ChildFailed, Some("ship it")));
        assert_eq!(error.cause().unwrap().message, "no stock");
        assert!(error.run_id().is_some());
        let late = ctx.invoke::<String>("late", "ship").input(1).timeout("1m").await.unwrap_err();
        assert_eq!(late.kind(), ErrorKind::ChildTimeout);
        let gone = ctx.invoke::<String>("gone", "ship").input(1).await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::ChildCancelled);
        let none = ctx.invoke::<()>("none", "fly").await.unwrap_err();
        assert_eq!((none.kind(), none.run_id()), (ErrorKind::ChildFailed, None));
        Ok(none.message().to_owned())
    }
    let mut test = Test::new(shop().workflow("careful", careful)).unwrap();
    let failed = test.start("sell", 0).unwrap();
    let run = test.start("careful", ()).unwrap();
    test.advance(Duration::from_hours(1));
    let error = failed.output::<String>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RunFailed);
    assert_eq!(error.cause().unwrap().name, "ChildFailedError");
    test.advance(Duration::from_mins(2));
    let child = test.run(run.step("gone").unwrap().child.unwrap());
    test.cancel(&child, None).unwrap();
    test.advance(Duration::from_secs(1));
    let text = run.output::<String>().unwrap();
    assert_eq!(text, "step `none`: no runner has ever registered a workflow `fly`");
    assert_eq!(run.step("late").unwrap().status, StepStatus::TimedOut);
}

/// §5.6, §5.2: children run together; one whose future is dropped is cancelled.
#[test]
fn a_dropped_invoke_cancels_its_child() {
    async fn race(ctx: Ctx) -> Result<u32> {
        let slow = ctx.invoke::<String>("slow", "ship").input(1);
        let quick = ctx.sleep("quick", "1m");
        tokio::select! {
            result = slow => result.map(|_| 1),
            result = quick => result.map(|()| 2),
        }
    }
    let mut test = Test::new(shop().workflow("race", race)).unwrap();
    let run = test.start("race", ()).unwrap();
    let child = test.run(run.step("slow").unwrap().child.unwrap());
    test.advance(Duration::from_mins(1));
    assert_eq!(run.output::<u32>().unwrap(), 2);
    assert_eq!(run.step("slow").unwrap().status, StepStatus::Cancelled);
    assert_eq!(child.status().unwrap(), RunStatus::Cancelled);
}

/// §7.2, §7.7: a cancelled run ends after its children.
#[test]
fn a_cancel_reaches_children() {
    let mut test = Test::new(shop()).unwrap();
    let run = test.start("sell", 7).unwrap();
    let child = test.run(run.step("ship it").unwrap().child.unwrap());
    test.cancel(&run, None).unwrap();
    test.advance(Duration::from_secs(1));
    assert_eq!(child.status().unwrap(), RunStatus::Cancelled);
    assert_eq!(run.status().unwrap(), RunStatus::Cancelled);
}

/// §4.1, §9.2: a process that dies starts no second child, and the parent hears of the first.
#[test]
fn a_crash_starts_no_second_child() {
    async fn parent(ctx: Ctx) -> Result<String> {
        ctx.run("before", || async { Ok(()) }).await?;
        let one = ctx.invoke::<String>("one", "ship").input(1);
        let two = ctx.run("beside", || async { Ok(2) });
        let (one, two) = tokio::try_join!(one, two)?;
        Ok(format!("{one}, {two}"))
    }
    for at in CrashAt::ALL {
        for step in ["before", "beside"] {
            let mut test = Test::new(shop().workflow("parent", parent)).unwrap();
            test.crash_at(at, step);
            let run = test.start("parent", ()).unwrap();
            test.advance(Duration::from_hours(2));
            assert_eq!(run.output::<String>().unwrap(), "parcel 1 for one, 2", "{at:?} {step}");
            assert_eq!(test.runs().len(), 2, "{at:?} {step}");
        }
    }
    let mut test = Test::new(shop()).unwrap();
    let run = test.start("sell", 7).unwrap();
    test.crash();
    test.advance(Duration::from_hours(2));
    assert_eq!(run.output::<String>().unwrap(), "thanks; parcel 7 for ship it");
}

/// §2.3: a loop without end is a chain of runs; who waits gets the end of the last.
#[test]
fn a_run_goes_on_as_another() {
    async fn count(ctx: Ctx, n: u32) -> Result<String> {
        ctx.sleep("pause", "1h").await?;
        if n < 3 { ctx.continue_as(n + 1) } else { Ok(format!("counted to {n}")) }
    }
    async fn outer(ctx: Ctx) -> Result<String> {
        ctx.invoke("count", "count").input(1).await
    }
    let app = App::new("shop").workflow("count", count).workflow("outer", outer);
    let mut test = Test::new(app).unwrap();
    let run = test.start_once("count", 1, "k").unwrap();
    let parent = test.start("outer", ()).unwrap();
    test.advance(Duration::from_mins(90));
    assert_eq!(run.status().unwrap(), RunStatus::Completed);
    assert_eq!(run.output::<String>().unwrap_err().kind(), ErrorKind::WaitTimeout);
    test.advance(Duration::from_hours(2));
    assert_eq!(run.output::<String>().unwrap(), "counted to 3");
    assert_eq!(parent.output::<String>().unwrap(), "counted to 3");
    let again = test.start_once("count", 1, "k").unwrap();
    assert_eq!(again.id(), run.id(), "the key names the chain");
}

/// §2.3: what a handler does not return continues nothing.
#[test]
fn a_continue_that_is_not_returned_is_nothing() {
    async fn flow(ctx: Ctx) -> Result<u32> {
        let error = ctx.continue_as::<()>(1).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ContinueAs);
        ctx.continue_as::<()>(f64::NAN).unwrap_err();
        Ok(7)
    }
    let mut test = Test::new(App::new("shop").workflow("flow", flow)).unwrap();
    assert_eq!(test.start("flow", ()).unwrap().output::<u32>().unwrap(), 7);
}

/// §3.4: an invoke records what it wants by itself, and options that are not accepted fail the call.
#[test]
fn an_invoke_records_what_it_wants() {
    async fn flow(ctx: Ctx) -> Result<()> {
        let bad = ctx.invoke::<()>("bad", "ship").timeout("1 month").await.unwrap_err();
        assert_eq!(bad.kind(), ErrorKind::Argument);
        let not_json = ctx.invoke::<()>("nan", "ship").input(f64::NAN).await.unwrap_err();
        assert_eq!(not_json.kind(), ErrorKind::Serialization);
        let input = json!({ "order": 1 });
        let all = ctx.invoke::<()>("all", "ship").app("depot").runner("north");
        all.input(input).timeout("1m").metadata("m").await
    }
    let mut test = Test::new(shop().workflow("flow", flow)).unwrap();
    let run = test.start("flow", ()).unwrap();
    let error = run.step("all").unwrap().error.unwrap();
    assert!(error.contains("workflow `ship` of app `depot`"), "{error}");
}
