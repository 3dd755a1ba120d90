//! What programs tell by the Rust SDK, as the server shows it.

use serde_json::{Value, json};
use stepwell::telemetry::{Recorded, StepError, StepRecord, Telemetry};

use super::sent::{steps, until};
use crate::support::server;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// §10.2, §10.4, §10.7: a step that is tried three times has three attempts, beside one that is skipped and one
/// that another process records; metadata is there without its secrets.
#[tokio::test]
async fn what_the_rust_sdk_tells_is_a_run() {
    let server = server().await;
    let to = server.address();
    let client = || Telemetry::builder().url(format!("http://{to}")).project_key("sw_any");
    let shop = client().process("shop/1").default_metadata(json!({ "region": "eu" })).build();
    for attempt in 1..=3 {
        // As a request does that is delivered again.
        let run = shop.run("checkout", "req_1").trace(TRACE);
        let run = run.metadata(json!({ "order": 17, "password": "hunter2" }));
        let charge = async { if attempt < 3 { Err("no answer") } else { Ok(attempt) } };
        let charged = run.step("charge", charge).metadata(json!({ "attempt": attempt })).await;
        assert_eq!(charged.is_ok(), attempt == 3);
    }
    shop.run("checkout", "req_1").skip("gift-wrap");
    let mail = client().process("mail/1").build();
    mail.record_step(StepRecord {
        flow_key: "checkout",
        run_id: "req_1",
        step_key: "receipt",
        status: Recorded::Error,
        error: Some("bounced"),
        ..StepRecord::default()
    });
    assert!(shop.flush().await && mail.flush().await);
    assert_eq!((shop.stats().sent, mail.stats().sent), (7, 1));
    let run = until(to, "/api/v1/flows/checkout/runs/req_1", |run| run["events"] == 8).await;
    let mut seen = steps(&run);
    seen.sort();
    let wanted = [("charge", "completed"), ("gift-wrap", "skipped"), ("receipt", "failed")];
    assert_eq!(seen, wanted.map(|(key, status)| (key.to_owned(), status.to_owned())));
    assert_eq!(run["processes"], json!(["mail/1", "shop/1"]));
    assert_eq!(run["trace"], TRACE);
    let metadata = json!({ "region": "eu", "order": 17, "password": "[redacted]" });
    assert_eq!(run["metadata"], metadata);
    let step = |key: &str| {
        let steps = run["steps"].as_array().unwrap();
        steps.iter().find(|step| step["key"] == key).unwrap()["attempts"].clone()
    };
    let attempts = step("charge");
    let told: Vec<(&Value, &Value, &Value)> = attempts
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["status"], &one["error"]["message"], &one["metadata"]["attempt"]))
        .collect();
    let (failed, no_answer) = (json!("error"), json!("no answer"));
    assert_eq!(
        told,
        [
            (&failed, &no_answer, &json!(1)),
            (&failed, &no_answer, &json!(2)),
            (&json!("success"), &Value::Null, &json!(3)),
        ]
    );
    assert_eq!(step("receipt")[0]["error"]["message"], "bounced");
}

/// §10.3: a strict step has arrived as it goes on, and hears what the server says of its event.
#[tokio::test]
async fn a_strict_step_hears_the_server() {
    let server = server().await;
    let url = format!("http://{}", server.address());
    let telemetry = Telemetry::builder().url(url).project_key("sw_any").build_strict().unwrap();
    let run = telemetry.run("checkout", "req_1");
    assert_eq!(run.step("charge", async { Ok::<_, String>(7) }).await, Ok(7));
    assert_eq!(telemetry.telemetry().stats().sent, 2);
    let refused = run.step("", async { Ok::<_, String>(()) }).await;
    let Err(StepError::NotStarted(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.code(), Some("SW1001"));
    assert!(error.to_string().contains("`step`"), "{error}");
    let path = "/api/v1/flows/checkout/runs/req_1";
    let run = until(server.address(), path, |run| run["events"] == 2).await;
    assert_eq!(run["steps"][0]["status"], "completed");
}
