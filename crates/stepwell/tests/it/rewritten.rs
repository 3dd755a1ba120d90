//! `replay`: code that was changed, against histories of the code before.

use std::time::Duration;

use futures_util::future::join;
use stepwell::test::{Divergence, Replayed, Test, replay};
use stepwell::{App, Ctx, Error, Result, RunId};

async fn original(ctx: Ctx) -> Result<u32> {
    let one: u32 = ctx.run("one", || async { Ok(1) }).await?;
    let (two, nap) = join(ctx.run("two", || async { Ok(2) }), ctx.sleep("nap", "1h")).await;
    nap?;
    ctx.skip("gift").await?;
    let three: u32 = ctx.run("three", || async { Ok(3) }).await?;
    Ok(one + two? + three)
}

fn app<F, Fut>(workflow: F) -> App
where
    F: Fn(Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<u32>> + Send + 'static,
{
    App::new("shop").workflow("w", workflow)
}

/// The journal of a run of the original after so long.
fn history(after: Duration) -> (RunId, String) {
    let mut test = Test::new(app(original)).unwrap();
    let run = test.start("w", ()).unwrap();
    test.advance(after);
    (run.id(), run.journal().unwrap())
}

fn against<F, Fut>(after: Duration, workflow: F) -> Result<Replayed, Divergence>
where
    F: Fn(Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<u32>> + Send + 'static,
{
    let (run, journal) = history(after);
    replay(app(workflow), run, &journal)
}

const HALF: Duration = Duration::from_mins(1);
const WHOLE: Duration = Duration::from_hours(2);

/// Which step diverges, and how.
fn diverges<F, Fut>(after: Duration, workflow: F) -> (Option<String>, String)
where
    F: Fn(Ctx) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<u32>> + Send + 'static,
{
    let divergence = against(after, workflow).unwrap_err();
    (divergence.step().map(ToOwned::to_owned), divergence.to_string())
}

/// §4.1: the same code follows its histories, whole and in part, and no function is called.
#[test]
fn the_same_code_follows() {
    let whole = against(WHOLE, original).unwrap();
    assert_eq!(whole, Replayed { steps: 5, ended: true });
    let half = against(HALF, original).unwrap();
    assert_eq!(half, Replayed { steps: 3, ended: false });
    // As it is stored: without brackets, a comma after each record.
    let (run, journal) = history(WHOLE);
    let stored = format!("{},", journal.trim_matches(['[', ']']));
    assert!(replay(app(original), run, &stored).unwrap().ended);
}

/// What comes after a history that has not ended is free.
#[test]
fn code_may_go_on_otherwise_where_the_history_stops() {
    let half = against(HALF, |ctx: Ctx| async move {
        let one: u32 = ctx.run("one", || async { Ok(1) }).await?;
        let (two, nap) = join(ctx.run("two", || async { Ok(2) }), ctx.sleep("nap", "1h")).await;
        nap?;
        let sum = one + two?;
        ctx.run("new", || async { Ok(sum) }).await
    });
    assert_eq!(half.unwrap(), Replayed { steps: 3, ended: false });
}

/// §4.10: a step that the history does not have, before steps that it has.
#[test]
fn a_new_step_before_old_ones_is_told() {
    let (step, why) = diverges(HALF, |ctx: Ctx| async move {
        ctx.run("check", || async { Ok(()) }).await?;
        original(ctx).await
    });
    assert_eq!(step.as_deref(), Some("check"));
    assert!(why.contains("asks for step `check`, which the history does not have"), "{why}");
    assert!(why.contains("not asked for `one`, `two`"), "{why}");
}

/// A step that is gone from the code.
#[test]
fn a_missing_step_is_told() {
    let (step, why) = diverges(WHOLE, |ctx: Ctx| async move {
        let one: u32 = ctx.run("one", || async { Ok(1) }).await?;
        ctx.sleep("nap", "1h").await?;
        ctx.run("three", || async { Ok(3) }).await.map(|three: u32| one + three + 2)
    });
    assert_eq!(step.as_deref(), Some("two"), "{why}");
}

/// §4.10: another kind under the same id.
#[test]
fn another_kind_is_told() {
    let (step, why) = diverges(WHOLE, |ctx: Ctx| async move {
        ctx.sleep("one", "1s").await?;
        Ok(1)
    });
    assert_eq!(step.as_deref(), Some("one"));
    assert!(why.contains("sleep") && why.contains("run"), "{why}");
}

/// §5.4: steps that are awaited one after the other in another order than they ended.
#[test]
fn another_order_is_told() {
    let (step, why) = diverges(WHOLE, |ctx: Ctx| async move {
        let three: u32 = ctx.run("three", || async { Ok(3) }).await?;
        let one: u32 = ctx.run("one", || async { Ok(1) }).await?;
        let (two, nap) = join(ctx.run("two", || async { Ok(2) }), ctx.sleep("nap", "1h")).await;
        nap?;
        ctx.skip("gift").await?;
        Ok(one + two? + three)
    });
    assert_eq!(step.as_deref(), Some("three"), "{why}");
}

/// The end of the run differs: its output, or that it fails.
#[test]
fn another_end_is_told() {
    let (step, why) =
        diverges(WHOLE, |ctx: Ctx| async move { original(ctx).await.map(|sum| sum + 1) });
    assert_eq!(step, None);
    assert_eq!(why, "the code gives 7 where the history gives 6");
    let (_, why) = diverges(WHOLE, |ctx: Ctx| async move {
        original(ctx).await?;
        Err(Error::terminal("no"))
    });
    assert!(why.contains("fails with") && why.contains("where the history gives 6"), "{why}");
}

/// What is no journal, and a workflow that the app does not have, are told as such.
#[test]
fn what_is_no_history_is_told() {
    let (run, journal) = history(HALF);
    for text in ["", "[]", "{", "[{\"id\":1}]"] {
        let divergence = replay(app(original), run, text).unwrap_err();
        assert!(divergence.to_string().contains("not the journal of a run"), "{divergence}");
    }
    let other = App::new("shop").workflow("other", original);
    let divergence = replay(other, run, &journal).unwrap_err();
    assert!(divergence.to_string().contains("workflow `w`"), "{divergence}");
}
