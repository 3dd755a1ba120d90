//! `docs/sagas.md`.

use stepwell::test::Test;
use stepwell::{App, Ctx, Error, Result, RunFailure, RunStatus, WorkflowOptions};

use super::world::{Order, Receipt, mail, order, parcels, pay, stock};

async fn checkout(ctx: Ctx, order: Order) -> Result<String> {
    ctx.run("reserve", || stock::reserve(&order.id))
        .compensate(|shelf: String| async move { stock::put_back(&shelf).await })
        .await?;
    let order = &order;
    let receipt: Receipt = ctx
        .run_with("charge", |step| async move { pay::charge(order, &step.idempotency_key()).await })
        .compensate_with(|step, receipt: Receipt| async move {
            pay::refund(&receipt.tx, &step.idempotency_key()).await
        })
        .compensate_unknown(|step| async move {
            step.log.warn("was the card charged?");
            Ok(())
        })
        .await?;
    ctx.run("ship", || parcels::send(&order.id)).await?;
    Ok(receipt.tx)
}

async fn sorry(ctx: Ctx, failure: RunFailure) -> Result<()> {
    ctx.log().warn(format!("{} is {}: {}", failure.run.id, failure.run.status, failure.error));
    mail::send("shop", &format!("please look at: {}", failure.uncertain_steps.join(", "))).await
}

fn shop() -> App {
    let options = WorkflowOptions::new().on_failure(sorry).compensate_on_cancel();
    App::new("shop").workflow_with("checkout", checkout, options)
}

/// §7.3, §7.4: the last step first, then the workflow is told.
#[test]
fn what_completed_is_taken_back_in_reverse_order() -> Result<()> {
    let mut test = Test::new(shop())?;
    let ship = test.mock_step("ship", |_| Err::<String, _>(Error::terminal("no van")));
    let run = test.start("checkout", order(500))?;
    assert_eq!((run.status()?, ship.calls()), (RunStatus::Failed, 1));
    let steps = run.steps()?;
    let kinds: Vec<String> = steps.iter().map(|step| step.kind.to_string()).collect();
    assert_eq!(kinds, ["run", "run", "run", "compensate", "compensate", "onFailure"]);
    assert!(steps[3].id.ends_with("charge") && steps[4].id.ends_with("reserve"));
    Ok(())
}
