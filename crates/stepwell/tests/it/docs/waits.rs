//! `docs/steps/wait-for-event.md` and `named-waits.md`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use stepwell::test::Test;
use stepwell::{App, Ctx, Error, NamedWait, OnTimeout, Result, RunStatus, Since};

use super::world::{Order, app, order};

#[derive(Debug, Serialize, Deserialize)]
struct Paid {
    cents: u64,
}

async fn payment(ctx: Ctx, order: Order) -> Result<u64> {
    let payment = ctx
        .wait_for_event::<Paid>("payment", "order.paid")
        .matching(json!({ "order": order.id }))
        .timeout("3d")
        .await?;
    let Some(payment) = payment else { return Err(Error::terminal("nobody paid")) };
    Ok(payment.cents)
}

/// §8.2, §8.6: an event that fits ends the wait; when its time is over there is nothing.
#[test]
fn a_wait_gives_the_event_that_fits_or_nothing() -> Result<()> {
    let mut test = Test::new(app(payment))?;
    let (paid, other) = (test.start("w", order(500))?, "o-8");
    test.send("order.paid", json!({ "order": other, "cents": 1 }))?;
    test.send("order.paid", json!({ "order": "o-7", "cents": 500 }))?;
    assert_eq!(paid.output::<u64>()?, 500);
    let mut order = order(500);
    order.id = "o-9".into();
    let late = test.start("w", order)?;
    test.advance(Duration::from_hours(3 * 24) + Duration::from_secs(1));
    assert_eq!(late.status()?, RunStatus::Failed);
    Ok(())
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Answer {
    text: String,
}

async fn answer(ctx: Ctx, order: Order) -> Result<Option<Answer>> {
    let answer = ctx
        .wait_for_event::<Answer>("answer", "support.answered")
        .matching(json!({ "ticket": order.id }))
        .timeout("1h")
        .on_timeout(OnTimeout::Value(json!({ "text": "we will call you" })))
        .since(Since::Parked)
        .await?;
    Ok(answer)
}

/// §8.4, §8.6: an event from before does not count where the wait says so.
#[test]
fn a_wait_has_a_value_for_its_timeout() -> Result<()> {
    let mut test = Test::new(app(answer))?;
    test.send("support.answered", json!({ "ticket": "o-7", "text": "too early" }))?;
    let run = test.start("w", order(500))?;
    test.advance(Duration::from_hours(1) + Duration::from_secs(1));
    let text = run.output::<Option<Answer>>()?.map(|answer| answer.text);
    assert_eq!(text.as_deref(), Some("we will call you"));
    Ok(())
}

#[derive(Debug, Serialize, Deserialize)]
struct Parcel {
    parcel: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Scan {
    at: String,
}

async fn track(ctx: Ctx, _parcel: Parcel) -> Result<[Option<String>; 2]> {
    let first = ctx.wait::<Scan>("waitForScan").timeout("7d").await?;
    let second = ctx.wait::<Scan>("waitForScan").timeout("7d").await?;
    Ok([first.map(|scan| scan.at), second.map(|scan| scan.at)])
}

fn tracking() -> App {
    let scan = NamedWait::new("waitForScan", "parcel.scanned")
        .matching_with(|input, _run| json!({ "parcel": input["parcel"] }));
    App::new("tracking").wait(scan).workflow("track", track)
}

/// §2.4: named after itself, in the order in which the code comes to it.
#[test]
fn named_waits_count_their_uses() -> Result<()> {
    let mut test = Test::new(tracking())?;
    let run = test.start("track", Parcel { parcel: "p-7".into() })?;
    for at in ["door", "desk"] {
        test.send("parcel.scanned", json!({ "parcel": "p-8", "at": "elsewhere" }))?;
        test.send("parcel.scanned", json!({ "parcel": "p-7", "at": at }))?;
    }
    let places = run.output::<[Option<String>; 2]>()?;
    assert_eq!(places.each_ref().map(Option::as_deref), [Some("door"), Some("desk")]);
    let ids: Vec<String> = run.steps()?.iter().map(|step| step.id.clone()).collect();
    assert!(ids.iter().any(|id| id.ends_with("waitForScan:2")), "{ids:?}");
    Ok(())
}
