//! Races of branches (§2, §5.5).

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::json;
use stepwell::test::{Test, crash_everywhere};
use stepwell::{App, Ctx, Data, Error, ErrorKind, Result, RunStatus, StepStatus, Won};

use super::world::{World, ended};

async fn quote(ctx: Ctx, seconds: u64) -> Result<(String, u32)> {
    let won = ctx
        .race("quote")
        .branch("ask", |ctx| async move {
            ctx.sleep("think", Duration::from_secs(seconds)).await?;
            ctx.run("ask", || async { Ok(12) }).await
        })
        .branch("late", |ctx| async move {
            ctx.run("note", || async { Ok(()) }).await?;
            ctx.sleep("a minute", "1m").await?;
            Ok(0)
        })
        .await?;
    ctx.run("after", || async { Ok(()) }).await?;
    Ok((won.winner, won.value))
}

fn app() -> App {
    App::new("shop").workflow("quote", quote)
}

/// §5.5: the first branch that settles wins, and what the other had open is cancelled with that.
#[test]
fn the_first_to_settle_wins() {
    let mut test = Test::new(app()).unwrap();
    let run = test.start("quote", 5).unwrap();
    test.advance(Duration::from_secs(6));
    assert_eq!(run.output::<(String, u32)>().unwrap(), ("ask".into(), 12));
    assert_eq!(run.step("a minute").unwrap().status, StepStatus::Cancelled);
    assert_eq!(run.step("note").unwrap().status, StepStatus::Completed);
    let run = test.start("quote", 600).unwrap();
    test.advance(Duration::from_secs(61));
    assert_eq!(run.output::<(String, u32)>().unwrap(), ("late".into(), 0));
    assert_eq!(run.step("think").unwrap().status, StepStatus::Cancelled);
    let journal = run.journal().unwrap();
    assert!(journal.contains(r#""branch":{"race":"quote","name":"late"}"#), "{journal}");
    assert!(journal.contains(r#""branches":["ask","late"]"#), "{journal}");
}

/// §5.5, §5.4: the winner is the same wherever the process dies.
#[test]
fn the_winner_is_the_same_after_every_crash() {
    for (seconds, winner) in [(5, "ask"), (600, "late")] {
        let report = crash_everywhere(app, |test| {
            let run = test.start("quote", seconds)?;
            test.advance(Duration::from_mins(2));
            assert_eq!(run.output::<(String, u32)>()?.0, winner);
            Ok(())
        });
        assert!(report.unwrap().crash_points() >= 10);
    }
}

/// §5.5: a branch that fails first ends the race with its error, which code may catch.
#[test]
fn the_first_error_is_thrown() {
    async fn fails(ctx: Ctx) -> Result<String> {
        let raced: Result<Won<()>> = ctx
            .race("both")
            .branch("good", |ctx| async move { ctx.sleep("an hour", "1h").await })
            .branch("bad", |ctx| async move {
                ctx.sleep("a second", "1s").await?;
                Err(Error::terminal("no such luck").named("Luck"))
            })
            .await;
        let error = raced.unwrap_err();
        ctx.sleep("rest", "5s").await?;
        assert_eq!((error.kind(), error.step_id()), (ErrorKind::Step, Some("both")));
        Ok(error.message().to_owned())
    }
    let mut test = Test::new(App::new("shop").workflow("fails", fails)).unwrap();
    let run = test.start("fails", ()).unwrap();
    test.advance(Duration::from_secs(3));
    test.crash();
    test.advance(Duration::from_secs(10));
    assert_eq!(run.output::<String>().unwrap(), "race `both` failed: no such luck");
    assert_eq!(run.step("an hour").unwrap().status, StepStatus::Cancelled);
    assert_eq!(run.step("both").unwrap().status, StepStatus::Failed);
}

/// §5.5: a race inside a branch ends with the branch, and all that it has open.
#[test]
fn races_stand_inside_of_races() {
    async fn nested(ctx: Ctx, Data(calls): Data<Arc<AtomicU32>>) -> Result<String> {
        let outer = ctx
            .race("outer")
            .branch("deep", |ctx| async move {
                let inner = ctx
                    .race("inner")
                    .branch("one", |ctx| async move { ctx.sleep("one", "1h").await })
                    .branch("two", |ctx| async move { ctx.sleep("two", "2h").await });
                Ok(inner.await?.winner)
            })
            .branch("quick", |ctx| async move {
                ctx.sleep("quick", "1m").await?;
                ctx.run("count", || async { Ok(calls.fetch_add(1, Ordering::SeqCst)) }).await?;
                Ok("nobody".into())
            })
            .await?;
        ctx.sleep("rest", "1h").await?;
        Ok(format!("{} {}", outer.winner, outer.value))
    }
    let calls = Arc::new(AtomicU32::new(0));
    let app = App::new("shop").data(calls.clone()).workflow("nested", nested);
    let mut test = Test::new(app).unwrap();
    let run = test.start("nested", ()).unwrap();
    test.advance(Duration::from_secs(30));
    test.crash();
    test.advance(Duration::from_mins(2));
    for lost in ["inner", "one", "two"] {
        assert_eq!(run.step(lost).unwrap().status, StepStatus::Cancelled, "{lost}");
    }
    test.advance(Duration::from_hours(1));
    assert_eq!(run.output::<String>().unwrap(), "quick nobody");
    assert_eq!(run.status().unwrap(), RunStatus::Completed);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// §5.6, §5.5: a race that code drops is cancelled, with what its branches have open.
#[test]
fn a_race_without_branches_or_with_a_name_twice_is_refused() {
    async fn bad(ctx: Ctx, twice: bool) -> Result<()> {
        let race = ctx.race("odd");
        let branch = |ctx: Ctx| async move { ctx.sleep("x", "1s").await };
        let race = if twice { race.branch("a", branch).branch("a", branch) } else { race };
        race.await.map(drop)
    }
    let mut test = Test::new(App::new("shop").workflow("bad", bad)).unwrap();
    for (twice, word) in [(false, "has no branch"), (true, "two branches `a`")] {
        let run = test.start("bad", twice).unwrap();
        let error = run.output::<()>().unwrap_err();
        assert!(error.message().contains(word), "{error}");
    }
}

/// §7.5, §5.4: a race whose end is there as soon as code in another order asks for it is gone through all
/// the same.
#[test]
fn a_race_that_was_passed_over_is_gone_through_to_clean_up() {
    async fn flow(ctx: Ctx) -> Result<()> {
        ctx.run("other", || async { Ok(()) }).await?;
        let race = ctx.race("race").branch("one", |ctx| async move {
            ctx.run("book", || async { Ok(1) }).compensate(|_| async { Ok(()) }).await?;
            ctx.run("more", || async { Ok(2) }).compensate(|_| async { Ok(()) }).await
        });
        race.await.map(drop)
    }
    let mut world = World::new(App::new("shop").workflow("w", flow));
    let clean_up = json!({
        "status": "failed", "error": {"name": "Error", "message": "no"},
        "compensate": [{"step": "more"}, {"step": "book"}], "onFailure": false, "uncertain": [],
    });
    let mut race = ended("race", "race", json!(null));
    race["output"] = json!({"winner": "one", "value": 2});
    let steps = [
        ended("book", "run", json!(1)),
        ended("more", "run", json!(2)),
        race,
        ended("other", "run", json!(null)),
    ];
    world.activate(json!({ "ended": steps, "cleanUp": clean_up }));
    world.advance_ms(1_000);
    assert_eq!(world.told(), ["order \"book\" \"other\"", "ended compensate\u{1f}more#1 ()"]);
}
