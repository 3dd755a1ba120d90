//! `docs/coming-from/`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use stepwell::test::Test;
use stepwell::{App, Ctx, Error, Result, Retry, RunStatus};

use super::world::{Order, Receipt, mail, order, pay};

#[derive(Debug, Serialize, Deserialize)]
struct Approval {
    by: String,
}

async fn checkout(ctx: Ctx, order: Order) -> Result<String> {
    let order = &order;
    let receipt: Receipt = ctx
        .run_with("charge", |step| async move { pay::charge(order, &step.idempotency_key()).await })
        .retry(Retry::attempts(5))
        .await?;
    let approval = ctx.wait_for_event::<Approval>("approval", "order.approved").await?;
    let Some(Approval { by }) = approval else { return Err(Error::terminal("not approved")) };
    ctx.sleep("cool down", "1d").await?;
    let text = format!("approved by {by}");
    ctx.run("thank", || mail::send(&order.customer, &text)).await?;
    Ok(receipt.tx)
}

fn shop() -> App {
    App::new("shop").workflow("checkout", checkout)
}

/// §8.1, §8.4: an event for a run ends its wait, and what follows happens in the order of the code.
#[test]
fn an_order_waits_for_its_approval_and_a_day() -> Result<()> {
    let mut test = Test::new(shop())?;
    let thanks = test.mock_step("thank", |_| Ok(()));
    let run = test.start("checkout", order(500))?;
    test.advance(Duration::from_hours(1));
    assert_eq!(run.status()?, RunStatus::Waiting);
    test.send_to(&run, "order.approved", json!({ "by": "ann" }))?;
    test.advance(Duration::from_hours(23));
    assert_eq!(thanks.calls(), 0);
    test.advance(Duration::from_hours(1));
    assert_eq!(thanks.calls(), 1);
    assert!(run.output::<String>()?.starts_with("tx for "));
    Ok(())
}
