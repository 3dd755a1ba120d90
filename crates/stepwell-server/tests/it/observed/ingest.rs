//! Requests with telemetry: what is taken, what is refused, and how.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use stepwell_access::Role;
use stepwell_server::config::{Config, TelemetryMode};
use stepwell_server::server;

use super::sent::{Told, send, steps, until};
use crate::access::Keyed;
use crate::support::{Answer, config, get, post, request, server};

const SHOP: Told<'static> = Told { flow: "checkout", run: "req_1" };

async fn post_as(to: std::net::SocketAddr, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut all = vec![("content-type", "application/json")];
    all.extend_from_slice(headers);
    request(to, "POST /api/v1/telemetry", &all, body).await
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// §10.4: what was acknowledged is shown; sent again, in whatever pieces, it changes nothing.
#[tokio::test]
async fn events_are_taken_and_repeated_ones_change_nothing() {
    let server = server().await;
    let to = server.address();
    let events = [
        SHOP.event(("charge", "c1"), "running", 3_000),
        SHOP.event(("charge", "c1"), "success", 2_000),
        SHOP.event(("ship", "c2"), "running", 1_000),
    ];
    send(to, &events).await;
    let run = until(to, &SHOP.path(), |run| run["events"] == 3).await;
    assert_eq!(steps(&run), [("charge", "completed"), ("ship", "running")].map(owned));
    for part in [&events[1..], &events[..2], &events[..]] {
        send(to, part).await;
    }
    let mut again = until(to, &SHOP.path(), |run| run["events"] == 3).await;
    // How long it has been open is part of the sentence.
    for at in ["/why", "/steps/1/why"] {
        *again.pointer_mut(at).unwrap() = run.pointer(at).unwrap().clone();
    }
    assert_eq!(again, run);
}

fn owned((a, b): (&str, &str)) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

/// A batch that is compressed is as one that is not.
#[tokio::test]
async fn batches_may_be_compressed() {
    let server = server().await;
    let to = server.address();
    let batch = json!({"events": [SHOP.event(("charge", "c1"), "running", 10)]}).to_string();
    let gzip = [("content-encoding", "gzip")];
    let taken = post_as(to, &gzip, &packed(batch.as_bytes())).await;
    assert_eq!((taken.status, &taken.json()["accepted"]), (200, &json!(1)), "{taken:?}");
    until(to, &SHOP.path(), |run| run["events"] == 1).await;
    let bomb = packed(&vec![b' '; 64 << 20]);
    for (headers, body, status, code) in [
        (&gzip[..], batch.as_bytes(), 400, "SW1001"),
        (&gzip, &bomb, 413, "SW1005"),
        (&[("content-encoding", "br")], batch.as_bytes(), 415, "SW1004"),
        (&[("content-encoding", "gzip"), ("content-encoding", "gzip")], &bomb, 415, "SW1004"),
    ] {
        let refused = post_as(to, headers, body).await;
        assert_eq!((refused.status, &*refused.text("code")), (status, code), "{refused:?}");
    }
}

/// What is no batch is refused whole.
#[tokio::test]
async fn what_is_no_batch_is_refused() {
    let server = server().await;
    let to = server.address();
    let many = json!({"events": vec![json!({}); 5_001]}).to_string();
    let large = format!("{{\"events\": [{}]}}", " ".repeat(4 << 20));
    for (body, status, code) in [
        (&b""[..], 400, "SW1001"),
        (b"[]", 400, "SW1001"),
        (b"{}", 400, "SW1001"),
        (b"{\"events\": 1}", 400, "SW1001"),
        (b"{\"events\": [], \"more\": 1}", 400, "SW1001"),
        (b"\xff\xfe", 400, "SW1001"),
        (many.as_bytes(), 400, "SW1001"),
        (large.as_bytes(), 413, "SW1005"),
    ] {
        let refused = post_as(to, &[], body).await;
        assert_eq!((refused.status, &*refused.text("code")), (status, code), "{refused:?}");
    }
    let other =
        request(to, "POST /api/v1/telemetry", &[("content-type", "text/plain")], b"x").await;
    assert_eq!((other.status, &*other.text("code")), (415, "SW1004"));
    assert_eq!(post_as(to, &[], b"{\"events\": []}").await.json()["accepted"], 0);
}

/// An event that is not understood is told of with its place; the others are taken.
#[tokio::test]
async fn one_wrong_event_does_not_take_others_along() {
    let server = server().await;
    let to = server.address();
    let good = SHOP.event(("charge", "c1"), "running", 10);
    let with = |field: &str, value: Value| {
        let mut event = good.clone();
        event[field] = value;
        event
    };
    let events = [
        with("status", "done".into()),
        good.clone(),
        with("flow", "".into()),
        with("run", "x".repeat(201).into()),
        with("step", "a\nb".into()),
        with("at", "yesterday".into()),
        with("id", "a b".into()),
        with("metadata", json!([1])),
        with("surprise", json!(1)),
        json!(7),
    ];
    let answer = post(to, "/api/v1/telemetry", &json!({"events": events})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    assert_eq!((&answer["accepted"], &answer["refusedTotal"]), (&json!(1), &json!(9)));
    let refused = answer["refused"].as_array().unwrap();
    let places: Vec<_> = refused.iter().map(|one| one["index"].as_u64().unwrap()).collect();
    assert_eq!(places, [0, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(refused.iter().all(|one| one["code"] == "SW1001"), "{answer}");
    let detail = refused[0]["detail"].as_str().unwrap();
    assert!(detail.contains("done") && detail.contains("accepted: running"), "{detail}");
    until(to, &SHOP.path(), |run| run["events"] == 1).await;
}

/// The largest batch is taken, and of refused events the first 20 are told.
#[tokio::test]
async fn the_largest_batch_is_taken() {
    let server = server().await;
    let to = server.address();
    let events: Vec<Value> = (0..5_000)
        .map(|n| {
            let run = format!("req_{}", n / 10);
            let told = Told { flow: "big", run: &run };
            let step = format!("s{}", n % 10);
            told.event((&step, "c"), "running", 60_000)
        })
        .collect();
    send(to, &events).await;
    let path = "/api/v1/flows/big/runs?limit=500";
    let list = until(to, path, |list| list["stale"] == false).await;
    let runs = list["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 500);
    assert!(runs.iter().all(|run| run["steps"] == 10), "{}", runs[0]);
    let wrong = vec![json!(1); 100];
    let answer = post(to, "/api/v1/telemetry", &json!({"events": wrong})).await.json();
    assert_eq!(answer["refused"].as_array().unwrap().len(), 20);
    assert_eq!(answer["refusedTotal"], 100);
}

/// §10.7: a key for telemetry can write telemetry, and nothing else; no other role but an admin's can.
#[tokio::test]
async fn a_telemetry_key_only_writes() {
    let keyed = Keyed::start().await;
    let key = keyed.key("default", Role::Telemetry).await;
    let batch = json!({"events": [SHOP.event(("charge", "c1"), "running", 10)]});
    let taken = keyed.post("/api/v1/telemetry", &key, batch.clone()).await;
    assert_eq!(taken.status, 200, "{taken:?}");
    for path in [&*SHOP.path(), "/api/v1/flows", "/api/v1/runs", "/api/v1/flows/checkout"] {
        let refused = keyed.get(path, &key).await;
        assert_eq!((refused.status, &*refused.text("code")), (403, "SW1011"), "{path}");
    }
    for role in [Role::Viewer, Role::Client, Role::Operator, Role::Worker] {
        let key = keyed.key("default", role).await;
        let refused = keyed.post("/api/v1/telemetry", &key, batch.clone()).await;
        assert_eq!((refused.status, &*refused.text("code")), (403, "SW1011"), "{role}");
    }
    // The namespace is that of the key.
    keyed.namespace("shop").await;
    let other = keyed.key("shop", Role::Viewer).await;
    let flows = keyed.get("/api/v1/flows", &other).await.json();
    assert_eq!(flows["flows"], json!([]));
    let run = keyed.get(&SHOP.path(), &other).await;
    assert_eq!((run.status, &*run.text("code")), (404, "SW2016"));
}

/// A server that takes none says so, and durable runs are not concerned.
#[tokio::test]
async fn a_server_without_telemetry_says_so() {
    let config = Config { telemetry: TelemetryMode::Off, ..config() };
    let server = server::start(&config).await.unwrap();
    let to = server.address();
    let refused = post(to, "/api/v1/telemetry", &json!({"events": []})).await;
    assert_eq!((refused.status, &*refused.text("code")), (404, "SW1002"));
    assert!(refused.text("detail").contains("telemetry = \"on\""), "{refused:?}");
    for path in ["/api/v1/runs?kind=all", "/api/v1/runs?kind=observed"] {
        let list = get(to, path).await;
        assert_eq!((list.status, &list.json()["runs"]), (200, &json!([])), "{list:?}");
    }
    let health = get(to, "/healthz").await.json();
    assert_eq!((&health["status"], &health["telemetry"]), (&json!("ok"), &Value::Null));
}
