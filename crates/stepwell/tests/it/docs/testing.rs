//! `docs/testing.md`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use stepwell::test::{Test, crash_everywhere, replay};
use stepwell::{App, Ctx, Data, Error, Result, RunId, RunStatus, StepStatus};

use super::world;

async fn remind(ctx: Ctx, name: String) -> Result<String> {
    ctx.sleep("a month", "30d").await?;
    ctx.run("remind", || async { Ok(format!("reminded {name}")) }).await
}

#[test]
fn a_reminder_is_sent_after_a_month() -> Result<()> {
    let mut test = Test::new(App::new("shop").workflow("remind", remind))?;
    let run = test.start("remind", "Ada")?;
    test.advance(Duration::from_hours(30 * 24 - 1));
    assert_eq!(run.status()?, RunStatus::Waiting);
    test.advance(Duration::from_hours(1));
    assert_eq!(run.output::<String>()?, "reminded Ada");
    Ok(())
}

async fn ordered(ctx: Ctx, order: u32) -> Result<String> {
    let payment = ctx.wait_for_event::<serde_json::Value>("payment", "order.paid");
    payment.matching(json!({ "order": order })).await?;
    ctx.run("charge", || async { Ok("paid".to_owned()) }).await
}

fn app() -> App {
    App::new("shop").workflow("order", ordered)
}

#[test]
fn an_event_ends_the_wait() -> Result<()> {
    let mut test = Test::new(app())?;
    let run = test.start("order", 7)?;
    test.advance(Duration::from_hours(1));
    assert_eq!(run.step("payment")?.status, StepStatus::Waiting);
    test.send("order.paid", json!({ "order": 7 }))?;
    assert_eq!(run.output::<String>()?, "paid");
    Ok(())
}

#[test]
fn a_mock_stands_in_place_of_the_function() -> Result<()> {
    let mut test = Test::new(app())?;
    let charge = test.mock_step("charge", |call| {
        if call.attempt() < 3 { Err(Error::new("busy")) } else { Ok("receipt 7") }
    });
    let run = test.start("order", 7)?;
    test.send("order.paid", json!({ "order": 7 }))?;
    test.advance(Duration::from_mins(1));
    assert_eq!((run.output::<String>()?.as_str(), charge.calls()), ("receipt 7", 3));
    Ok(())
}

struct Shop;

impl Shop {
    fn open() -> Self {
        Self
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Shipped {
    cents: u64,
}

async fn checkout(ctx: Ctx, _shop: Data<Shop>, order: world::Order) -> Result<Shipped> {
    let cents = ctx.run("charge", || async { Ok(order.cents) }).await?;
    ctx.run("ship", || world::parcels::send(&order.id)).await?;
    Ok(Shipped { cents })
}

fn order() -> world::Order {
    world::order(750)
}

#[test]
#[expect(clippy::print_stdout, reason = "the page shows it")]
fn a_crash_anywhere_changes_nothing() {
    let report = crash_everywhere(
        || App::new("shop").data(Shop::open()).workflow("checkout", checkout),
        |test| {
            let run = test.start("checkout", order())?;
            test.advance(Duration::from_mins(1));
            assert_eq!(run.output::<Shipped>()?.cents, 750);
            Ok(())
        },
    );
    println!("{}", report.unwrap());
}

/// §4.10: the journal of a run that an earlier build of this test made.
#[test]
fn code_follows_a_history_of_before() {
    let run_id: RunId = include_str!("histories/order-7.run").trim().parse().unwrap();
    replay(app(), run_id, include_str!("histories/order-7.json")).unwrap();
}
