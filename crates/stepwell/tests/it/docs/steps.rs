//! `docs/steps/`: run, sleep, emit, invoke, race, parallel branches, skip.

use std::time::Duration;

use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stepwell::test::Test;
use stepwell::{App, Ctx, Result, Retry, RunStatus, StepStatus};

use super::world::{Order, Receipt, app, mail, order, parcels, pay, shipped, stock};

async fn charge(ctx: Ctx, order: Order) -> Result<Receipt> {
    let order = &order;
    let receipt: Receipt = ctx
        .run_with("charge", |step| async move { pay::charge(order, &step.idempotency_key()).await })
        .await?;
    Ok(receipt)
}

/// §2.2: the key names the run and the step.
#[test]
fn a_charge_is_made_under_the_key_of_its_step() -> Result<()> {
    let mut test = Test::new(app(charge))?;
    let run = test.start("w", order(500))?;
    assert_eq!(run.output::<Receipt>()?.tx, format!("tx for {}:charge", run.id()));
    Ok(())
}

async fn ship(ctx: Ctx, order: Order) -> Result<String> {
    let parcel: String = ctx
        .run_input("ship", order.id.clone(), |id| async move { parcels::send(&id).await })
        .timeout("30s")
        .total_timeout("10m")
        .retry(Retry::exponential(6, "1s").max_backoff("1m"))
        .metadata(json!({ "carrier": "north" }))
        .await?;
    Ok(parcel)
}

#[test]
fn an_input_is_handed_to_the_function() -> Result<()> {
    let mut test = Test::new(app(ship))?;
    let run = test.start("w", order(500))?;
    assert_eq!(run.output::<String>()?, "parcel of o-7");
    Ok(())
}

async fn pauses(ctx: Ctx) -> Result<()> {
    ctx.sleep("cool down", "30 minutes").await?;
    ctx.sleep_until("due", "2027-01-01T09:00:00Z").await?;
    ctx.sleep_until("tomorrow", ctx.now().after(Duration::from_hours(24))).await?;
    Ok(())
}

/// §3.1: a run that sleeps is waiting.
#[test]
fn sleeps_end_at_their_time() -> Result<()> {
    let mut test = Test::new(app(pauses))?;
    let run = test.start("w", ())?;
    test.advance(Duration::from_mins(31));
    assert_eq!(
        (run.status()?, run.step("due")?.status),
        (RunStatus::Waiting, StepStatus::Sleeping)
    );
    // The clock of tests begins with 2026.
    test.advance(Duration::from_hours(366 * 24 + 9));
    assert_eq!(run.status()?, RunStatus::Completed);
    Ok(())
}

async fn tell(ctx: Ctx, order: Order) -> Result<()> {
    ctx.emit("tell", "order.shipped").data(json!({ "order": order.id, "parcel": "p-7" })).await?;
    Ok(())
}

async fn hear(ctx: Ctx, order: Order) -> Result<String> {
    let told = ctx.wait_for_event::<Value>("told", "order.shipped");
    let told = told.matching(json!({ "order": order.id })).await?;
    Ok(told.map(|told| told["parcel"].to_string()).unwrap_or_default())
}

#[test]
fn what_one_run_emits_another_one_hears() -> Result<()> {
    let mut test = Test::new(App::new("shop").workflow("tell", tell).workflow("hear", hear))?;
    let heard = test.start("hear", order(500))?;
    test.start("tell", order(500))?;
    assert_eq!(heard.output::<String>()?, "\"p-7\"");
    Ok(())
}

async fn invoke(ctx: Ctx, order: Order) -> Result<String> {
    let parcel = ctx
        .invoke::<String>("shipping", "ship-order")
        .input(json!({ "order": order.id }))
        .timeout("7d")
        .await?;
    Ok(parcel)
}

#[test]
fn a_child_gives_what_it_returned() -> Result<()> {
    let mut test = Test::new(app(invoke).workflow("ship-order", shipped))?;
    let run = test.start("w", order(500))?;
    assert_eq!(run.output::<String>()?, "p-\"o-7\"");
    Ok(())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Review {
    approved: bool,
}

async fn approval(ctx: Ctx, order: Order) -> Result<(String, Option<Review>)> {
    let order = &order;
    let won = ctx
        .race("approval")
        .branch("review", |ctx| async move {
            let review = ctx.wait_for_event::<Review>("review", "order.reviewed");
            review.matching(json!({ "order": order.id })).await
        })
        .branch("late", |ctx| async move {
            ctx.sleep("time limit", "1d").await?;
            Ok(None)
        })
        .await?;
    let (winner, value) = (won.winner, won.value);
    Ok((winner, value))
}

/// §5.5: what the branch that lost has open is cancelled.
#[test]
fn the_first_branch_to_settle_wins() -> Result<()> {
    type Won = (String, Option<Review>);
    let mut test = Test::new(app(approval))?;
    let reviewed = test.start("w", order(500))?;
    test.send("order.reviewed", json!({ "order": "o-7", "approved": true }))?;
    let review = Some(Review { approved: true });
    assert_eq!(reviewed.output::<Won>()?, ("review".into(), review));
    assert_eq!(reviewed.step("time limit")?.status, StepStatus::Cancelled);

    let mut other = order(500);
    other.id = "o-8".into();
    let late = test.start("w", other)?;
    test.advance(Duration::from_hours(24) + Duration::from_secs(1));
    assert_eq!(late.output::<Won>()?, ("late".into(), None));
    Ok(())
}

async fn beside(ctx: Ctx, order: Order) -> Result<(u32, String, Vec<String>)> {
    let (cents, shelf) = tokio::try_join!(
        ctx.run("quote", || parcels::quote(&order.id)),
        ctx.run("reserve", || stock::reserve(&order.id)),
    )?;

    let sending = order.items.iter().map(|item| {
        let id = format!("send {}", item.sku);
        ctx.run(id, move || parcels::send(&item.sku))
    });
    let sent = try_join_all(sending).await?;
    Ok((cents, shelf, sent))
}

async fn chains(ctx: Ctx, order: Order) -> Result<String> {
    let note = async {
        let text = ctx.run("write", || async { Ok("thank you ".to_owned()) }).await?;
        ctx.sleep("overnight", "8h").await?;
        ctx.run("proofread", || async { Ok(text.trim().to_owned()) }).await
    };
    let (note, ()) = tokio::try_join!(note, ctx.run("wrap", || stock::wrap(&order.id)))?;
    Ok(note)
}

/// §5.2: branches go on side by side.
#[test]
fn branches_run_beside_each_other() -> Result<()> {
    let mut test = Test::new(app(beside).workflow("chains", chains))?;
    let run = test.start("w", order(500))?;
    let (cents, shelf, sent) = run.output::<(u32, String, Vec<String>)>()?;
    assert_eq!((cents, &*shelf), (490, "shelf of o-7"));
    assert_eq!(sent, ["parcel of a", "parcel of b"]);

    let run = test.start("chains", order(500))?;
    assert_eq!(run.step("wrap")?.status, StepStatus::Completed);
    assert_eq!(run.step("overnight")?.status, StepStatus::Sleeping);
    test.advance(Duration::from_hours(8));
    assert_eq!(run.output::<String>()?, "thank you");
    Ok(())
}

async fn approve(ctx: Ctx, order: Order) -> Result<()> {
    if order.cents >= 40_000 {
        ctx.run("approve", || mail::send("boss", "please look")).await?;
    } else {
        ctx.skip("approve").reason("it costs less than what has to be approved").await?;
    }
    Ok(())
}

#[test]
fn what_does_not_apply_is_shown_as_skipped() -> Result<()> {
    let mut test = Test::new(app(approve))?;
    let (cheap, dear) = (test.start("w", order(500))?, test.start("w", order(50_000))?);
    assert_eq!(cheap.step("approve")?.status, StepStatus::Skipped);
    assert_eq!(dear.step("approve")?.status, StepStatus::Completed);
    Ok(())
}
