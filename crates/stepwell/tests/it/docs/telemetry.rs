//! `docs/telemetry-rust.md`.

use std::time::Duration;

use serde_json::json;
use stepwell::Result;
use stepwell::telemetry::{Recorded, StepError, StepRecord, Telemetry};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;

use super::world::{Order, Receipt, order, parcels, pay};

async fn checkout(telemetry: &Telemetry, request_id: &str, order: &Order) -> Result<Receipt> {
    let run = telemetry.run("checkout", request_id);
    run.step("check-fraud", pay::check(order)).await?;
    let receipt = run.step("charge-card", pay::charge(order, request_id)).await?;
    if order.items.is_empty() {
        run.skip("send-parcel");
    } else {
        run.step("send-parcel", parcels::send(&order.id))
            .metadata(json!({ "items": order.items.len() }))
            .await?;
    }
    Ok(receipt)
}

fn client() -> Telemetry {
    Telemetry::builder()
        .url("https://stepwell.example")
        .project_key("sw_4hx2_secret")
        .default_metadata(json!({ "region": "eu" }))
        .capture_stack(true)
        .on_error(|error| tracing::warn!("{error}"))
        .redact(|path, value| {
            if path == "customer" {
                *value = json!("[hidden]");
            }
        })
        .queue_events(10_000)
        .exit_wait(Duration::from_millis(500))
        .enabled(std::env::var_os("CI").is_none())
        .build()
}

async fn others(telemetry: &Telemetry, order: &Order) -> Result<usize> {
    let run = telemetry.run("nightly", "2026-11-22").metadata(json!({ "shop": 3 }));
    // A function that is not async runs on this thread.
    let lines = run.step_sync("read", read).call()?;
    // What is no `Result` fails where it is said to.
    let status = run
        .observe("call-bank", bank(order))
        .failed_if(|status| (*status >= 500).then(|| format!("the bank answered {status}")))
        .await;
    // What happens elsewhere is recorded by hand.
    telemetry.record_step(StepRecord {
        flow_key: "checkout",
        run_id: "req_123",
        step_key: "send-receipt-email",
        status: Recorded::Success,
        ..StepRecord::default()
    });
    Ok(lines.len() + usize::from(status))
}

fn read() -> Result<Vec<u32>, std::num::ParseIntError> {
    "1\n2".lines().map(str::parse).collect()
}

async fn bank(_: &Order) -> u16 {
    503
}

async fn seen(order: &Order) -> Result<Receipt> {
    let telemetry = Telemetry::builder().build_strict()?;
    let run = telemetry.run("checkout", "req_123");
    match run.step("charge-card", pay::charge(order, "req_123")).await {
        Ok(receipt) => Ok(receipt),
        // The card is charged, and nobody sees it in the console.
        Err(StepError::NotRecorded { value, .. }) => Ok(value),
        Err(StepError::Own(error)) => Err(error),
        // It was not charged.
        Err(StepError::NotStarted(error)) => Err(error.into()),
    }
}

async fn charged(order: &Order) -> Result<Receipt> {
    let charged = pay::charge(order, "req_123").await;
    charged.inspect_err(|error| tracing::error!("the bank says: {error}"))
}

async fn request(order: &Order) -> Result<Receipt> {
    let step = tracing::info_span!("charge-card", items = order.items.len());
    charged(order).instrument(step).await
}

async fn served(telemetry: &Telemetry, order: &Order) -> Result<Receipt> {
    // Once in a process: `tracing::subscriber::set_global_default`, beside the layers that there are.
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let _default = tracing::subscriber::set_default(subscriber);
    let run = tracing::info_span!("request", flow = "checkout", run_id = "req_123");
    request(order).instrument(run).await
}

async fn end(telemetry: &Telemetry) {
    if !telemetry.shutdown().await {
        tracing::warn!("telemetry is lost: {:?}", telemetry.stats());
    }
}

/// §10.2: what the page shows gives what functions give, whether somebody looks or not.
#[tokio::test]
async fn what_is_observed_gives_what_it_gave() -> Result<()> {
    for telemetry in [Telemetry::builder().enabled(false).build(), nowhere()] {
        let receipt = checkout(&telemetry, "req_123", &order(500)).await?;
        assert_eq!(receipt.tx, "tx for req_123");
        assert_eq!(others(&telemetry, &order(500)).await?, 505);
        assert_eq!(served(&telemetry, &order(500)).await?.tx, "tx for req_123");
        end(&telemetry).await;
    }
    drop(client());
    assert!(seen(&order(500)).await.is_err(), "there is no key");
    Ok(())
}

/// A client of a server that is not there.
fn nowhere() -> Telemetry {
    Telemetry::builder().url("http://127.0.0.1:1").project_key("sw_a").flush_timeout("1ms").build()
}
