//! What is kept: after a kill, for how long, and until its namespace goes.

use std::time::Duration;

use serde_json::json;
use stepwell_access::Role;
use stepwell_server::config::Config;
use stepwell_server::server;

use super::sent::{Told, send, until};
use crate::access::Keyed;
use crate::process::Process;
use crate::support::{config, get, server_on};

/// §10.7: what was acknowledged is there after the process was killed, also what no table had yet.
#[tokio::test]
async fn a_kill_loses_nothing_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = 0_u64;
    for _ in 0..3 {
        let process = Process::on(folder.path());
        let to = process.address;
        for _ in 0..20 {
            let run = format!("order-{runs}");
            let told = Told { flow: "checkout", run: &run };
            let call = [
                told.event(("charge", "c1"), "running", 400_000),
                told.event(("charge", "c1"), "success", 399_000),
            ];
            send(to, &call).await;
            runs += 1;
        }
        // Without a chance to write anything more.
        process.signal(rustix::process::Signal::KILL);
        drop(process);
    }
    let server = server_on(folder.path()).await;
    let path = "/api/v1/flows/checkout/runs?limit=500";
    let list = until(server.address(), path, |list| list["stale"] == false).await;
    let rows = list["runs"].as_array().unwrap();
    assert_eq!(rows.len() as u64, runs);
    assert!(rows.iter().all(|row| row["stepsEnded"] == 1 && row["attempts"] == 1), "{list}");
    server.stop().await;
}

/// Runs whose last event is older than the retention are deleted, and younger ones stay.
#[tokio::test]
async fn old_observed_runs_are_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let hour = 3_600_000;
    let data = Some(folder.path().to_owned());
    let first = server::start(&Config { data: data.clone(), ..config() }).await.unwrap();
    let (old, young) = (Told { flow: "f", run: "old" }, Told { flow: "f", run: "young" });
    let events =
        [old.event(("s", "c"), "running", 3 * hour), young.event(("s", "c"), "running", hour)];
    send(first.address(), &events).await;
    until(first.address(), &old.path(), |run| run["events"] == 1).await;
    first.stop().await;
    let telemetry_retention = Duration::from_hours(2);
    let config = Config { data, telemetry_retention, ..config() };
    let second = server::start(&config).await.unwrap();
    let to = second.address();
    let list = until(to, "/api/v1/flows/f/runs", |list| {
        list["runs"].as_array().is_some_and(|runs| runs.len() == 1)
    });
    assert_eq!(list.await["runs"][0]["run"], "young");
    assert_eq!(get(to, &old.path()).await.status, 404);
    second.stop().await;
}

/// A namespace in which something was observed is not deleted by mistake; with force nothing of it is left.
#[tokio::test]
async fn a_namespace_goes_with_what_was_observed_in_it() {
    let keyed = Keyed::start().await;
    keyed.namespace("shop").await;
    let admin = keyed.key("default", Role::Admin).await;
    let telemetry = keyed.key("shop", Role::Telemetry).await;
    let told = Told { flow: "checkout", run: "r" };
    let batch = json!({"events": [told.event(("s", "c"), "running", 0)]});
    assert_eq!(keyed.post("/api/v1/telemetry", &telemetry, batch).await.status, 200);
    let line = "DELETE /api/v1/namespaces/shop";
    let refused = keyed.ask(line, Some(&admin), None).await;
    assert_eq!((refused.status, &*refused.text("code")), (409, "SW1014"), "{refused:?}");
    assert!(refused.text("detail").contains("observed"), "{refused:?}");
    let gone = keyed.ask(&format!("{line}?force=true"), Some(&admin), None).await;
    assert_eq!((gone.status, &gone.json()["gone"]), (200, &json!(true)), "{gone:?}");
    // Who gets the name later finds nothing.
    keyed.namespace("shop").await;
    let viewer = keyed.key("shop", Role::Viewer).await;
    assert_eq!(keyed.get("/api/v1/flows", &viewer).await.json()["flows"], json!([]));
}

/// Reads a metric without labels.
fn value(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
}

/// What is counted of telemetry is told.
#[tokio::test]
async fn telemetry_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let server = server_on(folder.path()).await;
    let to = server.address();
    let told = Told { flow: "f", run: "r" };
    send(to, &[told.event(("s", "c"), "running", 10), told.event(("s", "c"), "success", 0)]).await;
    crate::support::post(to, "/api/v1/telemetry", &json!({"events": [1]})).await;
    // A body is given back by the thread that took it, maybe after its answer was sent.
    let mut text = get(to, "/metrics").await.body;
    for _ in 0..3_000 {
        if value(&text, "stepwell_telemetry_queued_bytes") == Some(0.0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        text = get(to, "/metrics").await.body;
    }
    let value = |name| value(&text, name);
    assert_eq!(value("stepwell_telemetry_events_total"), Some(2.0));
    assert_eq!(value("stepwell_telemetry_events_refused_total"), Some(1.0));
    assert_eq!(value("stepwell_telemetry_append_duration_seconds_count"), Some(1.0));
    assert_eq!(value("stepwell_telemetry_queued_bytes"), Some(0.0));
    assert!(value("stepwell_telemetry_disk_bytes").is_some_and(|bytes| bytes > 0.0), "{text}");
    let health = get(to, "/healthz").await.json();
    assert_eq!(health["telemetry"]["status"], "ok", "{health}");
    server.stop().await;
}
