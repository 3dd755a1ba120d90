//! `crash_everywhere`: what comes out the same wherever its process dies, and what does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::try_join_all;
use stepwell::test::{CrashAt, Test, crash_everywhere};
use stepwell::{App, Ctx, Data, Error, Result, Retry};

async fn flow(ctx: Ctx) -> Result<u32> {
    let flaky = ctx.run_with("flaky", |step| async move {
        if step.attempt < 3 { Err(Error::new("busy")) } else { Ok(1) }
    });
    let one: u32 = flaky.retry(Retry::constant(3, "1m")).await?;
    let branch = |n: u32| {
        let ctx = ctx.clone();
        async move {
            if n == 1 {
                ctx.sleep("nap", "30m").await?;
            }
            ctx.run(format!("branch {n}"), || async { Ok(n) }).await
        }
    };
    let branches: Vec<u32> = try_join_all((0..3).map(branch)).await?;
    ctx.skip("gift").reason("none").await?;
    let blocked: u32 = ctx.run_blocking("blocking", |_| Ok(4)).await?;
    Ok(one + branches.iter().sum::<u32>() + blocked)
}

fn play(test: &mut Test) -> Result<()> {
    let run = test.start("flow", ())?;
    test.advance(Duration::from_hours(1));
    assert_eq!(run.output::<u32>()?, 8);
    Ok(())
}

/// §4.1, §4.2, §4.4, §5.4: retries, branches, sleeps, skips and blocking functions come out the same at
/// every crash point, and nothing that was saved is called again.
#[test]
fn every_kind_of_step_comes_out_the_same() {
    let report = crash_everywhere(|| App::new("shop").workflow("flow", flow), play).unwrap();
    // Three attempts, three branches and one that blocks, four each; a sleep and a skip, two each.
    assert_eq!(report.crash_points(), 7 * 4 + 2 * 2, "{:?}", report.points().collect::<Vec<_>>());
    let shown = report.to_string();
    assert_eq!(shown, "32 crash points, the same outcome at each");
}

/// A function whose second call gives something else is found, with the place and the difference.
#[test]
fn what_differs_is_told() {
    async fn counts(ctx: Ctx, Data(calls): Data<AtomicU32>) -> Result<u32> {
        ctx.run("first", || async { Ok(()) }).await?;
        ctx.run("count", || async { Ok(calls.fetch_add(1, Ordering::SeqCst)) }).await
    }
    let app = || App::new("shop").data(AtomicU32::new(0)).workflow("counts", counts);
    let failure = crash_everywhere(app, |test| test.start("counts", ()).map(drop)).unwrap_err();
    let point = format!("step `count`: {}", CrashAt::BeforeSend);
    assert_eq!(failure.point(), Some(point.as_str()));
    let text = failure.to_string();
    assert!(text.contains("run 1: completed 0 without the crash, completed 1 with it"), "{text}");
    assert!(text.contains("step `count`: completed 0 without"), "{text}");
    assert!(text.contains("(5 crash points before this one were good)"), "{text}");
}

/// Code that does otherwise in another process is found.
#[test]
fn what_a_process_remembers_is_told() {
    async fn remembers(ctx: Ctx, Data(begun): Data<AtomicU32>) -> Result<u32> {
        let begins = begun.fetch_add(1, Ordering::SeqCst);
        ctx.run(format!("begin {begins}"), || async { Ok(begins) }).await
    }
    let app = || App::new("shop").data(AtomicU32::new(0)).workflow("remembers", remembers);
    let failure = crash_everywhere(app, |test| test.start("remembers", ()).map(drop)).unwrap_err();
    assert!(failure.to_string().contains("step `begin 1`"), "{failure}");
}

/// A scenario that fails by itself, or panics, is told as what it is.
#[test]
fn a_scenario_that_fails_is_told() {
    let app = || App::new("shop").workflow("flow", flow);
    let failure = crash_everywhere(app, |test| test.start("flwo", ()).map(drop)).unwrap_err();
    assert_eq!(failure.point(), None);
    assert!(failure.to_string().contains("SW2002"), "{failure}");
    let seen = Arc::new(AtomicU32::new(0));
    let failure = crash_everywhere(app, |test| {
        assert_eq!(seen.fetch_add(1, Ordering::SeqCst), 0, "played again");
        play(test)
    });
    assert!(failure.unwrap_err().to_string().contains("played again"));
}
