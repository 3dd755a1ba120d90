//! `docs/errors-and-retries.md` and `docs/long-runs.md`.

use std::time::Duration;

use stepwell::test::Test;
use stepwell::{App, Ctx, Error, ErrorKind, Result, Retry, RunStatus, StepStatus, WorkflowOptions};

use super::world::pay::Answer;
use super::world::{Order, Receipt, app, mail, order, parcels, pay, stock};

async fn patience(ctx: Ctx) -> Result<()> {
    let patient = Retry::attempts(10).backoff("500ms").factor(3.0).max_backoff("5m");
    ctx.run("fetch", || stock::level("sku-1"))
        .retry(patient)
        .timeout("20s")
        .total_timeout("1h")
        .await?;
    ctx.run("once", || stock::level("sku-2")).retry(Retry::never()).await?;
    Ok(())
}

#[test]
fn options_of_retries_are_accepted() -> Result<()> {
    let mut test = Test::new(app(patience))?;
    assert_eq!(test.start("w", ())?.status()?, RunStatus::Completed);
    Ok(())
}

async fn charge(ctx: Ctx, order: Order) -> Result<Receipt> {
    let order = &order;
    ctx.run_with("charge", |step| async move {
        match pay::ask(order, &step.idempotency_key()).await? {
            Answer::Declined => Err(Error::terminal("the card was declined")),
            Answer::Busy(after) => Err(Error::retry_after(after)),
            Answer::Paid(receipt) => Ok(receipt),
        }
    })
    .await
}

/// §6.2: one ends the step at once, the other says when to try again.
#[test]
fn errors_say_whether_and_when_to_try_again() -> Result<()> {
    let mut test = Test::new(app(charge))?;
    let declined = test.start("w", order(0))?;
    assert_eq!(declined.status()?, RunStatus::Failed);
    assert_eq!(declined.step("charge")?.attempts, 1);
    let busy = test.start("w", order(1))?;
    test.advance(Duration::from_mins(4));
    assert_eq!(busy.step("charge")?.attempts, 1);
    test.advance(Duration::from_mins(2));
    assert_eq!(busy.step("charge")?.attempts, 2);
    Ok(())
}

async fn thank(ctx: Ctx, order: Order) -> Result<()> {
    let sent = ctx.run("email", || mail::send(&order.customer, "thank you")).await;
    match sent {
        Err(error) if error.kind() == ErrorKind::Step => {
            ctx.run("letter", || parcels::letter(&order.id)).await?;
        }
        other => other?,
    }
    Ok(())
}

/// §6.3: code may catch the error of a step and go on.
#[test]
fn a_step_that_failed_can_be_caught() -> Result<()> {
    let mut test = Test::new(app(thank))?;
    let run = test.start("w", order(500))?;
    assert_eq!(run.status()?, RunStatus::Completed);
    assert_eq!(run.step("email")?.status, StepStatus::Failed);
    assert_eq!(run.step("letter")?.status, StepStatus::Completed);
    Ok(())
}

async fn sync(ctx: Ctx) -> Result<()> {
    ctx.run("level", || stock::level("sku-1")).await?;
    let busy: Result<()> = ctx.run("publish", || async { Err(Error::terminal("busy")) }).await;
    busy
}

fn syncing() -> App {
    let options = WorkflowOptions::new().retry(Retry::exponential(3, "1m")).timeout("6h");
    let app = App::new("shop").workflow_with("sync", sync, options);
    app.build("1")
}

/// §6.5: steps that completed keep their results, the others begin anew.
#[test]
fn a_handler_runs_again_where_its_workflow_says_so() -> Result<()> {
    let mut test = Test::new(syncing())?;
    let run = test.start("sync", ())?;
    assert_ne!(run.status()?, RunStatus::Failed);
    test.advance(Duration::from_mins(5));
    assert_eq!(run.status()?, RunStatus::Failed);
    let ids: Vec<String> = run.steps()?.iter().map(|step| step.id.clone()).collect();
    assert_eq!(ids, ["level", "publish", "publish", "publish"]);
    Ok(())
}

async fn watch(ctx: Ctx, (sku, mut seen): (String, u64)) -> Result<()> {
    for day in 0..100 {
        seen = ctx.run(format!("level on day {day}"), || stock::level(&sku)).await?;
        ctx.sleep(format!("night {day}"), "1d").await?;
    }
    ctx.continue_as((sku, seen))
}

/// §2.3: another run goes on, and both name each other.
#[test]
fn a_loop_hands_over_to_another_run() -> Result<()> {
    let mut test = Test::new(app(watch))?;
    let run = test.start("w", ("sku-1", 0))?;
    test.advance(Duration::from_hours(100 * 24 + 1));
    assert_eq!(run.status()?, RunStatus::Completed);
    assert_eq!(test.runs().len(), 2);
    Ok(())
}
